package hosttest

import (
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// WithoutCapabilities runs f inside of the namespace on a thread that has lost
// its capabilities, and returns its error. f may not end the test.
func (n *Namespace) WithoutCapabilities(f func() error) error {
	return n.onThread(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData // version 3 has 64 bits in two parts
		if err := unix.Capset(&header, &none[0]); err != nil {
			return err
		}
		return f()
	})
}

// WithMounts runs f inside of the namespace on a thread whose mounts are its
// own, and returns its error. f may not end the test.
func (n *Namespace) WithMounts(f func() error) error {
	return n.onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		return f()
	})
}

// onThread runs f inside of the namespace on a thread that ends with it.
func (n *Namespace) onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the runtime ends the thread
		if err := netns.Set(n.ns); err != nil {
			result <- err
			return
		}
		result <- f()
	}()
	return <-result
}
