package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"gopptp/test/lab"
)

// Addresses of the two machines on the way between them.
const (
	nearWAN = "192.168.62.2"
	farWAN  = "192.168.62.3"
)

// A pair is two namespaces: gopptp is the server in near and the client in far, with
// two tunnels between them.
type pair struct {
	near, far *lab.Lab
	// The daemons' processes, for what they cost.
	server, client int
	logs           func() string // of both daemons
	stop           []func()      // what close undoes, last first
}

// A path is a way from far to near: the address of near at its other end, and the
// processes that carry it.
type path struct {
	name string
	from *lab.Lab
	to   string // the address of near
	pids [2]int // in near and in far
}

// tunnels of a pair, as users of the server and as names of the client's interfaces.
const (
	encrypted = "mppe128"
	plain     = "plain"
)

// newPair makes the namespaces, whose names begin with name; connect joins them, before
// anything is dialled. more are flags for both daemons.
func newPair(ctx context.Context, binary, name string, connect func(*pair) error, more ...string) (_ *pair, err error) {
	p := &pair{}
	defer func() {
		if err != nil {
			if p.logs != nil {
				err = fmt.Errorf("%w\n%s", err, p.logs())
			}
			p.close()
		}
	}()
	for _, m := range []struct {
		lab     **lab.Lab
		name    string
		address string
	}{{&p.near, name + "-near", "192.168.51.2/24"}, {&p.far, name + "-far", "192.168.61.2/24"}} {
		*m.lab, err = lab.New(ctx, labSource, m.name, m.address)
		if err != nil {
			return nil, err
		}
		p.onClose((*m.lab).Close)
	}
	if err := connect(p); err != nil {
		return nil, err
	}
	iperf, err := iperfServer(p.near)
	if err != nil {
		return nil, err
	}
	p.onClose(iperf.end)
	return p, p.dial(ctx, binary, more)
}

// cable joins the machines with a veth pair.
func (p *pair) cable(ctx context.Context) error {
	return p.near.Link(ctx, p.far, nearWAN+"/24", farWAN+"/24")
}

func (p *pair) onClose(undo func()) { p.stop = append(p.stop, undo) }

func (p *pair) close() {
	for i := len(p.stop) - 1; i >= 0; i-- {
		p.stop[i]()
	}
}

// dial runs both daemons and brings both tunnels up.
func (p *pair) dial(ctx context.Context, binary string, more []string) error {
	server, err := p.near.Start(ctx, binary, "server", more...)
	if err != nil {
		return err
	}
	client, err := p.far.Start(ctx, binary, "client", more...)
	if err != nil {
		return err
	}
	p.logs = func() string {
		return "the server's log\n" + server.Transcript() + "the client's log\n" + client.Transcript()
	}
	for _, d := range []struct {
		lab  *lab.Lab
		name string
		pid  *int
	}{{p.near, "server", &p.server}, {p.far, "client", &p.client}} {
		*d.pid, err = daemonPID(ctx, filepath.Join(d.lab.Dir, d.name, "socket"))
		if err != nil {
			return err
		}
	}
	secret := "/ppp/secret/add service=pptp password=p name="
	_, err = server.Exec(ctx, "/interface/pptp-server/server/set enabled=yes",
		"/ppp/profile/add name=plain use-encryption=no",
		secret+encrypted+" profile=default-encryption local-address=10.51.1.1 remote-address=10.51.1.2",
		secret+plain+" profile=plain local-address=10.51.2.1 remote-address=10.51.2.2")
	if err != nil {
		return err
	}
	call := "/interface/pptp-client/add disabled=no connect-to=" + nearWAN + " password=p name="
	_, err = client.Exec(ctx, "/ppp/profile/add name=plain use-encryption=no",
		call+encrypted+" user="+encrypted,
		call+plain+" profile=plain user="+plain)
	if err != nil {
		return err
	}
	for _, line := range []string{`^mppe128: connected$`, `^mppe128: using encoding - MPPE128 stateless$`, `^plain: connected$`} {
		if _, err := client.WaitLog(ctx, 0, lineLimit, line); err != nil {
			return err
		}
	}
	return nil
}

// tunnels are the two ways through gopptp, with what their names end in.
func (p *pair) tunnels(suffix string) []path {
	pids := [2]int{p.server, p.client}
	return []path{{encrypted + suffix, p.far, "10.51.1.1", pids}, {plain + suffix, p.far, "10.51.2.1", pids}}
}

// wireguard adds a tunnel of wireguard-go beside.
func (p *pair) wireguard(ctx context.Context) (path, error) {
	binary, err := wireguardBinary(ctx)
	if err != nil {
		return path{}, err
	}
	const nearInside, farInside = "10.51.3.1", "10.51.3.2"
	near, err := newWireguard(ctx, p.near, binary, "n")
	if err != nil {
		return path{}, err
	}
	p.onClose(near.end)
	far, err := newWireguard(ctx, p.far, binary, "f")
	if err != nil {
		return path{}, err
	}
	p.onClose(far.end)
	if err := near.meet(ctx, far, farWAN, nearInside, farInside); err != nil {
		return path{}, err
	}
	if err := far.meet(ctx, near, nearWAN, farInside, nearInside); err != nil {
		return path{}, err
	}
	if _, err := run(ctx, p.far, openLimit, "ping", "-q", "-c", "1", "-W", "5", nearInside); err != nil {
		return path{}, err
	}
	return path{"wireguard-go", p.far, nearInside, [2]int{near.pid(), far.pid()}}, nil
}

// cost runs what uses a path, and gives what the two processes of the path have
// used of the processors meanwhile, in thousandths of one.
func (way path) cost(use func() error) (near, far float64, err error) {
	before := [2]time.Duration{}
	for i, pid := range way.pids {
		if before[i], err = cpuTime(pid); err != nil {
			return 0, 0, err
		}
	}
	began := time.Now()
	if err := use(); err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	var used [2]float64
	for i, pid := range way.pids {
		after, err := cpuTime(pid)
		if err != nil {
			return 0, 0, err
		}
		used[i] = 1000 * float64(after-before[i]) / float64(took)
	}
	return used[0], used[1], nil
}
