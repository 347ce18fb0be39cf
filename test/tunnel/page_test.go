package tunnel

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// The addresses of the founding page's example (docs/founding-page.md).
const (
	pageServer = "192.168.62.2"
	pageClient = "192.168.51.3"
)

// pageMachines are a server and a client with the founding page's addresses and a
// router between them, the daemons running and nothing configured.
func pageMachines(t *testing.T) (server, router, client *machine) {
	t.Helper()
	server, router, client = newMachine(t, "server"), newMachine(t, "router"), newMachine(t, "client")
	hosttest.Cable(t, 1500,
		hosttest.Port{In: router.Namespace, Name: "to-client", Prefix: netip.MustParsePrefix("192.168.51.1/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(pageClient + "/24")})
	hosttest.Cable(t, 1500,
		hosttest.Port{In: router.Namespace, Name: "to-server", Prefix: netip.MustParsePrefix("192.168.62.1/24")},
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(pageServer + "/24")})
	router.Sysctl("net/ipv4/ip_forward", "1")
	all := netip.MustParsePrefix("0.0.0.0/0")
	client.Route(all, netip.MustParseAddr("192.168.51.1"))
	server.Route(all, netip.MustParseAddr("192.168.62.1"))
	server.Start()
	client.Start()
	return server, router, client
}

// What the founding page types.
const (
	pageAdd    = "/interface/pptp-client/add connect-to=192.168.62.2 disabled=no name=pptp-out1 password=StrongPass user=MT-User"
	pageEnable = "/interface/pptp-server/server/set enabled=yes"
	pageSecret = "/ppp/secret/add local-address=10.0.0.1 name=MT-User password=StrongPass profile=default-encryption remote-address=10.0.0.5 service=pptp"
)

// words is a text with single spaces.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestRequiresRootPageExample types the founding page's example into two daemons
// and compares both prints with the page's, word by word but for the uptime. The
// client comes first, as on the page.
func TestRequiresRootPageExample(t *testing.T) {
	t.Parallel()
	server, _, client := pageMachines(t)
	client.On("/interface/pptp-client/add connect-to=192.168.62.2 name=new password=StrongPass user=MT-User") // disabled, as every new one
	client.On(pageAdd)
	server.On(pageEnable, pageSecret)
	client.Connected("pptp-out1")
	if got := client.Client("new")["status"]; got != "disabled" || strings.Contains(client.Logged(), "new: ") {
		t.Errorf("a new client is %s", got)
	}
	client.On("/interface/pptp-client/remove new")
	if got, want := words(client.On("/interface/pptp-client/print")), words(`
		Flags: X - disabled; R - running
		0 R name="pptp-out1" max-mtu=1450 max-mru=1450 mrru=disabled connect-to=192.168.62.2 user="MT-User"
		password="StrongPass" profile=default-encryption keepalive-timeout=60 add-default-route=no
		dial-on-demand=no allow=pap,chap,mschap1,mschap2`); got != want {
		t.Errorf("the client shows\n%s\nwant\n%s", got, want)
	}
	server.Until("the session is up", func() bool { return strings.Contains(server.On("interface pptp-server print"), "MPPE128") })
	// The name of the column is as wide as the uptimes in it, so that it is shorter
	// here than on the page.
	got := regexp.MustCompile(` \d+s `).ReplaceAllString(words(server.On("interface pptp-server print")), " 44m8s ")
	got = regexp.MustCompile(`CLIENT-ADDRESS UP\w* ENCODING 0`).ReplaceAllString(got, "CLIENT-ADDRESS UPTIM ENCODING 0")
	if want := words(`
		Flags: D - dynamic; R - running
		Columns: NAME, USER, MTU, CLIENT-ADDRESS, UPTIME, ENCODING
		# NAME USER MTU CLIENT-ADDRESS UPTIM ENCODING
		0 DR <pptp-MT-User> MT-User 1450 192.168.51.3 44m8s MPPE128 stateless`); got != want {
		t.Errorf("the server shows\n%s\nwant\n%s", got, want)
	}
	if !client.pings("10.0.0.1") || !server.pings("10.0.0.5") {
		t.Error("no answer through the tunnel")
	}
}

// TestRequiresRootPorts puts a firewall between client and server. TCP port 1723
// and GRE let through are enough; without either there is no tunnel.
func TestRequiresRootPorts(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft")
	server, router, client := pageMachines(t)
	// knows is what a connection to the server's port says.
	knows := func() (err error) {
		client.Do(func() {
			var c net.Conn
			if c, err = net.DialTimeout("tcp4", pageServer+":1723", time.Second); err == nil {
				c.Close()
			}
		})
		return err
	}
	if err := knows(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a server that is not enabled: %v", err)
	}
	server.On(pageEnable, pageSecret)
	server.Until("the port is open", func() bool { return knows() == nil })

	// lets sets what the router lets through, and counts the rest.
	lets := func(rules ...string) {
		router.WriteFile("rules", `
			flush ruleset
			table ip page {
				counter held-tcp { }
				counter held-gre { }
				counter held-other { }
				chain forward {
					type filter hook forward priority 0; policy drop;
					`+strings.Join(rules, "\n")+`
					tcp dport 1723 counter name "held-tcp" drop
					ip protocol 47 counter name "held-gre" drop
					counter name "held-other"
				}
			}
		`)
		router.Run("nft", "-f", router.File("rules"))
	}
	held := func(counter string) bool {
		return !strings.Contains(router.Run("nft", "list", "counter", "ip", "page", "held-"+counter), "packets 0 ")
	}
	const tcp, gre = "tcp dport 1723 accept; tcp sport 1723 accept", "ip protocol 47 accept"
	lets(gre)
	client.On(pageAdd)
	router.Until("the router held up the control connection", func() bool { return held("tcp") })
	if got := client.Client("pptp-out1")["status"]; got == "connected" {
		t.Error("connected without TCP port 1723")
	}
	lets(tcp)
	router.Until("the router held up GRE", func() bool { return held("gre") })
	if got := client.Client("pptp-out1")["status"]; got == "connected" {
		t.Error("connected without GRE")
	}
	lets(tcp, gre)
	client.Within(2*rig.Soon, "the client is connected", func() bool { return client.Client("pptp-out1")["status"] == "connected" })
	if !client.pings("10.0.0.1") {
		t.Error("no answer through the tunnel")
	}
	if held("other") {
		t.Error("something else went between client and server")
	}
}

// TestRequiresRootNoIPv6: neither does the tunnel go over IPv6 nor IPv6 through
// the tunnel, even where an administrator turns it on at both interfaces.
func TestRequiresRootNoIPv6(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	for _, c := range []struct {
		*machine
		address string
	}{{server, "2001:db8::2"}, {client, "2001:db8::3"}} {
		c.Run("ip", "-6", "address", "add", c.address+"/64", "dev", "wan", "nodad")
	}
	client.Until("IPv6 works outside", func() bool { return client.pings("2001:db8::2") })
	client.Do(func() {
		if c, err := net.DialTimeout("tcp6", "[2001:db8::2]:1723", time.Second); err == nil {
			c.Close()
			t.Error("the server listens on IPv6")
		}
	})
	if out, err := client.Try("/interface/pptp-client/add connect-to=2001:db8::2 user=u"); err == nil || !strings.Contains(err.Error(), "invalid value for argument connect-to") {
		t.Errorf("connect-to with an IPv6 address: %q, %v", out, err)
	}
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5")
	for _, profile := range []string{"default", "default-encryption"} { // in clear and encrypted
		client.dial("tunnel", "u", "profile="+profile)
		server.Until("the interface is there", func() bool { return server.has("<pptp-u>") })
		for _, c := range []struct {
			*machine
			name, address string
		}{{server, "<pptp-u>", "fd00::1"}, {client, "tunnel", "fd00::5"}} {
			if out := c.Run("ip", "-6", "address", "show", "dev", c.name); out != "" {
				t.Errorf("%s has an IPv6 address: %s", c.name, out)
			}
			c.Sysctl("net/ipv6/conf/"+c.name+"/disable_ipv6", "0")
			c.Run("ip", "-6", "address", "add", c.address+"/64", "dev", c.name, "nodad")
		}
		out, err := client.TryRun("ping", "-6", "-q", "-c", "3", "-i", "0.1", "-W", "1", "fd00::1")
		if err == nil || !strings.Contains(out, "3 packets transmitted, 0 received") {
			t.Errorf("%s: IPv6 through the tunnel: %v\n%s", profile, err, out)
		}
		if !client.pings("10.0.0.1") {
			t.Errorf("%s: IPv4 passes no more", profile)
		}
		client.On("/interface/pptp-client/remove tunnel")
		server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
	}
}

// TestRequiresRootPersistentRule: a rule of the firewall that names a user's static
// entry holds for each session of that user, and for no other one.
func TestRequiresRootPersistentRule(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft")
	server, client := newPair(t)
	server.On(
		"/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5",
		"/ppp/secret/add name=v password=p local-address=10.0.1.1 remote-address=10.0.1.5",
		"/interface/pptp-server/add name=office user=u",
	)
	server.WriteFile("rules", `
		table ip own {
			chain in {
				type filter hook input priority 0;
				iifname "office" ip length 228 drop
			}
		}
	`)
	server.Run("nft", "-f", server.File("rules")) // before the interface is there
	client.dial("v", "v")
	for round := range 2 {
		client.dial("u", "u")
		client.Until("the tunnel carries packets", func() bool { return client.pings("10.0.0.1") })
		for _, c := range []struct {
			address string
			passes  bool
		}{{"10.0.0.1", false}, {"10.0.1.1", true}} {
			if got := client.pings(c.address, "-s", "200"); got != c.passes {
				t.Errorf("round %d: a packet to %s passes: %v", round, c.address, got)
			}
		}
		client.On("/interface/pptp-client/remove u")
		server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "1\n" })
		if server.has("office") {
			t.Error("the interface outlives the session")
		}
		rig.Shows(t, server.On("/interface/pptp-server/print"), "office", "u") // the entry stays
	}
	// An entry is no user: without a secret nobody comes in.
	server.On("/interface/pptp-server/add name=stranger user=w")
	client.add("w", "w")
	server.Logs(`user w authentication failed`)
	if got := server.Monitor("/interface/pptp-server/monitor stranger")["status"]; got != "disconnected" {
		t.Errorf("the entry of a user without a secret is %s", got)
	}
}

// TestRequiresRootSizes: max-mtu is what an interface sends whole and max-mru what
// it lets the other side send; larger packets are left to IP's own fragments.
func TestRequiresRootSizes(t *testing.T) {
	t.Parallel()
	rig.Need(t, "ping")
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5")
	for _, r := range []struct {
		serverMTU, serverMRU, clientMTU, clientMRU int
		down, up                                   int // what crosses whole to the client and to the server
	}{
		{1450, 1450, 1450, 1450, 1450, 1450},
		{1300, 1450, 1450, 1450, 1300, 1450},
		{1450, 1300, 1450, 1450, 1450, 1300},
		{1450, 1450, 1200, 1450, 1450, 1200},
		{1450, 1450, 1450, 1200, 1200, 1450},
		{1000, 1100, 1200, 1300, 1000, 1100},
	} {
		t.Run(fmt.Sprintf("%d %d %d %d", r.serverMTU, r.serverMRU, r.clientMTU, r.clientMRU), func(t *testing.T) {
			server.On(fmt.Sprintf("/interface/pptp-server/server/set max-mtu=%d max-mru=%d", r.serverMTU, r.serverMRU))
			client.dial("u", "u", fmt.Sprintf("max-mtu=%d max-mru=%d", r.clientMTU, r.clientMRU))
			server.Until("the interface is there", func() bool { return server.has("<pptp-u>") })
			if down, up := server.Link("<pptp-u>").Attrs().MTU, client.Link("u").Attrs().MTU; down != r.down || up != r.up {
				t.Errorf("the MTU is %d at the server and %d at the client, want %d and %d", down, up, r.down, r.up)
			}
			client.Until("the tunnel carries packets", func() bool { return client.pings("10.0.0.1") })
			// ping counts without the headers of IP and ICMP, 28 octets. The answer is as
			// large as the question, and may go in fragments.
			for _, way := range []struct {
				*machine
				to   string
				most int
			}{{server, "10.0.0.5", r.down}, {client, "10.0.0.1", r.up}} {
				if !way.pings(way.to, "-M", "do", "-s", fmt.Sprint(way.most-28)) {
					t.Errorf("%d octets from the %s do not cross", way.most, way.Name)
				}
				if _, err := way.TryRun("ping", "-q", "-c", "1", "-W", "0.2", "-M", "do", "-s", fmt.Sprint(way.most-27), way.to); err == nil {
					t.Errorf("%d octets from the %s cross whole", way.most+1, way.Name)
				}
				if !way.pings(way.to, "-M", "dont", "-s", "3000") {
					t.Errorf("a packet of the %s does not cross in fragments of IP", way.Name)
				}
			}
			client.On("/interface/pptp-client/remove u")
			server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
		})
	}
}

// TestRequiresRootWaitingRoute: while a client that dials on demand is down, a
// gateway out of 10.112.112.0/24 leads into it; while it is up, its server does.
func TestRequiresRootWaitingRoute(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5")
	client.On("/ppp/profile/add name=idle idle-timeout=2s use-encryption=yes")
	client.add("u", "u", "dial-on-demand=yes", "profile=idle")
	waiting := func() bool { return client.Client("u")["status"] == "waiting for packets" }
	gateways := func() (list []string) {
		for _, m := range regexp.MustCompile(`(?m)^(\S+) dev u `).FindAllStringSubmatch(client.Run("ip", "route"), -1) {
			list = append(list, m[1])
		}
		return list
	}
	client.Until("the client waits", waiting)
	if got := gateways(); len(got) != 1 || !strings.HasPrefix(got[0], "10.112.112.") {
		t.Fatalf("while it waits the routes are %q", got)
	}
	rig.Shows(t, client.On("/ip/route/print"), gateways()[0]+"/32", "u")
	client.Run("ip", "route", "add", "192.0.2.0/24", "via", gateways()[0])
	if got, _ := client.TryRun("ping", "-q", "-c", "1", "-W", "1", "192.0.2.80"); strings.Contains(got, "unreachable") {
		t.Errorf("what has the gateway as its way: %s", got)
	}
	client.Connected("u")
	if got := gateways(); len(got) == 0 || strings.HasPrefix(strings.Join(got, " "), "10.112.112.") || !strings.Contains(strings.Join(got, " "), "10.0.0.1") {
		t.Errorf("while it is up the routes are %q", got)
	}
	client.Until("the client waits again", waiting)
	if got := gateways(); len(got) == 0 || !strings.HasPrefix(got[0], "10.112.112.") {
		t.Errorf("while it waits again the routes are %q", got)
	}
}
