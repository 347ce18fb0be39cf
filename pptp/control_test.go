package pptp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		client := NewClient(a, Config{HostName: "c", VendorName: "cv", FirmwareRevision: 7})
		server := NewServer(b, Config{HostName: "s", VendorName: "sv", FirmwareRevision: 8, MaxChannels: 3})
		ctx, cancel := context.WithCancel(t.Context())
		run := make(chan error, 2)
		go func() { run <- client.Run(ctx) }()
		go func() { run <- server.Run(context.Background()) }()
		<-client.Established()
		<-server.Established()
		if got, want := server.Peer(), (Peer{"c", "cv", 7, 0, 3, 3}); got != want {
			t.Errorf("server sees %+v, want %+v", got, want)
		}
		if got, want := client.Peer(), (Peer{"s", "sv", 8, 3, 3, 3}); got != want {
			t.Errorf("client sees %+v, want %+v", got, want)
		}
		if err := client.Run(ctx); err != ErrRun {
			t.Errorf("second Run: %v", err)
		}
		cancel()
		<-run
		<-run
		var stop *StopError
		if err := server.Err(); !errors.As(err, &stop) || stop.Reason != wire.StopLocalShutdown {
			t.Errorf("server ended by %v", err)
		}
		if err := client.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("client ended by %v", err)
		}
	})
}

func TestHandshakeOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := start(t, true, Config{HostName: "h", VendorName: "v", FirmwareRevision: 1})
		p.want(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1, Framing: 3, Bearer: 3,
			FirmwareRevision: 1, HostName: "h", VendorName: "v"})
	})
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := start(t, false, Config{HostName: "h", VendorName: "v"})
		p.send(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1, MaxChannels: 65535})
		p.want(&wire.StartControlConnectionReply{ProtocolVersion: wire.Version1, Result: wire.StartOK, Framing: 3, Bearer: 3,
			MaxChannels: DefaultMaxChannels, HostName: "h", VendorName: "v"})
	})
}

func TestHandshakeTimeout(t *testing.T) {
	for _, client := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			_, p, run := start(t, client, Config{})
			go io.Copy(io.Discard, p.nc)
			err := <-run
			if te, ok := errors.AsType[*TimeoutError](err); !ok || !te.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ended by %v", err)
			}
			if d := time.Since(begin); d != DefaultHandshakeTimeout {
				t.Errorf("after %v", d)
			}
		})
	}
}

// Octets, and even messages, that get nowhere do not buy time.
func TestHandshakeTimeoutSlowloris(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, p, run := start(t, false, Config{})
		go func() {
			for _, o := range octets(&wire.EchoRequest{}, &wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}) {
				p.nc.Write([]byte{o})
				time.Sleep(time.Second)
			}
		}()
		if err := <-run; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ended by %v", err)
		}
		if d := time.Since(begin); d != DefaultHandshakeTimeout {
			t.Errorf("after %v", d)
		}
		time.Sleep(3 * time.Minute) // the writer ends with its octets
	})
}

func TestWrongVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, run := start(t, false, Config{})
		p.send(&wire.StartControlConnectionRequest{ProtocolVersion: 0x0101})
		if m := want1[*wire.StartControlConnectionReply](p); m.Result != wire.StartBadVersion || m.ProtocolVersion != wire.Version1 {
			t.Errorf("answer %+v", m)
		}
		p.wantClosed()
		if err := <-run; err != ErrVersion {
			t.Errorf("ended by %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, p, run := start(t, true, Config{})
		want1[*wire.StartControlConnectionRequest](p)
		p.send(&wire.StartControlConnectionReply{ProtocolVersion: 0x0200, Result: wire.StartOK})
		p.want(&wire.StopControlConnectionRequest{Reason: wire.StopProtocol})
		p.send(&wire.StopControlConnectionReply{Result: wire.StopOK})
		p.wantClosed()
		if err := <-run; err != ErrVersion {
			t.Errorf("ended by %v", err)
		}
	})
}

func TestStartReplyResult(t *testing.T) {
	for r := range wire.StartResult(7) {
		synctest.Test(t, func(t *testing.T) {
			c, p, run := start(t, true, Config{})
			want1[*wire.StartControlConnectionRequest](p)
			p.send(&wire.StartControlConnectionReply{ProtocolVersion: wire.Version1, Result: r, Error: wire.ErrorNoResource})
			if r <= wire.StartOK { // zero: some DSL modems
				<-c.Established()
				return
			}
			p.wantClosed()
			re, ok := errors.AsType[*ResultError](<-run)
			if !ok || re.Result != r || re.Code != wire.ErrorNoResource || isDone(c.Established()) {
				t.Errorf("result %d: ended by %v", r, re)
			}
		})
	}
}

func TestSecondStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		call := p.call(c, 1)
		p.send(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1})
		if m := want1[*wire.StartControlConnectionReply](p); m.Result != wire.StartExists {
			t.Errorf("answer %+v", m)
		}
		p.send(&wire.EchoRequest{Identifier: 1})
		want1[*wire.EchoReply](p)
		if isDone(call.Done()) {
			t.Errorf("the call has ended: %v", call.Err())
		}
	})
}

// A server that has no call, or no longer, stops the connection; a client keeps
// its own.
func TestNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		c, p, run := start(t, false, Config{})
		p.begin()
		p.want(&wire.StopControlConnectionRequest{Reason: wire.StopNone})
		if d := time.Since(begin); d != DefaultHandshakeTimeout {
			t.Errorf("stopped after %v", d)
		}
		p.send(&wire.StopControlConnectionReply{Result: wire.StopOK})
		p.wantClosed()
		if err := <-run; !errors.Is(err, os.ErrDeadlineExceeded) || c.Err() != err {
			t.Errorf("ended by %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{IdleTimeout: 20 * time.Second})
		p.begin()
		for range 3 {
			call := p.call(c, 1)
			time.Sleep(30 * time.Second)
			p.send(&wire.CallClearRequest{CallID: 1})
			want1[*wire.CallDisconnectNotify](p)
			<-call.Done()
			p.wantNothing(19 * time.Second)
		}
		p.wantNothing(time.Second - 1)
		p.want(&wire.StopControlConnectionRequest{Reason: wire.StopNone})
	})
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := start(t, true, Config{EchoInterval: -1})
		p.admit()
		p.wantNothing(time.Hour)
	})
}

func TestStopByPeer(t *testing.T) {
	for _, reason := range []wire.StopReason{wire.StopNone, wire.StopProtocol, wire.StopLocalShutdown, 0, 99} {
		synctest.Test(t, func(t *testing.T) {
			c, p, run := start(t, false, Config{})
			p.begin()
			call := p.call(c, 1)
			p.send(&wire.StopControlConnectionRequest{Reason: reason})
			p.want(&wire.StopControlConnectionReply{Result: wire.StopOK})
			p.wantClosed()
			err := <-run
			if se, ok := errors.AsType[*StopError](err); !ok || se.Reason != reason {
				t.Errorf("ended by %v", err)
			}
			if <-call.Done(); call.Err() != err {
				t.Errorf("call ended by %v", call.Err())
			}
			if _, err := c.Accept(t.Context()); err != c.Err() {
				t.Errorf("Accept: %v", err)
			}
			if _, err := c.Dial(t.Context(), OutgoingCall{LocalID: 5}); !errors.Is(err, c.Err()) {
				t.Errorf("Dial: %v", err)
			}
		})
	}
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, run := start(t, false, Config{})
		p.begin()
		call := p.call(c, 1)
		c.Stop(wire.StopLocalShutdown)
		c.Stop(wire.StopNone) // once is enough
		p.want(&wire.CallDisconnectNotify{CallID: 1001, Result: wire.DisconnectAdminShutdown},
			&wire.StopControlConnectionRequest{Reason: wire.StopLocalShutdown})
		// Messages may cross.
		p.send(ocrq(2), &wire.CallClearRequest{CallID: 1}, &wire.EchoRequest{Identifier: 3},
			&wire.StopControlConnectionRequest{Reason: wire.StopNone})
		p.want(&wire.EchoReply{Identifier: 3, Result: wire.EchoOK}, &wire.StopControlConnectionReply{Result: wire.StopOK})
		p.wantNothing(time.Second)
		p.send(&wire.StopControlConnectionReply{Result: wire.StopOK})
		p.wantClosed()
		if err := <-run; err != ErrStopped || !errors.Is(err, net.ErrClosed) || call.Err() != err {
			t.Errorf("ended by %v, call by %v", err, call.Err())
		}
	})
	synctest.Test(t, func(t *testing.T) { // the calls of a PNS are cleared
		c, p, run := start(t, true, Config{})
		p.admit()
		p.dial(c, 7)
		c.Stop(wire.StopNone)
		p.want(&wire.CallClearRequest{CallID: 7}, &wire.StopControlConnectionRequest{Reason: wire.StopNone})
		begin := time.Now()
		<-run // nobody answers
		if d := time.Since(begin); d != DefaultStopTimeout {
			t.Errorf("waited %v", d)
		}
	})
	for _, client := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) { // before Run, and Close twice
			a, b := net.Pipe()
			c := newConn(a, Config{}, client)
			c.Stop(wire.StopNone)
			c.Close()
			c.Close()
			if err := c.Run(t.Context()); err != ErrStopped {
				t.Errorf("Run: %v", err)
			}
			if _, err := b.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("peer reads: %v", err)
			}
		})
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, run := start(t, false, Config{})
		p.begin()
		call := p.call(c, 1)
		c.Close()
		p.wantClosed()
		if !isDone(c.Done()) {
			t.Error("not done")
		}
		if err := <-run; err != ErrClosed || !errors.Is(err, net.ErrClosed) || !isDone(call.Done()) {
			t.Errorf("ended by %v", err)
		}
	})
}

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		c, p, run := start(t, true, Config{Log: j.log})
		p.admit()
		p.dial(c, 1)
		p.wantNothing(59 * time.Second)
		p.send(&wire.SetLinkInfo{PeerCallID: 1}) // any message restarts the timer
		p.wantNothing(59 * time.Second)
		unknown := octets(&wire.EchoRequest{})
		unknown[9] = 99
		p.write(unknown) // even one that we do not know
		p.wantNothing(60*time.Second - 1)
		p.want(&wire.EchoRequest{Identifier: 1})
		p.send(&wire.EchoReply{Identifier: 1, Result: wire.EchoOK}, &wire.EchoReply{Identifier: 1, Result: wire.EchoOK})
		p.wantNothing(60*time.Second - 1)
		if n := j.count(EventIgnored, errEchoID); n != 1 {
			t.Errorf("%d replies ignored, want the second", n)
		}
		p.want(&wire.EchoRequest{Identifier: 2})
		p.send(&wire.EchoReply{Identifier: 1, Result: wire.EchoOK}) // not ours
		p.wantNothing(60*time.Second - 1)
		p.wantClosed()
		err := <-run
		if te, ok := errors.AsType[*TimeoutError](err); !ok || te.Missing != "Echo-Reply" {
			t.Errorf("ended by %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := start(t, false, Config{})
		p.begin()
		p.send(&wire.EchoRequest{Identifier: 0xdeadbeef})
		p.want(&wire.EchoReply{Identifier: 0xdeadbeef, Result: wire.EchoOK})
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		c, p, run := start(t, false, Config{Log: j.log})
		p.begin()
		call := p.call(c, 1)
		call.Disconnect(wire.DisconnectRequest)
		want1[*wire.CallDisconnectNotify](p)
		c.Close()
		<-run
		var got []EventKind
		for _, e := range j.events {
			if got = append(got, e.Kind); e.Remote != p.nc.RemoteAddr() || e.Kind == EventCallUp && e.Call != call {
				t.Errorf("%v: %+v", e.Kind, e)
			}
		}
		want := []EventKind{EventReceived, EventSent, EventEstablished, EventReceived, EventSent, EventCallUp,
			EventSent, EventCallEnded, EventEnded}
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("event %d is %v, want %v", i, got[i], want[i])
			}
		}
		if EventRefused.String() != "refused" || EventKind(99).String() != "event 99" {
			t.Error("names")
		}
	})
}
