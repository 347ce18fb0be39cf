package pptp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

// serve runs s on a loopback port until the test ends, and checks then that
// Serve returns. stop ends it before.
func serve(t *testing.T, s *Server, handle func(context.Context, *Conn)) (addr string, stop func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	res := make(chan error, 1)
	go func() { res <- s.Serve(ctx, ln, handle) }()
	stop = func() error {
		cancel()
		select {
		case err := <-res:
			res <- err
			return err
		case <-time.After(20 * time.Second):
			t.Error("Serve does not return")
			return nil
		}
	}
	t.Cleanup(func() { stop() })
	return ln.Addr().String(), stop
}

// answer accepts all calls of a connection, with ids from next.
func answer(next *atomic.Uint32) func(context.Context, *Conn) {
	return func(ctx context.Context, c *Conn) {
		for {
			r, err := c.Accept(ctx)
			if err != nil {
				return
			}
			r.Accept(ctx, CallReply{LocalID: wire.CallID(next.Add(1)%60000 + 1)})
		}
	}
}

func dialTCP(t *testing.T, addr string) *rawPeer {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &rawPeer{t: t, nc: nc}
}

// eventually waits for something that another goroutine does soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("not in time: %s", what)
}

func TestServe(t *testing.T) {
	var ids atomic.Uint32
	var j journal
	addr, stop := serve(t, &Server{Config: Config{Log: j.log}}, answer(&ids))
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(nc, Config{})
	run := make(chan error, 1)
	go func() { run <- c.Run(context.Background()) }()
	var calls []*Call
	for id := range wire.CallID(3) {
		call, err := c.Dial(t.Context(), OutgoingCall{LocalID: id + 1})
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	if c.RemoteAddr().String() != addr || c.LocalAddr() != nc.LocalAddr() {
		t.Error("addresses")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve: %v", err)
	}
	var se *StopError
	if err := <-run; !errors.As(err, &se) || se.Reason != wire.StopLocalShutdown {
		t.Errorf("client ended by %v", err)
	}
	for _, call := range calls {
		re, ok := errors.AsType[*ResultError](call.Err())
		if !isDone(call.Done()) || !ok || re.Result != wire.DisconnectAdminShutdown {
			t.Errorf("call ended by %v", call.Err())
		}
	}
	for kind, n := range map[EventKind]int{EventAccepted: 1, EventEstablished: 1, EventCallUp: 3, EventCallEnded: 3, EventEnded: 1} {
		if got := j.count(kind, nil); got != n {
			t.Errorf("%d events %v, want %d", got, kind, n)
		}
	}
}

// TestServeCalls: whoever takes the calls by Config.Calls needs no goroutine of a
// connection, and is given those alone that are still open.
func TestServeCalls(t *testing.T) {
	var ids atomic.Uint32
	requests := make(chan *CallRequest, 1)
	addr, stop := serve(t, &Server{Config: Config{Calls: func(r *CallRequest) {
		if r.SerialNumber() == 7 {
			requests <- r
			return
		}
		if _, err := r.Accept(t.Context(), CallReply{LocalID: wire.CallID(ids.Add(1))}); err != nil {
			t.Error(err)
		}
	}}}, nil)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(nc, Config{})
	run := make(chan error, 1)
	go func() { run <- c.Run(context.Background()) }()
	for id := range wire.CallID(3) {
		if _, err := c.Dial(t.Context(), OutgoingCall{LocalID: id + 1}); err != nil {
			t.Fatal(err)
		}
	}
	late := make(chan error, 1)
	go func() {
		_, err := c.Dial(t.Context(), OutgoingCall{LocalID: 9, SerialNumber: 7})
		late <- err
	}()
	r := <-requests
	r.Reject(wire.ErrorNone)
	if err := <-late; err == nil {
		t.Error("a call that was refused is up")
	}
	if _, err := r.Accept(t.Context(), CallReply{LocalID: 20}); !errors.Is(err, ErrWithdrawn) {
		t.Errorf("answered twice: %v", err)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve: %v", err)
	}
	<-run
}

func TestServeMaxConns(t *testing.T) {
	var ids atomic.Uint32
	var j journal
	addr, _ := serve(t, &Server{MaxConns: 2, Config: Config{Log: j.log}}, answer(&ids))
	a, b := dialTCP(t, addr), dialTCP(t, addr)
	eventually(t, "two accepted", func() bool { return j.count(EventAccepted, nil) == 2 })
	c := dialTCP(t, addr)
	if _, err := c.next(); err == nil {
		t.Error("the third has an answer")
	}
	if j.count(EventRefused, ErrMaxConns) != 1 {
		t.Error("no event")
	}

	// Room is made by one that ends.
	b.nc.Close()
	eventually(t, "ended", func() bool { return j.count(EventEnded, nil) == 1 })
	var d *rawPeer
	eventually(t, "fourth accepted", func() bool {
		n := j.count(EventRefused, nil)
		d = dialTCP(t, addr)
		eventually(t, "verdict", func() bool { return j.count(EventAccepted, nil) == 3 || j.count(EventRefused, nil) > n })
		return j.count(EventAccepted, nil) == 3
	})
	for _, p := range []*rawPeer{a, d} {
		p.begin()
		p.send(ocrq(1))
		want1[*wire.OutgoingCallReply](p)
	}
	if _, err := dialTCP(t, addr).next(); err == nil {
		t.Error("the fifth has an answer")
	}
}

// Whoever comes is let in, and of those who are half-open the oldest goes; those
// who have asked for a call stay.
func TestServeHalfOpen(t *testing.T) {
	for _, tt := range []struct {
		s    Server
		want error
	}{
		{Server{MaxHalfOpen: 2}, ErrMaxHalfOpen},
		{Server{MaxHalfOpenPerAddr: 2}, ErrMaxHalfOpenPerAddr},
	} {
		t.Run(fmt.Sprint(tt.want), func(t *testing.T) {
			var ids atomic.Uint32
			var j journal
			tt.s.Config.Log = j.log
			addr, _ := serve(t, &tt.s, answer(&ids))
			next := func() *rawPeer {
				n := j.count(EventAccepted, nil)
				p := dialTCP(t, addr)
				eventually(t, "accepted", func() bool { return j.count(EventAccepted, nil) == n+1 })
				return p
			}
			a := next()
			a.begin()
			a.send(ocrq(1))
			want1[*wire.OutgoingCallReply](a)
			b, c, d := next(), next(), next()
			if _, err := b.next(); err == nil {
				t.Error("the oldest half-open one has an answer")
			}
			if n := j.count(EventRefused, tt.want); n != 1 || j.count(EventRefused, nil) != 1 {
				t.Errorf("%d events %v", n, tt.want)
			}
			for _, p := range []*rawPeer{c, d} {
				p.begin()
				p.send(ocrq(1))
				want1[*wire.OutgoingCallReply](p)
			}
			a.send(ocrq(2))
			want1[*wire.OutgoingCallReply](a)
		})
	}
}

// A visitor is a connection that says where it comes from.
type visitor struct {
	net.Conn
	from net.Addr
}

func (v *visitor) RemoteAddr() net.Addr { return v.from }

func TestDoor(t *testing.T) {
	d := &door{maxConns: 5, maxHalf: 4, maxPerAddr: 2, half: make(map[netip.Addr][]*guest)}
	guests := map[net.Conn]*guest{}
	admit := func(s string, victim net.Conn, want error) net.Conn {
		t.Helper()
		nc := &visitor{from: &net.TCPAddr{IP: net.ParseIP(s), Port: 1}}
		g, v, err := d.admit(nc)
		if err != want || v != victim && !(want == ErrMaxConns && v == nc) {
			t.Errorf("%s: %v, %v goes; want %v, %v", s, err, v, want, victim)
		}
		if v == victim && v != nil {
			guests[v].leave()
			delete(guests, v)
		}
		if g != nil {
			guests[nc] = g
		}
		return nc
	}
	a := admit("192.0.2.1", nil, nil)
	b := admit("192.0.2.2", nil, nil)
	c := admit("::ffff:192.0.2.1", nil, nil)
	d1 := admit("192.0.2.1", a, ErrMaxHalfOpenPerAddr)
	e := admit("192.0.2.3", nil, nil)
	admit("192.0.2.4", c, ErrMaxHalfOpen) // the oldest of the address with most
	admit("192.0.2.5", b, ErrMaxHalfOpen) // the oldest of those with one each
	guests[e].open()
	guests[e].open()
	admit("192.0.2.6", nil, nil)
	admit("192.0.2.7", nil, ErrMaxConns)
	if guests[d1] == nil || len(guests) != 5 {
		t.Errorf("guests %v", guests)
	}
	for _, g := range guests {
		g.leave()
	}
	if d.conns != 0 || d.halfSum != 0 || len(d.half) != 0 {
		t.Errorf("left: %d, %d, %v", d.conns, d.halfSum, d.half)
	}
}

// faultyListener fails a few times, for good at last.
type faultyListener struct {
	errs   []error
	closed chan struct{}
}

func (l *faultyListener) Accept() (net.Conn, error) {
	if len(l.errs) == 0 {
		<-l.closed
		return nil, net.ErrClosed
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}
func (l *faultyListener) Close() error   { close(l.closed); return nil }
func (l *faultyListener) Addr() net.Addr { return nil }

func TestServeAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		mfile := &net.OpError{Op: "accept", Err: syscall.EMFILE}
		broken := errors.New("broken")
		ln := &faultyListener{errs: slices.Concat(slices.Repeat([]error{mfile}, 10), []error{broken}), closed: make(chan struct{})}
		begin := time.Now()
		err := (&Server{Config: Config{Log: j.log}}).Serve(t.Context(), ln, func(context.Context, *Conn) {})
		if !errors.Is(err, broken) || !isDone(ln.closed) {
			t.Errorf("Serve: %v", err)
		}
		if n := j.count(EventRefused, syscall.EMFILE); n != 10 {
			t.Errorf("%d events", n)
		}
		// 5+10+…+640 ms, and twice a second.
		if d := time.Since(begin); d != 3275*time.Millisecond {
			t.Errorf("paused %v", d)
		}
	})
}

// CVE-2021-42054 over TCP: a reset in each state, from a peer that has read all
// or nothing.
func TestCVE_2021_42054_Reset(t *testing.T) {
	var ids atomic.Uint32
	var j journal
	addr, stop := serve(t, &Server{Config: Config{Log: j.log}}, answer(&ids))
	scripts := [][]wire.Message{
		{},
		{&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}},
		{&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}, ocrq(1)},
		{&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}, ocrq(1), &wire.CallClearRequest{CallID: 1}},
		{&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1}, ocrq(1), &wire.StopControlConnectionRequest{}},
	}
	n := 0
	for _, s := range scripts {
		for _, read := range []bool{false, true} {
			p := dialTCP(t, addr)
			p.send(s...)
			if read {
				p.nc.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				io.Copy(io.Discard, p.nc)
			}
			p.nc.(*net.TCPConn).SetLinger(0)
			p.nc.Close()
			n++
		}
	}
	eventually(t, "all ended", func() bool { return j.count(EventEnded, nil) == n })
	stop()
	if up, ended := j.count(EventCallUp, nil), j.count(EventCallEnded, nil); up != ended {
		t.Errorf("%d calls were up, %d ended", up, ended)
	}
}

// The last words arrive over TCP even when the peer has sent more than we have
// read.
func TestLastWords(t *testing.T) {
	addr, _ := serve(t, &Server{}, func(context.Context, *Conn) {})
	for range 20 {
		p := dialTCP(t, addr)
		b := octets(&wire.StartControlConnectionRequest{ProtocolVersion: 0x0200})
		for range 50 {
			b = append(b, octets(&wire.EchoRequest{})...)
		}
		p.write(b)
		if m := want1[*wire.StartControlConnectionReply](p); m.Result != wire.StartBadVersion {
			t.Errorf("%+v", m)
		}
		p.wantClosed()
	}
}

// cisco-sa-20080326-pptp: sessions that end leave nothing behind.
func TestNoLeak(t *testing.T) {
	var ids atomic.Uint32
	addr, stop := serve(t, &Server{}, answer(&ids))
	once := func() {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c := NewClient(nc, Config{})
		run := make(chan error, 1)
		go func() { run <- c.Run(context.Background()) }()
		call, err := c.Dial(t.Context(), OutgoingCall{LocalID: 1})
		if err != nil {
			t.Fatal(err)
		}
		call.Disconnect(wire.DisconnectRequest)
		<-call.Done()
		c.Stop(wire.StopNone)
		<-run
	}
	once()
	before := runtime.NumGoroutine()
	for range 300 {
		once()
	}
	eventually(t, fmt.Sprintf("as few goroutines as before: %d", before), func() bool { return runtime.NumGoroutine() <= before })
	stop()
}
