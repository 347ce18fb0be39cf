package deb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gopptp/test/rig"
)

// nobody is a user that owns nothing.
const nobody = 61234

// rights are the capabilities of the unit.
const rights = 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW

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
	unit := text(t, "packaging/gopptp.service")
	for _, m := range []*rig.Machine{server, client} {
		endsConfined(t, m, rights, unit)
	}
}

// TestRequiresRootConfinedFastPath runs a daemon with the rights of the unit and of the
// drop-in in docs/fast-path.md, and no more, and has it carry a tunnel on the fast path.
func TestRequiresRootConfinedFastPath(t *testing.T) {
	t.Parallel()
	rig.Need(t, "setpriv", "prlimit", "unshare", "strace", "systemd-analyze", "ping", "curl")
	if os.Getenv(rig.FastPathVariable) != "" {
		t.Skip("all machines use the fast path, as " + rig.FastPathVariable + " says")
	}
	dropIn := fastPathDropIn(t)
	for _, line := range []string{"RestrictAddressFamilies=AF_XDP", "LimitMEMLOCK=infinity"} { // which nothing here enforces
		if !strings.Contains(dropIn, line+"\n") {
			t.Errorf("the drop-in lacks %s", line)
		}
	}
	capability := match(t, dropIn, `(?m)^CapabilityBoundingSet=(.*)$`)[0]
	if ambient := match(t, dropIn, `(?m)^AmbientCapabilities=(.*)$`)[0]; ambient != capability {
		t.Errorf("the drop-in has %s, and of its own accord %s", capability, ambient)
	}
	more, has := []string{capability}, uint64(rights|1<<unix.CAP_BPF)
	if err := exec.CommandContext(t.Context(), "prlimit", "--memlock=unlimited", "true").Run(); err != nil {
		// Who may not raise the limit can only set it aside.
		more, has = append(more, "CAP_IPC_LOCK"), has|1<<unix.CAP_IPC_LOCK
	}
	server, client := confinedMachine(t, "server", more...), rig.New(t, "client", "")
	rig.Plug(t, server, client)
	server.Args = append(strings.Fields(match(t, text(t, "docs/fast-path.md"), `(?m)^GOPPTP_OPTS="(.*) eth0"$`)[0]), "wan", "--metrics", "127.0.0.1:9180")
	client.Args = []string{"--fast-path", "wan"}
	if len(more) == 1 {
		server.Through = append([]string{"prlimit", "--memlock=unlimited"}, server.Through...)
	}
	server.Start()
	client.Start()
	server.Logs("system,info the fast path is on: wan\n")
	server.On("/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u password=p service=pptp profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	client.On("/interface/pptp-client/add name=out1 connect-to=" + rig.ServerAddress + " user=u password=p disabled=no")
	client.Connected("out1")
	if out := server.Run("ip", "link", "show", "wan"); !strings.Contains(out, " xdp") {
		t.Errorf("the interface has no program:\n%s", out)
	}
	counted := func(direction string) int {
		out := server.Run("curl", "-s", "http://127.0.0.1:9180/metrics")
		n, err := strconv.Atoi(match(t, out, `(?m)^gopptp_fast_path_packets_total\{direction="`+direction+`"\} (\d+)$`)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, direction := range []string{"receive", "transmit"} {
		server.Until("packets go fast: "+direction, func() bool {
			before := counted(direction)
			out, err := client.TryRun("ping", "-q", "-c", "3", "-i", "0.1", "-W", "2", "10.0.0.1")
			if err != nil {
				t.Errorf("ping: %v\n%s", err, out)
			}
			return counted(direction) >= before+3
		})
	}
	endsConfined(t, server, has, text(t, "packaging/gopptp.service")+dropIn)
	if out := server.Run("ip", "link", "show", "wan"); strings.Contains(out, " xdp") {
		t.Errorf("the program is left on the interface:\n%s", out)
	}
}

// fastPathDropIn has the lines that the page adds to the unit.
func fastPathDropIn(t *testing.T) string {
	t.Helper()
	return match(t, text(t, "docs/fast-path.md"), "(?s)```ini\n(.*?)```")[0]
}

// endsConfined stops a machine's daemon, which had these capabilities, and has asked the
// kernel only for what the lines of a unit allow.
func endsConfined(t *testing.T, m *rig.Machine, capabilities uint64, unit string) {
	t.Helper()
	allowed := allowedCalls(t, unit)
	if status := m.Run("cat", fmt.Sprintf("/proc/%d/status", m.PID())); strings.Contains(status, "Uid:\t0") || !strings.Contains(status, fmt.Sprintf("CapEff:\t%016x\n", capabilities)) {
		t.Errorf("%s is not confined:\n%s", m.Name, status)
	}
	m.Stop()
	var calls []string
	m.Until("strace has ended", func() bool {
		b, _ := os.ReadFile(m.File("strace"))
		calls = strings.Fields(detached.ReplaceAllString(string(b), ""))
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

// detached is what strace writes beside its table of a thread that was about to ask for
// something when the process ended.
var detached = regexp.MustCompile(`(?m)^.*<detached \.\.\.>`)

// confinedMachine is a machine whose daemon runs through testdata/confine, with the
// capabilities of the unit and more.
func confinedMachine(t *testing.T, name string, more ...string) *rig.Machine {
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
	for _, c := range append(unitCapabilities(t), more...) {
		capabilities.WriteString(",+" + strings.ToLower(strings.TrimPrefix(c, "CAP_")))
	}
	script, err := filepath.Abs("testdata/confine")
	if err != nil {
		t.Fatal(err)
	}
	m.Through = []string{"unshare", "--mount", "--propagation", "private", script, strconv.Itoa(nobody), dir, capabilities.String(), m.File("strace")}
	return m
}

// allowedCalls gives the system calls of a unit's filter.
func allowedCalls(t *testing.T, unit string) map[string]bool {
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
	for line := range strings.Lines(unit) {
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
