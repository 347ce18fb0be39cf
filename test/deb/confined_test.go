package deb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// nobody is a user that owns nothing.
const nobody = 61234

// TestRequiresRootConfined runs both ends of a tunnel with no more rights than the unit
// gives, where there is no systemd to give them: a user that is not root, three
// capabilities, and a machine that is read-only. Nothing that they ask of the kernel is
// outside of the unit's filter of system calls.
func TestRequiresRootConfined(t *testing.T) {
	t.Parallel()
	rig.Need(t, "setpriv", "unshare", "strace", "systemd-analyze", "ping")
	server, client := confinedMachine(t, "server"), confinedMachine(t, "client")
	rig.Plug(t, server, client)
	server.Start()
	client.Start()
	server.On("/interface/pptp-server/server/set enabled=yes", "/ip/service/set ssh port=22 disabled=no", // a port below 1024
		"/ppp/profile/set default-encryption dns-server=192.0.2.99 address-list=callers",
		"/ppp/secret/add name=u password=p service=pptp profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	client.On("/interface/pptp-client/add name=out1 connect-to=" + rig.ServerAddress + " user=u password=p use-peer-dns=yes add-default-route=yes disabled=no")
	client.Connected("out1")
	for range 3 {
		if out, err := client.TryRun("ping", "-q", "-c", "1", "-W", "2", "10.0.0.1"); err != nil {
			t.Errorf("ping: %v\n%s", err, out)
		}
	}
	if got := client.Client("out1")["encoding"]; got != "MPPE128 stateless" {
		t.Errorf("the encoding is %q", got)
	}
	if got := client.Run("ip", "route", "show", "default"); !strings.Contains(got, "dev out1") {
		t.Errorf("the default route is %q", got)
	}
	if got := client.Run("cat", "/proc/sys/net/ipv6/conf/out1/disable_ipv6"); got != "1\n" {
		t.Errorf("disable_ipv6 of the tunnel is %q", got)
	}
	if got := client.ReadFile("resolv.conf"); !strings.Contains(got, "192.0.2.99") {
		t.Errorf("the name servers are\n%s", got)
	}
	if got := server.Run("ss", "-ltn"); !strings.Contains(got, ":22 ") {
		t.Errorf("nobody listens on port 22:\n%s", got)
	}
	allowed := allowedCalls(t)
	for _, m := range []*rig.Machine{server, client} {
		if status := m.Run("cat", fmt.Sprintf("/proc/%d/status", m.PID())); strings.Contains(status, "Uid:\t0") || !strings.Contains(status, "CapEff:\t0000000000003400\n") {
			t.Errorf("%s is not confined:\n%s", m.Name, status)
		}
		m.Stop()
		var calls []string
		m.Until("strace has ended", func() bool {
			b, _ := os.ReadFile(m.File("strace"))
			calls = strings.Fields(string(b))
			return len(calls) > 0 && strings.HasSuffix(string(b), "\n") && calls[len(calls)-1] == "total"
		})
		seen := 0
		for _, c := range calls {
			switch {
			case allowed[c]:
				seen++
			case c == "syscall" || c == "total" || strings.HasPrefix(c, "---"): // the table's own
			default:
				t.Errorf("%s asks for %s, which the unit does not allow", m.Name, c)
			}
		}
		if seen < 20 {
			t.Errorf("strace has seen only %q", calls)
		}
	}
}

// confinedMachine is a machine whose daemon runs through testdata/confine.
func confinedMachine(t *testing.T, name string) *rig.Machine {
	t.Helper()
	m := rig.New(t, name, "nameserver 192.0.2.53\n")
	dir := filepath.Dir(m.File("resolv.conf"))
	for _, f := range []string{dir, m.File("resolv.conf")} {
		if err := os.Chown(f, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // that of the whole test
		t.Fatal(err)
	}
	var capabilities strings.Builder
	for _, c := range unitCapabilities(t) {
		capabilities.WriteString(",+" + strings.ToLower(strings.TrimPrefix(c, "CAP_")))
	}
	script, err := filepath.Abs("testdata/confine")
	if err != nil {
		t.Fatal(err)
	}
	m.Through = []string{"unshare", "--mount", "--propagation", "private", script, strconv.Itoa(nobody), dir, capabilities.String(), m.File("strace")}
	return m
}

// allowedCalls gives the system calls of the unit's filter.
func allowedCalls(t *testing.T) map[string]bool {
	t.Helper()
	sets := map[string][]string{}
	set := ""
	for line := range strings.Lines(command(t, []string{"SYSTEMD_COLORS=0"}, "systemd-analyze", "syscall-filter", "--no-pager")) {
		word := strings.TrimSpace(line)
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case strings.HasPrefix(line, "@"):
			set = word
		default:
			sets[set] = append(sets[set], word)
		}
	}
	allowed := map[string]bool{}
	var change func(name string, to bool)
	change = func(name string, to bool) {
		if !strings.HasPrefix(name, "@") {
			allowed[name] = to
			return
		}
		if len(sets[name]) == 0 {
			t.Errorf("systemd does not know %s", name)
		}
		for _, n := range sets[name] {
			change(n, to)
		}
	}
	change("@default", true) // always
	for line := range strings.Lines(text(t, "packaging/gopptp.service")) {
		filter, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter=")
		if !ok {
			continue
		}
		filter, without := strings.CutPrefix(filter, "~")
		for _, name := range strings.Fields(filter) {
			change(name, !without)
		}
	}
	return allowed
}
