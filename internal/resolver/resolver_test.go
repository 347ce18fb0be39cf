package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
)

const before = "# made by hand\nnameserver 9.9.9.9\nsearch example.org\noptions edns0\n"

var peer = []netip.Addr{netip.MustParseAddr("10.0.0.53"), netip.MustParseAddr("10.0.0.54")}

func newFile(t *testing.T, text string) (path string, r *Resolver) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, r
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// asked gives the servers that the C library would ask, in order.
func asked(text string) string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" {
			all = append(all, fields[1])
		}
	}
	return strings.Join(all, " ")
}

func TestUse(t *testing.T) {
	path, r := newFile(t, before)
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"yes", func() error { return r.Use("pptp-out1", peer, false) }, "10.0.0.53 10.0.0.54 9.9.9.9"},
		{"again", func() error { return r.Use("pptp-out1", peer[:1], false) }, "10.0.0.53 9.9.9.9"},
		{"a second one, exclusively", func() error { return r.Use("pptp-out2", peer[1:], true) }, "10.0.0.54 10.0.0.53"},
		{"of nobody", func() error { return r.Forget("pptp-out3") }, "10.0.0.54 10.0.0.53"},
		{"the second goes", func() error { return r.Forget("pptp-out2") }, "10.0.0.53 9.9.9.9"},
		{"the first goes", func() error { return r.Forget("pptp-out1") }, "9.9.9.9"},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := asked(read(t, path)); got != s.want {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
	if got := read(t, path); got != before {
		t.Errorf("the file is not as it was:\n%s", got)
	}
}

// TestKilled: the next daemon takes out what the one before has left.
func TestKilled(t *testing.T) {
	path, r := newFile(t, before)
	if err := r.Use("pptp-out1", peer, true); err != nil {
		t.Fatal(err)
	}
	if _, err := New(path); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != before {
		t.Errorf("the file is not as it was:\n%s", got)
	}
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	r, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made for nothing")
	}
	if err := r.Use("pptp-out1", peer, false); err != nil || asked(read(t, path)) != "10.0.0.53 10.0.0.54" {
		t.Errorf("%v", err)
	}
	if got := r.Servers(); len(got) != 2 || got[0] != peer[0] {
		t.Errorf("servers %v", got)
	}
}

// TestResolved uses a program that writes down how it was called.
func TestResolved(t *testing.T) {
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	calls, tool := filepath.Join(dir, "calls"), filepath.Join(dir, "resolvectl")
	path, target := filepath.Join(dir, "resolv.conf"), filepath.Join(run, "stub-resolv.conf")
	err := errors.Join(os.Mkdir(run, 0o755), os.WriteFile(target, nil, 0o644), os.Symlink(target, path),
		os.WriteFile(tool, []byte("#!/bin/sh\necho \"$@\" >> "+calls+"\n"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	r, err := open(&Resolver{path: path, resolved: run, tool: tool})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Use("pptp-out1", peer, true); err != nil {
		t.Fatal(err)
	}
	if err := r.Forget("pptp-out1"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, calls); got != "dns pptp-out1 10.0.0.53 10.0.0.54\ndomain pptp-out1 ~.\n" {
		t.Errorf("called with\n%s", got)
	}
	if got := read(t, path); got != "" {
		t.Errorf("the file was written:\n%s", got)
	}

	// An interface that outlasts its tunnel, as one that dials on demand.
	if err := errors.Join(os.Remove(calls), r.Use("lo", peer[:1], false), r.Use("lo", nil, false), r.Forget("lo")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, calls); got != "dns lo 10.0.0.53\nrevert lo\n" {
		t.Errorf("called with\n%s", got)
	}
}

func TestCannotWrite(t *testing.T) {
	r, err := New(filepath.Join(t.TempDir(), "resolv.conf"))
	if err != nil {
		t.Fatal(err)
	}
	r.path = filepath.Join(t.TempDir(), "no", "resolv.conf")
	if err := r.Use("pptp-out1", peer, false); err == nil {
		t.Error("no error")
	}
	if _, err := New(string(make([]byte, 3))); err == nil {
		t.Error("no error for an impossible path")
	}
}

// TestRequiresRootFullDisk: where our lines find no room, the file stays as it was.
func TestRequiresRootFullDisk(t *testing.T) {
	const page = 4096
	path := filepath.Join(t.TempDir(), "resolv.conf")
	full := before + strings.Repeat("#", page-len(before)-1) + "\n"
	err := hosttest.New(t).WithMounts(func() error {
		dir := filepath.Dir(path)
		if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", page)); err != nil {
			return err
		}
		defer unix.Unmount(dir, 0)
		if err := os.WriteFile(path, []byte(full), 0o644); err != nil {
			return err
		}
		r, err := New(path)
		if err != nil {
			return err
		}
		if err := r.Use("pptp-out1", peer, true); err == nil {
			t.Error("no error")
		}
		if got := read(t, path); got != full {
			t.Errorf("the file has %d octets and begins %.300q", len(got), got)
		}
		return r.Forget("pptp-out1")
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzCompose(f *testing.F) {
	f.Add(before, true)
	f.Add(compose(before, peer, true), false)
	f.Fuzz(func(t *testing.T, old string, exclusively bool) {
		used := compose(old, peer, exclusively)
		plain := compose(old, nil, false)
		if got := compose(used, nil, false); got != plain {
			t.Errorf("%q becomes %q and then %q", old, used, got)
		}
	})
}
