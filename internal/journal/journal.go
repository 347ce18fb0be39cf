// Package journal keeps the log as RouterOS shows it: entries with topics and a
// message, the newest thousand in memory, and hands each to the program's
// output. It knows nothing of rules and files; it starts no goroutine.
package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"gopptp/internal/bell"
)

// Lines is how many entries are kept in memory, RouterOS's memory-lines.
const Lines = 1000

// maxMessage bounds one message in octets, since parts of it come from peers.
const maxMessage = 1024

// An Entry is one line of the log.
type Entry struct {
	ID      uint64
	Time    time.Time
	Topics  string // comma separated, as RouterOS writes them: pptp,ppp,info
	Message string
}

// Has reports whether topic is among the entry's topics.
func (e Entry) Has(topic string) bool {
	return slices.Contains(strings.Split(e.Topics, ","), topic)
}

// A Journal is safe for concurrent use. Make it with New.
type Journal struct {
	sink  func(Entry)
	debug bool
	bell  bell.Bell

	counts [NumSeverities]atomic.Uint64

	mu   sync.Mutex
	last uint64
	ring []Entry // guarded by mu; oldest at next once full
	next int
	subs map[chan Entry]struct{}
}

// New makes a journal that also gives each entry to sink, one after the other
// in their order; sink may be nil and must not call back. With debug the entries
// of Debugf go there too.
func New(sink func(Entry), debug bool) *Journal {
	return &Journal{sink: sink, debug: debug && sink != nil, subs: map[chan Entry]struct{}{}}
}

// Debug reports whether Debugf does anything, for callers that would work to
// make its arguments.
func (j *Journal) Debug() bool { return j.debug }

// Debugf gives an entry to the sink alone, if debugging is on: what each packet
// does must not push what happened out of the memory.
func (j *Journal) Debugf(topics, format string, args ...any) {
	if !j.debug {
		return
	}
	message := Clean(fmt.Sprintf(format, args...))
	j.counts[severityOf(topics)].Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sink(Entry{Time: time.Now(), Topics: topics, Message: message})
}

// Addf appends an entry. Control characters in it are escaped, since a name or
// reason may come from a peer, and a long one is cut.
func (j *Journal) Addf(topics, format string, args ...any) {
	message := Clean(fmt.Sprintf(format, args...))
	j.counts[severityOf(topics)].Add(1)
	defer j.bell.Ring() // when mu is free
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e := Entry{ID: j.last, Time: time.Now(), Topics: topics, Message: message}
	if len(j.ring) < Lines {
		j.ring = append(j.ring, e)
	} else {
		j.ring[j.next] = e
		j.next = (j.next + 1) % Lines
	}
	for c := range j.subs {
		select {
		case c <- e:
		default: // a slow follower misses lines; it must not hold up a session
		}
	}
	if j.sink != nil {
		j.sink(e)
	}
}

// Changes gives a channel that is closed when the next entry is there.
func (j *Journal) Changes() <-chan struct{} { return j.bell.Next() }

// Entries gives what is in memory, oldest first.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append(slices.Clone(j.ring[j.next:]), j.ring[:j.next]...)
}

// followBacklog is how many entries wait for a follower before it misses some.
const followBacklog = 256

// Follow gives the entries that come from now on, until stop is called.
func (j *Journal) Follow() (entries <-chan Entry, stop func()) {
	c := make(chan Entry, followBacklog)
	j.mu.Lock()
	j.subs[c] = struct{}{}
	j.mu.Unlock()
	return c, func() {
		j.mu.Lock()
		delete(j.subs, c)
		j.mu.Unlock()
	}
}

// Clean makes hostile text fit for one line of a log: what is not shown, such as
// control characters and those that turn the direction of writing, and invalid
// UTF-8 become escapes, and what is too long is cut.
func Clean(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "..."
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\uFFFD' && s[i] != 0xef:
			fmt.Fprintf(&b, `\%02X`, s[i])
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\%02X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
