package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// bootLimit is how long a guest may take; it needs 2 to 4 s on an idle
	// machine.
	bootLimit = 60 * time.Second
	// offLimit is how long a guest may take to power off.
	offLimit = 5 * time.Second
)

// A Guest is a small host on the lab's bridge whose kernel has PPP and PPTP.
type Guest struct {
	lab   *Lab
	name  string
	tap   string
	out   bytes.Buffer // read only after the process has ended
	cmd   *exec.Cmd
	ended chan error
}

// Boot starts a guest with the address addr (192.168.51.3/24) and returns when
// it takes commands.
func (l *Lab) Boot(ctx context.Context, name, addr string) (*Guest, error) {
	if err := l.fillHost(ctx); err != nil {
		return nil, err
	}
	g := &Guest{lab: l, name: name, tap: "tap-" + name, ended: make(chan error, 1)}
	if err := l.IP(ctx, "tuntap add "+g.tap+" mode tap"); err != nil {
		return nil, err
	}
	if err := l.IP(ctx, "link set "+g.tap+" master br0 up"); err != nil {
		return nil, err
	}
	still, err := l.nudge(g.tap)
	if err != nil {
		return nil, fmt.Errorf("lab: nudge guest %s: %w", name, err)
	}
	l.onClose(still)
	g.cmd = l.command(filepath.Join(l.source, "guest"), name, g.tap, addr)
	g.cmd.Env = append(os.Environ(), "GUEST_HOST="+l.Dir)
	g.cmd.Stdout, g.cmd.Stderr = &g.out, &g.out
	g.cmd.WaitDelay = time.Second
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { g.ended <- g.cmd.Wait() }()
	l.onClose(g.off)
	up := WaitFor(ctx, bootLimit, func() bool {
		_, err := os.Stat(g.mail())
		return err == nil
	})
	if !up {
		g.off()
		return nil, fmt.Errorf("lab: guest %s did not boot\n%s", name, g.out.String())
	}
	return g, nil
}

// mail is the directory by which guest-exec speaks with the guest; it is there
// while the guest takes commands.
func (g *Guest) mail() string { return filepath.Join(g.lab.Dir, g.name+".mail") }

// off ends the guest: by asking, and if that does not help by force.
func (g *Guest) off() {
	os.RemoveAll(g.mail())
	select {
	case err := <-g.ended:
		g.ended <- err
	case <-time.After(offLimit):
		g.ended <- end(g.cmd, g.ended, time.Second)
	}
}

// Exec runs a shell command in the guest and gives what it printed. An error is
// an *ExitError with the command's status and output.
func (g *Guest) Exec(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(g.lab.source, "guest-exec"), g.name, command)
	c.Env = append(os.Environ(), "GUEST_HOST="+g.lab.Dir)
	out, err := output(c)
	var exit *ExitError
	if errors.As(err, &exit) {
		exit.Command = "in guest " + g.name + ": " + command
	}
	return out, err
}

// A Dialled is a call that a guest made, as peer dial tells it.
type Dialled struct {
	Local, Remote string        // the tunnel's addresses
	Took          time.Duration // from the start of pppd until IPCP was open
}

// Dial makes the guest dial server by the client kind, pptp or kernel, with
// further options for pppd.
func (g *Guest) Dial(ctx context.Context, kind, server, user, password, options string) (Dialled, error) {
	out, err := g.Exec(ctx, strings.Join([]string{"/host/peer dial", kind, server, user, password, options}, " "))
	if err != nil {
		return Dialled{}, err
	}
	var d Dialled
	var ms int
	if _, err := fmt.Sscanf(out, "up %s %s %d", &d.Local, &d.Remote, &ms); err != nil {
		return Dialled{}, fmt.Errorf("lab: peer dial printed %q", out)
	}
	d.Took = time.Duration(ms) * time.Millisecond
	return d, nil
}
