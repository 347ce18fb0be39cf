package load

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Process is one of this machine, watched through /proc.
type Process struct {
	PID int
	// Profiles is where it serves what net/http/pprof does, seen from its own network
	// namespace; zero for nowhere.
	Profiles netip.AddrPort
}

// A usage is what a process has and has used.
type usage struct {
	memory     int64         // octets of RAM
	cpu        time.Duration // of all its threads since its start
	files      int           // open descriptors
	goroutines int           // 0 where they were not counted
}

// tick is the unit of /proc/PID/stat, the same on all of Linux's architectures.
const tick = time.Second / 100

// usage reads what p has and has used, but for its goroutines. It is all zero for a nil Process.
func (p *Process) usage() (u usage, err error) {
	if p == nil {
		return u, nil
	}
	stat, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return u, fmt.Errorf("load: the daemon: %w", err)
	}
	if u.cpu, err = cpuOf(stat); err != nil {
		return u, err
	}
	status, err := os.ReadFile(p.file("status"))
	if err != nil {
		return u, fmt.Errorf("load: the daemon: %w", err)
	}
	if u.memory, err = memoryOf(status); err != nil {
		return u, err
	}
	files, err := os.ReadDir(p.file("fd"))
	if err != nil {
		return u, fmt.Errorf("load: the daemon's descriptors: %w", err)
	}
	u.files = len(files)
	return u, nil
}

func (p *Process) file(name string) string { return fmt.Sprintf("/proc/%d/%s", p.PID, name) }

// cpuOf reads /proc/PID/stat. The second field is the program's name in
// parentheses, which may contain anything.
func cpuOf(stat []byte) (time.Duration, error) {
	const user, system = 14 - 3, 15 - 3 // as proc(5) counts, without the first two
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("load: cannot read the daemon's CPU time in %.64q", stat)
	}
	var sum time.Duration
	for _, f := range [][]byte{fields[user], fields[system]} {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("load: the daemon's CPU time: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// memoryOf reads /proc/PID/status.
func memoryOf(status []byte) (int64, error) {
	for line := range strings.Lines(string(status)) {
		rest, ok := strings.CutPrefix(line, "VmRSS:")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("load: the daemon's memory: %w", err)
		}
		return n * 1024, nil
	}
	return 0, fmt.Errorf("load: the daemon has no memory any more")
}

// Listener gives the process that listens on a Unix socket.
func Listener(path string) (pid int, err error) {
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	if ctl := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); ctl != nil {
		return 0, ctl
	}
	if err != nil {
		return 0, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	return int(peer.Pid), nil
}
