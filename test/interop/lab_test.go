package interop_test

import (
	"context"
	"errors"
	"net"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopptp/test/lab"
)

// The lab's network: gopptp's namespace has .2, guests have .1 as server and
// .3 as client.
const (
	labAddress    = "192.168.51.2"
	serverAddress = "192.168.51.1"
	clientAddress = "192.168.51.3"
)

// testLab makes a lab that is gone after the test, or skips the test.
func testLab(t *testing.T, name string) (context.Context, *lab.Lab) {
	t.Helper()
	if lacking := lab.Missing(); lacking != "" {
		t.Skip(lacking)
	}
	// Guests wait more than they work; together they take half the time.
	t.Parallel()
	// Whoever stops the test gets a lab that is cleaned up all the same.
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGINT, syscall.SIGTERM)
	l, err := lab.New(ctx, "../lab", name, labAddress+"/24")
	if err != nil {
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		stop()
	})
	return ctx, l
}

func boot(t *testing.T, ctx context.Context, l *lab.Lab, name, addr string) *lab.Guest {
	t.Helper()
	g, err := l.Boot(ctx, name, addr+"/24")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// guestExec runs a command in a guest that must succeed.
func guestExec(t *testing.T, ctx context.Context, g *lab.Guest, command string) string {
	t.Helper()
	out, err := g.Exec(ctx, command)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tidyGuest clears away what a failed case left: calls and servers in the
// guest, and a transfer nobody asked for. It shows what pppd thought.
func tidyGuest(t *testing.T, ctx context.Context, g *lab.Guest, results <-chan transferred) {
	t.Helper()
	out, _ := g.Exec(ctx, "/host/peer log; /host/peer stop")
	t.Logf("the log of the guest's pppd:\n%s", out)
	select {
	case <-results:
	default:
	}
}

// transferPort is where the namespace answers transfers.
const transferPort = "5001"

// A transferred is one transfer that the namespace answered.
type transferred struct {
	local, remote string
	err           error
}

// answerTransfers answers transfers, one after the other, on every address of
// the namespace until the test ends.
func answerTransfers(t *testing.T, l *lab.Lab) <-chan transferred {
	t.Helper()
	var listener net.Listener
	err := l.Do(func() (err error) {
		listener, err = net.Listen("tcp4", ":"+transferPort)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	results := make(chan transferred, 1)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			results <- transferred{
				local:  c.LocalAddr().(*net.TCPAddr).IP.String(),
				remote: c.RemoteAddr().(*net.TCPAddr).IP.String(),
				err:    lab.Answer(c),
			}
			c.Close()
		}
	}()
	return results
}

// checkTransfer lets the guest carry a megabyte each way to address to, which
// must see it come from address from.
func checkTransfer(t *testing.T, ctx context.Context, g *lab.Guest, results <-chan transferred, from, to string) {
	t.Helper()
	guestExec(t, ctx, g, "/host/transfer "+net.JoinHostPort(to, transferPort))
	select {
	case r := <-results:
		if r.err != nil {
			t.Error(r.err)
		}
		if r.local != to || r.remote != from {
			t.Errorf("transfer was from %s to %s, want from %s to %s", r.remote, r.local, from, to)
		}
	case <-time.After(5 * time.Second):
		t.Error("the namespace saw no transfer")
	}
}

// TestRequiresRootLabSelf shows that the lab itself works, without gopptp: the
// guests, both clients, the server with every method, refusals and transfers.
// When it fails, a failure of the other tests says nothing about gopptp.
func TestRequiresRootLabSelf(t *testing.T) {
	ctx, l := testLab(t, "self")
	server := boot(t, ctx, l, "server", serverAddress)
	client := boot(t, ctx, l, "client", clientAddress)

	t.Run("transfer", func(t *testing.T) {
		checkTransfer(t, ctx, client, answerTransfers(t, l), clientAddress, labAddress)
	})

	for _, test := range []struct {
		name, kind     string
		server, client string // options of pppd
		encrypted      bool
	}{
		{"pptp mschap2 mppe128", "pptp", "require-mschap-v2 require-mppe-128", "require-mppe-128", true},
		{"kernel mschap2 mppe40", "kernel", "require-mschap-v2 require-mppe-40", "require-mppe-40", true},
		{"kernel mschap2 mppe128 stateful", "kernel", "plugin /host/mppe-stateful.so mppe-stateful require-mschap-v2 require-mppe-128", "require-mppe-128 mppe-stateful", true},
		{"kernel chap", "kernel", "require-chap", "", false},
		{"pptp pap", "pptp", "require-pap", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			guestExec(t, ctx, server, "/host/peer serve "+test.server)
			sniffer, err := l.Sniff()
			if err != nil {
				t.Fatal(err)
			}
			defer sniffer.Close()
			d, err := client.Dial(ctx, test.kind, serverAddress, "u1", "secret1", test.client)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s <-> %s in %v", d.Local, d.Remote, d.Took)
			guestExec(t, ctx, client, "ping -c 3 -i 0.2 -q "+d.Remote)
			checkWire(t, sniffer.Counts(), test.encrypted)
			guestExec(t, ctx, client, "/host/peer hangup")
		})
	}

	t.Run("wrong password", func(t *testing.T) {
		guestExec(t, ctx, server, "/host/peer serve require-mschap-v2")
		_, err := client.Dial(ctx, "kernel", serverAddress, "u1", "wrong", "")
		checkRefused(t, err)
	})

	t.Run("server stops", func(t *testing.T) {
		if _, err := client.Dial(ctx, "pptp", serverAddress, "u1", "secret1", ""); err != nil {
			t.Fatal(err)
		}
		guestExec(t, ctx, server, "/host/peer stop")
		guestExec(t, ctx, client, "/host/peer gone")
	})
}

// checkRefused checks that a guest's dial ended because the server refused its
// authentication. (pppd's exit status tells that only when the server leaves it
// the time to hang up first.)
func checkRefused(t *testing.T, err error) {
	t.Helper()
	var exit *lab.ExitError
	if !errors.As(err, &exit) || !strings.Contains(exit.Output, "authentication failed") {
		t.Errorf("dial: %v, want authentication failed", err)
	}
}
