package doctor

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// A finding is one of gopptp doctor --json.
type finding struct {
	Check, State, Seen string
	Do                 []string
}

// examine runs gopptp doctor on a machine, and reports whether it found no problem.
func examine(t *testing.T, m *rig.Machine, through []string, args ...string) (findings map[string]finding, well bool) {
	t.Helper()
	out, err := m.Gopptp(through, append([]string{"doctor", "--json", "--socket", m.File("socket")}, args...)...)
	var report struct {
		Problems int
		Findings []finding
	}
	if bad := json.Unmarshal([]byte(out), &report); bad != nil {
		t.Fatalf("%v, %v\n%s", bad, err, out)
	}
	if (err == nil) != (report.Problems == 0) {
		t.Errorf("%d problems, and the end is %v", report.Problems, err)
	}
	findings = map[string]finding{}
	for _, f := range report.Findings {
		findings[f.Check] = f
	}
	return findings, err == nil
}

// expect checks a finding.
func expect(t *testing.T, findings map[string]finding, check, state, seen string) {
	t.Helper()
	f := findings[check]
	if f.State != state || !strings.Contains(f.Seen, seen) {
		t.Errorf("%s: %s %q %q\nwant %s %q", check, f.State, f.Seen, f.Do, state, seen)
	}
}

// pair makes two machines on a cable. The server's daemon runs if it is to be enabled.
func pair(t *testing.T, enabled bool) (server, client *rig.Machine) {
	t.Helper()
	server, client = rig.New(t, "server", ""), rig.New(t, "client", "")
	rig.Plug(t, server, client)
	if enabled {
		server.Start()
		server.On("/interface/pptp-server/server/set enabled=yes")
	}
	return server, client
}

// TestRequiresRootWell examines a server in good health, and calls it. It must have
// left nothing behind then.
func TestRequiresRootWell(t *testing.T) {
	t.Parallel()
	server, client := pair(t, true)
	before := server.Run("ip", "-o", "link") + server.Run("nft", "list", "ruleset")

	found, well := examine(t, server, nil)
	if !well {
		t.Errorf("there is a problem: %v", found)
	}
	expect(t, found, "daemon", "ok", "its PPTP server is enabled")
	expect(t, found, "capabilities", "ok", "the daemon (PID ")
	expect(t, found, "tun", "ok", "")
	expect(t, found, "gre-socket", "ok", "")
	expect(t, found, "gre-loopback", "ok", "came back")
	expect(t, found, "port", "ok", "the daemon's")
	expect(t, found, "nftables", "ok", "")
	expect(t, found, "firewall", "ok", "")
	expect(t, found, "mtu", "warning", "no way to the Internet")
	expect(t, found, "radius", "ok", "no RADIUS server")

	found, well = examine(t, client, nil, "--server", rig.ServerAddress)
	if !well {
		t.Errorf("there is a problem: %v", found)
	}
	expect(t, found, "daemon", "warning", "no daemon")
	expect(t, found, "port", "ok", "free")
	expect(t, found, "mtu", "ok", "wan with an MTU of 1500")
	expect(t, found, "server-tcp", "ok", rig.ServerAddress+":1723 accepts")
	expect(t, found, "server-pptp", "ok", "vendor")
	expect(t, found, "server-gre", "ok", "in both directions")

	server.Until("the call is over", func() bool {
		return strings.Contains(server.On("/ppp/active/print count-only"), "0")
	})
	if after := server.Run("ip", "-o", "link") + server.Run("nft", "list", "ruleset"); after != before {
		t.Errorf("something is left:\n%s\nbefore:\n%s", after, before)
	}
}

// TestRequiresRootRADIUS asks a daemon whose RADIUS server is not there.
func TestRequiresRootRADIUS(t *testing.T) {
	t.Parallel()
	server, _ := pair(t, true)
	server.On("/ppp/aaa/set use-radius=yes")
	found, _ := examine(t, server, nil)
	expect(t, found, "radius", "problem", "there is no RADIUS server")
	server.On("/radius/add service=ppp address=127.0.0.1 secret=s")
	server.Until("the server does not answer", func() bool {
		found, _ = examine(t, server, nil)
		return found["radius"].State == "problem"
	})
	expect(t, found, "radius", "problem", "127.0.0.1 does not answer")
}

// TestRequiresRootFirewall examines machines with firewalls as people have them.
func TestRequiresRootFirewall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rules, state, seen string }{
		{"workstation", `table inet filter { chain input { type filter hook input priority 0; policy drop;
			ct state vmap { established : accept, related : accept, invalid : drop }
			iif lo accept
			tcp dport { 22, 80 } accept
			}
			}`, "problem", "drops TCP port 1723"},
		{"server", `table inet filter { set ports { type inet_service; flags interval; elements = { 22, 1700-1800 }; }
			chain services { tcp dport @ports accept; ip protocol gre accept; }
			chain input { type filter hook input priority 0; policy drop;
			ct state established,related accept
			iifname "lo" accept
			jump services
			}
			}`, "ok", "no rule"},
		{"gre forgotten", `table ip filter { chain input { type filter hook input priority 0; policy drop;
			tcp dport 1723 accept
			}
			}`, "problem", "the chain ip filter input drops GRE"},
		{"inner network", `table inet filter { chain input { type filter hook input priority 0; policy drop;
			ip saddr 192.168.51.0/24 accept
			}
			}`, "warning", "may drop TCP port 1723"},
		{"reject at the end", `table inet filter { chain input { type filter hook input priority 0;
			ct state established accept
			tcp dport 1723 accept
			reject with icmpx admin-prohibited
			}
			}`, "problem", "drops GRE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := rig.New(t, "server", "")
			m.Start()
			m.On("/interface/pptp-server/server/set enabled=yes")
			if out, err := m.Feed(c.rules, "nft", "-f", "-"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			found, _ := examine(t, m, nil)
			expect(t, found, "firewall", c.state, c.seen)
			if c.state != "problem" {
				return
			}
			for _, command := range found["firewall"].Do { // what it says helps
				if strings.HasPrefix(command, "nft ") {
					m.Run("sh", "-c", command)
				}
			}
			found, _ = examine(t, m, nil)
			expect(t, found, "firewall", "ok", "")
		})
	}
}

// TestRequiresRootPath calls servers that GRE or TCP does not get through to.
func TestRequiresRootPath(t *testing.T) {
	t.Parallel()
	const from, to = "10.0.1.2", "10.0.2.2"
	for _, c := range []struct{ name, rule, tcp, pptp, gre, seen string }{
		{"nothing dropped", "", "ok", "ok", "ok", "in both directions"},
		{"GRE dropped", "ip protocol gre drop", "ok", "ok", "problem", "GRE is blocked on the way: "},
		{"GRE to the server dropped", "ip daddr " + to + " ip protocol gre drop", "ok", "ok", "problem", "GRE is blocked on the way to the server"},
		{"GRE from the server dropped", "ip saddr " + to + " ip protocol gre drop", "ok", "ok", "problem", "no GRE packet came"},
		{"TCP dropped", "tcp dport 1723 drop", "problem", "skipped", "skipped", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, router, server := rig.New(t, "client", ""), hosttest.New(t), rig.New(t, "server", "")
			port := func(n *hosttest.Namespace, name, prefix string) hosttest.Port {
				return hosttest.Port{In: n, Name: name, Prefix: netip.MustParsePrefix(prefix)}
			}
			hosttest.Cable(t, 1500, port(client.Namespace, "wan", from+"/24"), port(router, "left", "10.0.1.1/24"))
			hosttest.Cable(t, 1500, port(router, "right", "10.0.2.1/24"), port(server.Namespace, "wan", to+"/24"))
			client.Route(netip.MustParsePrefix("10.0.2.0/24"), netip.MustParseAddr("10.0.1.1"))
			server.Route(netip.MustParsePrefix("10.0.1.0/24"), netip.MustParseAddr("10.0.2.1"))
			router.Sysctl("net/ipv4/ip_forward", "1")
			if c.rule != "" {
				nft := exec.CommandContext(t.Context(), "nft", "table ip f { chain c { type filter hook forward priority 0; "+c.rule+"; }; }")
				var err error
				router.Do(func() { err = nft.Start() })
				if err == nil {
					err = nft.Wait()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			server.Start()
			server.On("/interface/pptp-server/server/set enabled=yes")
			found, well := examine(t, client, nil, "--server", to)
			expect(t, found, "server-tcp", c.tcp, "")
			expect(t, found, "server-pptp", c.pptp, "")
			expect(t, found, "server-gre", c.gre, c.seen)
			if c.tcp == "problem" {
				expect(t, found, "server-tcp", c.tcp, "TCP is blocked on the way")
			}
			if well != (c.rule == "") {
				t.Errorf("all is well: %v", well)
			}
		})
	}
}

// TestRequiresRootNAT examines a router that translates addresses. Whether the kernel
// has the helper is the kernel's business.
func TestRequiresRootNAT(t *testing.T) {
	t.Parallel()
	m := rig.New(t, "router", "")
	m.Sysctl("net/ipv4/ip_forward", "0")
	m.Run("nft", "table ip nat { chain c { type nat hook postrouting priority 100; oifname wan masquerade; }; }")
	found, _ := examine(t, m, nil)
	expect(t, found, "conntrack", "ok", "no addresses for others")
	expect(t, found, "forwarding", "warning", "does not forward")
	m.Sysctl("net/ipv4/ip_forward", "1")
	found, _ = examine(t, m, nil)
	expect(t, found, "forwarding", "ok", "")
	expect(t, found, "conntrack", "warning", "the helper for PPTP is")
	if strings.Contains(found["conntrack"].Seen, "nothing gives connections") { // what it says helps
		m.Run("sh", "-c", found["conntrack"].Do[0])
		found, _ = examine(t, m, nil)
		expect(t, found, "conntrack", "ok", "")
	}
}

// TestRequiresRootRefused calls a machine without a server.
func TestRequiresRootRefused(t *testing.T) {
	t.Parallel()
	_, client := pair(t, false)
	found, _ := examine(t, client, nil, "--server", rig.ServerAddress)
	expect(t, found, "server-tcp", "problem", "refuses connections")
	expect(t, found, "server-gre", "skipped", "")
}

// TestRequiresRootPortTaken examines a machine whose port somebody has, and calls it: it
// is no PPTP server.
func TestRequiresRootPortTaken(t *testing.T) {
	t.Parallel()
	server, client := pair(t, false)
	var l net.Listener
	server.Do(func() {
		var err error
		if l, err = net.Listen("tcp4", ":1723"); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = nc.Write([]byte("SSH-2.0-OpenSSH_9.9 with a long banner, as some have it\r\n"))
			t.Cleanup(func() { nc.Close() })
		}
	}()
	own, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	found, well := examine(t, server, nil)
	if well {
		t.Error("all is well")
	}
	expect(t, found, "port", "problem", "taken by "+strings.TrimSpace(string(own))+" (PID ")
	found, _ = examine(t, client, nil, "--server", rig.ServerAddress)
	expect(t, found, "server-tcp", "ok", "")
	expect(t, found, "server-pptp", "problem", "not a PPTP server")
	expect(t, found, "server-gre", "skipped", "")
}

// TestRequiresRootNoCapability runs without privileges, as root and as a daemon.
func TestRequiresRootNoCapability(t *testing.T) {
	t.Parallel()
	rig.Need(t, "setpriv")
	_, client := pair(t, true)
	found, well := examine(t, client, []string{"setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-net_admin,-net_raw"}, "--server", rig.ServerAddress)
	if well {
		t.Error("all is well")
	}
	expect(t, found, "capabilities", "problem", "lacks CAP_NET_ADMIN")
	expect(t, found, "gre-socket", "problem", "may not be opened")
	expect(t, found, "gre-loopback", "skipped", "")
	expect(t, found, "server-pptp", "ok", "")
	expect(t, found, "server-gre", "skipped", "needs a raw socket")
}
