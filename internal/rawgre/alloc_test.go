package rawgre_test

import (
	"net/netip"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
)

// exchange returns a function that sends full packets over the loopback
// interface and reads them again.
func exchange(t testing.TB, count int) func() {
	s := listen(t, hosttest.New(t))
	loopback := netip.MustParseAddr("127.0.0.1")
	out := make([]rawgre.Packet, count)
	for i := range out {
		b := rawgretest.GRE(uint32(i), 1400)
		out[i] = rawgre.Packet{Buf: b, N: len(b), Local: loopback, Peer: loopback}
	}
	in := rawgretest.Buffers(count, 2048)
	return func() {
		if n, err := s.WriteBatch(out); n != count || err != nil {
			t.Fatalf("WriteBatch = %d, %v", n, err)
		}
		for got := 0; got < count; {
			n, err := s.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}
}

func TestRequiresRootNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("skipping, sync.Pool drops items at random under the race detector")
	}
	for _, count := range []int{1, rawgre.BatchSize} {
		if n := testing.AllocsPerRun(200, exchange(t, count)); n != 0 {
			t.Errorf("%v allocations for %d packets there and back, want 0", n, count)
		}
	}
}

func BenchmarkRequiresRootExchange(b *testing.B) {
	const count = rawgre.BatchSize
	f := exchange(b, count)
	b.ReportAllocs()
	b.SetBytes(count * 1412)
	for b.Loop() {
		f()
	}
}
