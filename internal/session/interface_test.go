package session

import (
	"net/netip"
	"reflect"
	"testing"

	"gopptp/internal/aaa"
)

// TestInterfaceOfAServerSession: the policy reaches the machine.
func TestInterfaceOfAServerSession(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(5, aaa.Profile{
			Name: "full", UseEncryption: aaa.Yes, ChangeMSS: aaa.Yes, AddressLists: []string{"a", "b"}, InterfaceList: "LAN",
			IncomingFilter: "in", OutgoingFilter: "out",
		})
		s := secret("full")
		s.Routes = []aaa.Route{{Dst: netip.MustParsePrefix("10.9.0.0/16"), Distance: 1}}
		p.server.PutSecret(s)
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		want := InterfaceConfig{
			Name: "<pptp-MT-User>", MTU: 1450, Local: innerLocal, Remote: innerPeer, Outer: clientAddr, Routes: s.Routes, FitMSS: true,
			AddressLists: []string{"a", "b"}, InterfaceList: "LAN", IncomingFilter: "in", OutgoingFilter: "out",
		}
		if got := p.server.host.last; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// TestInterfaceOfAClient: a default route and name servers only if they are asked
// for.
func TestInterfaceOfAClient(t *testing.T) {
	dns := netip.MustParseAddr("10.0.0.53")
	for _, test := range []struct {
		name   string
		change func(*ClientConfig)
		want   func(*InterfaceConfig)
	}{
		{"plain", func(*ClientConfig) {}, func(*InterfaceConfig) {}},
		{"default route", func(c *ClientConfig) { c.AddDefaultRoute, c.DefaultRouteDistance = true, 7 }, func(c *InterfaceConfig) { c.DefaultRoute = 7 }},
		{"at distance 0", func(c *ClientConfig) { c.AddDefaultRoute = true }, func(c *InterfaceConfig) { c.DefaultRoute = 1 }},
		{"name servers", func(c *ClientConfig) { c.UsePeerDNS = "yes" }, func(c *InterfaceConfig) { c.DNS = []netip.Addr{dns} }},
		{"those only", func(c *ClientConfig) { c.UsePeerDNS = "exclusively" }, func(c *InterfaceConfig) { c.DNS, c.ExclusiveDNS = []netip.Addr{dns}, true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				p.server.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Yes, DNSServers: []netip.Addr{dns}})
				c := clientConfig()
				test.change(&c)
				p.client.PutClient(c)
				p.devices("<pptp-MT-User>")
				want := InterfaceConfig{Name: "pptp-out1", MTU: 1450, Local: innerPeer, Remote: innerLocal, Outer: serverAddr}
				test.want(&want)
				if got := p.client.host.last; !reflect.DeepEqual(got, want) {
					t.Errorf("%+v, want %+v", got, want)
				}
			})
		})
	}
}
