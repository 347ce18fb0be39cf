package pptp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"gopptp/pptp/wire"
)

// A rawPeer is the other end of a Conn under test, played by hand.
type rawPeer struct {
	t   *testing.T
	nc  net.Conn
	buf []byte
}

// start runs a Conn over a pipe, and returns it, its peer, and where Run's
// result will be. It ends with the test.
func start(t *testing.T, client bool, cfg Config) (*Conn, *rawPeer, <-chan error) {
	t.Helper()
	a, b := net.Pipe()
	c := NewServer(a, cfg)
	if client {
		c = NewClient(a, cfg)
	}
	run := make(chan error, 1)
	go func() { run <- c.Run(context.Background()) }()
	t.Cleanup(func() {
		c.Close()
		b.Close()
	})
	return c, &rawPeer{t: t, nc: b}, run
}

// send sends messages in one write.
func (p *rawPeer) send(ms ...wire.Message) {
	p.t.Helper()
	var b []byte
	for _, m := range ms {
		b = m.Append(b)
	}
	p.write(b)
}

func (p *rawPeer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatalf("peer's write: %v", err)
	}
}

// next reads a message; it waits, in a bubble, for an hour.
func (p *rawPeer) next() (wire.Message, error) {
	p.nc.SetReadDeadline(time.Now().Add(time.Hour))
	for {
		m, n, err := wire.Decode(p.buf)
		if err == nil {
			p.buf = p.buf[n:]
			return m, nil
		}
		if !errors.Is(err, wire.ErrIncomplete) {
			return nil, err
		}
		b := make([]byte, 512)
		k, err := p.nc.Read(b)
		if p.buf = append(p.buf, b[:k]...); err != nil {
			return nil, err
		}
	}
}

// want reads messages and compares them.
func (p *rawPeer) want(ms ...wire.Message) {
	p.t.Helper()
	for _, m := range ms {
		got, err := p.next()
		if err != nil {
			p.t.Fatalf("got %v, want %v %+v", err, m.Type(), m)
		}
		if !reflect.DeepEqual(got, m) {
			p.t.Fatalf("got %v %+v, want %v %+v", got.Type(), got, m.Type(), m)
		}
	}
}

// want1 reads a message of type M.
func want1[M wire.Message](p *rawPeer) M {
	p.t.Helper()
	got, err := p.next()
	if err != nil {
		p.t.Fatalf("got %v, want a %T", err, *new(M))
	}
	m, ok := got.(M)
	if !ok {
		p.t.Fatalf("got %v %+v, want a %T", got.Type(), got, m)
	}
	return m
}

// wantNothing says that the Conn has nothing to say for d.
func (p *rawPeer) wantNothing(d time.Duration) {
	p.t.Helper()
	p.nc.SetReadDeadline(time.Now().Add(d))
	n, err := p.nc.Read(make([]byte, 1))
	if len(p.buf) > 0 || n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("got %d octets, %v, want silence", len(p.buf)+n, err)
	}
}

// wantClosed says that the Conn has closed without another word.
func (p *rawPeer) wantClosed() {
	p.t.Helper()
	if m, err := p.next(); m != nil || !errors.Is(err, io.EOF) {
		p.t.Fatalf("got %v, %v, want the end", m, err)
	}
}

// begin plays the client's part of the handshake against a server.
func (p *rawPeer) begin() {
	p.t.Helper()
	p.send(&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1, HostName: "raw"})
	if r := want1[*wire.StartControlConnectionReply](p); r.Result != wire.StartOK {
		p.t.Fatalf("start: %+v", r)
	}
}

// admit plays the server's part of the handshake against a client.
func (p *rawPeer) admit() {
	p.t.Helper()
	want1[*wire.StartControlConnectionRequest](p)
	p.send(&wire.StartControlConnectionReply{ProtocolVersion: wire.Version1, Result: wire.StartOK})
}

// ocrq is the Outgoing-Call-Request that rawPeers send.
func ocrq(id wire.CallID) *wire.OutgoingCallRequest {
	return &wire.OutgoingCallRequest{CallID: id, SerialNumber: 9, MinBPS: 300, MaxBPS: 1e7, Window: 3, ProcessingDelay: 1}
}

// call makes a call to a server: the peer's id is id, the server's is 1000+id.
func (p *rawPeer) call(c *Conn, id wire.CallID) *Call {
	p.t.Helper()
	p.send(ocrq(id))
	r, err := c.Accept(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	call, err := r.Accept(context.Background(), CallReply{LocalID: 1000 + id})
	if err != nil {
		p.t.Fatal(err)
	}
	p.want(&wire.OutgoingCallReply{CallID: 1000 + id, PeerCallID: wire.PeerCallID(id),
		Result: wire.OutgoingConnected, ConnectSpeed: 1e7, Window: 64})
	return call
}

// dial lets a client dial; the client's id is id, the peer's is 1000+id.
func (p *rawPeer) dial(c *Conn, id wire.CallID) *Call {
	p.t.Helper()
	res := dialing(c, id)
	if m := want1[*wire.OutgoingCallRequest](p); m.CallID != id {
		p.t.Fatalf("request is %+v", m)
	}
	p.send(&wire.OutgoingCallReply{CallID: 1000 + id, PeerCallID: wire.PeerCallID(id), Result: wire.OutgoingConnected})
	r := <-res
	if r.err != nil {
		p.t.Fatal(r.err)
	}
	return r.call
}

type dialed struct {
	call *Call
	err  error
}

func dialing(c *Conn, id wire.CallID) <-chan dialed {
	res := make(chan dialed, 1)
	go func() {
		call, err := c.Dial(context.Background(), OutgoingCall{LocalID: id})
		res <- dialed{call, err}
	}()
	return res
}

// A journal collects events.
type journal struct {
	mu     sync.Mutex
	events []Event
}

func (j *journal) log(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

// count counts the events of a kind whose Err is err; a nil err is any.
func (j *journal) count(k EventKind, err error) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, e := range j.events {
		if e.Kind == k && (err == nil || errors.Is(e.Err, err)) {
			n++
		}
	}
	return n
}

// isDone says whether ch is closed.
func isDone(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// wire forms, for tests that break them.
func octets(ms ...wire.Message) []byte {
	var b bytes.Buffer
	for _, m := range ms {
		b.Write(m.Append(nil))
	}
	return b.Bytes()
}
