package nas

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/aaa"
	"gopptp/internal/radius"
	"gopptp/internal/shape"
)

// mikrotik is an attribute of Mikrotik's (RFC 2865, section 5.26).
func mikrotik(typ byte, value string) *wire.AVP {
	v, err := wire.NewVendorSpecific(14988, append(wire.Attribute{typ, byte(len(value) + 2)}, value...))
	if err != nil {
		panic(err)
	}
	return &wire.AVP{Type: 26, Attribute: v}
}

func TestAuthenticate(t *testing.T) {
	f := newServer(t)
	n, _, log := newNAS(t, Settings{}, f)
	ask := func(user string) *aaa.Grant {
		t.Helper()
		return n.Authenticate(t.Context(), request(user), call)
	}
	if g := ask("u"); g.OK || g.Reason != "unknown user" || f.requests() != 0 {
		t.Errorf("without use-radius: %q, asked %d times", g.Reason, f.requests())
	}
	n.SetAAA(Settings{UseRADIUS: true})
	f.answers(wire.CodeAccessAccept, &wire.AVP{Type: 25, Attribute: wire.Attribute("c1")}, &wire.AVP{Type: 85, Attribute: wire.NewInteger(120)}, mikrotik(3, "gold"))
	g := ask(`DOM\u`)
	if !g.OK || !g.Radius || g.User != `DOM\u` || g.Secret != 0 || g.Interim != 2*time.Minute || len(g.Class) != 1 || g.Service != "service" {
		t.Errorf("accepted: %+v", g)
	}
	if g.Policy.IdleTimeout != 2*time.Minute || g.Policy.SessionTimeout != time.Hour || g.Local != addr("10.0.0.1") || g.RemotePool != "pool" {
		t.Errorf("the group over the service's profile: %+v", g)
	}
	f.answers(wire.CodeAccessAccept, mikrotik(3, "bronze"))
	if g := ask("u"); !g.OK || g.Policy.IdleTimeout != time.Minute || !logged(log, `the group "bronze" of a server is no profile: service is used`) {
		t.Errorf("a group that is not known: %+v", g)
	}
	f.answers(wire.CodeAccessAccept, mikrotik(8, "fast"))
	if g := ask("u"); !g.OK || g.Policy.Rate.Rx.Max != 1000 || !logged(log, `rate limit "fast" of a server is ignored`) {
		t.Errorf("a rate that is none: %+v", g)
	}
	f.answers(wire.CodeAccessReject, &wire.AVP{Type: 18, Attribute: wire.Attribute("expired")})
	if g := ask("u"); g.OK || g.Public || g.Result.Message != "expired" {
		t.Errorf("rejected: %+v", g)
	}
	f.answers(0)
	if g := ask("u"); g.OK || !g.Public || g.Reason != "radius timeout" {
		t.Errorf("without an answer: %+v", g)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if g := n.Authenticate(ctx, request("u"), call); g.OK || g.Reason != "radius timeout" {
		t.Errorf("nobody waits for it: %+v", g)
	}
	n.SetServers(nil)
	if g := ask("u"); g.OK || g.Public || g.Reason != "unknown user, and no radius server for the session" {
		t.Errorf("without a server: %+v", g)
	}
}

// TestOverlay: what a server orders beats what the profile says, field by field.
func TestOverlay(t *testing.T) {
	s := newSessions()
	n := &NAS{sessions: s}
	prefix := netip.MustParsePrefix
	for _, c := range []struct {
		name   string
		policy radius.Policy
		want   func(*aaa.Grant) // what is different from the profile's
	}{
		{"nothing", radius.Policy{}, func(*aaa.Grant) {}},
		{"address", radius.Policy{Address: addr("10.9.9.9")}, func(g *aaa.Grant) { g.Remote, g.RemotePool = addr("10.9.9.9"), "" }},
		{"profile's pool", radius.Policy{ProfilePool: true}, func(*aaa.Grant) {}},
		{"pool", radius.Policy{Pool: "other"}, func(g *aaa.Grant) { g.RemotePool = "other" }},
		{"netmask", radius.Policy{Address: addr("10.9.9.9"), Network: prefix("10.9.9.0/24")}, func(g *aaa.Grant) {
			g.Remote, g.RemotePool = addr("10.9.9.9"), ""
			g.Policy.Routes = []aaa.Route{{Dst: prefix("10.9.9.0/24"), Distance: 1}}
		}},
		{"routes", radius.Policy{Routes: []radius.Route{{Dst: prefix("10.1.0.0/16")}, {Dst: prefix("10.2.0.0/16"), Gateway: addr("10.0.0.9"), Metric: 5}}}, func(g *aaa.Grant) {
			g.Policy.Routes = []aaa.Route{{Dst: prefix("10.1.0.0/16"), Distance: 1}, {Dst: prefix("10.2.0.0/16"), Gateway: addr("10.0.0.9"), Distance: 5}}
		}},
		{"filters", radius.Policy{FilterIn: "a", FilterOut: "b"}, func(g *aaa.Grant) { g.Policy.IncomingFilter, g.Policy.OutgoingFilter = "a", "b" }},
		{"one filter", radius.Policy{FilterIn: "a"}, func(g *aaa.Grant) { g.Policy.IncomingFilter = "a" }},
		{"rate", radius.Policy{Rate: "1M/2M"}, func(g *aaa.Grant) { g.Policy.Rate, _ = shape.Parse("1M/2M") }},
		{"no rate", radius.Policy{Rate: "0/0"}, func(g *aaa.Grant) { g.Policy.Rate, _ = shape.Parse("0/0") }},
		{"limits", radius.Policy{ReceiveLimit: 1, TransmitLimit: 2 << 32, TotalLimit: 3}, func(g *aaa.Grant) {
			g.Policy.LimitIn, g.Policy.LimitOut, g.Policy.LimitTotal = 1, 2<<32, 3
		}},
		{"timeouts", radius.Policy{SessionTimeout: 2 * time.Hour, IdleTimeout: time.Second}, func(g *aaa.Grant) {
			g.Policy.SessionTimeout, g.Policy.IdleTimeout = 2*time.Hour, time.Second
		}},
		{"an end that is over", radius.Policy{TerminateAt: time.Unix(1, 0)}, func(g *aaa.Grant) { g.Policy.SessionTimeout = time.Second }},
		{"an end after the profile's", radius.Policy{TerminateAt: time.Now().Add(2 * time.Hour)}, func(*aaa.Grant) {}},
		{"address lists", radius.Policy{AddressLists: []string{"a", "b"}}, func(g *aaa.Grant) { g.Policy.AddressLists = []string{"a", "b"} }},
		{"name servers", radius.Policy{DNS: []netip.Addr{addr("10.0.0.1")}, WINS: []netip.Addr{addr("10.0.0.2")}}, func(g *aaa.Grant) {
			g.DNS, g.WINS = []netip.Addr{addr("10.0.0.1")}, []netip.Addr{addr("10.0.0.2")}
		}},
		{"encryption allowed", radius.Policy{Encryption: radius.EncryptionAllowed}, func(*aaa.Grant) {}},
		{"encryption required", radius.Policy{Encryption: radius.EncryptionRequired, TypesKnown: true, EncryptionTypes: radius.Type128Bit | radius.Type40Bit}, func(g *aaa.Grant) {
			g.Encryption = aaa.Required
		}},
		{"only 128 bits", radius.Policy{TypesKnown: true, EncryptionTypes: radius.Type128Bit}, func(g *aaa.Grant) { g.Only128 = true }},
		{"no encryption", radius.Policy{TypesKnown: true}, func(g *aaa.Grant) { g.Encryption, g.Only128 = aaa.No, true }},
		{"required, but by no type", radius.Policy{Encryption: radius.EncryptionRequired, TypesKnown: true}, func(g *aaa.Grant) { // fails rather than in clear
			g.Encryption, g.Only128 = aaa.Required, true
		}},
		{"port limit", radius.Policy{PortLimit: 3}, func(g *aaa.Grant) { g.Policy.PortLimit = 3 }},
		{"a huge port limit", radius.Policy{PortLimit: 1<<32 - 1}, func(g *aaa.Grant) { g.Policy.PortLimit = 1 << 30 }},
		{"class and interval", radius.Policy{Class: [][]byte{{1}}, Interim: time.Minute}, func(g *aaa.Grant) { g.Class, g.Interim = [][]byte{{1}}, time.Minute }},
	} {
		want, _ := s.Grant("", call)
		want.Policy.PortLimit = 0 // only-one is for users with a secret
		c.want(want)
		got, _ := s.Grant("", call)
		n.overlay(got, &c.policy)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, want)
		}
	}
	// What many servers send unasked does not undo what the profile demands.
	for _, p := range []radius.Policy{
		{Encryption: radius.EncryptionAllowed},
		{Encryption: radius.EncryptionAllowed, TypesKnown: true, EncryptionTypes: radius.Type128Bit | radius.Type40Bit},
		{TypesKnown: true},
	} {
		g := aaa.Grant{Encryption: aaa.Required}
		if n.overlay(&g, &p); g.Encryption != aaa.Required {
			t.Errorf("%+v: encryption %v", p, g.Encryption)
		}
	}
	g, _ := s.Grant("", call)
	n.overlay(g, &radius.Policy{TerminateAt: time.Now().Add(time.Minute)})
	if d := g.Policy.SessionTimeout; d < 58*time.Second || d > time.Minute {
		t.Errorf("an end within a minute is after %v", d)
	}
	n.overlay(g, &radius.Policy{AddressLists: []string{"x"}, Routes: []radius.Route{{}}})
	if again, _ := s.Grant("", call); !slices.Equal(again.Policy.AddressLists, []string{"all"}) || again.Policy.Routes != nil {
		t.Errorf("one user's orders are in the profile: %+v", again.Policy)
	}
}
