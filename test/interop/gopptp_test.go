// Package interop_test runs gopptp against real peers, in both directions:
// pppd with pptp-linux and with the kernel's PPTP as clients of our server, and
// pptpd with pppd as server of our client. It needs root and the packages of
// the lab (make setup), and shows what peers see; the protocols themselves are
// tested where they live.
package interop_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopptp/test/lab"
)

// binaryVariable names the gopptp to test. Without it TestMain builds one.
const binaryVariable = "GOPPTP_BIN"

// Limits for what the log must tell within them. A guest on a busy machine
// needs two or three seconds to dial.
const (
	connectLimit    = 20 * time.Second
	disconnectLimit = 10 * time.Second
	redialLimit     = 60 * time.Second
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if os.Getenv(binaryVariable) == "" && lab.Missing() == "" {
			dir, err := os.MkdirTemp("", "gopptp-interop-")
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			defer os.RemoveAll(dir)
			binary := filepath.Join(dir, "gopptp")
			build := exec.Command("go", "build", "-o", binary, "gopptp/cmd/gopptp")
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "build gopptp: %v\n%s", err, out)
				return 1
			}
			os.Setenv(binaryVariable, binary)
		}
		return m.Run()
	}())
}

// start runs gopptp; when the test fails, what it logged is shown.
func start(t *testing.T, ctx context.Context, l *lab.Lab) *lab.Daemon {
	t.Helper()
	d, err := l.Start(ctx, os.Getenv(binaryVariable), "gopptp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of gopptp:\n%s", d.Transcript())
		}
	})
	return d
}

// console runs console commands that must succeed.
func console(t *testing.T, ctx context.Context, d *lab.Daemon, commands ...string) string {
	t.Helper()
	out, err := d.Exec(ctx, commands...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func waitLog(t *testing.T, ctx context.Context, d *lab.Daemon, from int, limit time.Duration, pattern string) lab.LogLine {
	t.Helper()
	line, err := d.WaitLog(ctx, from, limit, pattern)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// A wanted is a line that the log must have: its topics and a regular
// expression for the whole message.
type wanted struct{ topics, message string }

func (w wanted) is(l lab.LogLine) bool {
	return l.Topics == w.topics && regexp.MustCompile("^(?:"+w.message+")$").MatchString(l.Message)
}

// checkLog checks the lines of PPTP that an operator sees: those of each chain
// are there, once, in the chain's order, and there are no others.
func checkLog(t *testing.T, lines []lab.LogLine, chains ...[]wanted) {
	t.Helper()
	next := make([]int, len(chains))
	for _, l := range lines {
		if !l.Has("pptp") || l.Has("debug") {
			continue
		}
		expected := false
		for i, chain := range chains {
			if !expected && next[i] < len(chain) && chain[next[i]].is(l) {
				next[i]++
				expected = true
			}
			// When the guest stands still for a second, LCP sends its first request once
			// more. pppd answers both, and takes the second for a new negotiation.
			if n := next[i] - 1; !expected && n >= 0 && strings.HasSuffix(l.Message, ": authenticated") {
				expected = chain[n].is(l)
			}
		}
		if !expected {
			t.Errorf("the log has %q where it should not", l)
		}
	}
	for i, chain := range chains {
		if next[i] < len(chain) {
			t.Errorf("the log lacks %q in its place", chain[next[i]])
		}
	}
}

// interfaces gives the names of the namespace's interfaces but for the lab's
// own.
func interfaces(t *testing.T, l *lab.Lab) []string {
	t.Helper()
	var names []string
	err := l.Do(func() error {
		all, err := net.Interfaces()
		for _, i := range all {
			if i.Name != "lo" && i.Name != "br0" && !strings.HasPrefix(i.Name, "tap-") {
				names = append(names, i.Name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// checkInterfaces checks that the namespace has these tunnels and no other,
// within a moment.
func checkInterfaces(t *testing.T, ctx context.Context, l *lab.Lab, want ...string) {
	t.Helper()
	var got []string
	ok := lab.WaitFor(ctx, 2*time.Second, func() bool {
		got = interfaces(t, l)
		return slices.Equal(got, want)
	})
	if !ok {
		t.Errorf("interfaces: %q, want %q", got, want)
	}
}

func checkHides(t *testing.T, out, word string) {
	t.Helper()
	if strings.Contains(out, word) {
		t.Errorf("%q is still in:\n%s", word, out)
	}
}

// checkTunnel checks that the tunnel carries packets: pings and a transfer,
// each way.
func checkTunnel(t *testing.T, ctx context.Context, l *lab.Lab, g *lab.Guest, results <-chan transferred, ours, theirs string) {
	t.Helper()
	if _, err := l.Run(ctx, "ping", "-c", "3", "-i", "0.2", "-W", "2", "-q", "-I", ours, theirs); err != nil {
		t.Error(err)
	}
	guestExec(t, ctx, g, "ping -c 3 -i 0.2 -W 2 -q "+ours)
	checkTransfer(t, ctx, g, results, theirs, ours)
}

// PPP protocols that carry user packets.
const (
	protocolIP        = 0x0021
	protocolEncrypted = 0x00fd
)

// checkWire checks that user packets went over the wire encrypted, all of them,
// or in clear, all of them.
func checkWire(t *testing.T, counts map[uint16]int, encrypted bool) {
	t.Helper()
	want, never := uint16(protocolIP), uint16(protocolEncrypted)
	if encrypted {
		want, never = never, want
	}
	if counts[want] == 0 || counts[never] != 0 {
		t.Errorf("on the wire: %d IP packets in clear, %d encrypted; want encrypted %v",
			counts[protocolIP], counts[protocolEncrypted], encrypted)
	}
}
