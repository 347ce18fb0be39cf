package pptp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

// Call-Clear-Request where there is nothing to clear.
func TestCVE_2021_42870_CallClear(t *testing.T) {
	clears := []wire.Message{&wire.CallClearRequest{CallID: 0}, &wire.CallClearRequest{CallID: 1}, &wire.CallClearRequest{CallID: 65535}}
	for _, s := range states {
		synctest.Test(t, func(t *testing.T) {
			var j journal
			c, p, _ := start(t, s.client, Config{Log: j.log})
			s.reach(t, c, p)
			go io.Copy(io.Discard, p.nc)
			p.send(clears...)
			p.send(clears...)
			synctest.Wait()
			want := 6
			switch s.name {
			case "request pending", "call up", "dialing", "dialed", "clearing":
				want-- // the first clear of call 1 has an effect
			}
			if n := j.count(EventIgnored, nil); n != want {
				t.Errorf("%s: %d of 6 ignored, want %d", s.name, n, want)
			}
			if s.name != "stopping" && c.Err() != nil {
				t.Errorf("%s: ended by %v", s.name, c.Err())
			}
		})
	}
}

// A peer that never reads holds up nobody, and does not stay for ever.
func TestCVE_2021_42870_PeerNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it says no more: the write times out
		begin := time.Now()
		_, p, run := start(t, false, Config{})
		p.send(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}, ocrq(1), &wire.CallClearRequest{CallID: 1})
		if err := <-run; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != DefaultWriteTimeout {
			t.Errorf("ended by %v after %v", err, time.Since(begin))
		}
	})
	synctest.Test(t, func(t *testing.T) { // it asks and asks: the queue is bounded
		c, p, run := start(t, false, Config{})
		p.begin()
		p.call(c, 1)
		for {
			if _, err := p.nc.Write(octets(&wire.EchoRequest{})); err != nil {
				break
			}
			c.mu.Lock()
			if n := len(c.out); n > maxQueued {
				t.Fatalf("%d octets queued", n)
			}
			c.mu.Unlock()
		}
		if err := <-run; err != ErrSlowPeer {
			t.Errorf("ended by %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // methods do not wait for it, nor does Run for long
		a, b := net.Pipe()
		defer b.Close()
		c := NewServer(a, Config{})
		p := &rawPeer{t: t, nc: b}
		ctx, cancel := context.WithCancel(t.Context())
		run := make(chan error, 1)
		go func() { run <- c.Run(ctx) }()
		p.begin()
		call := p.call(c, 1)
		p.send(ocrq(2))
		r, err := c.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := r.Accept(t.Context(), CallReply{LocalID: 9}); err != nil {
			t.Error(err)
		}
		call.Disconnect(wire.DisconnectRequest)
		if cancel(); time.Since(begin) != 0 {
			t.Errorf("methods took %v", time.Since(begin))
		}
		<-run
		if d := time.Since(begin); d != DefaultStopTimeout {
			t.Errorf("Run took %v", d)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flushing {
			t.Error("Run has left its writer behind")
		}
	})
}

// There are no calls where there is no control connection, yet or any longer.
func TestCallsWithoutConnection(t *testing.T) {
	for _, s := range states {
		if s.name != "wait for start" && s.name != "wait for start reply" && s.name != "stopping" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			var j journal
			c, p, _ := start(t, s.client, Config{Log: j.log})
			s.reach(t, c, p)
			p.send(ocrq(1), &wire.IncomingCallRequest{CallID: 2}, &wire.EchoReply{})
			p.wantNothing(time.Second)
			if n := j.count(EventIgnored, errState); n != 3 || len(c.requests) != 0 {
				t.Errorf("%s: %d ignored, %d requests", s.name, n, len(c.requests))
			}
		})
	}
}

// Our client and a malicious server.
func TestMaliciousServer(t *testing.T) {
	nonsense := []wire.Message{
		&wire.OutgoingCallReply{CallID: 3, PeerCallID: 999, Result: wire.OutgoingConnected},
		&wire.CallDisconnectNotify{CallID: 999, Result: wire.DisconnectRequest},
		&wire.IncomingCallReply{CallID: 3, PeerCallID: 1, Result: wire.IncomingConnect},
		&wire.IncomingCallConnected{PeerCallID: 1},
		&wire.IncomingCallConnected{PeerCallID: 999},
		&wire.SetLinkInfo{PeerCallID: 999},
		&wire.WANErrorNotify{PeerCallID: 999},
		&wire.StopControlConnectionReply{Result: wire.StopOK},
		&wire.StartControlConnectionReply{ProtocolVersion: wire.Version1, Result: wire.StartNotAuthorized},
		&wire.EchoReply{Identifier: 0},
	}
	synctest.Test(t, func(t *testing.T) {
		var j journal
		c, p, _ := start(t, true, Config{Log: j.log})
		p.admit()
		call := p.dial(c, 1)
		for _, m := range nonsense {
			p.send(m)
		}
		// A second reply for a call that is up changes nothing.
		p.send(&wire.OutgoingCallReply{CallID: 3, PeerCallID: 1, Result: wire.OutgoingBusy})
		p.send(&wire.OutgoingCallReply{CallID: 3, PeerCallID: 1, Result: wire.OutgoingConnected})
		synctest.Wait()
		if isDone(call.Done()) || call.PeerID() != 1001 {
			t.Errorf("call: %v, peer's id %d", call.Err(), call.PeerID())
		}
		if n := j.count(EventIgnored, nil); n != len(nonsense)+2 {
			t.Errorf("%d ignored", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a reply to a call that is being cleared: only the notify ends it
		c, p, _ := start(t, true, Config{})
		p.admit()
		call := p.dial(c, 1)
		call.Disconnect(wire.DisconnectRequest)
		want1[*wire.CallClearRequest](p)
		p.send(&wire.OutgoingCallReply{CallID: 3, PeerCallID: 1, Result: wire.OutgoingBusy},
			&wire.OutgoingCallReply{CallID: 3, PeerCallID: 1, Result: wire.OutgoingConnected})
		if synctest.Wait(); isDone(call.Done()) || call.PeerID() != 1001 {
			t.Errorf("call: %v, peer's id %d", call.Err(), call.PeerID())
		}
	})
	synctest.Test(t, func(t *testing.T) { // a notify for a call that is being dialed
		c, p, _ := start(t, true, Config{})
		p.admit()
		res := dialing(c, 1)
		want1[*wire.OutgoingCallRequest](p)
		p.send(&wire.CallDisconnectNotify{CallID: 1, Result: wire.DisconnectGeneralError, Error: wire.ErrorNoResource})
		re, ok := errors.AsType[*ResultError]((<-res).err)
		if !ok || re.Error() != "pptp: Call-Disconnect-Notify: General Error (No-Resource)" {
			t.Errorf("Dial: %v", re)
		}
	})
	synctest.Test(t, func(t *testing.T) { // 64 KB of garbage
		_, p, run := start(t, true, Config{})
		want1[*wire.StartControlConnectionRequest](p)
		b := make([]byte, 64<<10)
		r := rand.NewChaCha8([32]byte{})
		r.Read(b)
		if n, err := p.nc.Write(b); err == nil || n > readBuffer {
			t.Errorf("it took %d octets, %v", n, err)
		}
		if err := <-run; !errors.Is(err, wire.ErrLength) && !errors.Is(err, wire.ErrCookie) {
			t.Errorf("ended by %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a stop reply for the start request, then silence
		_, p, run := start(t, true, Config{})
		want1[*wire.StartControlConnectionRequest](p)
		p.send(&wire.StopControlConnectionReply{Result: wire.StopOK})
		if err := <-run; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ended by %v", err)
		}
	})
}

// A stub is a net.Conn that swallows what is written.
type stub struct{ net.Conn }

func (stub) Write(b []byte) (int, error)      { return len(b), nil }
func (stub) Close() error                     { return nil }
func (stub) SetReadDeadline(time.Time) error  { return nil }
func (stub) SetWriteDeadline(time.Time) error { return nil }
func (stub) RemoteAddr() net.Addr             { return nil }

// FuzzReceive feeds a stream, in pieces, to a Conn that has calls in all states.
func FuzzReceive(f *testing.F) {
	start := octets(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1})
	reply := octets(&wire.StartControlConnectionReply{ProtocolVersion: wire.Version1, Result: wire.StartOK})
	f.Add(false, uint8(7), append(start, octets(ocrq(5), &wire.CallClearRequest{CallID: 5}, &wire.IncomingCallRequest{CallID: 6},
		&wire.CallDisconnectNotify{CallID: 6}, &wire.EchoRequest{}, &wire.StopControlConnectionRequest{})...))
	f.Add(true, uint8(0), append(reply, octets(&wire.OutgoingCallReply{CallID: 5, PeerCallID: 1, Result: wire.OutgoingConnected},
		&wire.IncomingCallReply{CallID: 6, PeerCallID: 2, Result: wire.IncomingConnect}, &wire.SetLinkInfo{PeerCallID: 1},
		&wire.WANErrorNotify{PeerCallID: 2}, &wire.CallDisconnectNotify{CallID: 5}, &wire.CallClearRequest{CallID: 6})...))
	f.Fuzz(func(t *testing.T, client bool, size uint8, b []byte) {
		c := newConn(stub{}, Config{MaxChannels: 5}, client)
		now := time.Now()
		c.mu.Lock()
		c.running = true
		c.startLocked(now)
		c.unlock()
		var buf []byte
		begun := false
		for len(b) > 0 {
			n := min(int(size)+1, len(b), readBuffer-len(buf))
			buf, b = append(buf, b[:n]...), b[n:]
			now = now.Add(time.Second)
			c.mu.Lock()
			buf = c.receiveLocked(buf, now)
			c.tickLocked(now)
			est := c.state == stateEstablished
			if len(buf) >= wire.MaxLen || len(c.calls)+len(c.pending) > 5 || c.state != stateEnded && len(c.out) > maxQueued {
				t.Fatalf("%d octets unread, %d calls, %d requests, %d octets unwritten", len(buf), len(c.calls), len(c.pending), len(c.out))
			}
			c.unlock()
			if est && !begun {
				begun = true
				c.begin(1, 0, true, func(*Call) wire.Message { return ocrq(1) })
				c.begin(2, 0, false, func(*Call) wire.Message { return &wire.IncomingCallRequest{CallID: 2} })
			}
			select {
			case r := <-c.requests:
				r.answer(CallReply{LocalID: 3})
			default:
			}
		}
		c.Close()
		c.writers.Wait()
		if len(c.calls)+len(c.pending) != 0 || c.cause == nil {
			t.Fatalf("%d calls, %d requests after the end", len(c.calls), len(c.pending))
		}
	})
}
