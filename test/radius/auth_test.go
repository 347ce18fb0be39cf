package radius

import (
	"crypto/md5"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/mschap"
	"gopptp/ppp/auth"
)

const password = "StrongPass"

var methods = []auth.Method{auth.PAP, auth.CHAP, auth.MSCHAPv1, auth.MSCHAPv2}

// credentials are those of a client with a password.
func credentials(method auth.Method, name, password string) *auth.Request {
	user := mschap.StripDomain(name)
	r := &auth.Request{Method: method, Name: name, User: user, ID: 42}
	h := mschap.NtPasswordHash(password)
	switch method {
	case auth.PAP:
		r.Password = auth.Secret(password)
	case auth.CHAP:
		r.Challenge = []byte("sixteen octets!!")
		sum := md5.Sum(append(append([]byte{r.ID}, password...), r.Challenge...))
		r.Response = sum[:]
	case auth.MSCHAPv1:
		c := mschap.Challenge([]byte("8 octets"))
		lm, nt := mschap.LmChallengeResponse(c, mschap.LmPasswordHash(password)), mschap.NtChallengeResponse(c, h)
		r.Challenge = c[:]
		r.Response = append(append(append(r.Response, lm[:]...), nt[:]...), 1)
	case auth.MSCHAPv2:
		a, p := mschap.AuthenticatorChallenge([]byte("sixteen octets!!")), mschap.PeerChallenge([]byte("and sixteen more"))
		nt := mschap.GenerateNTResponse(a, p, user, h)
		r.Challenge = a[:]
		r.Response = append(append(append(append(r.Response, p[:]...), make([]byte, 8)...), nt[:]...), 0)
	}
	return r
}

func request(method auth.Method, name, password string) radius.Request {
	c := credentials(method, name, password)
	return radius.Request{
		Session:     radius.Session{User: name, Domain: c.Domain, ID: "81000001", Port: 1, Calling: "192.0.2.7", Called: "192.0.2.1"},
		Credentials: c,
	}
}

// TestClientFreeRADIUS asks about users in files and in SQLite by every method,
// over UDP and over TLS; the keys have to be those that the password gives.
func TestClientFreeRADIUS(t *testing.T) {
	s := newServer(t)
	s.start(t)
	overTLS := s.row(2)
	overTLS.Protocol, overTLS.TLS, overTLS.AuthPort = radius.RadSec, s.roots, s.tls
	for name, row := range map[string]radius.Server{"udp": s.row(1), "radsec": overTLS} {
		t.Run(name, func(t *testing.T) {
			c := client(t, row)
			for _, m := range methods {
				for _, user := range []string{"plain", "u-sql", `DOM\plain`} {
					q := request(m, user, password)
					if user == `DOM\plain` {
						q.Domain = "DOM"
					}
					a, err := c.Authenticate(t.Context(), q)
					if err != nil || !a.Accepted {
						t.Errorf("%v of %s: %+v, %v", m, user, a, err)
						continue
					}
					want := q.Credentials.Verify(password)
					if got := a.Result.Keys; m == auth.MSCHAPv1 && got != nil {
						// FreeRADIUS 3.2 has no LAN Manager hash. Zeros would be everybody's key.
						if got.Send.Short == ([8]byte{}) || row.Protocol == radius.UDP && a.Policy.EncryptionTypes != radius.Type128Bit {
							t.Errorf("%v of %s: a known key may be used", m, user)
						}
						got.Send.Short, got.Receive.Short = want.Keys.Send.Short, want.Keys.Send.Short
					}
					// FreeRADIUS 3.2.1 hides MS-CHAP-MPPE-Keys over TLS with another
					// authenticator than the request's: no client can read them.
					broken := m == auth.MSCHAPv1 && row.Protocol == radius.RadSec
					if !broken && !reflect.DeepEqual(a.Result.Keys, want.Keys) {
						t.Errorf("%v of %s: not the keys of the password", m, user)
					}
					if proof, ok := mschap.ParseAuthenticatorResponse(a.Result.Message); m == auth.MSCHAPv2 && (!ok || !proof.Check(want.Message)) {
						t.Errorf("proof %q", a.Result.Message)
					}
					if user == "u-sql" && (a.Policy.Address != netip.MustParseAddr("10.99.0.1") || a.Policy.Rate != "3M/4M") {
						t.Errorf("policy %+v", a.Policy)
					}
					if ms := m == auth.MSCHAPv1 || m == auth.MSCHAPv2; ms && (a.Policy.Encryption != radius.EncryptionRequired || a.Policy.EncryptionTypes&radius.Type128Bit == 0) {
						t.Errorf("encryption %v, %v", a.Policy.Encryption, a.Policy.EncryptionTypes)
					}
				}
				for _, wrong := range []radius.Request{request(m, "plain", "wrong"), request(m, "nobody", password)} {
					a, err := c.Authenticate(t.Context(), wrong)
					if err != nil || a.Accepted || a.Result.OK || a.Reason == "" {
						t.Errorf("%v of %s with a wrong password: %+v, %v", m, wrong.User, a, err)
					}
					if m == auth.MSCHAPv2 && wrong.User == "plain" && err == nil && a.Result.Code != auth.CodeAuthFailure {
						t.Errorf("code %d", a.Result.Code)
					}
				}
			}
			if n, _ := c.Monitor(row.ID); n.BadReplies != 0 || n.Timeouts != 0 || n.Accepts != 12 || n.Rejects != 8 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestClientFreeRADIUSAttributes reads every attribute that RouterOS honours.
func TestClientFreeRADIUSAttributes(t *testing.T) {
	s := newServer(t)
	s.start(t)
	c := client(t, s.row(1))
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	for user, want := range map[string]radius.Policy{
		"every": {
			Address: addr("10.20.30.40"), Network: prefix("10.20.30.0/24"),
			Routes:     []radius.Route{{Dst: prefix("192.168.7.0/24"), Metric: 5}, {Dst: prefix("172.16.0.0/12")}},
			IPv6Prefix: prefix("2001:db8:1::/64"), DelegatedIPv6Prefix: prefix("2001:db8:2::/56"), DelegatedIPv6Pool: "six",
			IdleTimeout: 5 * time.Minute, SessionTimeout: time.Hour, TerminateAt: time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
			PortLimit: 2, Interim: 2 * time.Minute, Class: [][]byte{{1, 2, 255}, []byte("second")},
			FilterIn: "inward", FilterOut: "outward", Rate: "1M/2M 4M/8M",
			ReceiveLimit: 1<<32 + 1, TransmitLimit: 2<<32 + 2, TotalLimit: 3<<32 + 3,
			Profile: "gold", AddressLists: []string{"vpn"},
			DNS: []netip.Addr{addr("10.0.0.53"), addr("10.0.1.53")}, WINS: []netip.Addr{addr("10.0.0.42"), addr("10.0.1.42")},
		},
		"ascend": {ProfilePool: true, Rate: "2000/1000"},
		"xmit":   {Pool: "pool2", Rate: "1000/2000"},
		"wispr":  {Rate: "1000/2000 0/0 0/0 0/0 8 10/20"},
	} {
		a, err := c.Authenticate(t.Context(), request(auth.PAP, user, password))
		if err != nil || !a.Accepted {
			t.Errorf("%s: %+v, %v", user, a, err)
			continue
		}
		compare := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
		if d := cmp.Diff(want, a.Policy, compare); d != "" {
			t.Errorf("%s (-want +got):\n%s", user, d)
		}
	}
}

// TestClientFreeRADIUSSecret has another secret: the server does not answer, and
// the next one is asked.
func TestClientFreeRADIUSSecret(t *testing.T) {
	s := newServer(t)
	s.start(t)
	wrong := s.row(1)
	wrong.Secret, wrong.Timeout = "another", 50*time.Millisecond
	c := client(t, wrong, s.row(2))
	a, err := c.Authenticate(t.Context(), request(auth.MSCHAPv2, "plain", password))
	if err != nil || a.ServerID != 2 || !a.Accepted {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestClientFreeRADIUSProbe has a server that is down asked by Status-Server until
// it is back, without any request of a user.
func TestClientFreeRADIUSProbe(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds pass before a probe")
	}
	t.Parallel()
	s := newServer(t)
	back := make(chan struct{})
	log := journal.New(func(e journal.Entry) {
		if strings.Contains(e.Message, "answers again") {
			close(back)
		}
	}, false)
	c := radius.NewClient(log)
	c.Configure([]radius.Server{s.row(1)})
	run(t, c.Run)
	if _, err := c.Authenticate(t.Context(), request(auth.PAP, "plain", password)); !errors.Is(err, radius.ErrTimeout) {
		t.Fatal(err)
	}
	s.start(t)
	select {
	case <-back:
	case <-time.After(20 * time.Second):
		t.Fatal("the server was not found again")
	}
}
