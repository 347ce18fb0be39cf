package pptp

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

func TestCallTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // an unanswered Dial, and its unanswered clearing
		c, p, _ := start(t, true, Config{EchoInterval: -1})
		p.admit()
		begin := time.Now()
		res := dialing(c, 1)
		want1[*wire.OutgoingCallRequest](p)
		p.want(&wire.CallClearRequest{CallID: 1})
		if d := <-res; !errors.Is(d.err, os.ErrDeadlineExceeded) || time.Since(begin) != DefaultCallTimeout {
			t.Errorf("Dial: %v after %v", d.err, time.Since(begin))
		}
		if d := <-dialing(c, 1); !errors.Is(d.err, ErrCallID) {
			t.Errorf("Dial while clearing: %v", d.err)
		}
		time.Sleep(DefaultCallTimeout + time.Millisecond)
		p.dial(c, 1)
	})
	synctest.Test(t, func(t *testing.T) { // an unanswered Offer
		c, p, _ := start(t, false, Config{})
		p.begin()
		res := make(chan error, 1)
		go func() {
			_, err := c.Offer(t.Context(), IncomingCall{LocalID: 1})
			res <- err
		}()
		want1[*wire.IncomingCallRequest](p)
		p.want(&wire.CallDisconnectNotify{CallID: 1, Result: wire.DisconnectRequest})
		if err := <-res; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Offer: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // requests that our side does not answer
		c, p, _ := start(t, false, Config{})
		p.begin()
		p.send(ocrq(1))
		p.want(&wire.OutgoingCallReply{PeerCallID: 1, Result: wire.OutgoingTimeout})
		p.send(&wire.IncomingCallRequest{CallID: 1})
		p.want(&wire.IncomingCallReply{PeerCallID: 1, Result: wire.IncomingGeneralError, Error: wire.ErrorNoResource})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r, err := c.Accept(ctx); err != context.DeadlineExceeded {
			t.Errorf("Accept: %+v, %v", r, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a disconnect that is not confirmed
		c, p, _ := start(t, true, Config{})
		p.admit()
		call := p.dial(c, 1)
		call.Disconnect(wire.DisconnectRequest)
		call.Disconnect(wire.DisconnectRequest)
		p.want(&wire.CallClearRequest{CallID: 1})
		begin := time.Now()
		if <-call.Done(); time.Since(begin) != DefaultCallTimeout || call.Err() != ErrDisconnected {
			t.Errorf("over after %v, by %v", time.Since(begin), call.Err())
		}
		p.wantNothing(time.Second)
	})
}

func TestDialCancelled(t *testing.T) {
	cause := errors.New("no longer wanted")
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, true, Config{})
		ctx, cancel := context.WithCancelCause(t.Context())
		res := make(chan error, 1)
		dial := func() {
			_, err := c.Dial(ctx, OutgoingCall{LocalID: 1})
			res <- err
		}
		go dial()
		p.admit()
		want1[*wire.OutgoingCallRequest](p)
		cancel(cause)
		p.want(&wire.CallClearRequest{CallID: 1})
		if err := <-res; !errors.Is(err, cause) {
			t.Errorf("Dial: %v", err)
		}
		// The replies have crossed: first the peer's id becomes known, then
		// the call is over and its id free.
		p.send(&wire.OutgoingCallReply{CallID: 77, PeerCallID: 1, Result: wire.OutgoingConnected},
			&wire.CallDisconnectNotify{CallID: 77, Result: wire.DisconnectRequest})
		p.dial(c, 1)
		go dial()
		if err := <-res; !errors.Is(err, cause) || errors.Is(err, ErrCallID) {
			t.Errorf("Dial with a dead context: %v", err)
		}
		p.wantNothing(time.Second)
	})
	synctest.Test(t, func(t *testing.T) { // before the connection is established
		c, p, _ := start(t, true, Config{})
		want1[*wire.StartControlConnectionRequest](p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Dial(ctx, OutgoingCall{LocalID: 1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
	})
}
