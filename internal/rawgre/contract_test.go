package rawgre_test

import (
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
)

// The addresses of two machines, A and B, on one cable; B has two.
var (
	addrA  = netip.MustParseAddr("192.0.2.1")
	addrB  = netip.MustParseAddr("192.0.2.2")
	addrB2 = netip.MustParseAddr("192.0.2.3")
)

// machines makes A and B with a cable.
func machines(t testing.TB) (a, b *hosttest.Namespace) {
	t.Helper()
	a, b = hosttest.New(t), hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: b, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	b.Address("eth0", netip.PrefixFrom(addrB2, 24))
	return a, b
}

// listen opens a socket on a machine, until the test ends.
func listen(t testing.TB, in *hosttest.Namespace) *rawgre.Socket {
	t.Helper()
	var s *rawgre.Socket
	in.Do(func() {
		sockets, err := rawgre.Listen(1)
		if err != nil {
			t.Fatal(err)
		}
		s = sockets[0]
	})
	t.Cleanup(func() { s.Close() })
	return s
}

func TestRequiresRootSocketKeepsContract(t *testing.T) {
	a, b := machines(t)
	rawgretest.TestContract(t, func(t *testing.T) (rawgretest.End, rawgretest.End) {
		return rawgretest.End{Conn: listen(t, a), Addr: addrA}, rawgretest.End{Conn: listen(t, b), Addr: addrB}
	})
}

// TestRequiresRootNoLeak opens and closes sockets with a waiting reader.
func TestRequiresRootNoLeak(t *testing.T) {
	in := hosttest.New(t)
	cycle := func() {
		s := listen(t, in)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ReadBatch(rawgretest.Buffers(1, 2048))
		}()
		s.Close()
		<-done
	}
	cycle() // what the runtime makes once
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	for range 20 {
		cycle()
	}
	if n := openFiles(t); n > fds {
		t.Errorf("%d files are open, %d before", n, fds)
	}
	for range 100 { // a goroutine ends a moment after its channel closes
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines run, %d before", runtime.NumGoroutine(), goroutines)
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
