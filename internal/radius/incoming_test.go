package radius

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
)

// liveSessions are one session of u.
type liveSessions struct {
	did []string
	err error
}

func (s *liveSessions) Find(m Match) []uint64 {
	if m.Has(Session{User: "u", ID: "81000001", Port: 1, Calling: "c", Called: "d"}, netip.MustParseAddr("10.0.0.1")) {
		return []uint64{1}
	}
	return nil
}

func (s *liveSessions) Disconnect(id uint64) error {
	s.did = append(s.did, "end")
	return s.err
}

func (s *liveSessions) Change(id uint64, c Change) error {
	s.did = append(s.did, "change")
	return s.err
}

// orderPacket makes a signed request.
func orderPacket(code wire.Code, secret string, build func(*attributeList)) []byte {
	p := wire.Packet{Code: code, Identifier: 5, Secret: []byte(secret), Attributes: avps(build)}
	b, err := p.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

func newIncoming(live *liveSessions) *Incoming {
	c := NewClient(journal.New(nil, false))
	c.SetIdentity("router")
	c.Configure([]Server{
		{ID: 1, Services: []string{"ppp"}, Address: loopback, Secret: "another"},
		{ID: 2, Services: []string{"ppp"}, Address: loopback, Secret: testSecret},
	})
	return NewIncoming(c, live, journal.New(nil, false))
}

func TestIncoming(t *testing.T) {
	from, now := netip.AddrPortFrom(loopback, 4000), time.Now()
	user := func(l *attributeList) { l.text(attrUserName, "u") }
	with := func(parts ...func(*attributeList)) func(*attributeList) {
		return func(l *attributeList) {
			user(l)
			for _, p := range parts {
				p(l)
			}
		}
	}
	number := func(k kind, n uint32) func(*attributeList) { return func(l *attributeList) { l.integer(k, n) } }
	text := func(k kind, s string) func(*attributeList) { return func(l *attributeList) { l.octets(k, []byte(s)) } }
	for _, r := range []struct {
		name  string
		code  wire.Code
		build func(*attributeList)
		err   error
		want  wire.Code // zero for no answer
		cause ErrorCause
	}{
		{"disconnect", 40, user, nil, 41, 0},
		{"change", 43, user, nil, 44, 0},
		{"nobody named", 40, func(*attributeList) {}, nil, 42, MissingAttribute},
		{"nobody found", 43, with(text(attrCallingStationID, "x")), nil, 45, SessionNotFound},
		{"not removable", 40, user, errors.New("busy"), 42, SessionNotRemovable},
		{"not changeable", 43, user, errors.New("busy"), 45, ResourcesUnavailable},
		{"gone since it was found", 40, user, ErrGone, 42, SessionNotFound},
		{"gone before the change", 43, user, fmt.Errorf("x: %w", ErrGone), 45, SessionNotFound},
		{"another router", 40, with(text(attrNASIdentifier, "x")), nil, 42, NASMismatch},
		{"this router", 40, with(text(attrNASIdentifier, "router"), number(attrNASIPAddress, 0x7f000001)), nil, 41, 0},
		{"bad address", 40, with(text(attrFramedIPAddress, "x")), nil, 42, InvalidAttributeValue},
		{"empty session id", 40, with(text(attrAcctSessionID, "")), nil, 42, InvalidAttributeValue},
		{"bad port", 40, with(text(attrNASPort, "x")), nil, 42, InvalidAttributeValue},
		{"bad timeout", 43, with(text(attrSessionTimeout, "x")), nil, 45, InvalidAttributeValue},
		{"bad limit", 43, with(text(attrMikrotikRecvLimit, "x")), nil, 45, InvalidAttributeValue},
		{"bad rate", 43, with(text(attrAscendXmitRate, "x")), nil, 45, InvalidAttributeValue},
		{"pool", 43, with(text(attrFramedPool, "x")), nil, 45, UnsupportedAttribute},
		{"route", 43, with(text(attrFramedRoute, "x")), nil, 45, UnsupportedAttribute},
		{"authorize only", 43, with(number(attrServiceType, serviceAuthOnly)), nil, 45, UnsupportedService},
		{"in time", 40, with(number(attrEventTimestamp, uint32(now.Add(-time.Minute).Unix()))), nil, 41, 0},
		{"too old", 40, with(number(attrEventTimestamp, uint32(now.Add(-6*time.Minute).Unix()))), nil, 0, 0},
		{"too early", 40, with(number(attrEventTimestamp, uint32(now.Add(6*time.Minute).Unix()))), nil, 0, 0},
		{"wrong Message-Authenticator", 40, with(text(attrMessageAuthenticator, "sixteen octets!!")), nil, 0, 0},
		{"another code", 4, user, nil, 0, 0},
	} {
		t.Run(r.name, func(t *testing.T) {
			live := &liveSessions{err: r.err}
			in := newIncoming(live)
			request := orderPacket(r.code, testSecret, r.build)
			got := in.answer(request, from, now)
			n := in.Monitor()
			if r.want == 0 {
				if got != nil || n != (IncomingCounters{Requests: 1, BadRequests: 1}) || live.did != nil {
					t.Errorf("answer %x, %+v, did %v", got, n, live.did)
				}
				return
			}
			if got == nil || wire.Code(got[0]) != r.want || got[1] != request[1] || !wire.IsAuthenticResponse(got, request, []byte(testSecret)) {
				t.Fatalf("answer %x", got)
			}
			var cause uint32
			for k, v := range attributes(got) {
				if k == attrErrorCause {
					cause = uint32(v[2])<<8 | uint32(v[3])
				}
			}
			if ErrorCause(cause) != r.cause || n.Acks+n.Naks != 1 || (n.Acks == 1) != (r.cause == 0) {
				t.Errorf("cause %d, %+v", cause, n)
			}
			if (r.cause == 0 || r.err != nil) != (live.did != nil) {
				t.Errorf("did %v", live.did)
			}
		})
	}
}

// From elsewhere, or signed by another: no answer, nothing done.
func TestIncomingStrangers(t *testing.T) {
	live := &liveSessions{}
	in := newIncoming(live)
	user := func(l *attributeList) { l.text(attrUserName, "u") }
	now := time.Now()
	good := orderPacket(40, testSecret, user)
	if in.answer(good, netip.MustParseAddrPort("192.0.2.1:1"), now) != nil || in.answer(orderPacket(40, "wrong", user), netip.AddrPortFrom(loopback, 1), now) != nil {
		t.Error("a stranger is answered")
	}
	for n := range good {
		if in.answer(good[:n], netip.AddrPortFrom(loopback, 1), now) != nil {
			t.Errorf("%d of %d octets are answered", n, len(good))
		}
	}
	if n := in.Monitor(); n.BadRequests != uint64(len(good)+2) || n.Requests != n.BadRequests || live.did != nil {
		t.Errorf("%+v, did %v", n, live.did)
	}
	if in.ResetCounters(); in.Monitor() != (IncomingCounters{}) {
		t.Error("counters were not reset")
	}
}

// A repeated request gets the same answer and does nothing more, and the answer
// has what the request wants back.
func TestIncomingRepeated(t *testing.T) {
	live := &liveSessions{}
	in := newIncoming(live)
	from, now := netip.AddrPortFrom(loopback, 1), time.Now()
	p := wire.Packet{Code: wire.CodeDisconnectRequest, Identifier: 5, Secret: []byte(testSecret)}
	p.Attributes = avps(func(l *attributeList) {
		l.octets(attrMessageAuthenticator, make([]byte, 16))
		l.text(attrUserName, "u")
		l.text(attrProxyState, "one")
		l.text(attrProxyState, "two")
	})
	plain, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	copy(p.Attributes[0].Attribute, messageAuth(plain, p.Secret))
	request, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	first := in.answer(request, from, now)
	if second := in.answer(request, from, now.Add(time.Second)); first == nil || !bytes.Equal(first, second) || len(live.did) != 1 {
		t.Errorf("%x, then %x, did %v", first, second, live.did)
	}
	if found, err := signed(first, [16]byte(request[4:20]), []byte(testSecret)); !found || err != nil {
		t.Errorf("signed %v, %v", found, err)
	}
	var states []string
	for k, v := range attributes(first) {
		if k == attrProxyState {
			states = append(states, string(v))
		}
	}
	if fmt.Sprint(states) != "[one two]" {
		t.Error(states)
	}
	in.answer(request, from, now.Add(repeatTime+time.Second))
	if len(live.did) != 2 {
		t.Errorf("did %v after the memory's end", live.did)
	}
	for i := range 2 * replayEntries {
		in.answer(request, netip.AddrPortFrom(loopback, uint16(i+2)), now.Add(time.Hour))
	}
	if len(in.replay) > replayEntries {
		t.Errorf("%d requests are remembered", len(in.replay))
	}
}

// A request with a time is not followed twice while the time would do.
func TestIncomingReplay(t *testing.T) {
	live := &liveSessions{}
	in := newIncoming(live)
	from, now := netip.AddrPortFrom(loopback, 1), time.Now()
	request := orderPacket(40, testSecret, func(l *attributeList) { l.text(attrUserName, "u"); l.time(attrEventTimestamp, now) })
	for after := time.Duration(0); after < timeWindow-time.Second; after += 50 * time.Second {
		in.answer(request, from, now.Add(after))
	}
	if in.answer(request, from, now.Add(timeWindow+time.Second)) != nil || len(live.did) != 1 {
		t.Errorf("did %v", live.did)
	}
}

// The port opens, moves and closes with the configuration.
func TestIncomingPort(t *testing.T) {
	live := &liveSessions{}
	in := newIncoming(live)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.Run(ctx)
	}()
	request := orderPacket(43, testSecret, func(l *attributeList) { l.text(attrUserName, "u") })
	answered := func(port uint16) bool {
		conn, err := net.Dial("udp4", netip.AddrPortFrom(loopback, port).String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 50 {
			conn.Write(request)
			conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			var b [64]byte
			if n, err := conn.Read(b[:]); err == nil && n >= headerLen {
				return true
			}
			time.Sleep(5 * time.Millisecond)
		}
		return false
	}
	one, other := freeUDP(t), freeUDP(t)
	in.Configure(IncomingConfig{Accept: true, Port: one})
	if !answered(one) {
		t.Error("the port is not open")
	}
	in.Configure(IncomingConfig{Accept: true, Port: other})
	if !answered(other) {
		t.Error("the port has not moved")
	}
	in.Configure(IncomingConfig{Port: other})
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(other)}); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("the port stays open")
		}
	}
	cancel()
	<-done
}

func freeUDP(t *testing.T) uint16 {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return uint16(conn.LocalAddr().(*net.UDPAddr).Port)
}
