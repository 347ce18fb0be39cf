package tunnel

import (
	"fmt"
	"testing"

	"gopptp/test/rig"
)

// TestRequiresRootPrecedence connects users whose addresses stand at different
// levels: the narrower one counts, but an address beats a pool.
func TestRequiresRootPrecedence(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On(
		"/ip/pool/add name=wide ranges=10.1.0.10-10.1.0.20",
		"/ip/pool/add name=own ranges=10.2.0.10-10.2.0.20",
		"/ppp/profile/add name=service local-address=10.1.0.1 remote-address=wide dns-server=10.1.0.53",
		"/ppp/profile/add name=address remote-address=10.2.0.99 dns-server=10.2.0.53",
		"/ppp/profile/add name=pool local-address=10.2.0.1 remote-address=own",
		"/interface/pptp-server/server/set default-profile=service",
		// default has nothing of its own, so that the service's profile counts.
		"/ppp/secret/add name=u1 password=p",
		"/ppp/secret/add name=u2 password=p profile=address",
		"/ppp/secret/add name=u3 password=p profile=pool",
		"/ppp/secret/add name=u4 password=p profile=pool remote-address=10.4.0.4 local-address=10.4.0.1",
		// An address beats a pool even from the wider level.
		"/ppp/profile/add name=both remote-address=10.5.0.5 local-address=10.5.0.1",
		"/ppp/secret/add name=u5 password=p profile=pool",
	)
	for _, c := range []struct{ user, local, remote string }{
		{"u1", "10.1.0.10", "10.1.0.1"},
		{"u2", "10.2.0.99", "10.1.0.1"},
		{"u3", "10.2.0.10", "10.2.0.1"},
		{"u4", "10.4.0.4", "10.4.0.1"},
	} {
		client.dial(c.user, c.user)
		got := client.Client(c.user)
		if got["local-address"] != c.local || got["remote-address"] != c.remote {
			t.Errorf("%s has %s to %s, want %s to %s", c.user, got["local-address"], got["remote-address"], c.local, c.remote)
		}
		if !client.pings(c.remote, "-I", c.user) {
			t.Errorf("%s: no answer from %s", c.user, c.remote)
		}
		client.On("/interface/pptp-client/disable " + c.user)
	}
	server.On("/interface/pptp-server/server/set default-profile=both")
	client.dial("u5", "u5")
	if got := client.Client("u5"); got["local-address"] != "10.5.0.5" {
		t.Errorf("u5 has %s, though an address beats a pool", got["local-address"])
	}
}

// TestRequiresRootPools fills a pool and the one after it. Who comes back gets the
// address that they had.
func TestRequiresRootPools(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On(
		"/ip/pool/add name=second ranges=10.7.0.7",
		"/ip/pool/add name=first ranges=10.6.0.10,10.6.0.20-10.6.0.21 next-pool=second",
		"/ppp/profile/add name=pool remote-address=first",
	)
	for n := range 5 {
		server.On(fmt.Sprintf("/ppp/secret/add name=u%d password=p profile=pool local-address=10.0.%d.1", n, n))
	}
	want := []string{"10.6.0.10", "10.6.0.20", "10.6.0.21", "10.7.0.7"}
	for n, address := range want {
		name := fmt.Sprintf("u%d", n)
		client.dial(name, name)
		if got := client.Client(name)["local-address"]; got != address {
			t.Errorf("%s has %s, want %s", name, got, address)
		}
	}
	rig.Shows(t, server.On("/ip/pool/used/print"), "POOL", "ADDRESS", "OWNER", "INFO", "second", "10.7.0.7", "PPP", "u3", "first", "10.6.0.10", "PPP", "u0")
	if got := server.On("/ip/pool/used/print count-only where pool=first"); got != "3\n" {
		t.Errorf("%q addresses of the first pool are used", got)
	}

	// There is no address for one more, who is told, and gets the next that is free.
	client.add("u4", "u4")
	server.Logs(`u4 gets no address: pool is used up`)
	client.On("/interface/pptp-client/disable u1")
	client.Connected("u4")
	if got := client.Client("u4")["local-address"]; got != "10.6.0.20" {
		t.Errorf("u4 has %s", got)
	}

	// Who goes and comes back finds their own, though another is free as well.
	client.On("/interface/pptp-client/disable u2", "/interface/pptp-client/disable u4", "/interface/pptp-client/disable u0")
	server.Until("the addresses are free", func() bool { return server.On("/ip/pool/used/print count-only") == "1\n" })
	for _, back := range []struct{ name, address string }{{"u4", "10.6.0.20"}, {"u2", "10.6.0.21"}} {
		client.On("/interface/pptp-client/enable " + back.name)
		client.Connected(back.name)
		if got := client.Client(back.name)["local-address"]; got != back.address {
			t.Errorf("%s came back and has %s", back.name, got)
		}
	}
	client.On("/interface/pptp-client/disable u2", "/interface/pptp-client/disable u3", "/interface/pptp-client/disable u4")
	server.Until("no address is used", func() bool { return server.On("/ip/pool/used/print count-only") == "0\n" })
}
