package tunnel

import (
	"strings"
	"testing"

	"gopptp/test/rig"
)

// TestRequiresRootFilters: an administrator's chains see the packets of the users
// whose profile names them, and lists have those who are connected.
func TestRequiresRootFilters(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft")
	server, client := newPair(t)
	server.WriteFile("rules", `
		add table ip gopptp
		add set ip gopptp clients { type ipv4_addr; }
		add element ip gopptp clients { 192.0.2.1 }
		add chain ip gopptp ppp
		add chain ip gopptp from-clients
		add chain ip gopptp to-clients
		add chain ip gopptp in { type filter hook input priority 0; }
		add chain ip gopptp out { type filter hook output priority 0; }
		add rule ip gopptp in jump ppp
		add rule ip gopptp in ip saddr @clients ip length 128 drop
		add rule ip gopptp out jump ppp
		add rule ip gopptp from-clients icmp type echo-request ip length 228 drop
		add rule ip gopptp to-clients icmp type echo-request ip length 328 drop
	`)
	server.Run("nft", "-f", server.File("rules"))
	before := server.Run("nft", "list", "set", "ip", "gopptp", "clients")
	server.On(
		"/ppp/profile/add name=filtered address-list=clients,everybody interface-list=tunnels incoming-filter=from-clients outgoing-filter=to-clients",
		"/ppp/secret/add name=u password=p profile=filtered local-address=10.0.0.1 remote-address=10.0.0.5",
		"/ppp/secret/add name=free password=p local-address=10.0.1.1 remote-address=10.0.1.5",
	)
	client.dial("u", "u")
	client.dial("free", "free")
	list := func(set string) string { return server.Run("nft", "list", "set", "ip", "gopptp", set) }
	rig.Shows(t, list("clients"), "10.0.0.5", "192.0.2.1")
	rig.Shows(t, list("everybody"), "10.0.0.5")
	rig.Shows(t, list("tunnels-interfaces"), `"<pptp-u>"`)
	rig.Shows(t, list("clients")+server.Run("nft", "list", "table", "ip", "gopptp"), `"<pptp-u>" : jump from-clients`, `"<pptp-u>" : jump to-clients`)
	// What nft shows it can load: people save it.
	server.WriteFile("saved", "flush ruleset\n"+server.Run("nft", "list", "ruleset"))
	server.Run("nft", "--check", "--file", server.File("saved"))
	for _, c := range []struct {
		from, to *machine
		address  string
		size     string // of what a ping carries
		passes   bool
	}{
		{client, server, "10.0.0.1", "72", true},
		{client, server, "10.0.0.1", "100", false}, // by the address list
		{client, server, "10.0.0.1", "200", false}, // by incoming-filter
		{client, server, "10.0.0.1", "300", true},
		{server, client, "10.0.0.5", "200", true},
		{server, client, "10.0.0.5", "300", false}, // by outgoing-filter
		{client, server, "10.0.1.1", "200", true},  // another user
		{server, client, "10.0.1.5", "300", true},
	} {
		_, err := c.from.TryRun("ping", "-q", "-c", "1", "-W", "1", "-s", c.size, c.address)
		if passed := err == nil; passed != c.passes {
			t.Errorf("%s to %s, %s octets: passed %v, want %v", c.from.Name, c.address, c.size, passed, c.passes)
		}
	}
	gone := func() bool {
		rules := server.Run("nft", "list", "table", "ip", "gopptp")
		return !containsAny(rules, "10.0.0.5", "<pptp-")
	}
	if gone() {
		t.Error("there is nothing to take away")
	}
	client.On("/interface/pptp-client/disable u", "/interface/pptp-client/disable free")
	server.Until("all is taken away", gone)
	if got := list("clients"); got != before {
		t.Errorf("the administrator's list is now:\n%s", got)
	}

	// After a crash the next start takes it away.
	client.On("/interface/pptp-client/enable u")
	client.Connected("u")
	server.Until("it is there again", func() bool { return !gone() })
	client.On("/interface/pptp-client/disable u")
	server.Kill()
	if gone() {
		t.Error("the crash took it away")
	}
	server.Start()
	if !gone() {
		t.Errorf("something is left:\n%s", server.Run("nft", "list", "table", "ip", "gopptp"))
	}
	for _, chain := range []string{"from-clients", "to-clients", "in", "out"} {
		if rules := server.Run("nft", "list", "chain", "ip", "gopptp", chain); !strings.Contains(rules, "ppp") && !strings.Contains(rules, "drop") {
			t.Errorf("the administrator's chain is now:\n%s", rules)
		}
	}
}
