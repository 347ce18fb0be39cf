package tunnel

import (
	"encoding/binary"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// TestRequiresRootPeerDNS: the name servers of the server's profile get into the
// file of the client, and out of it again, however the client ends.
func TestRequiresRootPeerDNS(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	const own = "# my own\nnameserver 192.0.2.53\nsearch example.com\n"
	client.WriteFile("resolv.conf", own)
	server.On(
		"/ppp/profile/add name=dns dns-server=10.0.0.53,10.0.0.54 wins-server=10.0.0.55",
		"/ppp/secret/add name=u password=p profile=dns local-address=10.0.0.1 remote-address=10.0.0.5",
	)
	names := func() string { return client.ReadFile("resolv.conf") }
	servers := func() []string { // those in force, in their order
		var all []string
		for _, m := range regexp.MustCompile(`(?m)^nameserver (.*)$`).FindAllStringSubmatch(names(), -1) {
			all = append(all, m[1])
		}
		return all
	}
	for _, c := range []struct{ use, want string }{
		{"no", "192.0.2.53"},
		{"yes", "10.0.0.53 10.0.0.54 192.0.2.53"},
		{"exclusively", "10.0.0.53 10.0.0.54"},
	} {
		client.dial("u", "u", "use-peer-dns="+c.use)
		if got := strings.Join(servers(), " "); got != c.want {
			t.Errorf("use-peer-dns=%s: the name servers are %s, want %s", c.use, got, c.want)
		}
		client.On("/interface/pptp-client/remove u")
		client.Until("the file is as it was", func() bool { return names() == own })
	}
	// A daemon that was killed takes its lines out when it comes back.
	client.dial("u", "u", "use-peer-dns=exclusively")
	client.Kill()
	if got := strings.Join(servers(), " "); got != "10.0.0.53 10.0.0.54" {
		t.Errorf("after a kill the name servers are %s", got)
	}
	server.On("/interface/pptp-server/server/set enabled=no") // so that it stays down
	client.Start()
	if got := names(); got != own {
		t.Errorf("after the restart the file is:\n%s", got)
	}
	server.On("/interface/pptp-server/server/set enabled=yes")
	client.Connected("u")
	rig.Shows(t, strings.Join(servers(), " "), "10.0.0.53 10.0.0.54")
	client.Stop()
	if got := names(); got != own {
		t.Errorf("after the stop the file is:\n%s", got)
	}
}

// behind puts a router between a server and a client, and a host with address
// 192.0.2.80 beyond the server, so that there is a default route to be replaced.
func behind(t *testing.T) (server, client *machine) {
	t.Helper()
	server, client = newMachine(t, "server"), newMachine(t, "client")
	middle := hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: middle, Name: "to-server", Prefix: netip.MustParsePrefix("192.168.51.1/24")},
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(rig.ServerAddress + "/24")})
	hosttest.Cable(t, 1500,
		hosttest.Port{In: middle, Name: "to-client", Prefix: netip.MustParsePrefix("192.168.52.1/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix("192.168.52.3/24")})
	middle.Sysctl("net/ipv4/ip_forward", "1")
	all := netip.MustParsePrefix("0.0.0.0/0")
	server.Route(all, netip.MustParseAddr("192.168.51.1"))
	client.Route(all, netip.MustParseAddr("192.168.52.1"))
	server.Address("lo", netip.MustParsePrefix("192.0.2.80/32"))
	server.Start()
	client.Start()
	server.On(
		"/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5",
	)
	return server, client
}

// TestRequiresRootDefaultRoute: with add-default-route everything goes through the
// tunnel but the tunnel itself, and as before afterwards, however the client ends.
func TestRequiresRootDefaultRoute(t *testing.T) {
	t.Parallel()
	server, client := behind(t)
	before := client.Run("ip", "route")
	way := func(address string) string {
		fields := strings.Fields(client.Run("ip", "route", "get", address))
		for i, f := range fields {
			if f == "dev" {
				return fields[i+1]
			}
		}
		return ""
	}
	restored := func() {
		t.Helper()
		client.Until("the routes are as they were", func() bool { return client.Run("ip", "route") == before })
	}
	check := func(want string) {
		t.Helper()
		if got := way("192.0.2.80"); got != want {
			t.Errorf("192.0.2.80 is reached through %s, want %s\n%s", got, want, client.Run("ip", "route"))
		}
		if got := way(rig.ServerAddress); got != "wan" {
			t.Errorf("the server is reached through %s\n%s", got, client.Run("ip", "route"))
		}
	}
	check("wan")
	client.dial("u", "u", "add-default-route=yes")
	check("u")
	rig.Shows(t, client.On("/ip/route/print where dst-address=0.0.0.0/0"), "0.0.0.0/0", "u")
	inside := hear(t, server.Namespace, "<pptp-u>")
	if !client.pings("192.0.2.80") {
		t.Error("nothing comes back through the tunnel")
	}
	client.Until("the ping took the tunnel", func() bool { return len(inside.heard()) > 0 })
	client.On("/interface/pptp-client/disable u")
	restored()

	// With a distance the kernel compares metrics: its own default route has 0 and
	// stays in force until it is gone.
	client.On("/interface/pptp-client/set u default-route-distance=5", "/interface/pptp-client/enable u")
	client.Connected("u")
	check("wan")
	rig.Shows(t, client.Run("ip", "route", "show", "default"), "dev wan", "dev u", "metric 5")
	client.Run("ip", "route", "del", "default", "via", "192.168.52.1")
	check("u")
	client.Run("ip", "route", "add", "default", "via", "192.168.52.1")
	client.On("/interface/pptp-client/disable u")
	restored()

	// A crash leaves the old default route in force, and the next start takes away
	// what is left.
	client.On("/interface/pptp-client/set u default-route-distance=1", "/interface/pptp-client/enable u")
	client.Connected("u")
	check("u")
	client.Kill()
	client.Until("the interface is gone", func() bool { return !client.has("u") })
	check("wan")
	server.On("/interface/pptp-server/server/set enabled=no")
	client.Start()
	restored()
	server.On("/interface/pptp-server/server/set enabled=yes")
	client.Connected("u")
	check("u")
	client.Stop()
	restored()
}

// TestRequiresRootDialOnDemand: the first packet makes the client dial and arrives,
// and after some silence the client waits for the next.
func TestRequiresRootDialOnDemand(t *testing.T) {
	t.Parallel()
	server, client := behind(t)
	client.On("/ppp/profile/add name=idle idle-timeout=2s use-encryption=yes")
	client.add("u", "u", "dial-on-demand=yes", "add-default-route=yes", "profile=idle")
	waiting := func() bool { return client.Client("u")["status"] == "waiting for packets" }
	client.Until("the client waits", waiting)
	rig.Shows(t, client.Run("ip", "addr", "show", "dev", "u"), "peer 10.112.112.")
	if n := server.On("/ppp/active/print count-only"); n != "0\n" {
		t.Errorf("%s sessions while the client waits", n)
	}
	for round := range 2 {
		began := time.Now()
		out, err := client.TryRun("ping", "-q", "-c", "1", "-W", "10", "192.0.2.80")
		if err != nil {
			t.Fatalf("round %d: no answer to the packet that woke the client: %v\n%s", round, err, out)
		}
		t.Logf("round %d: answered in %v", round, time.Since(began))
		client.Connected("u")
		if got := client.Client("u"); got["local-address"] != "10.0.0.5" || got["remote-address"] != "10.0.0.1" {
			t.Errorf("the addresses are %q", got)
		}
		if !client.pings("192.0.2.80") {
			t.Error("the connected tunnel carries nothing")
		}
		client.Until("the client waits again", waiting)
		rig.Shows(t, client.Logged(), "u: terminating... - idle timeout")
		server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
	}
	client.On("/interface/pptp-client/remove u")
	client.Until("the interface is gone", func() bool { return !client.has("u") })
	client.Until("its routes are gone", func() bool { return !strings.Contains(client.Run("ip", "route"), "proto 217") })
}

// TestRequiresRootRedial: a client comes back when its server does, whether that
// ended in good order or not.
func TestRequiresRootRedial(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5")
	client.dial("u", "u", "keepalive-timeout=1")
	if got := client.Client("u"); got["encoding"] != "MPPE128 stateless" || got["mtu"] != "1450" || got["mru"] != "1450" || !regexp.MustCompile(`^\d+s$`).MatchString(got["uptime"]) {
		t.Errorf("the monitor shows %q", got)
	}
	rig.Shows(t, client.On("/interface/pptp-client/print"), "0  R ", `name="u"`)
	server.Stop()
	client.Until("the client is down", func() bool { return client.Client("u")["status"] != "connected" })
	if got := client.Client("u"); len(got) != 1 {
		t.Errorf("while it is down the monitor shows %q", got)
	}
	hides(t, client.On("/interface/pptp-client/print"), "0  R ")
	server.Start()
	client.Connected("u")
	server.Kill()
	client.Until("the client is down", func() bool { return client.Client("u")["status"] != "connected" })
	server.Start()
	client.Connected("u")
	if !client.pings("10.0.0.1") {
		t.Error("no answer after the second restart")
	}
	client.On("/interface/pptp-client/disable u")
	if got := client.Client("u"); got["status"] != "disabled" || len(got) != 1 {
		t.Errorf("a disabled client shows %q", got)
	}
}

// TestRequiresRootConnectToName: connect-to may be a name, which is looked up at
// each dial.
func TestRequiresRootConnectToName(t *testing.T) {
	t.Parallel()
	server, client := newMachine(t, "server"), newMachine(t, "client")
	rig.Plug(t, server.Machine, client.Machine)
	client.WriteFile("hosts", "127.0.0.1 localhost\n")
	client.Through = []string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, client.File("hosts")}
	server.Start()
	client.Start()
	server.On(
		"/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5",
	)
	client.On("/interface/pptp-client/add name=u disabled=no connect-to=vpn.test user=u password=p")
	client.Logs(`u: terminating\.\.\. - .*vpn\.test`)
	// The same file, not another in its place: it is mounted.
	f, err := os.OpenFile(client.File("hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(rig.ServerAddress + " vpn.test\n"); err != nil {
		t.Fatal(err)
	}
	client.Connected("u")
	rig.Shows(t, client.On("/interface/pptp-client/print"), "connect-to=vpn.test")
}

// TestRequiresRootAllow: what a client does not allow it does not do, whatever the
// server demands, and no password leaves.
func TestRequiresRootAllow(t *testing.T) {
	t.Parallel()
	server, client, wire := newTappedPair(t)
	const (
		password  = "Sesame-Open-1"
		pap, chap = 0xc023, 0xc223 // PPP protocols
	)
	server.On(
		"/ppp/profile/set default-encryption use-encryption=no",
		"/ppp/secret/add name=somebody password="+password+" local-address=10.0.0.1 remote-address=10.0.0.5",
	)
	client.On("/ppp/profile/add name=clear use-encryption=no")
	// What left the client since the last case: PPP protocols, and whether the
	// password was in it.
	var protocols map[uint16]bool
	var told bool
	listen := func() {
		for _, p := range wire.heard() {
			told = told || strings.Contains(string(p), password)
			if protocol, code, ok := fromClient(p); ok && (protocol == pap || protocol == chap && code == 2) {
				protocols[protocol] = true
			}
		}
	}
	for n, c := range []struct {
		server, allow string
		with          uint16 // pap or chap; 0 for not at all
	}{
		{"pap", "mschap2", 0},
		{"pap", "chap,mschap1,mschap2", 0},
		{"chap", "mschap2", 0},
		{"mschap1", "mschap2", 0},
		{"mschap1", "pap,chap,mschap2", 0},
		{"pap,mschap2", "mschap2", chap},
		{"pap,mschap2", "pap,mschap2", chap},
		{"pap,mschap2", "pap", pap},
		{"pap,chap,mschap1,mschap2", "chap", chap},
	} {
		server.On("/interface/pptp-server/server/set authentication=" + c.server)
		listen()
		protocols, told = map[uint16]bool{}, false
		name := "c" + strconv.Itoa(n)
		client.On("/interface/pptp-client/add name=" + name + " disabled=no profile=clear connect-to=" + rig.ServerAddress + " user=somebody password=" + password + " allow=" + c.allow)
		if c.with == 0 {
			client.Logs(name + `: terminating\.\.\. - failed to authenticate ourselves to peer`)
		} else {
			client.Connected(name)
			client.Until("it is on the wire", func() bool {
				listen()
				return protocols[c.with]
			})
		}
		time.Sleep(2 * rig.Look) // what is late
		listen()
		if len(protocols) > 1 || c.with == 0 && len(protocols) > 0 || c.with != 0 && !protocols[c.with] {
			t.Errorf("server %s, allow %s: authentication by %v", c.server, c.allow, protocols)
		}
		if told != (c.with == pap) {
			t.Errorf("server %s, allow %s: the password was on the wire: %v", c.server, c.allow, told)
		}
		client.On("/interface/pptp-client/remove " + name)
		server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
	}
}

// fromClient gives the PPP protocol and the first octet of a packet's content, if
// it is one of the client's in enhanced GRE (RFC 2637, section 4.1).
func fromClient(p []byte) (protocol uint16, code byte, ok bool) {
	size := int(p[0]&0xf) * 4
	if p[9] != 47 || netip.AddrFrom4([4]byte(p[12:16])) != netip.MustParseAddr(rig.ClientAddress) || len(p) < size+8 {
		return 0, 0, false
	}
	h := p[size:]
	if h[0]&0x10 == 0 { // no sequence number, no payload
		return 0, 0, false
	}
	h = h[min(len(h), 12+int(h[1]>>7)*4):]
	if len(h) >= 2 && h[0] == 0xff && h[1] == 3 {
		h = h[2:]
	}
	if len(h) < 3 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(h), h[2], true
}
