package radius

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/test/rig"
)

const secret = "StrongSharedSecret"

// The daemon is where Debian has it, which not every user's path has.
const daemonName = "/usr/sbin/freeradius"

// A server is a running FreeRADIUS.
type server struct {
	dir             string
	auth, acct, tls uint16
	cmd             *exec.Cmd
	out             *bytes.Buffer
	roots           *tls.Config
	in              func(func()) // the network namespace; nil for the test's own
	stop            func()
}

// newServer makes a configuration; users in files and, u-sql, in SQLite.
func newServer(t *testing.T) *server {
	t.Helper()
	rig.Need(t, daemonName)
	s := &server{dir: t.TempDir()}
	s.auth, s.acct, s.tls = freePort(t), freePort(t), freePort(t)
	s.certificates(t)
	for _, name := range []string{"users", "schema.sql"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, name, b)
	}
	// The dictionaries are found beside the configuration.
	s.write(t, "dictionary", []byte("$INCLUDE /usr/share/freeradius/dictionary\n"))
	var conf bytes.Buffer
	err := template.Must(template.ParseFiles("testdata/radiusd.conf")).Execute(&conf, map[string]any{
		"Dir": s.dir, "Secret": secret, "Auth": s.auth, "Acct": s.acct, "TLS": s.tls,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "radiusd.conf", conf.Bytes())
	return s
}

func (s *server) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs the server until it is ready; the test's end stops it.
func (s *server) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.out = new(bytes.Buffer)
	s.cmd = exec.CommandContext(ctx, daemonName, "-f", "-x", "-l", "stdout", "-n", "radiusd", "-d", s.dir, "-D", s.dir)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = in, in
	begin := s.cmd.Start
	if s.in != nil {
		begin = func() (err error) {
			s.in(func() { err = s.cmd.Start() })
			return err
		}
	}
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	ready, done := make(chan bool, 1), make(chan struct{})
	buf := s.out
	go func() {
		defer close(done)
		b := make([]byte, 64<<10)
		said := false
		for {
			n, err := out.Read(b)
			buf.Write(b[:n])
			if !said && bytes.Contains(buf.Bytes(), []byte("Ready to process requests")) {
				said = true
				ready <- true
			}
			if err != nil {
				if !said {
					ready <- false
				}
				return
			}
		}
	}()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		s.cmd.Wait()
		<-done
		out.Close()
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("FreeRADIUS said:\n%s", tail(buf.String(), 8000))
		}
	})
	s.stop = stop
	select {
	case ok := <-ready:
		if !ok {
			stop()
			t.Fatalf("FreeRADIUS ended:\n%s", tail(buf.String(), 4000))
		}
	case <-time.After(20 * time.Second):
		t.Fatal("FreeRADIUS is not ready")
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// row is the server's row of /radius.
func (s *server) row(id uint64) radius.Server {
	return radius.Server{
		ID: id, Services: []string{"ppp"}, Address: netip.MustParseAddr("127.0.0.1"), Secret: secret,
		AuthPort: s.auth, AcctPort: s.acct, Timeout: 500 * time.Millisecond,
	}
}

// client gives a running client.
func client(t *testing.T, rows ...radius.Server) *radius.Client {
	t.Helper()
	c := radius.NewClient(journal.New(nil, false))
	c.SetIdentity("router")
	c.Configure(rows)
	run(t, c.Run)
	return c
}

// run runs f until the test ends, or the function that it gives is called.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	// Free for both protocols.
	for range 20 {
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		port := u.LocalAddr().(*net.UDPAddr).Port
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		u.Close()
		if err == nil {
			l.Close()
			return uint16(port)
		}
	}
	t.Fatal("no port is free")
	return 0
}

// certificates makes an authority, and certificates of it for both ends.
func (s *server) certificates(t *testing.T) {
	t.Helper()
	caKey, ca, caPEM, _ := issue(t, "authority", nil, nil)
	_, _, certPEM, keyPEM := issue(t, "server", ca, caKey)
	s.write(t, "ca.pem", caPEM)
	s.write(t, "server.pem", append(certPEM, keyPEM...))
	_, _, certPEM, keyPEM = issue(t, "client", ca, caKey)
	own, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	s.roots = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}}
}

func issue(t *testing.T, name string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate, []byte, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ca == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		ca, caKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, c, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

// sql asks the server's database; rows are lines, columns are parted by |.
func (s *server) sql(t *testing.T, query string) string {
	t.Helper()
	rig.Need(t, "sqlite3")
	out, err := exec.CommandContext(t.Context(), "sqlite3", "-readonly", "-cmd", ".timeout 2000", filepath.Join(s.dir, "radius.db"), query).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}
