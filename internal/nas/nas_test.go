package nas

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/aaa"
	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/internal/session"
	"gopptp/internal/shape"
	"gopptp/ppp/auth"
)

const secret = "StrongSharedSecret"

// A fakeServer is a RADIUS server. It acknowledges accounting, and accepts users
// with the attributes that it has.
type fakeServer struct {
	conn *net.UDPConn

	mu     sync.Mutex
	code   wire.Code       // guarded by mu; of what it answers to Access-Requests; 0 for no answer
	reply  wire.Attributes // guarded by mu
	asked  int             // guarded by mu; Access-Requests
	counts []string        // guarded by mu; the accounting records, in short
}

func newServer(t *testing.T) *fakeServer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{conn: conn, code: wire.CodeAccessAccept}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p, err := wire.Parse(buf[:n], []byte(secret))
			if err != nil {
				t.Error(err)
				return
			}
			if r := f.answer(p); r != nil {
				b, err := r.Encode()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = conn.WriteToUDPAddrPort(b, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return f
}

func (f *fakeServer) answer(p *wire.Packet) *wire.Packet {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Code == wire.CodeAccessRequest {
		f.asked++
		if f.code == 0 {
			return nil
		}
		r := p.Response(f.code)
		r.Attributes = f.reply
		return r
	}
	number := func(typ wire.Type) (n uint32) { n, _ = wire.Integer(p.Get(typ)); return n }
	names := map[uint32]string{1: "start", 2: "stop", 3: "interim", 7: "on", 8: "off"}
	record := []string{names[number(40)]}
	if user := p.Get(1); user != nil {
		record = append(record, string(user), string(p.Get(44)), net.IP(p.Get(8)).String(), fmt.Sprint("authentic ", number(45)))
	}
	if class := p.Get(25); class != nil {
		record = append(record, "class "+string(class))
	}
	if s := number(40); s == 2 || s == 3 {
		record = append(record, fmt.Sprintf("%ds %d.%d/%d.%d octets %d/%d packets cause %d",
			number(46), number(52), number(42), number(53), number(43), number(47), number(48), number(49)))
	}
	text := strings.Join(record, " ")
	if len(f.counts) == 0 || f.counts[len(f.counts)-1] != text { // or it is sent again
		f.counts = append(f.counts, text)
	}
	return p.Response(wire.CodeAccountingResponse)
}

// answers sets what it answers to Access-Requests; 0 is no answer.
func (f *fakeServer) answers(code wire.Code, reply ...*wire.AVP) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code, f.reply = code, reply
}

// requests counts the Access-Requests.
func (f *fakeServer) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// accounted gives the records so far, and forgets them.
func (f *fakeServer) accounted() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := strings.Join(f.counts, "\n")
	f.counts = nil
	return s
}

func (f *fakeServer) row() radius.Server {
	port := uint16(f.conn.LocalAddr().(*net.UDPAddr).Port)
	return radius.Server{
		ID: 1, Services: []string{radius.ServicePPP}, Address: netip.MustParseAddr("127.0.0.1"), Secret: secret,
		AuthPort: port, AcctPort: port, Timeout: 100 * time.Millisecond, AnyMessageAuth: true,
	}
}

// fakeSessions are those of a server that is not there.
type fakeSessions struct {
	aaa.Local
	mu       sync.Mutex
	list     []session.Status
	grants   map[uint64]*aaa.Grant
	policies map[uint64]*aaa.Policy
	ended    []uint64
	refuse   error // what the machine says to a change
}

func newSessions() *fakeSessions {
	s := &fakeSessions{grants: map[uint64]*aaa.Grant{}, policies: map[uint64]*aaa.Policy{}}
	s.PutProfile(0, aaa.Profile{Name: "default"})
	s.PutProfile(1, aaa.Profile{
		Name: "service", LocalAddress: addr("10.0.0.1"), RemotePool: "pool", UseEncryption: aaa.Yes, OnlyOne: aaa.Yes, SessionTimeout: time.Hour,
		IdleTimeout: time.Minute, IncomingFilter: "in", OutgoingFilter: "out", AddressLists: []string{"all"}, InterfaceList: "tunnels",
		DNSServers: []netip.Addr{addr("10.0.0.53")}, RateLimit: &shape.Limit{Rx: shape.Rate{Max: 1000}},
	})
	s.PutProfile(2, aaa.Profile{Name: "gold", IdleTimeout: 2 * time.Minute, AddressLists: []string{"golden"}})
	return s
}

func (s *fakeSessions) Active() []session.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]session.Status(nil), s.list...)
}

func (s *fakeSessions) Disconnect(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, id)
	return s.policies[id] != nil
}

func (s *fakeSessions) Change(id uint64, edit func(*aaa.Grant, *aaa.Policy)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.policies[id]
	if p == nil {
		return false, nil
	}
	if s.refuse != nil {
		return true, s.refuse
	}
	edit(s.grants[id], p)
	return true, nil
}

// live makes a session of a user with what the service's profile says.
func (s *fakeSessions) live(id uint64, user string) session.Status {
	g, _ := s.Grant("", call)
	g.OK, g.Radius, g.User, g.Class = true, true, user, [][]byte{[]byte("c")}
	st := session.Status{
		ID: id, User: user, SessionID: 0x81040000 + uint32(id), CallerID: "192.0.2.7", CalledID: "192.0.2.1",
		RemoteAddress: addr(fmt.Sprintf("10.0.1.%d", id)), Radius: true,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := g.Policy
	s.list, s.grants[id], s.policies[id] = append(s.list, st), g, &p
	return st
}

var call = aaa.Call{CallerID: "192.0.2.7", CalledID: "192.0.2.1", DefaultProfile: "service", SessionID: 0x81040001, Port: 1}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// newNAS gives one that runs, with a server or without.
func newNAS(t *testing.T, settings Settings, f *fakeServer) (n *NAS, s *fakeSessions, log *journal.Journal) {
	t.Helper()
	n, s, log, _ = newRunning(t, settings, f)
	return n, s, log
}

// newRunning also gives what ends it.
func newRunning(t *testing.T, settings Settings, f *fakeServer) (n *NAS, s *fakeSessions, log *journal.Journal, stop func()) {
	t.Helper()
	log = journal.New(nil, false)
	n, err := New(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	s = newSessions()
	n.Attach(s)
	n.SetIdentity("router")
	n.SetAAA(settings)
	if f != nil {
		n.SetServers([]radius.Server{f.row()})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Run(ctx)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			<-done
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return n, s, log, stop
}

// drain waits until the server has all records.
func drain(t *testing.T, n *NAS) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.accounting.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// request is that of a user with a password.
func request(name string) *auth.Request {
	domain, user, there := strings.Cut(name, `\`)
	if !there {
		domain, user = "", name
	}
	return &auth.Request{Method: auth.PAP, Name: name, User: user, Domain: domain, ID: 1, Password: "p"}
}

// logged reports whether the log has a line with a text.
func logged(log *journal.Journal, text string) bool {
	for _, e := range log.Entries() {
		if strings.Contains(e.Message, text) {
			return true
		}
	}
	return false
}
