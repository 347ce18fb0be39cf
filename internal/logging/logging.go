// Package logging carries out the rules of /system/logging: which entries of the
// log are shown, which go to files and to syslog servers, and which are echoed to
// consoles.
//
// It keeps no entry in memory but those that wait for a server: that is the
// journal's work, and the rules decide what of it is shown. What the program writes to its own output does not depend
// on them.
package logging

import (
	"cmp"
	"context"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gopptp/internal/journal"
)

// A Target is what an action does with an entry.
type Target string

// The targets.
const (
	Memory Target = "memory" // it is shown by /log
	Disk   Target = "disk"   // it is appended to a file
	Echo   Target = "echo"   // it is shown to those who are at a console; the program's output has all entries
	Remote Target = "remote" // it is sent to a syslog server
)

// An Action is a row of /system/logging/action.
type Action struct {
	ID     uint64
	Target Target

	File  string // name of the files, for Disk
	Lines int    // in one file
	Files int    // how many are kept

	Server   netip.AddrPort // for Remote; nothing is sent to an unspecified address
	Source   netip.Addr     // that packets come from; the machine's choice if it is not valid
	TCP      bool
	ISOTime  bool // the time of a BSD packet as ISO 8601 has it
	Facility int
	Severity int // negative to take it from the topics

	Format Format // for Disk and Remote
}

// A Format is how an entry is written. The zero value is RouterOS's own.
type Format string

// The formats.
const (
	Plain   Format = "default" // time in a file, priority in a packet; then topics and message
	BSD     Format = "syslog"  // for Remote: with the time and the system's name (RFC 3164)
	RFC5424 Format = "rfc5424" // for Remote
	JSON    Format = "json"    // for Disk: an object on each line
)

// A Rule is a row of /system/logging.
type Rule struct {
	ID       uint64
	Topics   []string // all must be among the entry's; after ! they must not
	Prefix   string   // of the message
	Action   uint64   // the id of an action
	Disabled bool
}

// wants reports whether the rule is about an entry.
func (r Rule) wants(topics []string) bool {
	return !r.Disabled && !slices.ContainsFunc(r.Topics, func(t string) bool {
		t, not := strings.CutPrefix(t, "!")
		return slices.Contains(topics, t) == not
	})
}

// message is the entry's text as the rule wants it.
func (r Rule) message(e journal.Entry) string {
	if r.Prefix == "" {
		return e.Message
	}
	return r.Prefix + ": " + e.Message
}

// A Router knows the rules. It is safe for concurrent use. Make it with New.
type Router struct {
	mu      sync.Mutex
	rules   map[uint64]Rule
	actions map[uint64]Action
	name    string
	outputs map[uint64]io.WriteCloser // of actions; owned by Run
	stale   []io.Closer               // outputs of actions that changed
	retired chan struct{}             // holds a token when Run has some to close

	consoles map[*console]struct{}
}

// A console is somebody to whom entries are echoed.
type console struct{ show func(line string) }

// New makes a router without rules.
func New() *Router {
	return &Router{
		rules: map[uint64]Rule{}, actions: map[uint64]Action{}, outputs: map[uint64]io.WriteCloser{},
		retired: make(chan struct{}, 1), consoles: map[*console]struct{}{},
	}
}

// Echo has Run give show the lines that rules echo, until stop is called. It must
// not wait: the other outputs would wait with it.
func (r *Router) Echo(show func(line string)) (stop func()) {
	c := &console{show}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.consoles[c] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.consoles, c)
	}
}

// echo shows a delivery at the consoles.
func (r *Router) echo(d delivery, e journal.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.consoles {
		c.show(e.Time.Format(time.TimeOnly) + " echo: " + e.Topics + " " + d.message)
	}
}

// SetIdentity sets the name that syslog servers see.
func (r *Router) SetIdentity(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name = name
}

// PutRule adds or replaces a rule.
func (r *Router) PutRule(rule Rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules[rule.ID] = rule
}

// RemoveRule forgets a rule.
func (r *Router) RemoveRule(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rules, id)
}

// PutAction adds or replaces an action.
func (r *Router) PutAction(a Action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.actions[a.ID] != a {
		r.retireLocked(a.ID)
	}
	r.actions[a.ID] = a
}

// RemoveAction forgets an action.
func (r *Router) RemoveAction(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retireLocked(id)
	delete(r.actions, id)
}

// retireLocked takes the output of an action away, for Run to close.
func (r *Router) retireLocked(id uint64) {
	if o := r.outputs[id]; o != nil {
		delete(r.outputs, id)
		r.discardLocked(o)
	}
}

// discardLocked leaves an output to Run to close.
func (r *Router) discardLocked(o io.Closer) {
	r.stale = append(r.stale, o)
	select {
	case r.retired <- struct{}{}:
	default:
	}
}

// closeStale closes the outputs of actions that changed or are gone.
func (r *Router) closeStale() {
	r.mu.Lock()
	stale := r.stale
	r.stale = nil
	r.mu.Unlock()
	var all sync.WaitGroup // since each may take its time
	for _, old := range stale {
		all.Go(func() { old.Close() }) // what it could not bring away is lost
	}
	all.Wait()
}

// Shown reports whether a rule shows an entry in memory, and gives its message
// as the first of them wants it.
func (r *Router) Shown(e journal.Entry) (message string, ok bool) {
	for _, d := range r.deliveries(e) {
		if d.action.Target == Memory {
			return d.message, true
		}
	}
	return "", false
}

// A delivery is what a rule wants done.
type delivery struct {
	action  Action
	message string
}

// deliveries gives what the rules want done with an entry, in the order of the
// rules.
func (r *Router) deliveries(e journal.Entry) []delivery {
	topics := strings.Split(e.Topics, ",")
	r.mu.Lock()
	defer r.mu.Unlock()
	var rules []Rule
	for _, rule := range r.rules {
		if rule.wants(topics) {
			rules = append(rules, rule)
		}
	}
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	var out []delivery
	for _, rule := range rules {
		out = append(out, delivery{r.actions[rule.Action], rule.message(e)})
	}
	return out
}

// tellAgain is how long a failure is not told again, though it seemed to be over: of
// packets to a port where nothing listens, every second one fails.
const tellAgain = time.Minute

// Run writes to files, sends to servers and echoes what the journal has from now
// on, until ctx ends and what was there by then is done. A nil files keeps no files.
func (r *Router) Run(ctx context.Context, j *journal.Journal, files *os.Root) {
	entries, stop := j.Follow()
	defer stop()
	defer r.close()
	c := courier{r, j, files, map[uint64]uint32{}, map[uint64]bool{}, map[uint64]time.Time{}}
	for {
		select {
		case e := <-entries:
			c.deliver(e)
		case <-r.retired:
			r.closeStale()
		case <-ctx.Done():
			for range len(entries) {
				c.deliver(<-entries)
			}
			return
		}
	}
}

// A courier is what Run knows of the actions, by their ids.
type courier struct {
	*Router
	journal *journal.Journal
	files   *os.Root

	sent   map[uint64]uint32    // entries
	failed map[uint64]bool      // the failure was told
	told   map[uint64]time.Time // and when it was
}

// deliver does what the rules want done with an entry outside of the memory.
func (c courier) deliver(e journal.Entry) {
	for _, d := range c.deliveries(e) {
		if d.action.Target == Echo {
			c.echo(d, e)
		}
		if d.action.Target != Disk && d.action.Target != Remote {
			continue
		}
		id := d.action.ID
		c.sent[id] = c.sent[id]%maxSequence + 1
		err := c.write(d, e, c.sent[id], c.files)
		if now := time.Now(); err != nil && !c.failed[id] && now.Sub(c.told[id]) >= tellAgain {
			// Told once: this line comes here as well.
			c.told[id] = now
			c.journal.Addf("system,error", "logging to %s failed: %v", d.action.Target, err)
		}
		c.failed[id] = err != nil
	}
}

// write carries out a delivery to a file or a server, the action's of that number.
func (r *Router) write(d delivery, e journal.Entry, number uint32, files *os.Root) error {
	r.closeStale()
	r.mu.Lock()
	o, name := r.outputs[d.action.ID], r.name
	r.mu.Unlock()
	if o == nil {
		var err error
		if o, err = open(d.action, files); err != nil {
			return err
		}
		r.mu.Lock()
		if r.actions[d.action.ID] == d.action {
			r.outputs[d.action.ID] = o
		} else {
			r.discardLocked(o)
		}
		r.mu.Unlock()
	}
	var text []byte
	if d.action.Target == Remote {
		text = packet(d.action, name, e, d.message, number)
	} else {
		text = line(d.action, e, d.message)
	}
	_, err := o.Write(text)
	return err
}

// close closes all outputs.
func (r *Router) close() {
	r.mu.Lock()
	for id := range r.actions {
		r.retireLocked(id)
	}
	r.mu.Unlock()
	r.closeStale()
}
