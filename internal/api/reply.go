package api

import (
	"net"
	"slices"
	"strconv"
	"time"

	"gopptp/internal/menu"
)

const (
	// writeTimeout bounds how long a client may leave what we write unread.
	writeTimeout = 30 * time.Second
	// writeSize is when a part of an answer is written before its end.
	writeSize = 16 << 10
)

// An out is the connection's way out, for all commands that run. It keeps nothing:
// who writes waits for the client, and the others for their turn.
type out struct {
	conn net.Conn
	// turn holds a token while somebody writes. It is no mutex since a client may keep
	// who writes, and so those who follow, for as long as writeTimeout: in a bubble of
	// synctest no time passes while somebody waits for a mutex.
	turn chan struct{}
	err  error // guarded by turn; the first one
}

func newOut(conn net.Conn) *out { return &out{conn: conn, turn: make(chan struct{}, 1)} }

// write writes whole sentences.
func (o *out) write(sentences []byte) error {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	if o.err != nil {
		return o.err
	}
	if o.err = o.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); o.err == nil {
		_, o.err = o.conn.Write(sentences)
	}
	if o.err != nil {
		o.conn.Close() // the reader then ends the rest
	}
	return o.err
}

// close makes what is written from now on an error: nothing follows a !fatal.
func (o *out) close() {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	if o.err == nil {
		o.err = net.ErrClosed
	}
}

// A reply makes and writes the sentences that answer one command. It keeps no more
// than writeSize and one sentence. It is for one goroutine.
type reply struct {
	*out
	tag    string
	tagged bool
	buf    []byte        // sentences to write, and the one that is being made
	wrote  time.Duration // how long writing took
}

// begin starts a sentence.
func (r *reply) begin(word string) {
	r.buf = appendWord(r.buf, word)
	if r.tagged {
		const tag = ".tag="
		r.buf = appendLength(r.buf, uint32(len(tag)+len(r.tag)))
		r.buf = append(r.buf, tag...)
		r.buf = append(r.buf, r.tag...)
	}
}

// pair appends a word =name=value.
func (r *reply) pair(name, value string) {
	r.buf = appendLength(r.buf, uint32(2+len(name)+len(value)))
	r.buf = append(r.buf, '=')
	r.buf = append(r.buf, name...)
	r.buf = append(r.buf, '=')
	r.buf = append(r.buf, value...)
}

// end ends a sentence, and writes what there is if it is much.
func (r *reply) end() error {
	if r.buf = append(r.buf, 0); len(r.buf) < writeSize {
		return nil
	}
	return r.flush()
}

// flush writes what waits.
func (r *reply) flush() error {
	if len(r.buf) == 0 {
		return nil
	}
	began := time.Now()
	err := r.write(r.buf)
	r.wrote += time.Since(began)
	if r.buf = r.buf[:0]; cap(r.buf) > 4*writeSize {
		r.buf = nil
	}
	return err
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
	r.buf = appendWord(r.buf, "!fatal")
	r.buf = appendWord(r.buf, reason)
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
