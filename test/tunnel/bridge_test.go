package tunnel

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// lan gives a machine a bridge, and one host behind it on a cable. The host has no
// address yet.
func lan(t *testing.T, r *machine, bridge, name string) (host *machine) {
	t.Helper()
	host = newMachine(t, name)
	port := "to-" + name
	hosttest.Cable(t, 1500,
		hosttest.Port{In: r.Namespace, Name: port, Prefix: netip.MustParsePrefix("198.51.100.1/32")},
		hosttest.Port{In: host.Namespace, Name: "eth0", Prefix: netip.MustParsePrefix("198.51.100.2/32")})
	r.Run("ip", "addr", "flush", "dev", port)
	host.Run("ip", "addr", "flush", "dev", "eth0")
	r.Run("ip", "link", "add", bridge, "type", "bridge")
	r.Run("ip", "link", "set", port, "master", bridge)
	r.Run("ip", "link", "set", bridge, "up")
	return host
}

// pattern is in the packets of full.
var pattern = []byte("see-me!!see-me!!")

// mac is the address of a host's interface.
func (r *machine) mac() string { return r.Link("eth0").Attrs().HardwareAddr.String() }

// full sends packets that fill an Ethernet and must not be cut, and reports whether
// all are answered.
func (r *machine) full(to string) bool {
	r.t.Helper()
	return r.answersAll(to, "-M", "do", "-s", "1472", "-p", fmt.Sprintf("%x", pattern[:8]))
}

// TestRequiresRootBridge: two networks become one by a tunnel that has no addresses,
// as a guide to RouterOS sets it up; ARP, DHCP and full frames cross, encrypted, and
// each bridge learns who is behind the other.
func TestRequiresRootBridge(t *testing.T) {
	t.Parallel()
	rig.Need(t, "ip", "bridge", "ping", "dnsmasq", "udhcpc")
	server, client, wire := newTappedPair(t)
	left, right := lan(t, server, "br0", "left"), lan(t, client, "br0", "right")
	left.Run("ip", "addr", "add", "10.9.0.1/24", "dev", "eth0")
	left.background("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
		"--user=root", "--pid-file", "--log-facility=-", "--dhcp-authoritative", "--no-ping",
		"--dhcp-range=10.9.0.50,10.9.0.60,1h", "--dhcp-leasefile="+left.File("leases"))

	server.On("/ppp/profile/add name=lan bridge=br0 use-encryption=required",
		"/ppp/secret/add name=bridged password=p profile=lan",
		"/ppp/secret/add name=plain password=p profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5",
		"/interface/pptp-server/server/set max-mtu=1450 max-mru=1450 mrru=1600")
	client.On("/ppp/profile/add name=lan bridge=br0 use-encryption=required")
	client.dial("tunnel", "bridged", "profile=lan", "max-mtu=1450", "max-mru=1450", "mrru=1600")
	client.Logs("tunnel: port of bridge br0")
	server.Logs("<pptp-bridged>: port of bridge br0")
	if got := client.Client("tunnel"); got["encoding"] != "MPPE128 stateless" || got["local-address"] != "" {
		t.Errorf("%v", got)
	}
	if client.has("tunnel") || !client.has("tunnel-br") {
		t.Error("the client's interfaces are not those of a bridge without IP")
	}

	// The hosts meet by DHCP, as soon as the ports forward.
	script := right.File("script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ \"$1\" != bound ] || ip addr add \"$ip/$mask\" dev \"$interface\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	right.Run("udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "15", "-T", "1", "-s", script)
	address, _, _ := strings.Cut(strings.TrimSpace(right.Run("ip", "-4", "-br", "addr", "show", "dev", "eth0")), "/")
	address = address[strings.LastIndex(address, " ")+1:]
	if !strings.HasPrefix(address, "10.9.0.5") && address != "10.9.0.60" || !strings.Contains(left.ReadFile("leases"), right.mac()) {
		t.Fatalf("address %q, leases:\n%s", address, left.ReadFile("leases"))
	}
	wire.heard() // what passed before
	if !right.full("10.9.0.1") || !left.full(address) {
		t.Error("full frames do not cross")
	}
	var fragments [][]byte
	client.Until("the tap has heard them all", func() bool { // it may lag behind
		fragments = append(fragments, wire.heard()...)
		return len(fragments) >= 24
	})
	for _, p := range fragments {
		if len(p) > 1500 || bytes.Contains(p, pattern) {
			t.Errorf("a packet of %d octets, which shows what is in it", len(p))
		}
	}
	rig.Shows(t, right.Run("ip", "neigh", "show", "10.9.0.1"), left.mac())
	rig.Shows(t, server.Run("bridge", "fdb", "show", "br", "br0"), right.mac()+" dev <pptp-br")
	rig.Shows(t, client.Run("bridge", "fdb", "show", "br", "br0"), left.mac()+" dev tunnel-br")
	for _, r := range []*machine{server, client} {
		if mtu := r.Link("br0").Attrs().MTU; mtu != 1500 {
			t.Errorf("the bridge of the %s has now the MTU %d", r.Name, mtu)
		}
	}

	// A user without a bridge beside it, with a client that would bridge.
	client.dial("plain", "plain", "profile=lan")
	client.Until("IP crosses", func() bool { return client.pings("10.0.0.1") })
	if client.has("plain-br") {
		t.Error("a user without a bridge got a port")
	}
	if right.pings("10.0.0.1") {
		t.Error("the network behind the client reaches the other tunnel")
	}

	client.On("/interface/pptp-client/remove tunnel")
	client.Until("the port is gone", func() bool { return !client.has("tunnel-br") })
	server.Until("the port is gone", func() bool { return !strings.Contains(server.Run("bridge", "link"), "<pptp-br") })
	if right.pings("10.9.0.1") {
		t.Error("frames cross without a tunnel")
	}
}

// TestRequiresRootBridgePort: what the profile says of the port, IP beside frames,
// ports that are kept apart, and a bridge that is not there.
func TestRequiresRootBridgePort(t *testing.T) {
	t.Parallel()
	rig.Need(t, "ip", "bridge", "ping")
	server, client := newPair(t)
	left := lan(t, server, "br0", "left")
	left.Run("ip", "addr", "add", "10.9.0.1/24", "dev", "eth0")
	server.On("/ppp/profile/add name=apart bridge=br0 bridge-horizon=1 bridge-path-cost=777 bridge-port-priority=64 bridge-learning=yes",
		"/ppp/profile/add name=deaf bridge=br0 bridge-learning=no",
		"/ppp/profile/add name=lost bridge=br9",
		"/interface/pptp-server/server/set mrru=1600")
	var hosts []*machine
	for i := 1; i <= 2; i++ {
		n := fmt.Sprint(i)
		server.On(fmt.Sprintf("/ppp/secret/add name=u%d password=p profile=apart local-address=10.0.0.1 remote-address=10.0.0.%d", i, 4+i))
		client.On("/ppp/profile/add name=lan" + n + " bridge=br" + n)
		host := lan(t, client, "br"+n, "h"+n)
		host.Run("ip", "addr", "add", "10.9.0.1"+n+"/24", "dev", "eth0")
		hosts = append(hosts, host)
		client.dial("t"+n, "u"+n, "profile=lan"+n, "mrru=1600")
		host.Until("frames cross", func() bool { return host.full("10.9.0.1") })
		client.Until("IP crosses", func() bool { return client.pings("10.0.0.1", "-I", "t"+n) })
	}
	port := server.Run("ip", "-d", "link", "show", "<pptp-u1>-br")
	rig.Shows(t, port, "master br0", "priority 16 cost 777", "learning on", "isolated on")
	if hosts[0].pings("10.9.0.12") {
		t.Error("ports with a horizon reach each other")
	}

	server.On("/ppp/secret/set u2 profile=deaf", "/ppp/active/remove [find name=u2]")
	client.Until("ports without a horizon reach each other", func() bool { return hosts[0].pings("10.9.0.12") })
	rig.Shows(t, server.Run("ip", "-d", "link", "show", "<pptp-u2>-br"), "learning off", "isolated off")

	// Without an MRRU only smaller frames cross; the bridges stay as they are.
	client.On("/interface/pptp-client/set t2 mrru=disabled")
	client.Logs("t2: no frame above 1448 octets crosses")
	hosts[1].Until("frames cross", func() bool { return hosts[1].pings("10.9.0.1", "-M", "do", "-s", "1400") })
	if hosts[1].full("10.9.0.1") {
		t.Error("full frames cross without an MRRU")
	}
	if mtu := client.Link("br2").Attrs().MTU; mtu != 1500 {
		t.Errorf("the bridge has now the MTU %d", mtu)
	}

	server.On("/ppp/secret/set u2 profile=lost", "/ppp/active/remove [find name=u2]")
	server.Logs(`<pptp-u2>: could not add bridge port: .*bridge "br9"`)
	client.Until("IP crosses all the same", func() bool { return client.pings("10.0.0.1", "-I", "t2") })
	client.Until("the port is gone", func() bool { return !client.has("t2-br") })
}
