package main

import (
	"encoding/binary"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ends are the two files of a socket that keeps packets apart, as an interface does.
func ends(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// pass sends numbered packets into a lane in trouble, and gives the numbers that come
// out of it.
func pass(t *testing.T, harm trouble, count int) []uint32 {
	t.Helper()
	in, from := ends(t)
	to, out := ends(t)
	l := newLane(from, to)
	(&relay{lanes: [2]*lane{l, {}}}).set(harm)
	var running sync.WaitGroup
	running.Go(l.read)
	running.Go(l.write)
	var got []uint32
	running.Go(func() {
		buf := make([]byte, relayMTU)
		for {
			n, err := out.Read(buf)
			if err != nil || n != 100 {
				return
			}
			got = append(got, binary.BigEndian.Uint32(buf))
		}
	})
	for i := range count {
		b := make([]byte, 100)
		binary.BigEndian.PutUint32(b, uint32(i))
		if _, err := in.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(relayDelay + 10*heldLimit) // so that all are on their way out
	for len(l.free) < relayRoom-1 {       // the reader has one
		time.Sleep(time.Millisecond)
	}
	in.Close()
	to.Close()
	running.Wait()
	return got
}

// Every packet comes out once, and the share that is held back comes late.
func TestRelayHoldsBack(t *testing.T) {
	const count = 3000
	got := pass(t, trouble{hold: 0.05}, count)
	late := 0
	for i, n := range got {
		if i > 0 && n < got[i-1] {
			late++
		}
	}
	if late < count/40 || late > count/12 {
		t.Errorf("%d of %d packets are late, want about 5 %%", late, count)
	}
	slices.Sort(got)
	if len(got) != count || len(slices.Compact(got)) != count {
		t.Errorf("%d packets of %d come out, some of them twice", len(got), count)
	}
}

func TestRelayLosesPackets(t *testing.T) {
	got := pass(t, trouble{lose: 0.1}, 3000)
	if len(got) < 2550 || len(got) > 2850 {
		t.Errorf("%d of 3000 packets come out, want about 90 %%", len(got))
	}
	if !slices.IsSorted(got) {
		t.Error("the order has changed")
	}
}
