package aaa

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"gopptp/ppp/auth"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// pap is a request with a password in it.
func pap(name, password string) *auth.Request {
	user := name[strings.LastIndex(name, `\`)+1:]
	return &auth.Request{Method: auth.PAP, Name: name, User: user, Password: auth.Secret(password)}
}

func newLocal() *Local {
	l := new(Local)
	l.PutProfile(0, Profile{Name: "default", UseEncryption: Default})
	l.PutProfile(1, Profile{Name: "default-encryption", UseEncryption: Yes, LocalAddress: addr("10.0.0.1"),
		DNSServers: []netip.Addr{addr("10.9.9.9")}})
	l.PutProfile(2, Profile{Name: "strict", UseEncryption: Required, RemoteAddress: addr("10.2.0.5"), OnlyOne: Yes})
	l.PutSecret(Secret{ID: 1, Name: "u", Service: "pptp", Password: "p", Profile: "default", RemoteAddress: addr("10.0.0.5")})
	l.PutSecret(Secret{ID: 2, Name: "u", Service: "any", Password: "other", Profile: "strict"})
	l.PutSecret(Secret{ID: 3, Name: "s", Service: "any", Password: "p", Profile: "strict", LocalAddress: addr("10.2.0.1")})
	l.PutSecret(Secret{ID: 4, Name: "off", Service: "any", Password: "p", Profile: "default", Disabled: true})
	l.PutSecret(Secret{ID: 5, Name: "oe", Service: "pppoe", Password: "p", Profile: "default"})
	l.PutSecret(Secret{ID: 6, Name: "here", Service: "any", Password: "p", Profile: "default", CallerID: "192.0.2.7"})
	l.PutSecret(Secret{ID: 7, Name: `DOM\full`, Service: "any", Password: "p", Profile: "default"})
	return l
}

func TestAuthenticate(t *testing.T) {
	l := newLocal()
	call := Call{CallerID: "192.0.2.7", DefaultProfile: "default-encryption"}
	for _, row := range []struct {
		name, password string
		ok             bool
	}{
		{"u", "p", true},
		{"u", "other", false}, // the secret for pptp beats the one for any
		{"u", "", false},
		{"nobody", "p", false},
		{"off", "p", false},
		{"oe", "p", false},
		{"here", "p", true},
		{`DOM\u`, "p", true},
		{`DOM\full`, "p", true},
		{"full", "p", false},
	} {
		if g := l.Authenticate(pap(row.name, row.password), call); g.OK != row.ok || g.OK == (g.Reason != "") {
			t.Errorf("%s with %q: %v, reason %q", row.name, row.password, g.OK, g.Reason)
		}
	}
	if g := l.Authenticate(pap("here", "p"), Call{CallerID: "192.0.2.8"}); g.OK {
		t.Error("a caller from elsewhere came in")
	}
}

// Service default profile < the secret's profile < the secret.
func TestPrecedence(t *testing.T) {
	l := newLocal()
	call := Call{DefaultProfile: "default-encryption"}
	g := l.Authenticate(pap("u", "p"), call)
	if g.Local != addr("10.0.0.1") || g.Remote != addr("10.0.0.5") || g.Encryption != Yes || g.Policy.PortLimit != 0 || len(g.DNS) != 1 {
		t.Errorf("default values: %+v", g)
	}
	g = l.Authenticate(pap("s", "p"), call)
	if g.Local != addr("10.2.0.1") || g.Remote != addr("10.2.0.5") || g.Encryption != Required || g.Policy.PortLimit != 1 {
		t.Errorf("own values: %+v", g)
	}
	g = l.Authenticate(pap("u", "p"), Call{DefaultProfile: "default"})
	if g.Encryption != No || g.Local.IsValid() {
		t.Errorf("no values: %+v", g)
	}
}

// Users who are no secrets get a profile over the service's default profile, and
// nothing of a secret.
func TestGrant(t *testing.T) {
	l := newLocal()
	call := Call{DefaultProfile: "default-encryption"}
	for _, row := range []struct {
		profile    string
		known      bool
		remote     string
		encryption Tri
		sessions   int
	}{
		{"", true, "", Yes, 0},
		{"strict", true, "10.2.0.5", Required, 1},
		{"default", true, "", Yes, 0},
		{"none", false, "", Yes, 0},
	} {
		g, known := l.Grant(row.profile, call)
		remote, _ := netip.ParseAddr(row.remote)
		if known != row.known || g.OK || g.Local != addr("10.0.0.1") || g.Remote != remote || g.Encryption != row.encryption || g.Policy.PortLimit != row.sessions {
			t.Errorf("%q: %t, %+v", row.profile, known, g)
		}
		if g.Service != "default-encryption" || !reflect.DeepEqual(g.Profile, g.Policy) {
			t.Errorf("%q: %+v", row.profile, g)
		}
	}
	// What is the secret's own is not the profile's.
	l.PutSecret(Secret{ID: 9, Name: "own", Service: "any", Password: "p", Profile: "strict", LimitIn: 1, Routes: []Route{{}}})
	g := l.Authenticate(pap("own", "p"), call)
	if g.Policy.LimitIn != 1 || g.Profile.LimitIn != 0 || g.Profile.Routes != nil || g.Profile.PortLimit != 1 || g.Service != "default-encryption" {
		t.Errorf("a secret: %+v", g)
	}
}

// An address beats a pool wherever it stands, and of two pools the nearer one counts.
func TestPoolPrecedence(t *testing.T) {
	for _, row := range []struct {
		name         string
		service, own Profile
		secret       Secret
		remote, pool string
	}{
		{name: "nothing"},
		{name: "service's pool", service: Profile{RemotePool: "s"}, pool: "s"},
		{name: "own pool", service: Profile{RemotePool: "s"}, own: Profile{RemotePool: "o"}, pool: "o"},
		{name: "service's address", service: Profile{RemoteAddress: addr("10.0.0.9")}, own: Profile{RemotePool: "o"}, remote: "10.0.0.9"},
		{name: "own address", service: Profile{RemotePool: "s"}, own: Profile{RemoteAddress: addr("10.0.0.8")}, remote: "10.0.0.8"},
		{name: "secret's address", service: Profile{RemotePool: "s"}, own: Profile{RemotePool: "o"}, secret: Secret{RemoteAddress: addr("10.0.0.7")}, remote: "10.0.0.7"},
	} {
		for _, local := range []bool{false, true} {
			if local { // the same for the other end
				row.service.LocalAddress, row.service.LocalPool = row.service.RemoteAddress, row.service.RemotePool
				row.own.LocalAddress, row.own.LocalPool = row.own.RemoteAddress, row.own.RemotePool
				row.secret.LocalAddress = row.secret.RemoteAddress
			}
			row.service.Name, row.own.Name = "service", "own"
			row.secret.ID, row.secret.Name, row.secret.Service, row.secret.Profile = 1, "u", "any", "own"
			row.secret.Password = "p"
			l := new(Local)
			l.PutProfile(1, row.service)
			l.PutProfile(2, row.own)
			l.PutSecret(row.secret)
			g := l.Authenticate(pap("u", "p"), Call{DefaultProfile: "service"})
			got, pool := g.Remote, g.RemotePool
			if local {
				got, pool = g.Local, g.LocalPool
			}
			want, _ := netip.ParseAddr(row.remote)
			if !g.OK || got != want || pool != row.pool {
				t.Errorf("%s: %v and pool %q", row.name, got, pool)
			}
		}
	}
}

func TestChangesTakeEffect(t *testing.T) {
	l := newLocal()
	call := Call{DefaultProfile: "default-encryption"}
	l.PutSecret(Secret{ID: 1, Name: "renamed", Service: "pptp", Password: "p", Profile: "default"})
	if l.Authenticate(pap("u", "p"), call).OK || !l.Authenticate(pap("u", "other"), call).OK || !l.Authenticate(pap("renamed", "p"), call).OK {
		t.Error("a renamed secret answers to the wrong name")
	}
	l.RemoveSecret(1)
	l.RemoveSecret(1)
	if l.Authenticate(pap("renamed", "p"), call).OK {
		t.Error("a removed secret answers")
	}
	l.PutProfile(2, Profile{Name: "soft"})
	if _, ok := l.Profile("strict"); ok {
		t.Error("a renamed profile answers to its old name")
	}
	l.RemoveProfile(2)
	if _, ok := l.Profile("soft"); ok {
		t.Error("a removed profile answers")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := Secret{Name: "u", Password: "StrongPass"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, "StrongPass") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// TestNamesAreTakenOver gives a profile the name of another before that one gets a
// new name, as one commit may.
func TestNamesAreTakenOver(t *testing.T) {
	var l Local
	l.PutProfile(1, Profile{Name: "one"})
	l.PutProfile(2, Profile{Name: "two"})
	l.PutProfile(1, Profile{Name: "two"})
	l.PutProfile(2, Profile{Name: "one"})
	for _, name := range []string{"one", "two"} {
		if _, ok := l.Profile(name); !ok {
			t.Errorf("there is no profile %s", name)
		}
	}
	l.PutProfile(1, Profile{Name: "one"})
	l.RemoveProfile(2)
	if _, ok := l.Profile("one"); !ok {
		t.Error("a profile went with one that had its name")
	}
}
