package radius

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	wire "layeh.com/radius"
)

// serveTLS is a RadSec server; answer is called with each packet, and false ends
// the connection.
func serveTLS(t *testing.T, answer func(n int, request []byte) ([]byte, bool)) (Server, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	l, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	conns := []net.Conn{}
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				for {
					b := make([]byte, maxPacket)
					if _, err := io.ReadFull(conn, b[:headerLen]); err != nil {
						return
					}
					b = b[:int(b[2])<<8|int(b[3])]
					if _, err := io.ReadFull(conn, b[headerLen:]); err != nil {
						return
					}
					mu.Lock()
					n++
					reply, on := answer(n, b)
					mu.Unlock()
					if !on {
						return
					}
					conn.Write(reply)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	trust := &tls.Config{RootCAs: pool}
	return Server{
		ID: 1, Services: []string{"ppp"}, Address: loopback, Protocol: RadSec, TLS: trust, RadSecTimeout: 2 * time.Second,
		AuthPort: uint16(l.Addr().(*net.TCPAddr).Port),
	}, trust
}

// respondTLS is respond with the secret that is used inside TLS.
func respondTLS(request []byte, code wire.Code) []byte {
	p := wire.Packet{Code: code, Identifier: request[1], Authenticator: [16]byte(request[4:20]), Secret: []byte(radSecSecret)}
	zero := &wire.AVP{Type: 80, Attribute: make(wire.Attribute, 16)}
	if code != wire.CodeAccountingResponse {
		p.Attributes = wire.Attributes{zero}
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

// One connection carries authentication and accounting; the server may close it
// at any time, and nothing is lost.
func TestRadSec(t *testing.T) {
	row, _ := serveTLS(t, func(n int, q []byte) ([]byte, bool) {
		if wire.Code(q[0]) == wire.CodeAccountingRequest {
			return respondTLS(q, wire.CodeAccountingResponse), true
		}
		return respondTLS(q, wire.CodeAccessAccept), n%5 != 0
	})
	c := newClient(t, row)
	var wg sync.WaitGroup
	for range 3 {
		for range 5 {
			wg.Go(func() {
				if a, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil && !errors.Is(err, ErrTimeout) || err == nil && !a.Accepted {
					t.Errorf("%+v, %v", a, err)
				}
			})
		}
		wg.Wait()
	}
	a := newAccounting(t, c)
	runAccounting(t, a)
	if err := a.Add(record(Start, "1")); err != nil {
		t.Fatal(err)
	}
	drained(t, a)
	if n, _ := c.Monitor(1); n.Accepts < 10 || n.BadReplies != 0 || n.Resends != 0 {
		t.Errorf("%+v", n)
	}
}

// A connection that the server closed while it was idle costs no request.
func TestRadSecClosedConnection(t *testing.T) {
	row, _ := serveTLS(t, func(n int, q []byte) ([]byte, bool) { return respondTLS(q, wire.CodeAccessAccept), n != 2 })
	c := newClient(t, row)
	for range 3 {
		if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody whose certificate is not trusted is asked, and a stream that is no
// RADIUS ends.
func TestRadSecStrangers(t *testing.T) {
	row, _ := serveTLS(t, func(int, []byte) ([]byte, bool) { t.Error("a stranger was asked"); return nil, false })
	row.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	c := newClient(t, row)
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	garbage, _ := serveTLS(t, func(int, []byte) ([]byte, bool) { return make([]byte, 40), true })
	c.Configure([]Server{garbage})
	began := time.Now()
	if _, err := c.Authenticate(t.Context(), papRequest("u", "p")); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	if time.Since(began) > time.Second {
		t.Error("a stream without sense is waited on")
	}
}
