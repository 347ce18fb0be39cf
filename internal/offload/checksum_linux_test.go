package offload

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// guarded is a page of memory between two that must not be touched; whole is all three.
func guarded(t *testing.T) (whole, b []byte) {
	t.Helper()
	page := unix.Getpagesize()
	whole, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(whole); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{whole[:page], whole[2*page:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return whole, whole[page : 2*page]
}

// fault is the function of this package that touched what it must not, or "".
func fault(t *testing.T, run func()) (name string) {
	t.Helper()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() == nil {
			return
		}
		var pcs [20]uintptr
		for frames, more := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])]), true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			if _, after, ok := strings.Cut(frame.Function, "/offload."); ok {
				name = strings.TrimSuffix(after, ".abi0")
				return
			}
		}
		t.Error("a fault, but not in this package")
	}()
	run()
	return ""
}

// TestSumStaysInside has slices that begin where memory does and that end where it
// does.
func TestSumStaysInside(t *testing.T) {
	_, b := guarded(t)
	copy(b, octets(len(b), 7))
	for n := range 1500 {
		name := fault(t, func() {
			checkSum(t, b[:n], 0)
			checkSum(t, b[len(b)-n:], 0)
		})
		if name != "" {
			t.Fatalf("%s reads outside of %d octets", name, n)
		}
	}
}
