package api

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestStrangersByAddress(t *testing.T) {
	var s strangers
	enter := func(address string) (func(), bool) { return s.enter(netip.MustParseAddr(address)) }
	var leave func()
	for range maxStrangersFrom {
		var ok bool
		if leave, ok = enter("2001:db8::1"); !ok {
			t.Fatal("one of those that there is room for is refused")
		}
	}
	for address, want := range map[string]bool{"2001:db8::2": false, "2001:db8::1%eth0": false, "2001:db8:0:1::1": true, "192.0.2.1": true} {
		if _, ok := enter(address); ok != want {
			t.Errorf("%s may come: %v", address, ok)
		}
	}
	leave()
	leave()
	if _, ok := enter("2001:db8::3"); !ok {
		t.Error("the place of one that left is not free")
	}
	if _, ok := enter("2001:db8::4"); ok {
		t.Error("one that left twice left two places")
	}
}

// TestOneStrangerLeavesRoom has an address open more connections than it may, and a
// user come from it all the same when one of them ends.
func TestOneStrangerLeavesRoom(t *testing.T) {
	b := newBench(t)
	addr, _ := b.serve(t, plain)
	inside := enter(t, addr) // does not count any more
	var silent []net.Conn
	for range maxStrangersFrom {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write(appendSentence(nil, "/login")) // a challenge tells that it was let in
		if _, err := conn.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("one too many read %d octets", n)
	}
	if got := inside.ask("/ppp/secret/print", "=count-only="); got[0][0] != "!done" {
		t.Errorf("who is in is answered by %q", got)
	}
	silent[0].Close()
	for range 100 { // its place is free a moment later
		b.strangers.mu.Lock()
		left := b.strangers.from[netip.MustParseAddr("127.0.0.1")]
		b.strangers.mu.Unlock()
		if left < maxStrangersFrom {
			enter(t, addr)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the place of one that left is not free")
}
