package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"gopptp/test/lab"
)

// guestServer is a server in a network namespace of the guest's.
type guestServer struct {
	name    string
	address string // of the server
	serve   string // the command that runs it, in the namespace
	setup   string // what it then needs; may be empty
}

// In the guest, gopptp's files are in its own memory. The namespace has a /run of its
// own, since pppd of server and client would both have a /run/ppp0.pid.
var guestServers = [2]guestServer{
	{
		name: "gopptp", address: "10.60.1.2",
		serve: "touch /tmp/resolv; setsid /host/gopptp run --data /tmp/gopptp --socket /tmp/gopptp.socket --resolv-conf /tmp/resolv >/tmp/gopptp.log 2>&1 </dev/null &",
		setup: "for i in {1..200}; do /host/gopptp exec --socket /tmp/gopptp.socket /system/identity/print >/dev/null 2>&1 && break; sleep 0.05; done\n" +
			"/host/gopptp exec --socket /tmp/gopptp.socket '/interface/pptp-server/server/set enabled=yes' " +
			"'/ppp/secret/add name=u1 password=secret1 service=pptp profile=default-encryption local-address=192.168.79.1 remote-address=192.168.79.10'",
	},
	{name: "pptpd", address: "10.60.2.2", serve: "/host/peer serve require-mschap-v2 require-mppe-128"},
}

// guest measures the kernel's client with our server and with pptpd, all of them on
// the one processor of a guest: each server in a namespace of its own.
func (b *bench) guest(ctx context.Context) error {
	l, err := lab.New(ctx, labSource, "bench-guest", serverAddress+"/24")
	if err != nil {
		return err
	}
	defer l.Close()
	if err := copyFile(b.binary, filepath.Join(l.Dir, "gopptp"), 0o755); err != nil {
		return err
	}
	g, err := l.Boot(ctx, "one", "192.168.51.3/24")
	if err != nil {
		return err
	}
	for _, s := range guestServers {
		if err := s.start(ctx, g); err != nil {
			return guestLogs(ctx, g, err)
		}
	}
	var connect, up, down rounds
	for n := range b.guestRounds {
		turn(ctx, n, b.guestRounds)
		var took, sent, got [2]float64
		for i, s := range guestServers {
			if took[i], sent[i], got[i], err = b.guestCall(ctx, g, s); err != nil {
				return guestLogs(ctx, g, fmt.Errorf("with %s: %w", s.name, err))
			}
		}
		connect.add(took[0], took[1])
		up.add(sent[0], sent[1])
		down.add(got[0], got[1])
	}
	const other, note = "pptpd", "the kernel's client"
	for _, r := range []row{
		connect.row("guest connect", other, nanoseconds, note),
		up.row("guest throughput, to the server", other, megabits, note),
		down.row("guest throughput, to the client", other, megabits, note),
	} {
		r.shown = true
		b.add(r)
	}
	return nil
}

// guestLogs adds the logs of both servers to an error.
func guestLogs(ctx context.Context, g *lab.Guest, err error) error {
	logs, _ := g.Exec(ctx, "cat /tmp/gopptp.log; /host/peer log")
	return fmt.Errorf("%w\n%s", err, logs)
}

// start makes a server's namespace, with a cable to the client's, and runs the server
// and its end of iperf3 there.
func (s guestServer) start(ctx context.Context, g *lab.Guest) error {
	near := s.address[:len(s.address)-1] + "1"
	inside := "ip netns exec " + s.name + " bash -c 'mount -t tmpfs tmpfs /run; "
	_, err := g.Exec(ctx, "set -e\n"+
		"ip netns add "+s.name+"\n"+
		"ip link add to-"+s.name+" type veth peer name wan netns "+s.name+"\n"+
		"ip addr add "+near+"/24 dev to-"+s.name+" && ip link set to-"+s.name+" up\n"+
		"ip -n "+s.name+" addr add "+s.address+"/24 dev wan && ip -n "+s.name+" link set wan up && ip -n "+s.name+" link set lo up\n"+
		inside+s.serve+"'\n"+
		inside+"setsid iperf3 -s >/tmp/iperf-"+s.name+".log 2>&1 </dev/null &'\n"+
		s.setup)
	if err != nil {
		return fmt.Errorf("start %s in a guest: %w", s.name, err)
	}
	return nil
}

// guestCall dials a server, sends through the tunnel in both directions and hangs up.
func (b *bench) guestCall(ctx context.Context, g *lab.Guest, s guestServer) (took, sent, got float64, err error) {
	d, err := g.Dial(ctx, "kernel", s.address, "u1", "secret1", "require-mppe-128")
	if err != nil {
		return 0, 0, 0, err
	}
	var both [2]float64
	for i, option := range []string{"", " -R"} {
		out, err := g.Exec(ctx, "timeout "+strconv.Itoa(b.seconds+int(iperfSlack.Seconds()))+" iperf3 -J -t "+strconv.Itoa(b.seconds)+" -c "+d.Remote+option)
		if err != nil {
			return 0, 0, 0, err
		}
		c, err := parseIperf([]byte(out), false)
		if err != nil {
			return 0, 0, 0, err
		}
		both[i] = c.megabits
	}
	_, err = g.Exec(ctx, "/host/peer hangup")
	return float64(d.Took), both[0], both[1], err
}

// copyFile copies a program to where a guest finds it.
func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
