package pptp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

func TestLocalCallID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		p.call(c, 1)
		p.send(ocrq(2))
		r, err := c.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []wire.CallID{0, 1001} {
			if _, err := r.Accept(t.Context(), CallReply{LocalID: id}); !errors.Is(err, ErrCallID) {
				t.Errorf("id %d: %v", id, err)
			}
		}
		if _, err := r.Accept(t.Context(), CallReply{LocalID: 5}); err != nil { // still open
			t.Error(err)
		}
	})
}

func TestMaxChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{MaxChannels: 2})
		p.begin()
		call := p.call(c, 1)
		p.call(c, 2)
		p.send(ocrq(3), &wire.IncomingCallRequest{CallID: 4})
		p.want(&wire.OutgoingCallReply{PeerCallID: 3, Result: wire.OutgoingGeneralError, Error: wire.ErrorNoResource},
			&wire.IncomingCallReply{PeerCallID: 4, Result: wire.IncomingGeneralError, Error: wire.ErrorNoResource})
		if d := <-dialing(c, 8); !errors.Is(d.err, ErrTooManyCalls) {
			t.Errorf("Dial: %v", d.err)
		}
		call.Disconnect(wire.DisconnectRequest)
		want1[*wire.CallDisconnectNotify](p)
		p.call(c, 3)
	})
}

func TestMaxPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		for i := range wire.CallID(maxPending) {
			p.send(ocrq(i))
		}
		p.send(ocrq(99))
		p.want(&wire.OutgoingCallReply{PeerCallID: 99, Result: wire.OutgoingGeneralError, Error: wire.ErrorNoResource})
		for range maxPending {
			if _, err := c.Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A Call ID of the peer's that is in use is not used again, and the call that
// has it lives on.
func TestPeerCallIDInUse(t *testing.T) {
	refusal := &wire.OutgoingCallReply{PeerCallID: 1, Result: wire.OutgoingGeneralError, Error: wire.ErrorBadCallID}
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		call := p.call(c, 1)
		p.send(ocrq(1))
		p.want(refusal)
		if isDone(call.Done()) {
			t.Error("the first call has ended")
		}
		p.send(&wire.CallClearRequest{CallID: 1})
		want1[*wire.CallDisconnectNotify](p)
		p.send(ocrq(1), ocrq(1)) // the second while the first is pending
		p.want(refusal)
	})
	synctest.Test(t, func(t *testing.T) { // a server that gives one id to two of our calls
		c, p, _ := start(t, true, Config{})
		p.admit()
		p.dial(c, 1)
		res := dialing(c, 2)
		want1[*wire.OutgoingCallRequest](p)
		p.send(&wire.OutgoingCallReply{CallID: 1001, PeerCallID: 2, Result: wire.OutgoingConnected})
		p.want(&wire.CallClearRequest{CallID: 2})
		if d := <-res; !errors.Is(d.err, errPeerCallID) {
			t.Errorf("Dial: %v", d.err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the same to two offers
		c, p, _ := start(t, false, Config{})
		p.begin()
		for _, id := range []wire.CallID{1, 2} {
			res := make(chan error, 1)
			go func() {
				_, err := c.Offer(t.Context(), IncomingCall{LocalID: id})
				res <- err
			}()
			want1[*wire.IncomingCallRequest](p)
			p.send(&wire.IncomingCallReply{CallID: 7, PeerCallID: wire.PeerCallID(id), Result: wire.IncomingConnect})
			if id == 1 {
				want1[*wire.IncomingCallConnected](p)
			} else {
				p.want(&wire.CallDisconnectNotify{CallID: 2, Result: wire.DisconnectGeneralError})
			}
			if err := <-res; (id == 1) != (err == nil) {
				t.Errorf("Offer %d: %v", id, err)
			}
		}
	})
}

// Both messages that end a call carry the sender's id, by the RFC; some peers
// send ours. Where both readings fit, the RFC's wins.
func TestEitherCallID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, true, Config{})
		p.admit()
		a := p.dial(c, 1)    // 1 and 1001
		b := p.dial(c, 1001) // 1001 and 2001
		p.send(&wire.CallDisconnectNotify{CallID: 1001, Result: wire.DisconnectAdminShutdown, Cause: 3})
		<-a.Done()
		if synctest.Wait(); isDone(b.Done()) {
			t.Error("our own id was preferred")
		}
		p.send(&wire.CallDisconnectNotify{CallID: 1001, Result: wire.DisconnectAdminShutdown})
		<-b.Done()
		if err := a.Err(); err.Error() != "pptp: Call-Disconnect-Notify: Admin Shutdown, cause 3" {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		for _, id := range []wire.CallID{1, 1001} {
			call := p.call(c, 1)
			p.send(&wire.CallClearRequest{CallID: id})
			p.want(&wire.CallDisconnectNotify{CallID: 1001, Result: wire.DisconnectRequest})
			if <-call.Done(); call.Err() != ErrCleared {
				t.Error(call.Err())
			}
		}
	})
	synctest.Test(t, func(t *testing.T) { // Set-Link-Info and WAN-Error-Notify carry the receiver's
		c, p, _ := start(t, false, Config{})
		p.begin()
		call := p.call(c, 1)
		for _, id := range []wire.PeerCallID{1001, 1} {
			p.send(&wire.SetLinkInfo{PeerCallID: id, SendACCM: uint32(id)}, &wire.WANErrorNotify{PeerCallID: id, CRCErrors: uint32(id)})
			synctest.Wait()
			if l, w := call.LinkInfo(), call.WANErrors(); l.SendACCM != uint32(id) || w.CRCErrors != uint32(id) {
				t.Errorf("id %d: %+v, %+v", id, l, w)
			}
		}
	})
}

// A request may be taken back before it is answered.
func TestRequestWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		p.send(ocrq(1))
		r, err := c.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.send(&wire.CallClearRequest{CallID: 1})
		p.want(&wire.CallDisconnectNotify{CallID: 1, Result: wire.DisconnectRequest})
		if _, err := r.Accept(t.Context(), CallReply{LocalID: 5}); !errors.Is(err, ErrWithdrawn) {
			t.Errorf("Accept: %v", err)
		}
		r.Reject(wire.ErrorNone)
		p.wantNothing(time.Second)

		// One that is withdrawn in the queue is never seen.
		p.send(&wire.IncomingCallRequest{CallID: 2}, &wire.CallDisconnectNotify{CallID: 2}, ocrq(3))
		if r, err := c.Accept(t.Context()); err != nil || r.PeerID() != 3 {
			t.Errorf("Accept: %+v, %v", r, err)
		}
	})
}
