package journal

import (
	"fmt"
	"strings"
	"testing"
)

func TestRingKeepsTheNewest(t *testing.T) {
	var sunk int
	j := New(func(Entry) { sunk++ }, false)
	for i := range Lines + 10 {
		j.Addf("system,info", "line %d", i)
	}
	e := j.Entries()
	if len(e) != Lines || e[0].Message != "line 10" || e[Lines-1].Message != fmt.Sprintf("line %d", Lines+9) {
		t.Fatalf("%d entries, first %q, last %q", len(e), e[0].Message, e[len(e)-1].Message)
	}
	if sunk != Lines+10 {
		t.Errorf("sink saw %d", sunk)
	}
}

func TestHostileTextStaysOnOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain <pptp-u>: ok": "plain <pptp-u>: ok",
		"a\nb\x1b[31m":       `a\0Ab\1B[31m`,
		"bad \xff utf":       `bad \FF utf`,
		"Zoë \ufffd":         "Zoë \ufffd",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if n := len(Clean(strings.Repeat("x", 1<<20))); n > 2*maxMessage {
		t.Errorf("long message kept %d octets", n)
	}
}

func TestFollowSeesNewEntriesAndNeverBlocks(t *testing.T) {
	j := New(nil, false)
	c, stop := j.Follow()
	for i := range followBacklog * 2 {
		j.Addf("info", "%d", i)
	}
	if e := <-c; e.Message != "0" || !e.Has("info") || e.Has("inf") {
		t.Errorf("first entry %+v", e)
	}
	stop()
	j.Addf("info", "after")
	if len(c) != followBacklog-1 {
		t.Errorf("%d entries waiting", len(c))
	}
}

func TestDebugGoesToTheSinkAlone(t *testing.T) {
	var sunk int
	quiet := New(func(Entry) { sunk++ }, false)
	quiet.Debugf("pptp,debug", "x")
	loud := New(func(Entry) { sunk++ }, true)
	loud.Debugf("pptp,debug", "x")
	if sunk != 1 || len(loud.Entries()) != 0 || quiet.Debug() || !loud.Debug() {
		t.Errorf("sunk %d, kept %d", sunk, len(loud.Entries()))
	}
	New(nil, true).Debugf("debug", "nobody listens")
}
