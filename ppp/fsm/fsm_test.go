package fsm

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestRFC1661Section4_1 compares all 160 cells with the transcription.
func TestRFC1661Section4_1(t *testing.T) {
	text, err := os.ReadFile("testdata/rfc1661-4.1.txt")
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	event := Event(0)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 1+numStates {
			t.Fatalf("row %q has %d fields", line, len(fields))
		}
		if event.String() != fields[0] {
			t.Fatalf("row %d is %s, want %s", event, fields[0], event)
		}
		for s, want := range fields[1:] {
			next, actions, ok := Step(State(s), event)
			got := "-"
			if ok {
				got = fmt.Sprint(uint8(next))
				if actions != 0 {
					got = actions.String() + "/" + got
				}
			}
			if got != want {
				t.Errorf("%s in %s = %s, want %s", event, State(s), got, want)
			}
			cells++
		}
		event++
	}
	if cells != 160 {
		t.Errorf("compared %d cells", cells)
	}
}

func TestStepOutOfRange(t *testing.T) {
	for _, c := range []struct {
		s State
		e Event
	}{{numStates, Up}, {Opened, numEvents}, {255, 255}} {
		if next, actions, ok := Step(c.s, c.e); ok || next != c.s || actions != 0 {
			t.Errorf("Step(%v, %v) = %v, %v, %v", c.s, c.e, next, actions, ok)
		}
	}
}

func TestEachKeepsOrder(t *testing.T) {
	var got []string
	(TLD | SCR | SCA | IRC | TLU | TLF).Each(func(a Action) { got = append(got, a.String()) })
	if s := strings.Join(got, " "); s != "tld irc scr sca tlu tlf" {
		t.Errorf("order is %s", s)
	}
	if !(TLD | SCR).Has(SCR) || (TLD | SCR).Has(SCR|SCA) {
		t.Error("Has is wrong")
	}
}

func TestTimerRuns(t *testing.T) {
	for s := range State(numStates) {
		_, _, retry := Step(s, TimeoutRetry)
		if s.TimerRuns() != retry {
			t.Errorf("%s: timer runs %v, but a timeout is legal: %v", s, s.TimerRuns(), retry)
		}
	}
}

func TestRestart(t *testing.T) {
	now := time.Unix(1000, 0)
	var r Restart
	if _, ok := r.Deadline(); ok || r.Expired(now) {
		t.Error("a new timer runs")
	}
	r.Reset(2)
	for i := range 3 {
		r.Arm(now, time.Second)
		if r.Expired(now.Add(999 * time.Millisecond)) {
			t.Error("expired early")
		}
		now = now.Add(time.Second)
		if !r.Expired(now) {
			t.Error("did not expire")
		}
		want := TimeoutRetry
		if i == 2 {
			want = TimeoutExpired
		}
		if got := r.Event(); got != want {
			t.Errorf("timeout %d is %s, want %s", i, got, want)
		}
		r.Sent()
	}
	r.Arm(now, time.Minute)
	r.Hasten(now, time.Second)
	if at, ok := r.Deadline(); !ok || !at.Equal(now.Add(time.Second)) {
		t.Errorf("deadline %v, %v", at, ok)
	}
	r.Hasten(now, time.Hour)
	if at, _ := r.Deadline(); !at.Equal(now.Add(time.Second)) {
		t.Error("Hasten put the deadline off")
	}
	r.Stop()
	r.Hasten(now, time.Second)
	if _, ok := r.Deadline(); ok {
		t.Error("a stopped timer runs")
	}
}

func TestNames(t *testing.T) {
	if State(77).String() != "state(77)" || Event(77).String() != "event(77)" || Opened.String() != "Opened" {
		t.Error("names")
	}
}
