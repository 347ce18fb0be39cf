package radius

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
	"gopptp/ppp/auth"
)

func TestAuthenticate(t *testing.T) {
	s := serveFake(t, accept(avps(func(l *attributeList) { l.integer(attrSessionTimeout, 60) })...))
	c := newClient(t, s.row(1))
	a, err := c.Authenticate(t.Context(), papRequest("u", "p"))
	if err != nil {
		t.Fatal(err)
	}
	if !a.Accepted || !a.Result.OK || a.ServerID != 1 || a.Policy.SessionTimeout != time.Minute {
		t.Errorf("%+v", a)
	}
	b := s.requests()[0]
	if b[headerLen] != 80 {
		t.Error("the first attribute is not Message-Authenticator")
	}
	if _, err := signed(b, [16]byte(b[4:20]), []byte(testSecret)); err != nil {
		t.Error(err)
	}
	got := map[string]string{}
	for k, v := range attributes(b) {
		got[k.name()] = string(v)
	}
	for name, want := range map[string]string{
		"User-Name": "u", "Calling-Station-Id": "192.0.2.7", "Called-Station-Id": "192.0.2.1", "NAS-Identifier": "router",
		"Acct-Session-Id": "81000001", "NAS-IP-Address": "\x7f\x00\x00\x01", "NAS-Port": "\x00\x00\x00\x07",
		"Service-Type": "\x00\x00\x00\x02", "Framed-Protocol": "\x00\x00\x00\x01", "NAS-Port-Type": "\x00\x00\x00\x05",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"MS-CHAP-Domain", "Mikrotik-Realm", "NAS-Port-Id", "Attr-87"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s is there", name)
		}
	}
	p, err := wire.UserPassword(wire.Attribute(got["User-Password"]), []byte(testSecret), b[4:20])
	if err != nil || string(p) != "p" {
		t.Errorf("password %q, %v", p, err)
	}
	n, _ := c.Monitor(1)
	if n.Requests != 1 || n.Accepts != 1 || n.Pending != 0 || n.LastRTT <= 0 || n.BadReplies != 0 {
		t.Errorf("%+v", n)
	}
	if c.ResetCounters(1); func() Counters { n, _ := c.Monitor(1); return n }() != (Counters{}) {
		t.Error("counters were not reset")
	}
	if _, ok := c.Monitor(2); ok || c.ResetCounters(2) {
		t.Error("a row that is not there has counters")
	}
}

func TestDomainAndRealm(t *testing.T) {
	s := serveFake(t, accept())
	row := s.row(1)
	c := newClient(t, row)
	q := papRequest(`DOM\u`, "p")
	q.Domain = "DOM"
	for _, realm := range []string{"", "there"} {
		row.Realm = realm
		c.Configure([]Server{row})
		if _, err := c.Authenticate(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"DOM", "there"} {
		for k, v := range attributes(s.requests()[i]) {
			if k == attrMikrotikRealm && string(v) != want || k == attrMSCHAPDomain && string(v) != "DOM" {
				t.Errorf("%s is %q", k.name(), v)
			}
		}
	}
}

func TestMatching(t *testing.T) {

	s := Server{Services: []string{"login"}, Secret: "s", Address: loopback}
	if s.matches(Session{}) {
		t.Error("a server for login is asked about a tunnel")
	}
	c := NewClient(journal.New(nil, false))
	row := func(id uint64, called, domain string, backup, off bool) Server {
		return Server{ID: id, Services: []string{"hotspot", "ppp"}, CalledID: called, Domain: domain, Secret: "s",
			Address: loopback, AccountingBackup: backup, Disabled: off}
	}
	c.Configure([]Server{
		row(1, "", "", true, false), row(2, "10.0.0.1", "", false, false), row(3, "", "D", false, false),
		row(4, "", "", false, true), row(5, "", "", false, false),
	})
	for _, r := range []struct {
		q    Session
		p    port
		want string
	}{
		{Session{}, authPort, "[5]"},
		{Session{}, acctPort, "[5 1]"},
		{Session{Called: "10.0.0.1"}, authPort, "[2 5]"},
		{Session{Called: "10.0.0.1", Domain: "D"}, acctPort, "[2 3 5 1]"},
		{Session{Service: "login"}, authPort, "[]"},
	} {
		ids := []uint64{}
		for _, s := range c.candidates(r.q, r.p) {
			ids = append(ids, s.ID)
		}
		if got := fmt.Sprint(ids); got != r.want {
			t.Errorf("%+v: %s, want %s", r.q, got, r.want)
		}
	}
	if _, err := c.Authenticate(t.Context(), Request{Session: Session{Service: "login"}}); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
}

// A lost request is sent again as it was, and a lost server is given up.
func TestRetransmission(t *testing.T) {
	s := serveFake(t, func(n int, request []byte) [][]byte {
		if n < transmissions {
			return nil
		}
		return accept()(n, request)
	})
	c := newClient(t, s.row(1))
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil {
		t.Fatal(err)
	}
	seen := s.requests()
	if len(seen) != transmissions || !bytes.Equal(seen[0], seen[1]) || !bytes.Equal(seen[1], seen[2]) {
		t.Errorf("%d requests, not all the same", len(seen))
	}
	if n, _ := c.Monitor(1); n.Requests != 1 || n.Resends != 2 || n.Timeouts != 0 {
		t.Errorf("%+v", n)
	}
}

func TestFailOver(t *testing.T) {
	var back atomic.Bool
	first := serveFake(t, func(n int, request []byte) [][]byte {
		if !back.Load() {
			return nil
		}
		if wire.Code(request[0]) == wire.CodeStatusServer { // old servers do not sign this
			return [][]byte{respond(request, wire.CodeAccessAccept, true)}
		}
		return accept()(n, request)
	})
	second := serveFake(t, accept())
	c := newClient(t, first.row(1), second.row(2))
	for range 3 {
		a, err := c.Authenticate(t.Context(), papRequest("u", "p"))
		if err != nil || a.ServerID != 2 {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if !c.Silent(1) || c.Silent(2) || c.Silent(3) {
		t.Errorf("who is silent: %v, %v, and of none %v", c.Silent(1), c.Silent(2), c.Silent(3))
	}
	if n := len(first.requests()); n != transmissions {
		t.Errorf("a server that does not answer was asked %d times", n)
	}
	if n, _ := c.Monitor(1); n.Timeouts != 1 || n.Requests != 1 || n.Resends != 2 {
		t.Errorf("%+v", n)
	}
	// Status-Server finds it again.
	back.Store(true)
	c.probe(t.Context(), time.Now().Add(probeInterval+time.Second))
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if a, err := c.Authenticate(t.Context(), papRequest("u", "p")); err == nil && a.ServerID == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the first server was not found again")
		}
	}
	if c.Silent(1) {
		t.Error("a server that answers again is silent")
	}
	probe := first.requests()[transmissions]
	if wire.Code(probe[0]) != wire.CodeStatusServer || probe[headerLen] != 80 {
		t.Errorf("the probe is a %v", wire.Code(probe[0]))
	}
}

// A change of rows keeps the counters of a row, and what is known of a server
// whose row is as it was.
func TestConfigureKeeps(t *testing.T) {
	silentServer, good := serveFake(t, silent), serveFake(t, accept())
	c := newClient(t, silentServer.row(1), good.row(2))
	ask := func() {
		t.Helper()
		if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	c.Configure([]Server{silentServer.row(1), good.row(2), good.row(3)})
	ask()
	if n := len(silentServer.requests()); n != transmissions {
		t.Errorf("%d requests to a server that is known not to answer", n)
	}
	changed := silentServer.row(1)
	changed.Realm = "new"
	c.Configure([]Server{changed, good.row(2)})
	ask()
	if n := len(silentServer.requests()); n != 2*transmissions {
		t.Errorf("%d requests, the last ones to a row that was changed", n)
	}
	first, _ := c.Monitor(1)
	second, _ := c.Monitor(2)
	if first.Timeouts != 2 || first.Requests != 2 || second.Accepts != 3 {
		t.Errorf("%+v, %+v", first, second)
	}
	if _, ok := c.Monitor(3); ok {
		t.Error("a row that was removed has counters")
	}
}

// All servers are silent: every one is asked, each time.
func TestTimeout(t *testing.T) {
	s := serveFake(t, silent)
	c := newClient(t, s.row(1))
	for range 2 {
		_, err := c.Authenticate(t.Context(), papRequest("u", "p"))
		var timeout interface{ Timeout() bool }
		if !errors.Is(err, ErrTimeout) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatal(err)
		}
	}
	if n := len(s.requests()); n != 2*transmissions {
		t.Errorf("%d requests", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Authenticate(ctx, papRequest("u", "p")); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// Nobody listens: ICMP answers, and the time is the same.
	row := s.row(1)
	s.conn.Close()
	c.Configure([]Server{row})
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
}

// Bad replies are counted and waited past.
func TestBadReplies(t *testing.T) {
	forge := func(f func(good []byte) []byte) func(request []byte) []byte {
		return func(request []byte) []byte { return f(respond(request, wire.CodeAccessAccept, false)) }
	}
	resign := func(request, b []byte) []byte {
		b[2], b[3] = byte(len(b)>>8), byte(len(b))
		sum := digest(b, [16]byte(request[4:20]), []byte(testSecret))
		copy(b[4:], sum[:])
		return b
	}
	raw := func(tail ...byte) func(request []byte) []byte {
		return func(request []byte) []byte {
			return resign(request, append(respond(request, wire.CodeAccessAccept, false), tail...))
		}
	}
	with := func(build func(*attributeList)) func(request []byte) []byte {
		return func(request []byte) []byte { return respond(request, wire.CodeAccessAccept, false, avps(build)...) }
	}
	for name, bad := range map[string]func(request []byte) []byte{
		"longer than the packet":   forge(func(b []byte) []byte { b[3]++; return b }),
		"shorter than its parts":   forge(func(b []byte) []byte { b[3]--; return b }),
		"length under a header":    forge(func(b []byte) []byte { b[3] = 19; return b }),
		"authenticator":            forge(func(b []byte) []byte { b[5] ^= 1; return b }),
		"code":                     func(q []byte) []byte { return resign(q, respond(q, wire.CodeAccountingResponse, false)) },
		"attribute of no octets":   raw(25, 0),
		"attribute of one octet":   raw(25, 1),
		"attribute past the end":   raw(25, 9, 1),
		"half an attribute":        raw(25),
		"vendor's of no octets":    raw(26, 8, 0, 0, 1, 55, 7, 0),
		"vendor's past the end":    raw(26, 8, 0, 0, 1, 55, 7, 9),
		"vendor's of three octets": raw(26, 5, 0, 0, 1),
		"second signature":         raw(append([]byte{80, 18}, make([]byte, 16)...)...),
		"short signature":          raw(80, 3, 0),
		"timeout of three octets":  with(func(l *attributeList) { l.octets(attrSessionTimeout, []byte{1, 2, 3}) }),
		"address of five octets":   with(func(l *attributeList) { l.octets(attrFramedIPAddress, []byte{1, 2, 3, 4, 5}) }),
		"limit of three octets":    with(func(l *attributeList) { l.octets(attrMikrotikRecvLimit, []byte{1, 2, 3}) }),
		"rate of three octets":     with(func(l *attributeList) { l.octets(attrAscendDataRate, []byte{1, 2, 3}) }),
		"MPPE key of nothing":      with(func(l *attributeList) { l.octets(attrMSMPPESendKey, nil) }),
		"MPPE keys of nothing":     with(func(l *attributeList) { l.octets(attrMSCHAPMPPEKeys, nil) }),
		"MPPE policy":              with(func(l *attributeList) { l.integer(attrMSMPPEPolicy, 3) }),
		"Message-Authenticator": func(q []byte) []byte {
			b := respond(q, wire.CodeAccessAccept, false)
			b[headerLen+5] ^= 1
			return resign(q, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveFake(t, func(_ int, q []byte) [][]byte {
				return [][]byte{bad(q), append(respond(q, wire.CodeAccessReject, false), "padding"...)}
			})
			c := newClient(t, s.row(1))
			a, err := c.Authenticate(t.Context(), papRequest("u", "p"))
			if err != nil || a.Accepted {
				t.Fatalf("%+v, %v", a, err)
			}
			if n, _ := c.Monitor(1); n.BadReplies != 1 || n.Rejects != 1 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Another identifier, or a second reply, is nobody's.
func TestStrayReplies(t *testing.T) {
	s := serveFake(t, func(_ int, q []byte) [][]byte {
		good := respond(q, wire.CodeAccessAccept, false)
		other := bytes.Clone(good)
		other[1] += 7
		return [][]byte{other, {1}, nil, good, good}
	})
	c := newClient(t, s.row(1))
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); c.Stray() < 4; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d stray replies", c.Stray())
		}
	}
}

// The forgery of CVE-2024-3596: an Access-Reject that carries back a Proxy-State
// which the attacker put into the request becomes an Access-Accept with another
// one, so that MD5 over both, with the secret behind, is the same. Who has no
// collision at hand has the secret instead: the reply is as the forged one would
// be, with a right authenticator and without a Message-Authenticator.
func TestBlastRADIUS(t *testing.T) {
	proxyState := avps(func(l *attributeList) { l.octets(attrProxyState, bytes.Repeat([]byte{0xab}, 200)) })
	forged := func(_ int, q []byte) [][]byte {
		return [][]byte{respond(q, wire.CodeAccessAccept, true, proxyState...)}
	}
	naked := func(_ int, q []byte) [][]byte { return [][]byte{respond(q, wire.CodeAccessAccept, true)} }
	for _, r := range []struct {
		name   string
		answer func(int, []byte) [][]byte
		any    bool
		ok     bool
	}{
		{"forged, required", forged, false, false},
		{"naked, required", naked, false, false},
		{"forged, not required", forged, true, false},
		{"naked, not required", naked, true, true},
		{"signed, required", accept(proxyState...), false, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := serveFake(t, r.answer)
			row := s.row(1)
			row.AnyMessageAuth = r.any
			c := newClient(t, row)
			a, err := c.Authenticate(t.Context(), papRequest("u", "p"))
			if r.ok != (err == nil && a.Accepted) {
				t.Errorf("%+v, %v", a, err)
			}
			if n, _ := c.Monitor(1); !r.ok && n.BadReplies != transmissions {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Ten thousand requests leave no socket behind, and share few.
func TestManyRequests(t *testing.T) {
	count := 10_000
	if testing.Short() {
		count = 1000
	}
	s := serveFake(t, accept())
	row := s.row(1)
	row.Timeout = 2 * time.Second
	c := newClient(t, row)
	before, goroutines := files(t), runtime.NumGoroutine()
	var wg sync.WaitGroup
	var most atomic.Int64
	work := make(chan struct{})
	for range 600 { // more than one socket carries
		wg.Go(func() {
			for range work {
				if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range count {
		work <- struct{}{}
		if i%1000 == 0 {
			most.Store(max(most.Load(), int64(files(t))))
		}
	}
	close(work)
	wg.Wait()
	if n := most.Load() - int64(before); n > maxUDPSockets {
		t.Errorf("%d sockets", n)
	}
	c.sweep(time.Now().Add(idleTime))
	for end := time.Now().Add(5 * time.Second); files(t) > before || runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d files before, %d after; %d goroutines before, %d after", before, files(t), goroutines, runtime.NumGoroutine())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.endpoints {
		if len(e.slots) != 0 {
			t.Errorf("%d places are not given back", len(e.slots))
		}
	}
}

func files(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

func TestClosed(t *testing.T) {
	s := serveFake(t, silent)
	row := s.row(1)
	row.Timeout = time.Minute
	c := NewClient(journal.New(nil, false))
	c.Configure([]Server{row})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Authenticate(context.Background(), papRequest("u", "p"))
		ended <- err
	}()
	for len(s.requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	c.Run(ctx)
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// What cannot be put into a packet is an error at once, and no server's fault.
func TestHostileCredentials(t *testing.T) {
	s := serveFake(t, accept())
	c := newClient(t, s.row(1))
	for _, q := range []Request{
		papRequest(strings.Repeat("u", 255), "p"), papRequest("u", strings.Repeat("p", 129)), papRequest("u", "p\x00q"),
		{Session: Session{User: "u"}, Credentials: &auth.Request{}},
	} {
		if a, err := c.Authenticate(t.Context(), q); err == nil || errors.Is(err, ErrTimeout) || strings.Contains(err.Error(), "p\x00q") {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if len(s.requests()) != 0 {
		t.Error("something was sent")
	}
}

// The log of packets has no secret in it, and no hostile line.
func TestLogHidesSecrets(t *testing.T) {
	var mu sync.Mutex
	var lines strings.Builder
	log := journal.New(func(e journal.Entry) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(&lines, e.Topics, e.Message)
	}, true)
	s := serveFake(t, accept(avps(func(l *attributeList) { l.text(attrReplyMessage, "two\nlines") })...))
	c := NewClient(log)
	c.Configure([]Server{s.row(1)})
	if _, err := c.Authenticate(t.Context(), papRequest("u", "StrongPass")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Run(ctx)
	mu.Lock()
	defer mu.Unlock()
	got := lines.String()
	for _, want := range []string{"radius,debug tx Access-Request with id ", "radius,debug,packet     User-Name = \"u\"", `"two\nlines"`, "rx Access-Accept with id "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "StrongPass") || !strings.Contains(got, "User-Password = (secret)") || strings.Contains(got, testSecret) {
		t.Errorf("a secret is in\n%s", got)
	}
	if text := fmt.Sprintf("%v %+v %#v", s.row(1), s.row(1), s.row(1)); strings.Contains(text, testSecret) {
		t.Error(text)
	}
}
