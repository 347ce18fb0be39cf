package deb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// installed is what a package puts into a system beside what has a line of its own
// below.
var installed = []string{
	"/usr/lib/systemd/system/gopptp.service",
	"/usr/share/polkit-1/rules.d/gopptp.rules",
	"/usr/share/man/man1/gopptp.1.gz", "/usr/share/man/man1/gopptp-exec.1.gz", "/usr/share/man/man8/gopptp.8.gz",
	"/usr/share/bash-completion/completions/gopptp",
	"/usr/share/zsh/vendor-completions/_gopptp",
	"/usr/share/fish/vendor_completions.d/gopptp.fish",
	"/usr/share/doc/gopptp/copyright", "/usr/share/doc/gopptp/changelog.Debian.gz",
}

const (
	options = "/etc/default/gopptp"
	wanted  = "/etc/systemd/system/multi-user.target.wants/gopptp.service"
	kept    = "/var/lib/gopptp/gopptp.db"
)

// TestRequiresRootPackage makes two versions of the package, and has them installed in
// two systems: one that only is there, and one that runs.
func TestRequiresRootPackage(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for chroot")
	}
	first, second := makePackage(t, project, "1.0-1"), makePackage(t, changedProject(t), "1.1-1")
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		testFiles(t, first, second)
	})
	t.Run("systemd", func(t *testing.T) {
		t.Parallel()
		testUnit(t, first, second)
	})
}

// testFiles: installed, upgraded with what the administrator has changed and with what
// the daemon has kept, removed, installed again, and purged.
func testFiles(t *testing.T, first, second string) {
	s := newSystem(t)
	first, second = s.put(first), s.put(second)

	out := s.chroot("dpkg", "-i", first)
	if strings.Contains(strings.ToLower(out), "warning") {
		t.Errorf("dpkg warns:\n%s", out)
	}
	for _, f := range installed {
		// The base may be made to leave documentation out, as dpkg.cfg of containers does.
		if !s.has(f) && !strings.Contains(f, "/man/") {
			t.Errorf("there is no %s", f)
		}
	}
	if got := s.chroot("gopptp", "version"); !strings.HasPrefix(got, "gopptp 1.0-1 ") {
		t.Errorf("it says %q", got)
	}
	if !s.has(wanted) {
		t.Error("the service is not enabled")
	}
	if got := s.chroot("getent", "passwd", "gopptp"); !strings.HasSuffix(strings.TrimSpace(got), ":/usr/sbin/nologin") {
		t.Errorf("its user is %q", got)
	}
	if s.has("/var/lib/gopptp") {
		t.Error("a directory was made that only the daemon needs")
	}
	if got := s.chroot("systemd-analyze", "verify", "--man=no", "/lib/systemd/system/gopptp.service"); strings.Contains(got, "gopptp") {
		t.Errorf("systemd says of the unit: %s", got)
	}
	if got := s.chroot("dpkg", "--verify", "gopptp"); got != "" {
		t.Errorf("files differ from their sums: %s", got)
	}

	// Nothing was changed by the administrator: the new file is taken without a question.
	s.write(kept, "what the daemon keeps", 0o600)
	s.chroot("dpkg", "-i", second)
	if got := s.read(options); !strings.Contains(got, changedLine) {
		t.Errorf("the file that nobody changed is the old one:\n%s", got)
	}
	if got := s.chroot("gopptp", "version"); !strings.HasPrefix(got, "gopptp 1.1-1 ") {
		t.Errorf("after the upgrade it says %q", got)
	}
	// Something was changed, and the service disabled: both stay, and nobody is asked.
	s.chroot("systemctl", "disable", "gopptp")
	const own = "GOPPTP_OPTS=--log-level=debug\n"
	s.write(options, own, 0o644)
	s.chroot("dpkg", "--force-confdef", "--force-confold", "-i", first)
	if got := s.read(options); got != own {
		t.Errorf("the administrator's file became\n%s", got)
	}
	if !s.has(options + ".dpkg-dist") {
		t.Error("the package's own file is not left beside the administrator's")
	}
	if s.has(wanted) {
		t.Error("an upgrade enabled a service that was disabled")
	}

	s.chroot("dpkg", "-r", "gopptp")
	if s.has("/usr/bin/gopptp") || !s.has(options) || !s.has(kept) {
		t.Error("removal takes the program, and leaves what was configured")
	}
	s.chroot("dpkg", "--force-confold", "-i", second)
	if got := s.read(options); got != own {
		t.Errorf("installed again, the administrator's file became\n%s", got)
	}
	s.chroot("dpkg", "-P", "gopptp")
	for _, f := range append([]string{"/usr/bin/gopptp", options, options + ".dpkg-dist", "/var/lib/gopptp", wanted}, installed...) {
		if s.has(f) {
			t.Errorf("a purge leaves %s", f)
		}
	}
	left := s.chroot("find", "/etc", "/var/lib", "/usr", "-path", "/var/lib/dpkg", "-prune", "-o", "-name", "*gopptp*", "-print")
	if left != "" {
		t.Errorf("a purge leaves\n%s", left)
	}
}

// changedLine is in the default file of the second package only.
const changedLine = "# A line of the second version."

// changedProject is a copy of what packages are made of, with another default file.
func changedProject(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "LICENSE", "CHANGELOG.md"} {
		b, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"packaging", "internal/web/page/vendor"} {
		if err := os.CopyFS(filepath.Join(top, dir), os.DirFS(filepath.Join(project, dir))); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(top, "packaging/gopptp.default")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, changedLine+"\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	return top
}
