package daemon

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopptp/internal/aaa"
	"gopptp/internal/firewall"
	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
	"gopptp/internal/journal"
	"gopptp/internal/resolver"
	"gopptp/internal/session"
)

// TestRequiresRootRefitKeepsNameServers: an interface that is given another
// configuration has the name servers of that one, and none if it names none.
func TestRequiresRootRefitKeepsNameServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	asked := func(when, want string) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(string(b)) {
			if server, is := strings.CutPrefix(line, "nameserver "); is {
				got = append(got, strings.TrimSpace(server))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: name servers %v, want %s", when, got, want)
		}
	}
	hosttest.New(t).Do(func() {
		machine, err := host.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer machine.Close()
		rules, err := firewall.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer rules.Close()
		names, err := resolver.New(path)
		if err != nil {
			t.Fatal(err)
		}
		made := tunnels{machine, rules, names, journal.New(nil, false)}
		up := session.InterfaceConfig{
			Name: "pptp-out1", MTU: 1450, Local: netip.MustParseAddr("10.0.0.5"), Remote: netip.MustParseAddr("10.0.0.1"),
			DNS: []netip.Addr{netip.MustParseAddr("10.0.0.53")},
		}
		waiting := up
		waiting.DNS = nil
		d, err := made.CreateInterface(waiting)
		if err != nil {
			t.Fatal(err)
		}
		refit := func(c session.InterfaceConfig) {
			t.Helper()
			if err := d.Refit(c); err != nil {
				t.Fatal(err)
			}
		}
		asked("while it waits", "")
		refit(up)
		asked("up", "10.0.0.53")
		refit(up)
		asked("up again", "10.0.0.53")
		refit(waiting)
		asked("while it waits again", "")
		refit(up)
		d.Close()
		asked("at the end", "")
	})
}

// TestRequiresRootRouteOverTheServer: a route of a user to a network in which the
// far end of the tunnel is leads all of it into the tunnel but that.
func TestRequiresRootRouteOverTheServer(t *testing.T) {
	in := hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: in, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")},
		hosttest.Port{In: hosttest.New(t), Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.2/24")})
	in.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("192.0.2.2"))
	in.Do(func() {
		machine, err := host.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer machine.Close()
		rules, err := firewall.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer rules.Close()
		names, err := resolver.New(filepath.Join(t.TempDir(), "resolv.conf"))
		if err != nil {
			t.Fatal(err)
		}
		d, err := tunnels{machine, rules, names, journal.New(nil, false)}.CreateInterface(session.InterfaceConfig{
			Name: "<pptp-u>", MTU: 1450, Local: netip.MustParseAddr("10.0.0.1"), Remote: netip.MustParseAddr("10.0.0.5"),
			Outer: netip.MustParseAddr("198.51.100.1"), Routes: []aaa.Route{{Dst: netip.MustParsePrefix("198.51.100.0/24"), Distance: 1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for dst, want := range map[string]string{"198.51.100.1": "eth0", "198.51.100.2": "<pptp-u>"} {
			if r, err := machine.RouteTo(netip.MustParseAddr(dst)); err != nil || r.Interface != want {
				t.Errorf("the way to %s is %q, %v; want %q", dst, r.Interface, err, want)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if r, err := machine.RouteTo(netip.MustParseAddr("198.51.100.1")); err != nil || r.Gateway != netip.MustParseAddr("192.0.2.2") {
			t.Errorf("afterwards %+v, %v", r, err)
		}
	})
}
