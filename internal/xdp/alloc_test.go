package xdp

import (
	"testing"
	"time"

	"gopptp/internal/rawgre"
)

// TestRequiresRootNoAllocation: a batch on its way through both ends.
func TestRequiresRootNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("skipping, sync.Pool drops items at random under the race detector")
	}
	for _, name := range []string{"eth0", "eth0:driver"} {
		for _, count := range []int{1, rawgre.BatchSize} {
			f, stats := through(t, name, count)
			before := stats().Sent
			if n := testing.AllocsPerRun(200, f); n != 0 {
				t.Errorf("%s: %v allocations for %d packets, want 0", name, n, count)
			}
			if n := stats().Sent - before; n != uint64(201*count) {
				t.Errorf("%s: %d packets of %d were sent fast", name, n, 201*count)
			}
		}
	}
}

// through gives a function that sends full packets and reads them at the far end.
func through(t testing.TB, name string, count int) (f func(), stats func() Stats) {
	left, right := pair(t)
	near, far := openPorts(t, left, name), openPorts(t, right, name)
	if err := far.Steer(1, addrB, addrA); err != nil {
		t.Fatal(err)
	}
	var conn rawgre.Conn
	left.Do(func() {
		sockets, err := rawgre.Listen(1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sockets[0].Close() })
		conn = near.Over(sockets[0])
	})
	lengths := make([]int, count)
	for i := range lengths {
		lengths[i] = 1400
	}
	out, in, reader := packets(1, addrA, addrB, lengths...), buffers(rawgre.BatchSize), far.Readers()[0]
	f = func() {
		if n, err := conn.WriteBatch(out); n != count || err != nil {
			t.Fatalf("WriteBatch = %d, %v", n, err)
		}
		for got := 0; got < count; {
			n, err := reader.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}
	f() // the kernel learns of the neighbor
	for start := time.Now(); near.Stats().Sent == 0; f() {
		near.ways.look(near.ways.inUse(time.Now()), time.Now())
		if time.Since(start) > patience {
			t.Fatal("nothing is sent fast")
		}
	}
	return f, near.Stats
}

func BenchmarkRequiresRootThrough(b *testing.B) {
	for _, name := range []string{"eth0", "eth0:driver"} {
		b.Run(name, func(b *testing.B) {
			const count = rawgre.BatchSize
			f, _ := through(b, name, count)
			b.ReportAllocs()
			b.SetBytes(count * 1408)
			for b.Loop() {
				f()
			}
		})
	}
}
