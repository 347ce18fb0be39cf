package tunnel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// reason waits for the last-disconnect-reason of a user.
func reason(t *testing.T, server *machine, user, want string) {
	t.Helper()
	server.Until(user+" went by "+want, func() bool {
		return strings.Contains(server.On(`:put [/ppp/secret/get `+user+` last-disconnect-reason]`), want)
	})
}

// TestRequiresRootOnlyOne: a user who may be connected once is refused from
// elsewhere, while the same client that comes again takes the place of its own old
// session.
func TestRequiresRootOnlyOne(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	client.Address("wan", netip.MustParsePrefix("192.168.51.4/24"))
	server.On(
		"/ppp/profile/add name=one only-one=yes local-address=10.0.0.1",
		"/ppp/secret/add name=u profile=one password=p remote-address=10.0.0.5",
		"/ppp/secret/add name=many password=p local-address=10.0.0.1 remote-address=10.0.0.6",
	)
	client.dial("first", "u")
	// The second session of one address ends the first, which dials again, and so
	// on: but never are there two.
	client.add("second", "u")
	server.Logs(`(?s)u logged in.*u logged in`)
	server.Until("one is active", func() bool {
		n := server.On("/ppp/active/print count-only")
		if n != "0\n" && n != "1\n" {
			t.Fatalf("%s sessions are active", n)
		}
		return n == "1\n"
	})
	client.On("/interface/pptp-client/remove second")
	client.Connected("first")
	// From another address there is no way in.
	other := newMachine(t, "other")
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan2", Prefix: netip.MustParsePrefix("192.168.52.2/24")},
		hosttest.Port{In: other.Namespace, Name: "wan", Prefix: netip.MustParsePrefix("192.168.52.3/24")})
	other.Start()
	other.On("/interface/pptp-client/add name=o disabled=no connect-to=192.168.52.2 user=u password=p")
	server.Logs(`user u authentication failed - user is already active`)
	if got := client.Client("first")["status"]; got != "connected" {
		t.Errorf("the first one is %s", got)
	}
	// Without only-one there may be two.
	client.On("/interface/pptp-client/remove first", "/interface/pptp-client/add name=m1 disabled=no connect-to="+rig.ServerAddress+" user=many password=p")
	client.Connected("m1")
	other.On("/interface/pptp-client/set o user=many")
	server.Logs(`many logged in.*from 192\.168\.52\.3`)
	server.Logs(`<pptp-many-1>: connected`)
}

// TestRequiresRootTimeouts ends sessions that last too long, carry nothing or carry
// too much. A keepalive is no traffic.
func TestRequiresRootTimeouts(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On(
		"/interface/pptp-server/server/set keepalive-timeout=1",
		"/ppp/profile/add name=session session-timeout=3s",
		"/ppp/profile/add name=idle idle-timeout=3s",
		"/ppp/secret/add name=session password=p profile=session local-address=10.1.0.1 remote-address=10.1.0.5",
		"/ppp/secret/add name=idle password=p profile=idle local-address=10.2.0.1 remote-address=10.2.0.5",
		"/ppp/secret/add name=in password=p limit-bytes-in=20000 local-address=10.3.0.1 remote-address=10.3.0.5",
		"/ppp/secret/add name=out password=p limit-bytes-out=20000 local-address=10.4.0.1 remote-address=10.4.0.5",
		"/ppp/secret/add name=free password=p local-address=10.5.0.1 remote-address=10.5.0.5",
	)
	began := time.Now()
	for n, user := range []string{"session", "idle", "in", "out", "free"} {
		client.add(user, user, fmt.Sprintf("keepalive-timeout=%d", n+1))
	}
	for _, user := range []string{"session", "idle", "in", "out", "free"} {
		server.Logs(`<pptp-` + user + `>: connected`)
	}

	// As long as there are packets of a user, a session is not idle.
	for range 8 {
		if !client.pings("10.2.0.1") {
			t.Fatal("no answer")
		}
		time.Sleep(500 * time.Millisecond)
	}
	hides(t, server.Logged(), "<pptp-idle>: terminating")
	idle := server.Within(rig.Soon, "the idle session ends", func() bool {
		return strings.Contains(server.Logged(), "<pptp-idle>: terminating... - idle timeout")
	})
	if idle < 2*time.Second || idle > 5*time.Second {
		t.Errorf("the idle session ended after %v", idle)
	}
	reason(t, server, "idle", "idle-timeout")

	server.Logs(`<pptp-session>: terminating\.\.\. - session timeout`)
	if lasted := time.Since(began); lasted < 3*time.Second {
		t.Errorf("the session with a timeout ended after %v", lasted)
	}
	reason(t, server, "session", "session-timeout")

	rig.Shows(t, server.On("/ppp/active/print detail where name=in"), "limit-bytes-in=20000 limit-bytes-out=0")
	rig.Shows(t, server.On("/ppp/active/print detail where name=out"), "limit-bytes-in=0 limit-bytes-out=20000")
	for _, c := range []struct{ user, address string }{{"in", "10.3.0.1"}, {"out", "10.4.0.1"}} {
		client.Run("ping", "-q", "-i", "0.01", "-c", "10", "-s", "1000", c.address)
		hides(t, server.Logged(), "<pptp-"+c.user+">: terminating")
		// These are too many; the session may end meanwhile.
		_, _ = client.TryRun("ping", "-q", "-i", "0.01", "-c", "30", "-W", "1", "-s", "1000", c.address)
		server.Logs(`<pptp-` + c.user + `>: terminating\.\.\. - traffic limit reached`)
		reason(t, server, c.user, "nas-request")
	}
	if lasting := server.On("/ppp/active/print count-only where name=free"); lasting != "1\n" {
		t.Errorf("the session without limits is gone: %q", lasting)
	}
}

// TestRequiresRootCallerID lets a user in from one address only.
func TestRequiresRootCallerID(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On(
		"/ppp/secret/add name=right password=p caller-id="+rig.ClientAddress+" local-address=10.0.0.1 remote-address=10.0.0.5",
		"/ppp/secret/add name=wrong password=p caller-id=192.168.51.99 local-address=10.0.0.1 remote-address=10.0.0.6",
	)
	client.dial("right", "right")
	client.add("wrong", "wrong")
	server.Logs(`user wrong authentication failed`)
	client.Logs(`wrong: terminating\.\.\. - failed to authenticate ourselves to peer`)
	if got := client.Client("wrong")["status"]; got == "connected" {
		t.Error("wrong is connected")
	}
	server.On("/ppp/secret/set wrong caller-id=" + rig.ClientAddress)
	client.Connected("wrong")
	rig.Shows(t, server.On("/ppp/active/print detail where name=wrong"), `caller-id="`+rig.ClientAddress+`"`)
}

// TestRequiresRootRoutes reaches a network behind the client from one behind the
// server.
func TestRequiresRootRoutes(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	office, home := hosttest.New(t), newMachine(t, "home")
	hosttest.Cable(t, 1500,
		hosttest.Port{In: office, Name: "lan", Prefix: netip.MustParsePrefix("10.20.0.2/24")},
		hosttest.Port{In: server.Namespace, Name: "lan", Prefix: netip.MustParsePrefix("10.20.0.1/24")})
	hosttest.Cable(t, 1500,
		hosttest.Port{In: home.Namespace, Name: "lan", Prefix: netip.MustParsePrefix("10.30.0.2/24")},
		hosttest.Port{In: client.Namespace, Name: "lan", Prefix: netip.MustParsePrefix("10.30.0.1/24")})
	office.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("10.20.0.1"))
	home.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("10.30.0.1"))
	server.Sysctl("net/ipv4/ip_forward", "1")
	client.Sysctl("net/ipv4/ip_forward", "1")
	server.On(`/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5 routes="10.30.0.0/24 10.0.0.5 2, 10.31.0.0/16"`)
	client.dial("u", "u", "add-default-route=yes")
	server.Until("the route is there", func() bool { return strings.Contains(server.Run("ip", "route"), "10.31.0.0/16") })
	rig.Shows(t, server.Run("ip", "route"), "10.30.0.0/24 via 10.0.0.5", "metric 2", "10.31.0.0/16")
	rig.Shows(t, server.On("/ip/route/print where dst-address=10.30.0.0/24"), "10.30.0.0/24")
	if !home.pings("10.20.0.2") {
		t.Error("home does not reach the office")
	}
	client.On("/interface/pptp-client/disable u")
	server.Until("the routes are gone", func() bool { return !strings.Contains(server.Run("ip", "route"), "10.3") })
	if home.pings("10.20.0.2") {
		t.Error("home still reaches the office")
	}
}
