package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/test/lab"
)

// endLimit is how long a program may take to end after SIGTERM.
const endLimit = 3 * time.Second

// A process runs in a lab's namespace until end.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer // read only after it has ended
	ended chan error
}

// start runs a program in the namespace of l, in a process group of its own, so that
// an interrupt from the terminal is for us.
func start(l *lab.Lab, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command("ip", inside(l, args)...), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }() // ends with the process, which end ends
	return p, nil
}

// inside are the arguments of ip that run a command in the namespace: ip becomes
// that command, so that its process is the one that was started.
func inside(l *lab.Lab, args []string) []string {
	return append([]string{"netns", "exec", l.Name}, args...)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// end ends the program, politely and then for good.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(endLimit):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// run runs a program in the namespace to its end, for no longer than limit, and
// gives what it printed to its standard output. Its exit status is not an error if
// it printed something: iperf3 says in its output what went wrong, and ping has
// seen a loss.
func run(ctx context.Context, l *lab.Lab, limit time.Duration, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", inside(l, args)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(args, " "), ctx.Err())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && out.Len() > 0 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), err
}

// daemonPID is the process that listens on a daemon's socket.
func daemonPID(ctx context.Context, socket string) (int, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var pid int
	var pidErr error
	err = raw.Control(func(fd uintptr) { pid, pidErr = peerPID(fd) })
	return pid, errors.Join(err, pidErr)
}

// peerPID gives the process that listens at the other end of a Unix socket.
func peerPID(fd uintptr) (int, error) {
	cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}

// ticksPerSecond is the clock of /proc: USER_HZ, 100 on every platform of Go's.
const ticksPerSecond = 100

// cpuTime is what a process has used of the processors so far.
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(string(b))
}

// parseCPU adds utime and stime (proc_pid_stat(5)). The name of the program before
// them ends with the last bracket.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const utime, stime = 11, 12 // fields 14 and 15 of all, of which two are cut off, and the first is 1
	if len(fields) <= stime {
		return 0, fmt.Errorf("process status %q", stat)
	}
	user, errUser := strconv.ParseInt(fields[utime], 10, 64)
	system, errSystem := strconv.ParseInt(fields[stime], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, errors.Join(errUser, errSystem)
}
