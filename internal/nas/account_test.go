package nas

import (
	"strings"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/radius"
	"gopptp/internal/session"
)

var accounting = Settings{UseRADIUS: true, Accounting: true}

// event is one of a session that began at a time.
func event(kind session.EventKind, st session.Status, at time.Time) session.Event {
	return session.Event{Kind: kind, Server: true, At: at, Status: st, Grant: &aaa.Grant{Radius: st.Radius, Class: [][]byte{[]byte("c")}}}
}

func TestAccounting(t *testing.T) {
	f := newServer(t)
	n, s, _, stop := newRunning(t, accounting, f)
	began := time.Now().Add(-time.Hour)
	st := s.live(1, "u")
	n.Event(event(session.Up, st, began))
	n.Event(event(session.Down, st, began))
	st.RemoteAddress = addr("10.0.1.99") // another one, after the network was down
	n.Event(event(session.Up, st, began.Add(time.Second)))
	n.updateDue(time.Now()) // there is no interval
	end := event(session.Ended, st, began.Add(time.Minute))
	end.Status.Traffic = session.Traffic{RxBytes: 7<<32 + 1, TxBytes: 9<<32 + 2, RxPackets: 3, TxPackets: 4}
	end.Cause = session.IdleTimeout
	n.Event(end)
	n.Event(end)
	drain(t, n)
	want := `on
start u 81040001 10.0.1.1 authentic 1 class c
stop u 81040001 10.0.1.99 authentic 1 class c 60s 7.1/9.2 octets 3/4 packets cause 4`
	if got := f.accounted(); got != want {
		t.Errorf("accounted:\n%s\nwant\n%s", got, want)
	}

	local := s.live(2, "local")
	local.Radius = false
	up, over := event(session.Up, local, began), event(session.Ended, local, began)
	up.Grant.Class, over.Grant.Class = nil, nil
	n.Event(up)
	// What began is brought to its end, whatever is configured meanwhile.
	n.SetAAA(Settings{UseRADIUS: true})
	n.Event(over)
	drain(t, n)
	want = "start local 81040002 10.0.1.2 authentic 2\nstop local 81040002 10.0.1.2 authentic 2 0s 0.0/0.0 octets 0/0 packets cause 0"
	if got := f.accounted(); got != want {
		t.Errorf("accounted:\n%s\nwant\n%s", got, want)
	}

	for name, settings := range map[string]Settings{"accounting=no": {UseRADIUS: true}, "use-radius=no": {Accounting: true}} {
		n.SetAAA(settings)
		st := s.live(3, "u")
		n.Event(event(session.Up, st, began))
		n.Event(event(session.Ended, st, began))
		if waiting := n.accounting.Waiting(); waiting != 0 || f.accounted() != "" {
			t.Errorf("%s: there is accounting", name)
		}
	}
	n.SetAAA(accounting)
	never := s.live(4, "never")
	n.Event(event(session.Ended, never, began)) // the network never came up
	client := event(session.Up, s.live(5, "client"), began)
	client.Server = false
	n.Event(client)
	if n.accounting.Waiting() != 0 || f.accounted() != "" {
		t.Error("there is accounting for what is no session of the server")
	}
	stop()
	if len(n.accounted) != 0 {
		t.Errorf("%d sessions are remembered for ever", len(n.accounted))
	}
	if got := f.accounted(); got != "off" {
		t.Errorf("at the end: %q", got)
	}
}

// TestInterim: updates come at the server's interval or else at ours, not exactly,
// and none after the end.
func TestInterim(t *testing.T) {
	f := newServer(t)
	n, s, _ := newNAS(t, Settings{UseRADIUS: true, Accounting: true, Interim: 10 * time.Minute}, f)
	began := time.Now()
	dues := map[time.Time]bool{}
	for id := range uint64(20) {
		e := event(session.Up, s.live(id, "u"), began)
		want := 10 * time.Minute
		if id%2 == 0 {
			e.Grant.Interim, want = time.Minute, time.Minute
		}
		n.Event(e)
		n.mu.Lock()
		due := n.accounted[id].due
		n.mu.Unlock()
		dues[due] = true
		if wait := due.Sub(began); wait < want-want/10 || wait > want+want/10 {
			t.Errorf("the first update is due after %v, not about %v", wait, want)
		}
	}
	if len(dues) < 15 {
		t.Errorf("%d sessions report at %d times", 20, len(dues))
	}
	drain(t, n)
	f.accounted()
	s.mu.Lock()
	s.list[0].Traffic = session.Traffic{RxBytes: 5}
	s.mu.Unlock()
	n.updateDue(began.Add(50 * time.Second))
	n.updateDue(began.Add(67 * time.Second))
	drain(t, n)
	got := f.accounted()
	if strings.Count(got, "interim") != 10 || !strings.Contains(got, "interim u 81040000 10.0.1.0 authentic 1 class c 67s 0.5/0.0 octets") {
		t.Errorf("updates:\n%s", got)
	}
	n.updateDue(began.Add(68 * time.Second))
	if n.accounting.Waiting() != 0 {
		t.Error("updates come again at once")
	}

	// One that is on its way when the session ends is not to come behind the end.
	n.mu.Lock()
	a := n.accounted[0]
	n.mu.Unlock()
	n.Event(event(session.Ended, s.list[0], began.Add(69*time.Second)))
	n.mu.Lock()
	n.accounted[0], a.due = a, began
	n.mu.Unlock()
	n.updateDue(began.Add(70 * time.Second))
	drain(t, n)
	if got := f.accounted(); strings.Contains(got, "interim") || !strings.Contains(got, "stop u 81040000") {
		t.Errorf("after the end:\n%s", got)
	}
}

// TestIntroduce: servers are told once that accounting begins, as soon as there is
// one.
func TestIntroduce(t *testing.T) {
	f := newServer(t)
	n, _, _, stop := newRunning(t, accounting, nil)
	if n.accounting.Waiting() != 0 {
		t.Error("it begins without a server")
	}
	n.SetServers([]radius.Server{f.row()})
	n.SetServers([]radius.Server{f.row()})
	n.SetAAA(accounting)
	drain(t, n)
	if got := f.accounted(); got != "on" {
		t.Errorf("told: %q", got)
	}
	stop()
	if got := f.accounted(); got != "off" {
		t.Errorf("at the end: %q", got)
	}

	n, _, _, stop = newRunning(t, Settings{UseRADIUS: true}, f)
	stop()
	if got := f.accounted(); got != "" {
		t.Errorf("without accounting: %q", got)
	}
}
