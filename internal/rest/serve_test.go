package rest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/login"
)

// counted counts who comes and goes.
type counted struct {
	mu       sync.Mutex
	in, left int
}

func (c *counted) login(ctx context.Context, a login.Attempt) (login.User, func(), error) {
	u, _, err := letIn(ctx, a)
	if err != nil {
		return u, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in++
	return u, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.left++
	}, nil
}

func (c *counted) count() (in, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in, c.left
}

// serve starts a server on the loopback interface and gives its address. Stop
// ends it and gives what Serve returned.
func serve(t testing.TB, config *tls.Config, c Config) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	result := make(chan error, 1)
	go func() { result <- Serve(ctx, l, config, New(c), journal.New(nil, false)) }()
	stop = sync.OnceValue(func() error {
		cancel(errStop)
		return <-result
	})
	t.Cleanup(func() { stop() })
	return l.Addr().String(), stop
}

var errStop = errors.New("the test is over")

// fetch sends a request and gives the status and body of the answer.
func fetch(t testing.TB, client *http.Client, user, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, "secret")
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(b)
}

// TestServeLogsInOnce checks that a connection is one login however many
// requests it carries, and that it ends with the connection.
func TestServeLogsInOnce(t *testing.T) {
	menus, _ := newTree(t)
	var c counted
	address, stop := serve(t, nil, Config{Tree: menus, Login: c.login})
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for range 5 {
		if status, body := fetch(t, client, "admin", http.MethodGet, "http://"+address+"/rest/ppp/profile", ""); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if in, left := c.count(); in != 1 || left != 0 {
		t.Errorf("%d logged in and %d left, want 1 and 0", in, left)
	}
	fetch(t, client, "reader", http.MethodGet, "http://"+address+"/rest/ppp/profile", "")
	if in, left := c.count(); in != 2 || left != 1 {
		t.Errorf("%d logged in and %d left, want 2 and 1", in, left)
	}
	client.CloseIdleConnections()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if in, left := c.count(); in == left {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d logged in, but only %d left", in, left)
		}
	}
	if err := stop(); !errors.Is(err, errStop) {
		t.Errorf("Serve gave %v", err)
	}
}

// TestServeStops checks that the end of the context ends commands that run, and
// all logins.
func TestServeStops(t *testing.T) {
	menus, _ := newTree(t)
	var c counted
	address, stop := serve(t, nil, Config{Tree: menus, Login: c.login})
	client := &http.Client{Transport: &http.Transport{}}
	url := "http://" + address + "/rest/interface/pptp-client"
	fetch(t, client, "admin", http.MethodPut, url, `{"connect-to":"192.0.2.1","user":"u","name":"out"}`)
	var running sync.WaitGroup
	running.Go(func() {
		if status, body := fetch(t, client, "reader", http.MethodPost, url+"/monitor", `{"numbers":"out"}`); status != 400 {
			t.Errorf("a monitor that was cut: %d %s", status, body)
		}
	})
	for in, _ := c.count(); in < 2; in, _ = c.count() {
		time.Sleep(5 * time.Millisecond)
	}
	start := time.Now()
	if err := stop(); !errors.Is(err, errStop) {
		t.Errorf("Serve gave %v", err)
	}
	running.Wait()
	if took := time.Since(start); took > closeTime+time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if in, left := c.count(); in != left {
		t.Errorf("%d logged in, but only %d left", in, left)
	}
}

func TestServeReportsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, nil, http.NotFoundHandler(), journal.New(nil, false)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve gave %v", err)
	}
}

// TestHeadHasNoBody asks in raw HTTP, since a client would hide it.
func TestHeadHasNoBody(t *testing.T) {
	menus, _ := newTree(t)
	address, _ := serve(t, nil, Config{Tree: menus, Login: letIn})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HEAD /rest/ppp/secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	b, err := io.ReadAll(bufio.NewReader(conn))
	if head, body, _ := strings.Cut(string(b), "\r\n\r\n"); err != nil || body != "" || !strings.HasPrefix(head, "HTTP/1.1 501 ") {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	first, err := Certificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Certificate(dir)
	if err != nil || !first.Leaf.Equal(again.Leaf) {
		t.Errorf("the second start made another certificate: %v", err)
	}
	path := filepath.Join(dir, certificateName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key may be read by others: %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files were left", len(files))
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := first.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if first.Leaf.IsCA || time.Until(first.Leaf.NotAfter) < validity/2 {
		t.Errorf("the certificate is for a CA or ends at %v", first.Leaf.NotAfter)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Certificate(dir); err == nil {
		t.Error("a damaged certificate was replaced: it may be somebody's own")
	}
	if _, err := Certificate(filepath.Join(dir, "nothing")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}

// TestHTTPS speaks TLS with an own certificate in two files.
func TestHTTPS(t *testing.T) {
	own, err := Certificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: own.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCertificate(certFile, certFile); err == nil {
		t.Error("a certificate without a key was loaded")
	}
	menus, _ := newTree(t)
	address, _ := serve(t, &tls.Config{Certificates: []tls.Certificate{c}}, Config{Tree: menus, Login: letIn})
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("version %x: %v", version, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	if status, body := fetch(t, client, "admin", http.MethodGet, "https://"+address+"/rest/system/identity", ""); status != 200 || body != `{"name":"gopptp"}` {
		t.Errorf("%d %s", status, body)
	}
	if status, body := fetch(t, client, "mallory", http.MethodGet, "https://"+address+"/rest/system/identity", ""); status != 401 {
		t.Errorf("%d %s", status, body)
	}
}

// TestCurl has curl do what the manual shows.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	c, err := Certificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	menus, _ := newTree(t)
	address, _ := serve(t, &tls.Config{Certificates: []tls.Certificate{c}}, Config{Tree: menus, Login: letIn})
	for _, tt := range []struct {
		method, path, data, want string
	}{
		{"PUT", "/ppp/secret", `{"name":"bob","service":"pptp"}`, `"name":"bob"`},
		{"GET", "/ppp/secret?name=bob&.proplist=service", "", "[{\".id\":\"*1\",\"service\":\"pptp\"}]\n200"},
		{"PATCH", "/ppp/secret/*1", `{"comment":"from curl"}`, `"comment":"from curl"`},
		{"POST", "/ppp/secret/print", `{".proplist":"name",".query":["comment"]}`, "[{\".id\":\"*1\",\"name\":\"bob\"}]\n200"},
		{"DELETE", "/ppp/secret/*1", "", "\n204"},
		{"DELETE", "/ppp/secret/*1", "", "{\"error\":404,\"message\":\"Not Found\"}\n404"},
	} {
		args := []string{"-sS", "-k", "--noproxy", "*", "-g", "-u", "admin:secret", "-w", "\n%{http_code}", "-X", tt.method, "https://" + address + "/rest" + tt.path}
		if tt.data != "" {
			args = append(args, "-H", "content-type: application/json", "--data", tt.data)
		}
		out, err := exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s %s: %q, %v, want %q", tt.method, tt.path, out, err, tt.want)
		}
	}
}
