package deb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

const (
	bootLimit = 3 * time.Minute // until systemd answers and has started the service
	// watched is the time of the watchdog in the test, and restarted how long it may
	// take until a daemon that hangs is replaced.
	watched   = 3 * time.Second
	restarted = 60 * time.Second
)

// A booted system runs, with systemd, in a network namespace of the test.
type booted struct {
	*system
	init int // the process that is systemd, as this machine counts
}

// boot starts systemd in the system. Where this machine does not let systemd have
// cgroups, the test is skipped.
func (s *system) boot(in *hosttest.Namespace) *booted {
	s.t.Helper()
	rig.Need(s.t, "systemd-nspawn", "nsenter", "unshare")
	// The machine's own /dev/net/tun may be root's alone where no udev runs.
	node := filepath.Join(s.t.TempDir(), "tun")
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(node, 0o666); err != nil {
		s.t.Fatal(err)
	}
	machine := "gopptp-" + strconv.Itoa(os.Getpid())
	var log rig.Output
	// The end of unshare, which is the test's, is the end of all that is in it.
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "systemd-nspawn", "--directory="+s.root, "--boot", "--register=no", "--keep-unit", "--console=pipe",
		"--machine="+machine, "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--bind="+node+":/dev/net/tun")
	// The network is the namespace that it is started in, whose settings are its to make.
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in.Do(func() {
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	b := &booted{system: s}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		// What nspawn does not remove when it is killed itself.
		_ = os.Remove("/run/systemd/nspawn/propagate/" + machine)
		if s.t.Failed() {
			s.t.Logf("systemd-nspawn said:\n%s", log.Text())
		}
	})
	for end := time.Now().Add(bootLimit); ; time.Sleep(rig.Look) {
		select {
		case err := <-ended:
			ended <- err
			s.t.Skipf("systemd does not run here: %v\n%s", err, log.Text())
		default:
		}
		// nspawn starts others before the one that stays.
		if b.init = child(child(cmd.Process.Pid, "systemd-nspawn"), "systemd"); b.init != 0 {
			out, _ := b.try("systemctl", "is-system-running")
			if state := strings.TrimSpace(out); state == "running" || state == "degraded" {
				return b
			}
		}
		if time.Now().After(end) {
			s.t.Fatalf("no systemd within %v:\n%s", bootLimit, log.Text())
		}
	}
}

// child gives the process of a name that was started by another, or zero.
func child(parent int, name string) int {
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range found {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it is gone
		}
		// PID (NAME) STATE PARENT …: the name may contain anything, and has 15 characters.
		before, after, _ := strings.Cut(string(b), ") ")
		_, comm, _ := strings.Cut(before, "(")
		var state string
		var of int
		if n, _ := fmt.Sscan(after, &state, &of); n == 2 && of == parent && comm != "" && strings.HasPrefix(name, comm) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			return pid
		}
	}
	return 0
}

// try runs a program in the running system.
func (b *booted) try(args ...string) (string, error) {
	enter := []string{"-t", strconv.Itoa(b.init), "-m", "-u", "-i", "-n", "-p", "-C", "--"}
	return try(b.t, env, "nsenter", append(enter, args...)...)
}

// run runs a program in the running system, which must succeed.
func (b *booted) run(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// property gives what systemd knows of the service.
func (b *booted) property(name string) string {
	b.t.Helper()
	return strings.TrimSpace(b.run("systemctl", "show", "--value", "--property="+name, "gopptp"))
}

// connected waits until the client of the package has its tunnel, and something
// answers at its other end.
func (b *booted) connected() {
	b.t.Helper()
	until(b.t, rig.Soon, "a tunnel that carries packets", func() bool {
		_, err := b.try("ping", "-q", "-c", "1", "-W", "1", "10.0.0.1")
		return err == nil
	})
}

// testUnit: under systemd the package's service starts when it is installed, with no
// more rights than its unit says; root configures it; a tunnel has its route, its
// firewall and its name servers; it goes on after an upgrade; a daemon that hangs is
// replaced; removal stops it.
func testUnit(t *testing.T, first, second string) {
	s := newSystem(t)
	first, second = s.put(first), s.put(second)
	server, client := rig.New(t, "server", ""), rig.New(t, "client", "")
	rig.Plug(t, server, client)
	server.Start()
	server.On("/interface/pptp-server/server/set enabled=yes",
		"/ppp/profile/set default-encryption dns-server=192.0.2.53",
		"/ppp/secret/add name=u password=p service=pptp profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	if err := os.Remove(s.path("/usr/sbin/policy-rc.d")); err != nil {
		t.Fatal(err)
	}
	b := s.boot(client.Namespace)

	b.run("dpkg", "-i", first)
	if got := b.property("ActiveState"); got != "active" {
		t.Fatalf("after installation the service is %s:\n%s", got, b.run("journalctl", "-u", "gopptp", "--no-pager"))
	}
	b.run("gopptp", "exec", "/interface/pptp-client/add name=out1 connect-to="+rig.ServerAddress+" user=u password=p use-peer-dns=yes add-default-route=yes disabled=no")
	b.connected()
	b.confined()
	if got := b.run("cat", "/proc/sys/net/ipv6/conf/out1/disable_ipv6"); got != "1\n" {
		t.Errorf("disable_ipv6 of the tunnel is %q", got)
	}
	if got := b.run("ip", "route", "show", "default"); !strings.Contains(got, "dev out1") {
		t.Errorf("the default route is %q", got)
	}
	if got := b.run("nft", "list", "table", "ip", "gopptp"); !strings.Contains(got, `"out1"`) {
		t.Errorf("the firewall has\n%s", got)
	}
	until(t, rig.Soon, "systemd-resolved knows the peer's name server", func() bool {
		out, _ := b.try("resolvectl", "dns", "out1")
		return strings.Contains(out, "192.0.2.53")
	})
	// The password of admin is told nobody.
	if got := b.run("journalctl", "-u", "gopptp", "--no-pager", "-o", "cat"); strings.Contains(got, "with the password") || !strings.Contains(got, "Give it a password") {
		t.Errorf("the journal has\n%s", got)
	}

	// An upgrade starts the new program, which has all that was configured.
	was := b.property("MainPID")
	b.run("dpkg", "-i", second)
	if now := b.property("MainPID"); now == was || now == "0" {
		t.Errorf("the process was %s and is %s", was, now)
	}
	if got := b.run("gopptp", "exec", "/log/print"); !strings.Contains(got, "gopptp 1.1-1 started") {
		t.Errorf("the log after an upgrade:\n%s", got)
	}
	b.connected()

	b.survivesHanging()

	b.run("dpkg", "-r", "gopptp")
	if got := b.property("ActiveState"); got != "inactive" {
		t.Errorf("after removal the service is %s", got)
	}
	if got := b.run("ip", "link"); strings.Contains(got, "out1") {
		t.Errorf("the tunnel is left:\n%s", got)
	}
	b.run("dpkg", "-P", "gopptp")
	if s.has("/var/lib/gopptp") || s.has("/run/gopptp") {
		t.Error("a purge leaves directories of the daemon")
	}
}

// confined checks what the kernel says of the daemon's rights.
func (b *booted) confined() {
	b.t.Helper()
	pid := b.property("MainPID")
	status := b.run("cat", "/proc/"+pid+"/status")
	const rights = "0000000000003400" // CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW: bits 10, 12 and 13
	for _, want := range []string{"CapPrm:\t" + rights, "CapEff:\t" + rights, "CapBnd:\t" + rights, "CapAmb:\t" + rights, "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want+"\n") {
			b.t.Errorf("the daemon has not %q:\n%s", want, status)
		}
	}
	if strings.Contains(status, "Uid:\t0") {
		b.t.Error("the daemon is root")
	}
}

// survivesHanging stops the daemon in its tracks, and waits for the next one.
func (b *booted) survivesHanging() {
	b.t.Helper()
	defer func() {
		if b.t.Failed() {
			b.t.Logf("the journal:\n%s", b.run("journalctl", "-u", "gopptp", "--no-pager"))
		}
	}()
	b.write("/etc/systemd/system/gopptp.service.d/test.conf",
		fmt.Sprintf("[Service]\nWatchdogSec=%d\nRestartSec=1\n", int(watched.Seconds())), 0o644)
	b.run("systemctl", "daemon-reload")
	b.run("systemctl", "restart", "gopptp")
	b.connected()
	pid := b.property("MainPID")
	time.Sleep(watched + watched/beats) // a daemon that works outlives the watchdog's time
	if now := b.property("MainPID"); now != pid {
		b.t.Fatalf("the watchdog ended a daemon that worked:\n%s", b.run("journalctl", "-u", "gopptp", "--no-pager"))
	}
	b.run("systemctl", "kill", "--signal=SIGSTOP", "gopptp")
	// What is stopped does not take systemd's SIGABRT before it goes on.
	until(b.t, restarted, "the watchdog", func() bool { return b.property("SubState") != "running" })
	b.run("systemctl", "kill", "--signal=SIGCONT", "gopptp")
	until(b.t, restarted, "a new daemon in place of one that hangs", func() bool {
		now := b.property("MainPID")
		return now != pid && now != "0" && b.property("ActiveState") == "active"
	})
	b.connected()
}

// beats is a part of the watchdog's time.
const beats = 3
