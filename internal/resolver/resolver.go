// Package resolver tells the machine which name servers to ask: those that a PPTP
// server gives to a client with use-peer-dns.
//
// Where systemd-resolved answers for the machine it is told by resolvectl, and
// forgets with the interface at the latest. Elsewhere resolv.conf is edited, in such a way that
// what a daemon which was killed has written can be taken back.
//
// It asks no name server itself.
package resolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Path is the file that the C library reads.
const Path = "/etc/resolv.conf"

const (
	// begin and end stand around our lines.
	begin = "# begin of what gopptp wrote"
	end   = "# end of what gopptp wrote"
	// off stands before a line that is out of force as long as a tunnel is the only
	// one to be asked.
	off = "#gopptp# "
	// maxFile bounds what is read of the file, in octets: it has a handful of lines.
	maxFile = 64 << 10
	// toolWait bounds a call of resolvectl.
	toolWait = 5 * time.Second
)

// resolvedDir is where the file leads if systemd-resolved answers for the machine.
const resolvedDir = "/run/systemd/resolve"

// A Resolver is the machine's choice of name servers. It is safe for concurrent
// use. Make it with New.
type Resolver struct {
	path     string
	resolved string // resolvedDir
	tool     string // the program resolvectl

	mu     sync.Mutex
	active []source // the last one is asked first
}

// A source is an interface whose peer gave name servers.
type source struct {
	name        string
	servers     []netip.Addr
	exclusively bool
}

// New makes a resolver over the file at path, and takes out of it what a daemon
// that was killed has left there.
func New(path string) (*Resolver, error) {
	return open(&Resolver{path: path, resolved: resolvedDir, tool: "resolvectl"})
}

func open(r *Resolver) (*Resolver, error) {
	if r.viaResolved() {
		return r, nil
	}
	return r, r.write()
}

// Use has name servers asked from now on because of an interface: before the
// machine's own ones, or exclusively instead of them. They take the place of those
// that the interface had; none is the same as Forget.
func (r *Resolver) Use(name string, servers []netip.Addr, exclusively bool) error {
	if len(servers) == 0 {
		return r.Forget(name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(name)
	r.active = append(r.active, source{name, slices.Clone(servers), exclusively})
	if !r.viaResolved() {
		return r.write()
	}
	args := []string{"dns", name}
	for _, s := range servers {
		args = append(args, s.String())
	}
	if err := r.call(args...); err != nil {
		return err
	}
	if exclusively { // all names are looked up by way of this interface
		return r.call("domain", name, "~.")
	}
	return nil
}

// Forget takes back a Use. Of an interface that has none it does nothing.
func (r *Resolver) Forget(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.remove(name) {
		return nil
	}
	if !r.viaResolved() {
		return r.write()
	}
	if _, err := net.InterfaceByName(name); err != nil {
		return nil // systemd-resolved forgets with the interface
	}
	return r.call("revert", name)
}

// Servers gives the name servers that peers gave, the first to be asked first.
func (r *Resolver) Servers() []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.serversLocked()
}

func (r *Resolver) serversLocked() []netip.Addr {
	var all []netip.Addr
	for _, s := range slices.Backward(r.active) {
		for _, a := range s.servers {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

func (r *Resolver) remove(name string) bool {
	n := len(r.active)
	r.active = slices.DeleteFunc(r.active, func(s source) bool { return s.name == name })
	return len(r.active) < n
}

// viaResolved reports whether systemd-resolved answers for the machine.
func (r *Resolver) viaResolved() bool {
	target, err := filepath.EvalSymlinks(r.path)
	return err == nil && filepath.Dir(target) == r.resolved
}

// call tells systemd-resolved.
func (r *Resolver) call(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), toolWait)
	defer cancel()
	if out, err := exec.CommandContext(ctx, r.tool, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("resolver: resolvectl %s: %w: %.200q", args[0], err, out)
	}
	return nil
}

// write brings the file in line with the sources. A file that needs no change is
// not touched, and if there is none and nobody needs one, none is made.
func (r *Resolver) write() error {
	old, err := r.read()
	if err != nil {
		return err
	}
	text := compose(old, r.serversLocked(), slices.ContainsFunc(r.active, func(s source) bool { return s.exclusively }))
	if text == old {
		return nil
	}
	if err := replace(r.path, old, text); err != nil {
		return fmt.Errorf("resolver: %w", err)
	}
	return nil
}

// replace puts text into the file in place of old, which stays if there is no room.
// Not by rename: in a container the file is often mounted by itself, and elsewhere
// it may be a link that others rely on. It is never empty in between, because who is
// killed then would leave it so.
func replace(path, old, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		_, lost := f.WriteAt([]byte(old), 0)
		return errors.Join(err, lost, f.Truncate(int64(len(old))))
	}
	return f.Truncate(int64(len(text)))
}

func (r *Resolver) read() (string, error) {
	b, err := os.ReadFile(r.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("resolver: %w", err)
	case len(b) > maxFile || bytes.IndexByte(b, 0) >= 0:
		return "", fmt.Errorf("resolver: %s is no list of name servers", r.path)
	}
	return string(b), nil
}

// compose gives the file's text with our lines for servers in it, and none of
// what it had before.
func compose(old string, servers []netip.Addr, exclusively bool) string {
	var b strings.Builder
	if len(servers) > 0 {
		b.WriteString(begin + "\n")
		for _, s := range servers {
			b.WriteString("nameserver " + s.String() + "\n")
		}
		b.WriteString(end + "\n")
	}
	ours := false
	for line := range strings.SplitAfterSeq(old, "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case bare == begin:
			ours = true
			continue
		case bare == end && ours:
			ours = false
			continue
		case ours:
			continue
		}
		line = strings.TrimPrefix(line, off)
		if exclusively && strings.HasPrefix(strings.TrimSpace(line), "nameserver") {
			line = off + line
		}
		b.WriteString(line)
	}
	return b.String()
}
