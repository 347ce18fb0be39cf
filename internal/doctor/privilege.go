package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"gopptp/internal/rawgre"
)

// daemon asks whether a daemon runs, and who it is.
func (e *exam) daemon(ctx context.Context) Finding {
	pid, err := e.m.Daemon(e.Socket)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return warning("this user may not use "+e.Socket+": less is known of the daemon", "run gopptp doctor as root")
	case err != nil:
		return warning("no daemon listens on "+e.Socket, "systemctl start gopptp", "without systemd: gopptp run", "if its socket is another one: gopptp doctor --socket SOCKET")
	}
	e.pid = pid
	out, err := e.m.Ask(ctx, e.Socket, `:put [/interface/pptp-server/server/get enabled]; :put [/system/resource/get version]`)
	if err != nil {
		return warning(fmt.Sprintf("the daemon (PID %d) does not answer: %.200v", pid, err), "look at its log: journalctl -u gopptp")
	}
	enabled, version, _ := strings.Cut(strings.TrimSpace(out), "\n")
	e.enabled = enabled == "true" || enabled == "yes"
	server := "its PPTP server is disabled"
	if e.enabled {
		server = "its PPTP server is enabled"
	}
	return ok(fmt.Sprintf("gopptp %s runs as PID %d; %s", strings.TrimSpace(version), pid, server))
}

// capability is one that the daemon needs (capabilities(7)).
type capability struct {
	bit  uint
	name string
	why  string
}

var needed = []capability{
	{12, "NET_ADMIN", "interfaces and routes of tunnels"},
	{13, "NET_RAW", "GRE packets"},
}

// lacking gives the names of needed capabilities that a mask lacks.
func lacking(mask uint64) (out []string) {
	for _, c := range needed {
		if mask>>c.bit&1 == 0 {
			out = append(out, "CAP_"+c.name+" ("+c.why+")")
		}
	}
	return out
}

// mask gives a line of /proc/PID/status that has a mask.
func mask(status, name string) (uint64, bool) {
	n, err := strconv.ParseUint(field(status, name+":"), 16, 64)
	return n, err == nil
}

// capabilities looks at those of the daemon, or where none runs at one's own.
func (e *exam) capabilities(context.Context) Finding {
	who, file := "this process", "proc/self/status"
	if e.pid != 0 {
		who, file = fmt.Sprintf("the daemon (PID %d)", e.pid), fmt.Sprintf("proc/%d/status", e.pid)
	}
	status := e.text(file)
	effective, known := mask(status, "CapEff")
	if !known {
		return skipped("the capabilities of " + who + " cannot be read")
	}
	missing := lacking(effective)
	if len(missing) == 0 {
		return ok(who + " has CAP_NET_ADMIN and CAP_NET_RAW")
	}
	seen := who + " lacks " + strings.Join(missing, " and ")
	root := strings.HasPrefix(field(status, "Uid:"), "0\t")
	bounding, _ := mask(status, "CapBnd")
	switch {
	case e.inContainer() != "" && len(lacking(bounding)) > 0:
		return problem(seen+"; this is a container ("+e.inContainer()+"), which has not got them",
			"docker run --cap-add NET_ADMIN --cap-add NET_RAW --device /dev/net/tun …")
	case e.pid != 0:
		return problem(seen, "let systemd give them: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the unit", "or run the daemon as root")
	case root:
		return problem(seen+", although it runs as root: something took them away", "look at what starts it: capsh --print")
	}
	return warning(seen+": as this user no daemon can run, and less can be examined", "run gopptp doctor as root: sudo gopptp doctor")
}

// inContainer says what kind of container this is; empty for none.
func (e *exam) inContainer() string {
	if kind := e.text("run/systemd/container"); kind != "" {
		return kind
	}
	switch {
	case e.exists(".dockerenv"):
		return "docker"
	case e.exists("run/.containerenv"):
		return "podman"
	}
	return ""
}

// tun tries /dev/net/tun.
func (e *exam) tun(context.Context) Finding {
	err := e.m.OpenTUN()
	inside := e.inContainer()
	switch {
	case err == nil:
		return ok("/dev/net/tun can be opened")
	case errors.Is(err, fs.ErrNotExist) && inside != "":
		return problem("there is no /dev/net/tun in this container ("+inside+")", "docker run --device /dev/net/tun …")
	case errors.Is(err, fs.ErrNotExist):
		return problem("there is no /dev/net/tun", "modprobe tun", "if it is still missing: mkdir -p /dev/net && mknod -m 666 /dev/net/tun c 10 200")
	case errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return problem("/dev/net/tun is there, and the kernel has no driver for it", "modprobe tun", "if there is no such module: install the kernel's package of modules, or a kernel with CONFIG_TUN")
	case errors.Is(err, syscall.EPERM) && inside != "":
		return problem("this container ("+inside+") may not open /dev/net/tun", "docker run --device /dev/net/tun …")
	case errors.Is(err, fs.ErrPermission):
		return problem("this user may not open /dev/net/tun", "run as root, or: chmod 666 /dev/net/tun")
	}
	return problem(fmt.Sprintf("/dev/net/tun cannot be opened: %v", err))
}

// greSocket opens a raw socket.
func (e *exam) greSocket(context.Context) Finding {
	c, err := e.m.OpenGRE()
	switch {
	case err == nil:
		_ = c.Close()
		e.raw = true
		return ok("a raw socket for GRE can be opened")
	case errors.Is(err, fs.ErrPermission) && e.pid != 0:
		return skipped("this process may not open a raw socket; the daemon does so itself", "run gopptp doctor as root")
	case errors.Is(err, fs.ErrPermission):
		return problem("a raw socket for GRE (IP protocol 47) may not be opened", "give CAP_NET_RAW: run as root")
	}
	return problem(fmt.Sprintf("no raw socket for GRE: %v", err))
}

// greLoopback sends a GRE packet to this machine itself.
func (e *exam) greLoopback(ctx context.Context) Finding {
	if !e.raw {
		return skipped("it needs a raw socket")
	}
	c, err := e.m.OpenGRE()
	if err != nil {
		return skipped(fmt.Sprintf("no raw socket: %v", err))
	}
	ctx, cancel := context.WithTimeout(ctx, loopbackLimit)
	defer cancel()
	packets := receive(c)
	defer func() {
		_ = c.Close()
		for range packets { // until its goroutine has ended
		}
	}()
	// Nobody has the Call ID 0, so that no daemon takes the packet for one of its calls.
	sent := grePayload(0, 0, nil)
	if n, err := c.WriteBatch([]rawgre.Packet{{Buf: sent, N: len(sent), Local: loopbackAddress, Peer: loopbackAddress}}); n != 1 || err != nil {
		return problem("the kernel does not send a GRE packet to this machine itself", "look whether a firewall drops IP protocol 47 on its way out: nft list ruleset")
	}
	for {
		select {
		case p, more := <-packets:
			if !more {
				return problem("the raw socket has failed")
			}
			if p.peer == loopbackAddress && p.header.CallID == 0 {
				return ok("a GRE packet to this machine itself came back")
			}
		case <-ctx.Done():
			return problem("a GRE packet to this machine itself did not come back", "look whether a firewall drops IP protocol 47, on the interface lo too: nft list ruleset")
		}
	}
}
