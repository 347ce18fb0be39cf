package radius

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
	"gopptp/mschap"
	"gopptp/ppp/auth"
)

const testSecret = "StrongSharedSecret"

// A fakeServer is a RADIUS server and the network before it: what answer gives
// is sent back, nothing if nil, so that it may lose, delay, double and forge.
type fakeServer struct {
	conn *net.UDPConn

	mu   sync.Mutex
	seen [][]byte
}

func serveFake(t testing.TB, answer func(n int, request []byte) [][]byte) *fakeServer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{conn: conn}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxPacket)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			request := append([]byte(nil), buf[:n]...)
			s.mu.Lock()
			s.seen = append(s.seen, request)
			count := len(s.seen)
			s.mu.Unlock()
			for _, b := range answer(count, request) {
				conn.WriteToUDPAddrPort(b, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *fakeServer) port() uint16 { return uint16(s.conn.LocalAddr().(*net.UDPAddr).Port) }

func (s *fakeServer) requests() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.seen...)
}

// row is the row of /radius for the server.
func (s *fakeServer) row(id uint64) Server {
	return Server{
		ID: id, Services: []string{"ppp"}, Address: netip.MustParseAddr("127.0.0.1"), Secret: testSecret,
		AuthPort: s.port(), AcctPort: s.port(), Timeout: 30 * time.Millisecond,
	}
}

// respond makes a reply of a code to a request; with a Message-Authenticator
// unless naked.
func respond(request []byte, code wire.Code, naked bool, attributes ...*wire.AVP) []byte {
	p := wire.Packet{Code: code, Identifier: request[1], Authenticator: [16]byte(request[4:20]), Secret: []byte(testSecret), Attributes: attributes}
	if !naked {
		zero := &wire.AVP{Type: 80, Attribute: make(wire.Attribute, 16)}
		p.Attributes = append(wire.Attributes{zero}, p.Attributes...)
		b, err := p.MarshalBinary()
		if err != nil {
			panic(err)
		}
		copy(zero.Attribute, messageAuth(b, p.Secret))
	}
	b, err := p.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

// avps makes a list of attributes with a builder.
func avps(build func(*attributeList)) []*wire.AVP {
	var l attributeList
	build(&l)
	if l.err != nil {
		panic(l.err)
	}
	return l.Attributes
}

func accept(attributes ...*wire.AVP) func(int, []byte) [][]byte {
	return func(_ int, request []byte) [][]byte {
		if wire.Code(request[0]) == wire.CodeAccountingRequest {
			return [][]byte{respond(request, wire.CodeAccountingResponse, true)}
		}
		return [][]byte{respond(request, wire.CodeAccessAccept, false, attributes...)}
	}
}

func silent(int, []byte) [][]byte { return nil }

// newClient gives a running client.
func newClient(t testing.TB, rows ...Server) *Client {
	t.Helper()
	c := NewClient(journal.New(nil, false))
	c.SetIdentity("router")
	c.Configure(rows)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

func papRequest(user, password string) Request {
	return Request{
		Session: Session{User: user, ID: "81000001", Port: 7, Calling: "192.0.2.7", Called: "192.0.2.1"},
		Credentials: &auth.Request{
			Method: auth.PAP, Name: user, User: user, ID: 1, Password: auth.Secret(password),
		},
	}
}

// msRequest is a request of a client that knows the password.
func msRequest(method auth.Method, name, password string) Request {
	r := &auth.Request{Method: method, Name: name, User: mschap.StripDomain(name), ID: 9}
	h := mschap.NtPasswordHash(password)
	switch method {
	case auth.MSCHAPv1:
		c := mschap.Challenge{1, 2, 3, 4, 5, 6, 7, 8}
		nt := mschap.NtChallengeResponse(c, h)
		lm := mschap.LmChallengeResponse(c, mschap.LmPasswordHash(password))
		r.Challenge = c[:]
		r.Response = append(append(append([]byte{}, lm[:]...), nt[:]...), 1)
	case auth.MSCHAPv2:
		a := mschap.AuthenticatorChallenge{1, 2, 3}
		p := mschap.PeerChallenge{4, 5, 6}
		nt := mschap.GenerateNTResponse(a, p, r.User, h)
		r.Challenge = a[:]
		r.Response = append(append(append(append([]byte{}, p[:]...), make([]byte, 8)...), nt[:]...), 0)
	}
	q := papRequest(name, "")
	q.Credentials = r
	return q
}

var loopback = netip.MustParseAddr("127.0.0.1")
