package xdp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
)

// TestRequiresRootDeleted: the interface goes away for good, under a reader and a sender.
// Not in parallel, since it measures the process.
func TestRequiresRootDeleted(t *testing.T) {
	a, b := both(t)
	a.warm(b, addrA, addrB)
	if err := a.Handle.LinkDel(a.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	before := processTime(t)
	time.Sleep(300 * time.Millisecond)
	if used := processTime(t) - before; used > 100*time.Millisecond {
		t.Errorf("the readers used %v of 300 ms: they spin", used)
	}
	// Another cable takes its place, which nobody has given to us.
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a.Namespace, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: b.Namespace, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	a.until("packets arrive by the socket", b, addrA, addrB, func(came []delivery) bool { return len(came) > 0 && !came[0].fast })
	sent := a.ports.Stats().Sent
	pkts := packets(1, addrA, addrB, 0, 100, 1472)
	a.send(pkts)
	b.expect(pkts, false)
	if n := a.ports.Stats().Sent - sent; n != 0 {
		t.Errorf("%d packets are counted as sent by what is gone", n)
	}
	// The readers still wait: newMachine fails the test if they end before Close.
}

// TestRequiresRootDeletedUnnoticed: nobody looks at the ways after the interface has gone,
// and even so no packet is lost.
func TestRequiresRootDeletedUnnoticed(t *testing.T) {
	left, right := pair(t)
	a, b := newMachine(t, left), newMachine(t, right)
	ports := openPorts(t, left, "eth0")
	a.conn = ports.Over(a.socket)
	a.send(probe(1, addrA, addrB))
	b.next()
	ports.ways.look(ports.ways.news(), time.Now())
	a.send(probe(1, addrA, addrB))
	b.next()
	if n := ports.Stats().Sent; n != 1 {
		t.Fatalf("%d packets were sent fast, want 1", n)
	}
	if err := a.Handle.LinkDel(a.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	hosttest.Cable(t, 1500,
		hosttest.Port{In: left, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: right, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	pkts := packets(1, addrA, addrB, 0, 100, 1472)
	a.send(pkts)
	b.expect(pkts, false)
}

func processTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// attached reports whether a program is bound to an interface.
func attached(in *hosttest.Namespace, name string) bool {
	x := in.Link(name).Attrs().Xdp
	return x != nil && x.Attached
}

// held is what the process has of the kernel.
type held struct{ files, goroutines, rings int }

func holds(t *testing.T) held {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return held{len(files), runtime.NumGoroutine(), bytes.Count(maps, []byte("socket:"))}
}

// resident is how much memory the process has, in octets.
func resident(t *testing.T) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestRequiresRootCloseWhileBusy ends ports under readers, senders and those who ask, from
// several goroutines at once.
func TestRequiresRootCloseWhileBusy(t *testing.T) {
	left, right := pair(t)
	b := newMachine(t, right)
	var sockets []*rawgre.Socket
	left.Do(func() {
		var err error
		if sockets, err = rawgre.Listen(1); err != nil {
			t.Fatal(err)
		}
	})
	defer sockets[0].Close()
	cycle := func(round int) {
		p, err := open(left, "eth0")
		if err != nil {
			t.Fatal(err)
		}
		if now := holds(t); !attached(left, "eth0") || now.rings != 4 {
			t.Fatalf("a program is bound: %v, %+v", attached(left, "eth0"), now)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg, kept sync.WaitGroup
		kept.Go(func() { p.Run(ctx) })
		for _, r := range p.Readers() {
			wg.Go(func() {
				pkts := buffers(rawgre.BatchSize)
				for {
					if _, err := r.ReadBatch(pkts); err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Error(err)
						}
						if _, err := r.ReadBatch(pkts); !errors.Is(err, net.ErrClosed) {
							t.Errorf("after that: %v", err)
						}
						return
					}
				}
			})
		}
		conn := p.Over(sockets[0])
		stop := make(chan struct{})
		for id := range uint16(2) {
			p.Steer(id, addrA, addrB)
			wg.Go(func() {
				out, back := packets(id, addrA, addrB, 1, 10, 100, 1000), packets(id, addrB, addrA, 1, 10, 100)
				for {
					select {
					case <-stop:
						return
					default:
						if _, err := conn.WriteBatch(out); err != nil {
							t.Error(err)
							return
						}
						b.conn.WriteBatch(back)
						p.Stats()
					}
				}
			})
		}
		time.Sleep(time.Duration(round%4) * 40 * time.Millisecond)
		cancel()
		kept.Wait()
		for range 3 {
			wg.Go(func() {
				for _, r := range p.Readers() {
					r.Close()
				}
				p.Close()
			})
		}
		time.Sleep(2 * time.Millisecond) // some more are sent
		close(stop)
		wg.Wait()
		p.Close()
		if attached(left, "eth0") {
			t.Fatal("the program is still bound")
		}
		if s := p.Stats(); round%4 == 3 && (s.Received == 0 || s.Sent == 0) {
			t.Errorf("nothing went fast: %+v", s)
		}
		b.quiet()
	}
	cycle(0) // what the runtime makes once
	before, memory := holds(t), resident(t)
	const rounds = 12
	for round := range rounds {
		cycle(round)
	}
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		now := holds(t)
		if now.files <= before.files && now.goroutines <= before.goroutines && now.rings <= before.rings {
			break
		}
		if time.Since(start) > 3*time.Second {
			t.Fatalf("the process holds %+v, before %+v", now, before)
		}
	}
	const frames = 2 * ringSize * frameSize
	if now := resident(t); !raceEnabled && now > memory+rounds/2*frames {
		t.Errorf("the process has %d octets of memory, %d before", now, memory)
	}
}

// TestRequiresRootOpenFails: what was made before the error goes again.
func TestRequiresRootOpenFails(t *testing.T) {
	in := cable(t)
	if _, err := open(in, "eth0", "nothere"); err == nil {
		t.Fatal("no error")
	}
	before := holds(t)
	for range 5 {
		open(in, "eth0", "nothere")
		open(in, "eth0", "lo")
		open(in, "eth0", "eth0")
	}
	if now := holds(t); now != before {
		t.Errorf("the process holds %+v, before %+v", now, before)
	}
	if attached(in, "eth0") {
		t.Error("a program is bound")
	}
}

const helperVariable = "GOPPTP_XDP_TEST_HELPER"

// TestHelper is no test: it is what the process runs that is killed.
func TestHelper(t *testing.T) {
	if os.Getenv(helperVariable) == "" {
		t.Skip("skipping, only for TestRequiresRootKilled")
	}
	if _, err := Open([]string{"eth0"}); err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
}

// TestRequiresRootKilled: a process that is killed leaves nothing behind.
func TestRequiresRootKilled(t *testing.T) {
	in := cable(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	cmd.Env = append(os.Environ(), helperVariable+"=1")
	stdin, err := cmd.StdinPipe() // open until the end of the test
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Do(func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	if line != "open\n" || !attached(in, "eth0") {
		t.Errorf("the helper says %q, program bound: %v", line, attached(in, "eth0"))
	}
	if _, err := open(in, "eth0"); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a second process: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for start := time.Now(); attached(in, "eth0"); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatal("the program is still bound")
		}
	}
	openPorts(t, in, "eth0")
}

// TestRequiresRootErrors: what somebody is told who gives us the wrong interface.
func TestRequiresRootErrors(t *testing.T) {
	in, far := pair(t)
	hosttest.Cable(t, 9000,
		hosttest.Port{In: in, Name: "jumbo", Prefix: netip.MustParsePrefix("198.51.100.1/24")},
		hosttest.Port{In: far, Name: "jumbo", Prefix: netip.MustParsePrefix("198.51.100.2/24")})
	if err := in.Handle.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "many", NumRxQueues: maxQueues + 1, NumTxQueues: 1}, PeerName: "many2"}); err != nil {
		t.Fatal(err)
	}
	if err := in.Handle.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "taken"}, PeerName: "taken2"}); err != nil {
		t.Fatal(err)
	}
	openPorts(t, in, "taken")
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"eth7"}, `fast path: interface "eth7": Link not found`},
		{[]string{""}, `fast path: interface "": `},
		{[]string{"lo"}, `fast path: interface "lo": it is not an Ethernet interface`},
		{[]string{"eth0", "eth0"}, `fast path: interface "eth0" is named twice`},
		{[]string{"jumbo"}, `fast path: interface "jumbo": its MTU is 9000 and may be at most 1778`},
		{[]string{"many"}, `fast path: interface "many": it has more than 16 queues: give it fewer (ethtool -L many combined 16)`},
		{[]string{"taken"}, `fast path: interface "taken": bind: device or resource busy: another program, perhaps another gopptp, has it for XDP: ` +
			`end that, or leave this interface out of --fast-path`},
	} {
		p, err := open(in, test.names...)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.names, err, test.want)
		}
	}
	t.Log("errors as somebody sees them:")
	err := in.WithoutCapabilities(func() error {
		p, err := Open([]string{"eth0"})
		if err == nil {
			p.Close()
		}
		return err
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "run as root, or grant CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF") {
		t.Errorf("without capabilities: %v", err)
	}
	t.Log(err)
	if attached(in, "eth0") {
		t.Error("a program is bound to eth0")
	}
}

// TestRequiresRootNoAllocation: a batch on its way through both ends.
func TestRequiresRootNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("skipping, sync.Pool drops items at random under the race detector")
	}
	for _, count := range []int{1, rawgre.BatchSize} {
		f, stats := through(t, count)
		before := stats().Sent
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%v allocations for %d packets, want 0", n, count)
		}
		if n := stats().Sent - before; n != uint64(201*count) {
			t.Errorf("%d packets of %d were sent fast", n, 201*count)
		}
	}
}

// through gives a function that sends full packets and reads them at the far end.
func through(t testing.TB, count int) (f func(), stats func() Stats) {
	left, right := pair(t)
	near, far := openPorts(t, left, "eth0"), openPorts(t, right, "eth0")
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
	const count = rawgre.BatchSize
	f, _ := through(b, count)
	b.ReportAllocs()
	b.SetBytes(count * 1408)
	for b.Loop() {
		f()
	}
}
