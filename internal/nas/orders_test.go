package nas

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/radius"
	"gopptp/internal/session"
	"gopptp/internal/shape"
)

func TestFind(t *testing.T) {
	s := newSessions()
	o := orders{&NAS{sessions: s}}
	for id, user := range map[uint64]string{1: "u", 2: "u", 3: `A\DOM\v`} {
		s.live(id, user)
	}
	port := uint32(2)
	for _, c := range []struct {
		match radius.Match
		want  []uint64
	}{
		{radius.Match{User: "u"}, []uint64{1, 2}},
		{radius.Match{User: "v"}, nil},
		{radius.Match{User: `A\DOM\v`}, []uint64{3}},
		{radius.Match{ID: "81040002"}, []uint64{2}},
		{radius.Match{ID: "0x81040002"}, nil},
		{radius.Match{User: "u", Address: addr("10.0.1.1")}, []uint64{1}},
		{radius.Match{Address: addr("10.0.1.3"), Calling: "192.0.2.7", Called: "192.0.2.1"}, []uint64{3}},
		{radius.Match{Port: &port}, []uint64{2}},
		{radius.Match{User: "u", ID: "81040003"}, nil},
	} {
		got := o.Find(c.match)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.match, got, c.want)
		}
	}
	if d := told(s.list[slices.IndexFunc(s.list, func(s session.Status) bool { return s.ID == 3 })]); d.Domain != `A\DOM` {
		t.Errorf("the domain is %q", d.Domain)
	}
	if err := o.Disconnect(1); err != nil || !slices.Equal(s.ended, []uint64{1}) {
		t.Errorf("disconnect: %v, %v", err, s.ended)
	}
	if err := o.Disconnect(9); !errors.Is(err, radius.ErrGone) {
		t.Errorf("disconnect of nobody: %v", err)
	}
}

func TestChange(t *testing.T) {
	s := newSessions()
	o := orders{&NAS{sessions: s}}
	text := func(s string) *string { return &s }
	long := func(d time.Duration) *time.Duration { return &d }
	octets := func(n uint64) *uint64 { return &n }
	ports := uint32(1<<32 - 1)
	rate := func(text string) shape.Limit { l, _ := shape.Parse(text); return l }
	for _, c := range []struct {
		name   string
		before func(*aaa.Policy) // what the server had ordered
		change radius.Change
		want   func(*aaa.Policy) // what is different afterwards
		err    error
	}{
		{name: "nothing", want: func(*aaa.Policy) {}},
		{name: "rate", change: radius.Change{Rate: text("1M/2M")}, want: func(p *aaa.Policy) { p.Rate = rate("1M/2M") }},
		{name: "no rate", change: radius.Change{Rate: text("0")}, want: func(p *aaa.Policy) { p.Rate = rate("0") }},
		{name: "nonsense", change: radius.Change{Rate: text("fast"), IdleTimeout: long(1)}, want: func(*aaa.Policy) {}, err: shape.ErrSyntax},
		{name: "timeouts", change: radius.Change{SessionTimeout: long(time.Second), IdleTimeout: long(0)}, want: func(p *aaa.Policy) {
			p.SessionTimeout, p.IdleTimeout = time.Second, 0
		}},
		{name: "filters", change: radius.Change{FilterIn: text("a"), FilterOut: text("")}, want: func(p *aaa.Policy) { p.IncomingFilter, p.OutgoingFilter = "a", "" }},
		{name: "limits", change: radius.Change{ReceiveLimit: octets(1), TransmitLimit: octets(2 << 32), TotalLimit: octets(0)}, want: func(p *aaa.Policy) {
			p.LimitIn, p.LimitOut = 1, 2<<32
		}},
		{name: "port limit", change: radius.Change{PortLimit: &ports}, want: func(p *aaa.Policy) { p.PortLimit = 1 << 30 }},
		{name: "group", change: radius.Change{Profile: text("gold")}, want: func(p *aaa.Policy) {
			p.IdleTimeout, p.AddressLists = 2*time.Minute, []string{"golden"} // and the rest is the service's as before
		}},
		{
			name:   "group beside orders",
			before: func(p *aaa.Policy) { p.IdleTimeout, p.AddressLists, p.Rate = time.Second, []string{"x"}, rate("5M") },
			change: radius.Change{Profile: text("gold")}, want: func(*aaa.Policy) {},
		},
		{name: "group and idle timeout", change: radius.Change{Profile: text("gold"), IdleTimeout: long(time.Hour)}, want: func(p *aaa.Policy) {
			p.IdleTimeout, p.AddressLists = time.Hour, []string{"golden"}
		}},
		{name: "no such group", change: radius.Change{Profile: text("bronze"), IdleTimeout: long(1)}, want: func(*aaa.Policy) {}, err: errGroup},
	} {
		s.list = nil
		s.live(1, "u")
		if c.before != nil {
			c.before(s.policies[1])
		}
		want := *s.policies[1]
		c.want(&want)
		if err := o.Change(1, c.change); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := *s.policies[1]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, want)
		}
	}
	// There and back again.
	s.list = nil
	s.live(1, "u")
	before := fmt.Sprint(*s.policies[1])
	for _, group := range []string{"gold", "service"} {
		if err := o.Change(1, radius.Change{Profile: &group}); err != nil {
			t.Error(err)
		}
	}
	if got := fmt.Sprint(*s.policies[1]); got != before {
		t.Errorf("there and back again:\n%s, want\n%s", got, before)
	}
	if err := o.Change(9, radius.Change{}); !errors.Is(err, radius.ErrGone) {
		t.Errorf("nobody: %v", err)
	}
	s.refuse = errors.New("no room")
	if err := o.Change(1, radius.Change{Class: [][]byte{{1}}}); !errors.Is(err, s.refuse) {
		t.Errorf("refused: %v", err)
	}
}

// TestChangeClass: the records from then on have it.
func TestChangeClass(t *testing.T) {
	f := newServer(t)
	n, s, _ := newNAS(t, accounting, f)
	st := s.live(1, "u")
	now := time.Now()
	n.Event(event(session.Up, st, now))
	if err := (orders{n}).Change(1, radius.Change{Class: [][]byte{[]byte("new")}}); err != nil {
		t.Error(err)
	}
	n.Event(event(session.Ended, st, now))
	drain(t, n)
	want := "on\nstart u 81040001 10.0.1.1 authentic 1 class c\nstop u 81040001 10.0.1.1 authentic 1 class new 0s 0.0/0.0 octets 0/0 packets cause 0"
	if got := f.accounted(); got != want {
		t.Errorf("accounted:\n%s", got)
	}
}
