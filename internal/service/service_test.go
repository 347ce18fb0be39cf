package service

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
)

// A network is the ports of a machine without one.
type network struct {
	mu    sync.Mutex
	ports map[string]*fakeListener
	fail  map[string]error
	tries int
}

// A fakeListener accepts what is dialled.
type fakeListener struct {
	network *network
	address string
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newNetwork() *network {
	return &network{ports: map[string]*fakeListener{}, fail: map[string]error{}}
}

func (n *network) listen(_ context.Context, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tries++
	if err := n.fail[address]; err != nil {
		return nil, err
	}
	if n.ports[address] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &fakeListener{network: n, address: address, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.ports[address] = l
	return l, nil
}

// open gives the addresses that are listened on.
func (n *network) open() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for address := range n.ports {
		out = append(out, address)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (n *network) set(address string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail[address] = err
}

func (l *fakeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *fakeListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.ports, l.address)
	})
	return nil
}

func (l *fakeListener) Addr() net.Addr { return address(l.address) }

// fromConn is a connection from an address.
type fromConn struct {
	net.Conn
	from string
}

func (c fromConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

// dial connects to a port as a client with an address.
func (n *network) dial(t *testing.T, address, from string) net.Conn {
	t.Helper()
	n.mu.Lock()
	l := n.ports[address]
	n.mu.Unlock()
	if l == nil {
		t.Fatalf("nobody listens on %s, but on %s", address, n.open())
	}
	near, far := net.Pipe()
	l.conns <- fromConn{far, from}
	return near
}

// echo is a door that repeats lines.
func echo(ctx context.Context, l net.Listener) error {
	var all sync.WaitGroup
	defer all.Wait()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		all.Go(func() {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			_, _ = io.Copy(c, c)
		})
	}
}

// alive reports whether a line comes back.
func alive(c net.Conn) bool {
	if _, err := fmt.Fprintln(c, "hello"); err != nil {
		return false
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && line == "hello\n"
}

// run runs a supervisor over a network, in a bubble.
func run(t *testing.T, doors map[string]Door, test func(t *testing.T, s *Supervisor, n *network, j *journal.Journal)) {
	synctest.Test(t, func(t *testing.T) {
		n, s, j := newNetwork(), New(), journal.New(nil, false)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			s.Run(ctx, doors, Options{Journal: j, Listen: n.listen, TLS: func(c Config) (*tls.Config, error) {
				if c.Certificate != "none" {
					return nil, errors.New("no such certificate")
				}
				return &tls.Config{}, nil
			}})
		})
		synctest.Wait()
		test(t, s, n, j)
		cancel()
		all.Wait()
		if open := n.open(); open != "" {
			t.Errorf("at the end %s are open", open)
		}
	})
}

var api = Config{Name: "api", Port: 8728, MaxSessions: 2}

func nets(s ...string) (out []netip.Prefix) {
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// TestMove changes a service in each way, with a connection that stays.
func TestMove(t *testing.T) {
	run(t, map[string]Door{"api": echo}, func(t *testing.T, s *Supervisor, n *network, _ *journal.Journal) {
		put := func(c Config, want string) {
			t.Helper()
			s.Put(c)
			synctest.Wait()
			if got := n.open(); got != want {
				t.Errorf("%q are open, want %q", got, want)
			}
		}
		if n.open() != "" {
			t.Error("a port is open before there is a row")
		}
		put(api, ":8728")
		c := n.dial(t, ":8728", "192.0.2.1:1")
		if !alive(c) {
			t.Fatal("no answer")
		}
		moved := api
		moved.Port = 1234
		put(moved, ":1234")
		moved.Allowed = nets("127.0.0.0/8", "::1/128")
		put(moved, "127.0.0.1:1234 [::1]:1234")
		moved.Allowed = nets("127.0.0.0/8", "192.0.2.0/24")
		put(moved, ":1234")
		moved.Disabled = true
		put(moved, "")
		if !alive(c) {
			t.Error("the connection was cut by a change")
		}
		c.Close()
		put(api, ":8728")
		put(Config{Name: "unknown", Port: 9}, ":8728")
	})
}

// TestWhoIsLetIn checks the allowed networks and the number of connections.
func TestWhoIsLetIn(t *testing.T) {
	run(t, map[string]Door{"api": echo}, func(t *testing.T, s *Supervisor, n *network, _ *journal.Journal) {
		c := api
		c.Allowed = nets("192.0.2.0/24", "2001:db8::/32")
		s.Put(c)
		synctest.Wait()
		for from, in := range map[string]bool{
			"192.0.2.9:1": true, "[::ffff:192.0.2.9]:1": true, "[2001:db8::1]:1": true,
			"192.0.3.1:1": false, "127.0.0.1:1": false, "[2001:db9::1]:1": false,
		} {
			conn := n.dial(t, ":8728", from)
			if got := alive(conn); got != in {
				t.Errorf("%s: %v", from, got)
			}
			conn.Close()
			synctest.Wait()
		}
		one, two, three := n.dial(t, ":8728", "192.0.2.1:1"), n.dial(t, ":8728", "192.0.2.1:2"), n.dial(t, ":8728", "192.0.2.1:3")
		if !alive(one) || !alive(two) || alive(three) {
			t.Error("max-sessions is not kept")
		}
		one.Close()
		synctest.Wait()
		if four := n.dial(t, ":8728", "192.0.2.1:4"); !alive(four) {
			t.Error("the place of a connection that ended is not free")
		}
	})
}

// TestRetry checks that a port that is taken is told of once, and tried until it
// is free.
func TestRetry(t *testing.T) {
	run(t, map[string]Door{"api": echo}, func(t *testing.T, s *Supervisor, n *network, j *journal.Journal) {
		n.set(":8728", fmt.Errorf("listen tcp :8728: %w", syscall.EADDRINUSE))
		s.Put(api)
		time.Sleep(10 * retryEvery)
		n.mu.Lock()
		tries := n.tries
		n.mu.Unlock()
		if tries < 9 || tries > 12 {
			t.Errorf("%d tries", tries)
		}
		entries := j.Entries()
		if len(entries) != 1 || entries[0].Topics != "system,error" ||
			entries[0].Message != "service api cannot listen: listen tcp :8728: address already in use; trying again" {
			t.Errorf("log: %v", entries)
		}
		n.set(":8728", nil)
		time.Sleep(retryEvery)
		synctest.Wait()
		if n.open() != ":8728" {
			t.Errorf("%s are open", n.open())
		}
		// A machine without IPv6 is no error.
		n.set("[::1]:8728", syscall.EADDRNOTAVAIL)
		c := api
		c.Allowed = nets("127.0.0.1/32")
		s.Put(c)
		synctest.Wait()
		if n.open() != "127.0.0.1:8728" || len(j.Entries()) != 1 {
			t.Errorf("%s are open, log: %v", n.open(), j.Entries())
		}
	})
}

// TestCertificate checks that a service without its certificate is closed rather
// than in clear.
func TestCertificate(t *testing.T) {
	run(t, map[string]Door{"www-ssl": echo}, func(t *testing.T, s *Supervisor, n *network, j *journal.Journal) {
		c := Config{Name: "www-ssl", Port: 443, Secure: true, Certificate: "mine", MaxSessions: 1}
		s.Put(c)
		synctest.Wait()
		if n.open() != "" || len(j.Entries()) != 1 {
			t.Errorf("%s are open, log: %v", n.open(), j.Entries())
		}
		c.Certificate = "none"
		s.Put(c)
		synctest.Wait()
		conn := n.dial(t, ":443", "192.0.2.1:1")
		defer conn.Close()
		// Not a word of TLS: the connection must not echo it.
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		if alive(conn) {
			t.Error("the service is in clear")
		}
	})
}

// TestDoorFails checks that a door that fails is told of and run again.
func TestDoorFails(t *testing.T) {
	runs := 0
	door := func(ctx context.Context, l net.Listener) error {
		if runs++; runs == 1 {
			return errors.New("api: broken")
		}
		return echo(ctx, l)
	}
	run(t, map[string]Door{"api": door}, func(t *testing.T, s *Supervisor, n *network, j *journal.Journal) {
		s.Put(api)
		time.Sleep(2 * retryEvery)
		c := n.dial(t, ":8728", "192.0.2.1:1")
		if !alive(c) || runs != 2 {
			t.Errorf("no answer after %d runs", runs)
		}
		if e := j.Entries(); len(e) != 1 || e[0].Message != "service api failed: api: broken" {
			t.Errorf("log: %v", e)
		}
	})
}

// TestRealPort serves a real connection on loopback.
func TestRealPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	s := New()
	s.Put(Config{Name: "api", Port: uint16(port), Allowed: nets("127.0.0.0/8"), MaxSessions: 1})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { s.Run(ctx, map[string]Door{"api": echo}, Options{Journal: journal.New(nil, false)}) })
	for range 100 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		defer c.Close()
		if !alive(c) {
			t.Error("no answer")
		}
		return
	}
	t.Fatal("nobody listens")
}
