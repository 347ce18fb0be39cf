package aaa

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/shape"
)

func TestPolicyPrecedence(t *testing.T) {
	slow, fast := shape.Limit{Rx: shape.Rate{Max: 1}}, shape.Limit{Rx: shape.Rate{Max: 2}}
	service := Profile{
		SessionTimeout: time.Hour, IdleTimeout: time.Minute, RateLimit: &slow, UseCompression: Yes, ChangeMSS: Yes, OnlyOne: Yes,
		AddressLists: []string{"all"}, InterfaceList: "lan", IncomingFilter: "in", OutgoingFilter: "out", OnUp: "up", OnDown: "down",
		Bridge: BridgePort{Bridge: "br0", Learning: No},
	}
	routes := []Route{{Dst: netip.MustParsePrefix("10.9.0.0/16"), Distance: 1}}
	secret := Secret{Routes: routes, LimitIn: 7, LimitOut: 8}

	want := Policy{
		SessionTimeout: time.Hour, IdleTimeout: time.Minute, Rate: slow, Compression: true, ChangeMSS: true, PortLimit: 1,
		AddressLists: []string{"all"}, InterfaceList: "lan", IncomingFilter: "in", OutgoingFilter: "out", OnUp: "up", OnDown: "down",
		Bridge: BridgePort{Bridge: "br0", Learning: No}, Routes: routes, LimitIn: 7, LimitOut: 8,
	}
	if d := cmp.Diff(want, policy(&secret, &Profile{}, &service), plainly); d != "" {
		t.Errorf("what the user's profile leaves open (-want +got):\n%s", d)
	}

	own := Profile{
		SessionTimeout: 2 * time.Hour, IdleTimeout: 2 * time.Minute, RateLimit: &fast, UseCompression: No, ChangeMSS: No, OnlyOne: No,
		AddressLists: []string{"mine"}, InterfaceList: "wan", IncomingFilter: "in2", OutgoingFilter: "out2", OnUp: "up2", OnDown: "down2",
		Bridge: BridgePort{Bridge: "br1", Learning: Yes},
	}
	want = Policy{
		SessionTimeout: 2 * time.Hour, IdleTimeout: 2 * time.Minute, Rate: fast,
		AddressLists: []string{"mine"}, InterfaceList: "wan", IncomingFilter: "in2", OutgoingFilter: "out2", OnUp: "up2", OnDown: "down2",
		Bridge: BridgePort{Bridge: "br1", Learning: Yes},
	}
	if d := cmp.Diff(want, policy(&Secret{}, &own, &service), plainly); d != "" {
		t.Errorf("what the user's profile says (-want +got):\n%s", d)
	}
	if p := policy(&Secret{}, &Profile{}, &Profile{}); p.Bridge.Learning != Yes || p.ChangeMSS || p.Compression || p.PortLimit != 0 {
		t.Errorf("where nobody says anything: %+v", p)
	}
}

// plainly compares addresses as ==, since cmp may not look into them.
var plainly = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func TestParseRoutes(t *testing.T) {
	one := func(dst, gateway string, distance int) Route {
		r := Route{Dst: netip.MustParsePrefix(dst), Distance: distance}
		if gateway != "" {
			r.Gateway = netip.MustParseAddr(gateway)
		}
		return r
	}
	for text, want := range map[string][]Route{
		"":                                  nil,
		"10.1.0.0/16":                       {one("10.1.0.0/16", "", 1)},
		"10.1.2.3/16":                       {one("10.1.0.0/16", "", 1)},
		"192.168.7.0/24 10.0.0.5 2":         {one("192.168.7.0/24", "10.0.0.5", 2)},
		"10.1.0.0/16 0.0.0.0 0":             {one("10.1.0.0/16", "", 1)},
		" 10.1.0.0/16 ,10.2.0.0/16 0.0.0.0": {one("10.1.0.0/16", "", 1), one("10.2.0.0/16", "", 1)},
		"10.0.0.0":                          {one("10.0.0.0/8", "", 1)},
		"172.16.0.0":                        {one("172.16.0.0/16", "", 1)},
		"192.168.1.0 10.0.0.5 1 2 3":        {one("192.168.1.0/24", "10.0.0.5", 1)},
		"192.168.1.7":                       {one("192.168.1.7/32", "", 1)},
		"0.0.0.0/0":                         {one("0.0.0.0/0", "", 1)},
	} {
		got, err := ParseRoutes(text)
		if d := cmp.Diff(want, got, plainly); err != nil || d != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, d)
		}
	}
	for _, text := range []string{
		",", "10.1.0.0/16,", "10.1.0.0/33", "x", "::/0", "10.1.0.0/16 ::1", "10.1.0.0/16 gw", "10.1.0.0/16 10.0.0.1 256", "10.1.0.0/16 10.0.0.1 -1", "192.168.1.0 192.168.1.1 1 2 -0",
		strings.Repeat("10.1.0.0/16,", maxRoutes) + "10.1.0.0/16",
	} {
		if got, err := ParseRoutes(text); err == nil {
			t.Errorf("%.40q: %d routes, want an error", text, len(got))
		}
	}
}

func FuzzParseRoutes(f *testing.F) {
	f.Add("192.168.7.0/24 10.0.0.5 2,10.0.0.0")
	f.Fuzz(func(t *testing.T, text string) {
		routes, err := ParseRoutes(text)
		for _, r := range routes {
			if err != nil || !r.Dst.Addr().Is4() || r.Dst != r.Dst.Masked() || r.Distance < 1 || r.Distance > maxDistance || r.Gateway.IsValid() && !r.Gateway.Is4() {
				t.Fatalf("%q: %+v, %v", text, r, err)
			}
		}
	})
}
