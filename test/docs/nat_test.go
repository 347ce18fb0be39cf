package docs

import (
	"net/netip"
	"strings"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// find gives the block of a page that has a text in it.
func find(t *testing.T, name, text string) block {
	t.Helper()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if p.name == name && strings.Contains(strings.Join(b.lines, "\n"), text) {
				return b
			}
		}
	}
	t.Fatalf("%s has no block with %q", name, text)
	return block{}
}

// load gives rules to a machine's firewall.
func load(t *testing.T, m *rig.Machine, rules string) {
	t.Helper()
	if out, err := m.Feed(rules, "nft", "-f", "-"); err != nil {
		t.Fatalf("%s: %v\n%s", m.Name, err, out)
	}
}

// rules gives a block of docs/firewall.md.
func rules(t *testing.T, text string) string {
	t.Helper()
	return strings.Join(find(t, "docs/firewall.md", text).lines, "\n") + "\n"
}

// TestRequiresRootNAT types what the tutorial types, and gives machines the rules of
// docs/firewall.md: a server with a firewall whose clients go further, two clients
// behind one NAT, and a server behind NAT. The machines' addresses and the names of
// their ports are those of the pages.
func TestRequiresRootNAT(t *testing.T) {
	rig.Need(t, "nft", "ping")
	const resolv = "nameserver 192.0.2.53\n"
	server, router := rig.New(t, "server", resolv), rig.New(t, "router", resolv)
	one, two := rig.New(t, "one", resolv), rig.New(t, "two", resolv)
	cable := func(near *rig.Machine, port, address string, far *rig.Machine, farPort, farAddress string) {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: near.Namespace, Name: port, Prefix: netip.MustParsePrefix(address)},
			hosttest.Port{In: far.Namespace, Name: farPort, Prefix: netip.MustParsePrefix(farAddress)})
	}
	cable(server, "eth0", "192.0.2.1/24", router, "wan", "192.0.2.254/24")
	cable(one, "eth0", "192.168.1.10/24", router, "lan1", "192.168.1.1/24")
	cable(two, "eth0", "192.168.2.10/24", router, "lan2", "192.168.2.1/24")
	all := netip.MustParsePrefix("0.0.0.0/0")
	for m, gateway := range map[*rig.Machine]string{server: "192.0.2.254", one: "192.168.1.1", two: "192.168.2.1"} {
		m.Route(all, netip.MustParseAddr(gateway))
		m.Start()
	}
	router.Sysctl("net/ipv4/ip_forward", "1")
	router.Address("lo", netip.MustParsePrefix("203.0.113.80/32"))
	load(t, router, `
		table ip lab {
			counter astray { }
			chain postrouting {
				type nat hook postrouting priority srcnat;
				oifname "wan" masquerade
			}
			chain input {
				type filter hook input priority filter;
				meta l4proto gre counter name "astray"
			}
		}
	`)

	server.On(find(t, "docs/tutorial.md", "/ppp/secret/add").commands()...)
	server.Sysctl("net/ipv4/ip_forward", "1")
	load(t, server, rules(t, "table inet filter")+rules(t, "table ip vpn"))
	dial := find(t, "docs/tutorial.md", "gopptp exec '/interface/pptp-client/add name=branch").commands()
	one.On(dial...)

	// Without a helper the NAT takes the server's packets for its own.
	router.Until("the server's packets end at the NAT", func() bool {
		return !strings.Contains(router.Run("nft", "list", "counter", "ip", "lab", "astray"), "packets 0 ")
	})
	if status := one.Client("branch")["status"]; status == "connected" {
		t.Error("connected without a helper, which docs/firewall.md does not believe")
	}
	one.On("/interface/pptp-client/disable branch")
	load(t, router, rules(t, "table ip pptp-helper"))
	one.On("/interface/pptp-client/enable branch")
	two.On(dial...)
	for _, m := range []*rig.Machine{one, two} {
		m.Connected("branch")
		m.Run("ip", "route", "add", "203.0.113.80", "dev", "branch")
		m.Until("the server answers", func() bool { return pings(m, "10.1.0.1") })
		m.Until("what is behind the server answers", func() bool { return pings(m, "203.0.113.80") })
	}

	for _, m := range []*rig.Machine{one, two} {
		m.On("/interface/pptp-client/remove branch")
	}
	server.Until("both have hung up", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })

	// The other way round: the NAT hands calls from outside to the first machine.
	load(t, router, "flush ruleset\n"+rules(t, "table ip forward-pptp"))
	load(t, server, "flush ruleset\n")
	one.On(find(t, "docs/tutorial.md", "/ppp/secret/add").commands()...)
	server.On("/interface/pptp-client/add name=out connect-to=192.0.2.254 user=ann password=StrongPass disabled=no")
	server.Connected("out")
}

// pings reports whether an address answers.
func pings(m *rig.Machine, address string) bool {
	_, err := m.TryRun("ping", "-q", "-c", "1", "-W", "1", address)
	return err == nil
}
