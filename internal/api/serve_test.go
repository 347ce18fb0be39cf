package api

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve starts a server on loopback; stop ends it and gives what Serve returned.
func (b *bench) serve(t testing.TB, wrap func(net.Listener) net.Listener) (addr string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	ctx, cancel := context.WithCancelCause(context.Background())
	result := make(chan error, 1)
	go func() { result <- b.Serve(ctx, wrap(l)) }()
	stop = sync.OnceValue(func() error {
		cancel(errStopped)
		return <-result
	})
	t.Cleanup(func() { stop() })
	return addr, stop
}

var errStopped = errors.New("stopped")

func plain(l net.Listener) net.Listener { return l }

// A caller is a client over a real connection, which waits for each answer.
type caller struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func newCaller(t testing.TB, conn net.Conn) *caller {
	t.Cleanup(func() { conn.Close() })
	return &caller{conn, t, bufio.NewReader(conn)}
}

// ask sends a sentence and gives the answer up to !done or !fatal.
func (c *caller) ask(words ...string) (answer [][]string) {
	c.t.Helper()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.Write(appendSentence(nil, words...)); err != nil {
		c.t.Fatal(err)
	}
	for {
		s, err := readSentence(c.r, 1<<30)
		if err != nil {
			c.t.Fatalf("%q: %v", words, err)
		}
		answer = append(answer, s)
		if s[0] == "!done" || s[0] == "!fatal" {
			return answer
		}
	}
}

// enter logs in over TCP.
func enter(t testing.TB, addr string) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, conn)
	if got := c.ask("/login", "=name=admin", "=password=password"); !same(got, [][]string{{"!done"}}) {
		t.Fatalf("login: %q", got)
	}
	return c
}

func TestServeEndsWithoutLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	b := newBench(t)
	addr, stop := b.serve(t, plain)
	for i := range 10 {
		c := enter(t, addr)
		fmt.Fprintf(c, "%s", appendSentence(nil, "/ppp/secret/listen", ".tag=1"))
		fmt.Fprintf(c, "%s", appendSentence(nil, "/log/print", "=follow=", ".tag=2"))
		if i%2 == 0 {
			c.Close()
		}
	}
	if err := stop(); !errors.Is(err, errStopped) {
		t.Errorf("Serve returned %v, want the cause", err)
	}
	if b.inside != 0 {
		t.Errorf("%d users are still in", b.inside)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

func TestAddressOfClient(t *testing.T) {
	b := newBench(t)
	addr, _ := b.serve(t, plain)
	enter(t, addr)
	if from := b.attempts[0].From.String(); from != "127.0.0.1" {
		t.Errorf("the attempt comes from %s", from)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	b := newBench(t, func(cfg *Config) { cfg.MaxSessions = 2 })
	addr, _ := b.serve(t, plain)
	first := enter(t, addr)
	enter(t, addr)
	for range 3 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("a connection too many read %d octets", n)
		}
		conn.Close()
	}
	told := 0
	for _, e := range b.cfg.Journal.Entries() {
		if strings.Contains(e.Message, "2 sessions are the limit") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the log tells of it %d times, want once", told)
	}
	first.ask("/quit")
	first.Close()
	for range 100 { // its place is free a moment later
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c := &caller{conn, t, bufio.NewReader(conn)}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write(appendSentence(nil, "/login", "=name=admin", "=password=password"))
		_, err = readSentence(c.r, maxSentence)
		conn.Close()
		if err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the place of a client that left is not free")
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"gw"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	b := newBench(t)
	addr, _ := b.serve(t, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	})
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, ServerName: "gw"})
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, conn)
	c.ask("/login", "=name=admin", "=password=password")
	c.ask("/system/identity/set", "=name=gw")
	if got := c.ask("/system/identity/print"); !same(got, [][]string{{"!re", "=name=gw"}, {"!done"}}) {
		t.Errorf("over TLS: %q", got)
	}
	if got := c.ask("/quit"); got[0][0] != "!fatal" {
		t.Errorf("quit: %q", got)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("after quit: %v, want a clean end", err)
	}
	// A client without TLS is no reason to stop.
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	raw.Write(appendSentence(nil, "/login"))
	raw.Close()
}

// TestTenClientsWrite has ten clients add at once, with tags: nothing is lost and
// each answer belongs to its question.
func TestTenClientsWrite(t *testing.T) {
	b := newBench(t)
	addr, _ := b.serve(t, plain)
	const clients, each = 10, 10
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for i := range clients {
		c := enter(t, addr)
		all.Go(func() {
			c.SetDeadline(time.Now().Add(30 * time.Second))
			var stream []byte
			for k := range each {
				stream = appendSentence(stream, "/ppp/secret/add", fmt.Sprintf("=name=u%d-%d", i, k), fmt.Sprintf(".tag=%d", k))
			}
			if _, err := c.Write(stream); err != nil {
				t.Error(err)
				return
			}
			tags := map[string]bool{}
			for range each {
				s, err := readSentence(c.r, maxSentence)
				if err != nil || len(s) != 3 || s[0] != "!done" {
					t.Errorf("client %d: %q, %v", i, s, err)
					return
				}
				tags[s[1]] = true
				mu.Lock()
				ids[s[2]] = true
				mu.Unlock()
			}
			if len(tags) != each {
				t.Errorf("client %d: %d tags", i, len(tags))
			}
		})
	}
	all.Wait()
	got := enter(t, addr).ask("/ppp/secret/print", "=count-only=")
	if len(ids) != clients*each || !slices.Equal(got[0], []string{"!done", fmt.Sprintf("=ret=%d", clients*each)}) {
		t.Errorf("%d ids, and %q", len(ids), got)
	}
}

// BenchmarkPrint prints a thousand secrets.
func BenchmarkPrint(b *testing.B) {
	bench := newBench(b)
	addr, _ := bench.serve(b, plain)
	c := enter(b, addr)
	for i := range 1000 {
		c.ask("/ppp/secret/add", fmt.Sprintf("=name=user%d", i))
	}
	for b.Loop() {
		if n := len(c.ask("/ppp/secret/print")); n != 1001 {
			b.Fatalf("%d sentences", n)
		}
	}
}
