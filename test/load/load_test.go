// Package load has only tests: gopptp bench sessions against a daemon in network
// namespaces of its own.
package load

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gopptp/internal/load"
	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// count is how many sessions there are.
const count = 300

// profiles is where the server has its profiles, on a loopback of its own.
const profiles = "127.0.0.1:6060"

// crowd is where they come from.
var crowd = netip.MustParsePrefix("10.99.0.0/16")

// pair makes a server and a machine that puts load on it, whose network namespace
// has a name.
func pair(t *testing.T) (server, clients *rig.Machine, namespace string) {
	t.Helper()
	rig.Need(t, "ip")
	server, clients = rig.New(t, "server", ""), rig.New(t, "clients", "")
	rig.Plug(t, server, clients)
	server.Route(crowd, netip.MustParseAddr(rig.ClientAddress))
	clients.Run("ip", "route", "add", "local", crowd.String(), "dev", "lo")
	namespace = fmt.Sprintf("gopptp-load-%d", os.Getpid())
	clients.Run("sh", "-c", "ip netns attach "+namespace+" $$")
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "delete", namespace).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	server.Args = []string{"--pprof", profiles}
	server.Start()
	server.On(
		"/interface/pptp-server/server/set enabled=yes authentication=mschap2",
		"/ip/pool/add name=p ranges=10.64.0.1-10.64.255.254",
		"/ppp/profile/set default-encryption remote-address=p local-address=10.65.0.1 only-one=no",
		"/ppp/secret/add name=load password=StrongPass profile=default-encryption",
	)
	clients.WriteFile("password", "StrongPass\n")
	return server, clients, namespace
}

// args is the command for the two.
func args(server, clients *rig.Machine, more ...string) []string {
	return append([]string{"bench", "sessions", "--target", rig.ServerAddress, "--from", crowd.String(), "--count", fmt.Sprint(count),
		"--user", "load", "--password-file", clients.File("password"), "--console", server.File("socket"), "--pprof", profiles}, more...)
}

func TestRequiresRootSessions(t *testing.T) {
	server, clients, namespace := pair(t)
	// From outside: it goes into the namespace by itself.
	out, errs, err := rig.Program(t, args(server, clients, "--netns", namespace,
		"--hold", "3s", "--keepalive", "1s", "--active", "20", "--active-time", "1s", "--json")...)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	var report load.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	values := map[string]float64{}
	var released string
	for _, row := range report.Rows {
		if values[row.Name] = row.Value; row.Name == "release" {
			released = row.Detail
		}
	}
	if !strings.Contains(released, "0 left, and 0 of its goroutines") {
		t.Errorf("released %s", released)
	}
	for _, name := range []string{"set-up", "ping", "traffic", "memory", "print", "disconnect", "release"} {
		if values[name] <= 0 {
			t.Errorf("%s is %v", name, values[name])
		}
	}
	for _, name := range []string{"lost", "idle"} {
		if _, ok := values[name]; !ok {
			t.Errorf("there is no row %s", name)
		}
	}
	if values["lost"] != 0 || len(report.Problems) > 0 {
		t.Errorf("%v lost, problems %q", values["lost"], report.Problems)
	}
	if n := len(regexp.MustCompile("logged in").FindAllString(server.Logged(), -1)); n != count {
		t.Errorf("%d sessions logged in, want %d", n, count)
	}
	if left := server.Run("ip", "-brief", "link"); strings.Contains(left, "pptp-load") {
		t.Errorf("interfaces are left:\n%s", left)
	}
	if strings.Contains(out+errs, "StrongPass") {
		t.Error("the password is shown")
	}
}

// A server that is not on this machine is left alone.
func TestRequiresRootOthersServer(t *testing.T) {
	server, clients, _ := pair(t)
	out, errs, err := rig.Program(t, args(server, clients)...)
	if err == nil || !strings.Contains(errs, "somebody else's server") || !strings.Contains(errs, "--i-own-the-target") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	if strings.Contains(server.Logged(), "TCP connection established") {
		t.Error("the server was called")
	}
}
