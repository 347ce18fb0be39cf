package load

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Where the kernel shows the network namespaces of this process and of the
// machine's first one, and where ip-netns(8) keeps those that have a name.
const (
	ownNetwork   = "/proc/self/ns/net"
	firstNetwork = "/proc/1/ns/net"
	namedNetwork = "/run/netns"
)

// ErrNotOurs says that a target may be somebody else's.
var ErrNotOurs = errors.New("this may be somebody else's server")

// Permit reports with an error whether a target may be put under load: one that is
// on this machine, because its address is of the loopback, or because this process
// is in a network namespace that is not the machine's first one. Whoever owns another
// target says so in another way.
func Permit(target netip.Addr) error {
	own, _ := os.Stat(ownNetwork)
	first, _ := os.Stat(firstNetwork) // nil without the privileges of process 1
	names, _ := filepath.Glob(filepath.Join(namedNetwork, "*"))
	return permit(target, own, first, names)
}

// permit does it for namespaces that are given. Where the first one is not known,
// one that has a name is not it.
func permit(target netip.Addr, own, first fs.FileInfo, names []string) error {
	ours := target.IsLoopback()
	switch {
	case ours || own == nil:
	case first != nil:
		ours = !os.SameFile(own, first)
	default:
		ours = slices.ContainsFunc(names, func(name string) bool {
			named, err := os.Stat(name)
			return err == nil && os.SameFile(own, named)
		})
	}
	if !ours {
		return fmt.Errorf("%v: %w", target, ErrNotOurs)
	}
	return nil
}

// EnterNamespace brings the program into the network namespace that ip-netns(8) has
// under a name. If it is in another one, it starts anew there, with the arguments
// that it was started with: then EnterNamespace does not return.
func EnterNamespace(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, '/') {
		return fmt.Errorf("invalid name of a network namespace: %.64q", name)
	}
	path := filepath.Join(namedNetwork, name)
	there, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("no network namespace %q: %w", name, err)
	}
	here, err := os.Stat(ownNetwork)
	if err != nil {
		return err
	}
	if os.SameFile(there, here) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // this thread is the one that starts anew
	defer runtime.UnlockOSThread()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot enter the network namespace %q: %w", name, err)
	}
	return fmt.Errorf("cannot start anew in the network namespace %q: %w", name, unix.Exec(program, os.Args, os.Environ()))
}
