package deb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const (
	suite   = "bookworm"
	mirror  = "http://deb.debian.org/debian"
	project = "../.." // from this directory
)

// include is what the base has beside the essential packages: what the package
// depends on, and what its unit works with.
var include = []string{"adduser", "dbus", "iproute2", "iputils-ping", "libpam-systemd", "nftables", "polkitd", "systemd-resolved", "systemd-sysv"}

// base gives the archive of a fresh Debian. It is made once for a machine: the first
// time takes a minute and the network.
func base(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/root/.cache" // an environment without HOME
	}
	cache = filepath.Join(cache, "gopptp", "deb")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	wanted := sha256.Sum256([]byte(fmt.Sprint(suite, include)))
	archive := filepath.Join(cache, fmt.Sprintf("%s-%x.tar", suite, wanted[:6]))
	// One makes it, others wait.
	lock, err := os.OpenFile(archive+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(archive); err == nil {
		return archive
	}
	rig.Need(t, "debootstrap")
	work, err := os.MkdirTemp(cache, "base-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	root := filepath.Join(work, "root")
	command(t, nil, "debootstrap", "--variant=minbase", "--include="+strings.Join(include, ","), suite, root, mirror)
	command(t, nil, "sh", "-c", "rm -rf "+root+"/var/cache/apt/archives/*.deb "+root+"/var/lib/apt/lists/*")
	command(t, nil, "tar", "-C", root, "--one-file-system", "-cf", filepath.Join(work, "tar"), ".")
	if err := os.Rename(filepath.Join(work, "tar"), archive); err != nil {
		t.Fatal(err)
	}
	return archive
}

// command runs a program that must succeed, and gives what it printed.
func command(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := try(t, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// toolLimit is more than debootstrap needs on a slow mirror.
const toolLimit = 5 * time.Minute

func try(t *testing.T, env []string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// A system is a Debian in a directory.
type system struct {
	t    *testing.T
	root string
}

// newSystem unpacks a fresh one, in which no service starts by itself.
func newSystem(t *testing.T) *system {
	t.Helper()
	archive := base(t)
	s := &system{t, filepath.Join(t.TempDir(), "root")}
	if err := os.Mkdir(s.root, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "tar", "-C", s.root, "-xf", archive)
	s.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
	return s
}

// path is where a file of the system is on this machine.
func (s *system) path(name string) string { return filepath.Join(s.root, name) }

func (s *system) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *system) has(name string) bool {
	_, err := os.Lstat(s.path(name))
	return err == nil
}

// put copies a file into the system's /root, and gives its name there.
func (s *system) put(file string) string {
	s.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	name := "/root/" + filepath.Base(file)
	s.write(name, string(b), 0o644)
	return name
}

// env is that of an administrator whom nobody can ask.
var env = []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}

// chroot runs a program in the system, which does not have to run for that.
func (s *system) chroot(args ...string) string {
	s.t.Helper()
	return command(s.t, env, "chroot", append([]string{s.root}, args...)...)
}

// makePackage builds a package of the given version with the project's own script.
func makePackage(t *testing.T, top, version string) string {
	t.Helper()
	rig.Need(t, "dpkg-deb")
	dir := t.TempDir()
	binary := filepath.Join(dir, "gopptp")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", binary, "./cmd/gopptp")
	build.Dir, build.Env = project, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	file := filepath.Join(dir, "gopptp_"+version+".deb")
	command(t, []string{"XZ_LEVEL=0"}, filepath.Join(top, "packaging/deb/build"), binary, version, file)
	return file
}

// until waits for something that must come.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(rig.Look) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
