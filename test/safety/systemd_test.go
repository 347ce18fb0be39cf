package safety

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestRequiresRootSystemd: the daemon tells systemd that it is ready once its
// socket answers, again and again that it lives, and that it stops, and ends well.
func TestRequiresRootSystemd(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "gopptp")
	if out, err := exec.Command("go", "build", "-o", binary, "gopptp/cmd/gopptp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	told := func() string {
		t.Helper()
		b := make([]byte, 256)
		if err := notify.SetReadDeadline(time.Now().Add(startTime)); err != nil {
			t.Fatal(err)
		}
		n, err := notify.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(binary, "run", "--data", filepath.Join(dir, "data"), "--socket", socket)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify.LocalAddr().String(), "WATCHDOG_USEC=300000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); errors.Is(err, fs.ErrPermission) {
		t.Skipf("needs root: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if got := told(); got != "READY=1" {
		t.Errorf("told %q", got)
	}
	if out, err := exec.Command(binary, "exec", "--socket", socket, ":put ready").CombinedOutput(); err != nil || string(out) != "ready\n" {
		t.Errorf("exec at readiness: %q, %v", out, err)
	}
	const alive = "WATCHDOG=1"
	for range 3 {
		if got := told(); got != alive {
			t.Errorf("told %q", got)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	got := told()
	for got == alive {
		got = told()
	}
	if got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}
