package rest

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
)

// A hall is a listener whose connections are made in memory.
type hall struct {
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newHall() *hall { return &hall{arriving: make(chan net.Conn), closed: make(chan struct{})} }

func (h *hall) Accept() (net.Conn, error) {
	select {
	case c := <-h.arriving:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *hall) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *hall) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

// A visitor's end of the connection has an address.
type visitor struct{ net.Conn }

func (visitor) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000} }

// enter makes a connection to a server that ends with the test.
func (h *hall) enter(t *testing.T) net.Conn {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close() })
	h.arriving <- visitor{far}
	return near
}

// hostile runs a test against a server over n secrets, in a bubble of synctest.
func hostile(t *testing.T, secrets int, test func(*testing.T, *hall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		menus, _ := newTree(t)
		handler := New(Config{Tree: menus, Login: letIn})
		for i := range secrets {
			if w := ask(handler, "admin", http.MethodPut, "/rest/ppp/secret", fmt.Sprintf(`{"name":"u%d","comment":%q}`, i, strings.Repeat("c", 1000))); w.Code != http.StatusCreated {
				t.Fatal(w.Code, w.Body)
			}
		}
		h := newHall()
		ctx, cancel := context.WithCancelCause(t.Context())
		served := make(chan error, 1)
		go func() { served <- Serve(ctx, h, nil, handler, journal.New(nil, false)) }()
		test(t, h)
		cancel(errStop)
		if err := <-served; !errors.Is(err, errStop) {
			t.Errorf("Serve returned %v", err)
		}
	})
}

// head is a request without the end of its header.
func head(line string) string {
	return line + " HTTP/1.1\r\nHost: gw\r\nAuthorization: Basic " + base64.StdEncoding.EncodeToString([]byte("admin:secret")) + "\r\n"
}

// lives gives how long the server keeps a connection.
func lives(conn net.Conn) (time.Duration, []byte) {
	began := time.Now()
	heard, _ := io.ReadAll(conn)
	return time.Since(began), heard
}

// trickle sends one octet a second, until it may no more.
func trickle(conn net.Conn, octet string) {
	for {
		if _, err := io.WriteString(conn, octet); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	for name, test := range map[string]struct {
		sends   string
		trickle string // what follows, each second
		within  time.Duration
		answers bool
	}{
		"silent":               {"", "", headerTime, false},
		"half a line":          {"GET /re", "", headerTime, true},
		"endless header":       {head("GET /rest/ppp/secret"), "X", headerTime, true},
		"silent body":          {head("PUT /rest/ppp/secret") + "Content-Length: 1000\r\n\r\n", "", readTime, true},
		"slow body":            {head("PUT /rest/ppp/secret") + "Content-Length: 1000\r\n\r\n{", " ", readTime, true},
		"slow chunks":          {head("PUT /rest/ppp/secret") + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", readTime, true},
		"idle after an answer": {head("GET /rest/system/identity") + "\r\n", "", idleTime, true},
	} {
		t.Run(name, func(t *testing.T) {
			hostile(t, 0, func(t *testing.T, h *hall) {
				conn := h.enter(t)
				var sender sync.WaitGroup
				sender.Go(func() {
					if _, err := io.WriteString(conn, test.sends); err == nil && test.trickle != "" {
						trickle(conn, test.trickle)
					}
				})
				took, heard := lives(conn)
				conn.Close()
				sender.Wait()
				// After an answer to what was not read whole, net/http lingers for half a second.
				if took > test.within+time.Second || took < test.within {
					t.Errorf("it is kept for %v, want %v", took, test.within)
				}
				if got := strings.HasPrefix(string(heard), "HTTP/1.1 "); got != test.answers {
					t.Errorf("answered by %.60q", heard)
				}
			})
		})
	}
}

// TestReaderOfNothing asks for a long answer and reads none of it, while another
// client is served at once.
func TestReaderOfNothing(t *testing.T) {
	hostile(t, 200, func(t *testing.T, h *hall) {
		stalled := h.enter(t)
		began := time.Now()
		if _, err := io.WriteString(stalled, head("GET /rest/ppp/secret")+"\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		other := h.enter(t)
		if _, err := io.WriteString(other, head("PATCH /rest/ppp/secret/u1")+"Content-Length: 15\r\n\r\n"+`{"comment":"x"}`); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(other), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the other client: %v, %v", answer, err)
		}
		answer.Body.Close()
		if took := time.Since(began); took > 0 {
			t.Errorf("the other client waited %v", took)
		}
		time.Sleep(writeTime - time.Second)
		if _, err := stalled.Read(make([]byte, 1)); err != nil {
			t.Error("cut off before its time")
		}
		time.Sleep(2 * time.Second)
		if _, heard := lives(stalled); len(heard) > 2*partSize {
			t.Errorf("%d octets came after the end", len(heard))
		}
	})
}

// TestLargeHeader sends a header that has no end, as fast as it can.
func TestLargeHeader(t *testing.T) {
	hostile(t, 0, func(t *testing.T, h *hall) {
		conn := h.enter(t)
		var sent int
		var sender sync.WaitGroup
		sender.Go(func() {
			n, err := io.WriteString(conn, head("GET /rest/system/identity"))
			for sent = n; err == nil; sent += n {
				n, err = io.WriteString(conn, "X: "+strings.Repeat("x", 1000)+"\r\n")
			}
		})
		_, heard := lives(conn)
		conn.Close()
		sender.Wait()
		if !strings.HasPrefix(string(heard), "HTTP/1.1 431 ") {
			t.Errorf("answered by %.60q", heard)
		}
		if sent > 3*maxHeader {
			t.Errorf("%d octets of it were read", sent)
		}
	})
}
