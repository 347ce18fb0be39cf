package pptp

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"

	"gopptp/pptp/wire"
)

// pair runs a client and a server against each other.
func pair(t *testing.T, cfg Config) (client, server *Conn) {
	t.Helper()
	a, b := net.Pipe()
	client, server = NewClient(a, cfg), NewServer(b, cfg)
	go client.Run(context.Background())
	go server.Run(context.Background())
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

func TestOutgoingCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pair(t, Config{})
		var calls [4]*Call
		for i := range calls {
			res := make(chan dialed, 1)
			go func() {
				call, err := client.Dial(t.Context(), OutgoingCall{LocalID: wire.CallID(10 + i), SerialNumber: uint16(i), Window: 5, ProcessingDelay: 2})
				res <- dialed{call, err}
			}()
			r, err := server.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Outgoing == nil || r.Incoming != nil || r.PeerID() != wire.PeerCallID(10+i) || r.SerialNumber() != uint16(i) || r.Conn() != server {
				t.Errorf("request %+v", r)
			}
			up, err := r.Accept(t.Context(), CallReply{LocalID: wire.CallID(20 + i), Window: 6, ProcessingDelay: 3})
			if err != nil {
				t.Fatal(err)
			}
			d := <-res
			if d.err != nil {
				t.Fatal(d.err)
			}
			calls[i] = d.call
			if up.PNS() || up.LocalID() != wire.CallID(20+i) || up.PeerID() != wire.PeerCallID(10+i) ||
				up.Terms() != (Terms{Window: 5, ProcessingDelay: 2}) || up.SerialNumber() != uint16(i) || up.Conn() != server {
				t.Errorf("server's call %+v", up)
			}
			if c := d.call; !c.PNS() || c.LocalID() != wire.CallID(10+i) || c.PeerID() != wire.PeerCallID(20+i) ||
				c.Terms() != (Terms{defaultMaxBPS, 6, 3}) || c.SerialNumber() != uint16(i) {
				t.Errorf("client's call %+v", c)
			}
		}
		calls[1].Disconnect(wire.DisconnectRequest)
		<-calls[1].Done()
		synctest.Wait()
		for i, c := range calls {
			if isDone(c.Done()) != (i == 1) {
				t.Errorf("call %d: %v", i, c.Err())
			}
		}
		if err := calls[1].Err(); err != ErrDisconnected || !errors.Is(err, net.ErrClosed) {
			t.Errorf("ended by %v", err)
		}
		client.Stop(wire.StopNone)
		for _, c := range calls {
			<-c.Done()
		}
	})
}

func TestIncomingCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pair(t, Config{})
		res := make(chan dialed, 1)
		go func() {
			call, err := server.Offer(t.Context(), IncomingCall{LocalID: 5, SerialNumber: 6, DialedNumber: "123", DialingNumber: "45",
				Subaddress: "s", PhysicalChannel: 4, ConnectSpeed: 64000, Window: 7, ProcessingDelay: 8})
			res <- dialed{call, err}
		}()
		r, err := client.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m := r.Incoming; r.Outgoing != nil || r.PeerID() != 5 || r.SerialNumber() != 6 || m.DialedNumber != "123" || m.DialingNumber != "45" {
			t.Errorf("request %+v", m)
		}
		pns, err := r.Accept(t.Context(), CallReply{LocalID: 9, Window: 10, ProcessingDelay: 11})
		if err != nil {
			t.Fatal(err)
		}
		pac := <-res
		if pac.err != nil {
			t.Fatal(pac.err)
		}
		if !pns.PNS() || pns.PeerID() != 5 || pns.Terms() != (Terms{64000, 7, 8}) {
			t.Errorf("PNS: %+v", pns.Terms())
		}
		if pac.call.PNS() || pac.call.PeerID() != 9 || pac.call.Terms() != (Terms{0, 10, 11}) {
			t.Errorf("PAC: %+v", pac.call.Terms())
		}

		// Only the PNS sends Set-Link-Info.
		if got := pac.call.LinkInfo(); got != (LinkInfo{allACCM, allACCM}) {
			t.Errorf("first %+v", got)
		}
		if err := pns.SetLinkInfo(LinkInfo{1, 2}); err != nil {
			t.Error(err)
		}
		if err := pac.call.SetLinkInfo(LinkInfo{3, 4}); err != ErrNotPNS {
			t.Error(err)
		}
		synctest.Wait()
		if got := pac.call.LinkInfo(); got != (LinkInfo{1, 2}) {
			t.Errorf("then %+v", got)
		}

		// The PAC's disconnect needs no answer.
		pac.call.Disconnect(wire.DisconnectLostCarrier)
		if !isDone(pac.call.Done()) {
			t.Error("PAC's call is not over")
		}
		<-pns.Done()
		if re, ok := errors.AsType[*ResultError](pns.Err()); !ok || re.Result != wire.DisconnectLostCarrier {
			t.Errorf("PNS: %v", pns.Err())
		}
		if err := pns.SetLinkInfo(LinkInfo{}); err != ErrNotUp {
			t.Error(err)
		}
	})
}

func TestIncomingCallRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pair(t, Config{})
		for code, want := range map[wire.ErrorCode]wire.IncomingResult{
			wire.ErrorNone: wire.IncomingDoNotAccept, wire.ErrorNoResource: wire.IncomingGeneralError,
		} {
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				r, err := client.Accept(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				r.Reject(code)
				r.Reject(code)
				if _, err := r.Accept(t.Context(), CallReply{LocalID: 1}); !errors.Is(err, ErrWithdrawn) {
					t.Errorf("Accept after Reject: %v", err)
				}
			}()
			_, err := server.Offer(t.Context(), IncomingCall{LocalID: 1})
			if re, ok := errors.AsType[*ResultError](err); !ok || re.Result != want || re.Code != code {
				t.Errorf("code %v: %v", code, err)
			}
			<-answered
		}
	})
}

// The PNS's side of an incoming call waits for Incoming-Call-Connected.
func TestIncomingCallNeverConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		p.send(&wire.IncomingCallRequest{CallID: 3})
		r, err := c.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		res := make(chan error, 1)
		go func() {
			_, err := r.Accept(t.Context(), CallReply{LocalID: 4})
			res <- err
		}()
		p.want(&wire.IncomingCallReply{CallID: 4, PeerCallID: 3, Result: wire.IncomingConnect, Window: defaultWindow},
			&wire.CallClearRequest{CallID: 4})
		if err := <-res; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Accept: %v", err)
		}
		p.send(&wire.IncomingCallConnected{PeerCallID: 4}) // too late
		p.send(&wire.CallDisconnectNotify{CallID: 3, Result: wire.DisconnectRequest})
		p.send(&wire.IncomingCallRequest{CallID: 3}) // the id is free again
		if _, err := c.Accept(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOutgoingCallRefused(t *testing.T) {
	for result := range wire.OutgoingResult(9) {
		if result == wire.OutgoingConnected {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			c, p, _ := start(t, true, Config{})
			p.admit()
			res := dialing(c, 1)
			want1[*wire.OutgoingCallRequest](p)
			p.send(&wire.OutgoingCallReply{CallID: 4, PeerCallID: 1, Result: result, Error: wire.ErrorPACError, Cause: 17})
			d := <-res
			if re, ok := errors.AsType[*ResultError](d.err); !ok || d.call != nil ||
				*re != (ResultError{wire.TypeOutgoingCallReply, result, wire.ErrorPACError, 17}) {
				t.Errorf("Dial: %v", d.err)
			}
			p.dial(c, 1) // the id is free
		})
	}
}

func TestReject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := start(t, false, Config{})
		p.begin()
		for _, tt := range []struct {
			code wire.ErrorCode
			want wire.OutgoingResult
		}{
			{wire.ErrorNone, wire.OutgoingDoNotAccept},
			{wire.ErrorNoResource, wire.OutgoingGeneralError},
		} {
			p.send(ocrq(1))
			r, err := c.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.Reject(tt.code)
			p.want(&wire.OutgoingCallReply{PeerCallID: 1, Result: tt.want, Error: tt.code})
		}
	})
}

// TCP's end is the end of all calls.
func TestConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, run := start(t, false, Config{})
		p.begin()
		a, b := p.call(c, 1), p.call(c, 2)
		p.send(ocrq(3))
		r, err := c.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.nc.Close()
		err = <-run
		if <-a.Done(); a.Err() != err {
			t.Error(a.Err())
		}
		if <-b.Done(); b.Err() != err {
			t.Error(b.Err())
		}
		if _, e := r.Accept(t.Context(), CallReply{LocalID: 5}); !errors.Is(e, err) {
			t.Errorf("Accept: %v", e)
		}
	})
}
