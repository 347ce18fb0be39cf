package api

import (
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"gopptp/internal/menu"
)

const (
	// writeTimeout bounds how long a client may leave what we write unread.
	writeTimeout = 30 * time.Second
	// writeSize is when a part of an answer is written before its end.
	writeSize = 16 << 10
)

// An out is the connection's way out, for all commands that run. It queues no
// more than writeSize and one sentence: who writes waits for the client.
type out struct {
	conn net.Conn

	mu  sync.Mutex
	buf []byte // guarded by mu
	err error  // guarded by mu; the first one
}

// put appends a sentence, which is whole.
func (o *out) put(sentence []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if o.buf = append(o.buf, sentence...); len(o.buf) >= writeSize {
		o.writeLocked()
	}
	return o.err
}

// flush writes what waits.
func (o *out) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && len(o.buf) > 0 {
		o.writeLocked()
	}
	return o.err
}

// close makes what is put from now on an error: nothing follows a !fatal.
func (o *out) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = net.ErrClosed
	}
}

func (o *out) writeLocked() {
	o.err = o.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if o.err == nil {
		_, o.err = o.conn.Write(o.buf)
	}
	o.buf = o.buf[:0]
	if cap(o.buf) > 4*writeSize {
		o.buf = nil
	}
	if o.err != nil {
		o.conn.Close() // the reader then ends the rest
	}
}

// A reply writes the sentences that answer one command. It is for one goroutine.
type reply struct {
	*out
	tag     string
	tagged  bool
	scratch []byte
}

// begin starts a sentence.
func (r *reply) begin(word string) {
	r.scratch = appendWord(r.scratch[:0], word)
	if r.tagged {
		const tag = ".tag="
		r.scratch = appendLength(r.scratch, uint32(len(tag)+len(r.tag)))
		r.scratch = append(r.scratch, tag...)
		r.scratch = append(r.scratch, r.tag...)
	}
}

// pair appends a word =name=value.
func (r *reply) pair(name, value string) {
	r.scratch = appendLength(r.scratch, uint32(2+len(name)+len(value)))
	r.scratch = append(r.scratch, '=')
	r.scratch = append(r.scratch, name...)
	r.scratch = append(r.scratch, '=')
	r.scratch = append(r.scratch, value...)
}

// end ends a sentence and puts it on its way.
func (r *reply) end() error {
	r.scratch = append(r.scratch, 0)
	return r.put(r.scratch)
}

// empty says that a print has no rows.
func (r *reply) empty() error {
	r.begin("!empty")
	return r.end()
}

// done ends the answer.
func (r *reply) done() error {
	r.begin("!done")
	if err := r.end(); err != nil {
		return err
	}
	return r.flush()
}

// doneWith ends the answer with a value.
func (r *reply) doneWith(ret string) error {
	r.begin("!done")
	r.pair("ret", ret)
	if err := r.end(); err != nil {
		return err
	}
	return r.flush()
}

// trap ends the answer with an error: programs wait for the !done after it too.
func (r *reply) trap(t *trap) error {
	r.begin("!trap")
	if t.category != categoryNone {
		r.pair("category", string(t.category))
	}
	r.pair("message", t.message)
	if err := r.end(); err != nil {
		return err
	}
	return r.done()
}

// fatal says why the connection ends. It carries no tag, since it is not about a
// command; programs take its first word for the reason.
func (r *reply) fatal(reason string) error {
	r.scratch = appendWord(r.scratch[:0], "!fatal")
	r.scratch = appendWord(r.scratch, reason)
	if err := r.end(); err != nil {
		return err
	}
	defer r.close()
	return r.flush()
}

// row sends a row; section counts the rounds of an answer that goes on, and is
// negative for none.
func (r *reply) row(c *call, row *menu.Row, section int) error {
	r.begin("!re")
	if section >= 0 {
		r.pair(".section", strconv.Itoa(section))
	}
	r.values(c, row)
	return r.end()
}

// gone tells a listener that a row is not there any more.
func (r *reply) gone(id menu.ID) error {
	r.begin("!re")
	r.pair(menu.IDKey, id.String())
	r.pair(".dead", "yes")
	return r.end()
}

// values appends a row's id and properties. Counters are always among them, as
// programs read them without asking; what is not there, and an empty comment, is
// left out.
func (r *reply) values(c *call, row *menu.Row) {
	one := func(name string) {
		if text, there := row.Lookup(name); there && (name != menu.Comment || text != "") {
			r.pair(name, text)
		}
	}
	hasID := row.Menu == c.Menu && !row.Menu.Singleton
	if hasID && (c.proplist == nil || slices.Contains(c.proplist, menu.IDKey)) {
		r.pair(menu.IDKey, row.ID.String())
	}
	if c.proplist != nil {
		for _, name := range c.proplist {
			if row.Menu.Property(name) != nil {
				one(name)
			}
		}
		return
	}
	for i := range row.Menu.Properties {
		one(row.Menu.Properties[i].Name)
	}
}
