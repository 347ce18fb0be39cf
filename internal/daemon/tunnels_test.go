package daemon

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
