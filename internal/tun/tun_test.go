package tun_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
)

// create makes an interface in a namespace.
func create(t testing.TB, in *hosttest.Namespace, name string) *tun.TUN {
	t.Helper()
	var d *tun.TUN
	in.Do(func() {
		var err error
		if d, err = tun.Create(name); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { d.Close() })
	return d
}

// up makes an interface and sets it up.
func up(t testing.TB, in *hosttest.Namespace, name string) *tun.TUN {
	t.Helper()
	return upAs(t, in, name, near, far)
}

func upAs(t testing.TB, in *hosttest.Namespace, name, local, remote string) *tun.TUN {
	t.Helper()
	d := create(t, in, name)
	in.Do(func() {
		h, err := host.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		err = h.SetupLink(host.LinkConfig{
			Name: name, MTU: 1450,
			Local: netip.MustParseAddr(local), Remote: netip.MustParseAddr(remote),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return d
}

func TestRequiresRootTUNKeepsContract(t *testing.T) {
	tuntest.TestContract(t, func(t *testing.T) (tun.Device, tuntest.Stack) {
		in := hosttest.New(t)
		d := up(t, in, "<pptp-MT-User>")
		var conn *net.UDPConn
		in.Do(func() {
			var err error
			if conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 2000}); err != nil {
				t.Fatal(err)
			}
		})
		t.Cleanup(func() { conn.Close() })
		const headers = 28 // of IPv4 and UDP
		return d, tuntest.Stack{
			Send: func(t *testing.T, pkt []byte) {
				t.Helper()
				if _, err := conn.WriteTo(pkt[headers:], &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2000}); err != nil {
					t.Fatal(err)
				}
			},
			SendSuper: func(t *testing.T, pkts [][]byte) {
				t.Helper()
				var payload []byte
				for _, pkt := range pkts {
					payload = append(payload, pkt[headers:]...)
				}
				segment(t, conn, len(pkts[0])-headers)
				if _, err := conn.WriteTo(payload, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2000}); err != nil {
					t.Fatal(err)
				}
				segment(t, conn, 0)
			},
			Receive: func(t *testing.T) []byte {
				t.Helper()
				conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				b := make([]byte, 2048)
				n, from, err := conn.ReadFrom(b)
				if err != nil || from.String() != "192.0.2.2:1000" {
					t.Fatalf("received from %v: %v", from, err)
				}
				return tuntest.UDP(false, string(b[:n]))
			},
		}
	})
}

// segment has the kernel cut what is written to a socket, unless size is zero.
func segment(t testing.TB, conn *net.UDPConn, size int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequiresRootNameAndEnd(t *testing.T) {
	in := hosttest.New(t)
	const name = "<pptp-MT-User>"
	d := create(t, in, name)
	if d.Name() != name || in.Link(name).Type() != "tuntap" {
		t.Errorf("Name() = %q, kind %q", d.Name(), in.Link(name).Type())
	}
	in.Do(func() {
		if again, err := tun.Create(name); !errors.Is(err, os.ErrExist) {
			t.Errorf("Create of a name in use = %v, %v; want os.ErrExist", again, err)
		}
		if again, err := tun.Create("lo"); !errors.Is(err, os.ErrExist) {
			t.Errorf("Create(lo) = %v, %v; want os.ErrExist", again, err)
		}
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Handle.LinkByName(name); err == nil {
		t.Error("the interface is still there after Close")
	}
	create(t, in, name)
}

func TestRequiresRootRemoved(t *testing.T) {
	in := hosttest.New(t)
	d := up(t, in, "tun0")
	result := make(chan error, 1)
	go func() {
		result <- d.Wait()
	}()
	time.Sleep(10 * time.Millisecond) // so that it most likely waits
	if err := in.Handle.LinkDel(in.Link("tun0")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-result:
		if !errors.Is(err, tun.ErrRemoved) {
			t.Errorf("Wait ended with %v, want ErrRemoved", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Wait still waits for an interface that was removed")
	}
	if err := d.Wait(); !errors.Is(err, tun.ErrRemoved) {
		t.Errorf("Wait: %v, want ErrRemoved", err)
	}
	if _, err := d.Read(tuntest.Batch(1)); !errors.Is(err, tun.ErrRemoved) {
		t.Errorf("Read: %v, want ErrRemoved", err)
	}
	if _, err := d.Write([][]byte{tuntest.UDP(false, "x")}, 0); !errors.Is(err, tun.ErrRemoved) {
		t.Errorf("Write: %v, want ErrRemoved", err)
	}
}

func TestRequiresRootDown(t *testing.T) {
	d := create(t, hosttest.New(t), "tun0")
	if n, err := d.Write([][]byte{tuntest.UDP(false, "x")}, 0); n != 0 || err != nil || d.Counters().Refused != 1 {
		t.Errorf("Write to an interface that is down = %d, %v, refused %d; want 0, nil, 1", n, err, d.Counters().Refused)
	}
}

// TestRequiresRootKilled kills a process that has an interface.
func TestRequiresRootKilled(t *testing.T) {
	in := hosttest.New(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperHoldsInterface$", "-test.v")
	cmd.Env = append(os.Environ(), "TUN_TEST_HOLD=tun0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Do(func() { // the process starts in the namespace of this thread
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "holding"); {
	}
	in.Link("tun0")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // it was killed
	if _, err := in.Handle.LinkByName("tun0"); err == nil {
		t.Error("the interface outlived its process")
	}
}

// TestHelperHoldsInterface is the process that TestRequiresRootKilled kills.
func TestHelperHoldsInterface(t *testing.T) {
	name := os.Getenv("TUN_TEST_HOLD")
	if name == "" {
		t.Skip("skipping, this is a process of TestRequiresRootKilled")
	}
	d, err := tun.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("holding", d.Name())
	d.Wait() // until killed
}

// TestRequiresRootMany opens many interfaces, each with a waiting reader, and
// looks for what is left of them.
func TestRequiresRootMany(t *testing.T) {
	in := hosttest.New(t)
	const count = 25
	round := func() {
		var readers sync.WaitGroup
		var devices []*tun.TUN
		before := openFiles(t)
		for i := range count {
			d := up(t, in, fmt.Sprintf("pptp-in%d", i))
			devices = append(devices, d)
			readers.Go(func() {
				b := tuntest.Batch(1)
				for {
					if _, err := tuntest.ReadSome(d, b); err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		if n := openFiles(t) - before; n > count {
			t.Errorf("%d interfaces opened %d files", count, n)
		}
		for _, d := range devices {
			d.Close()
		}
		readers.Wait()
	}
	round() // what the runtime makes once
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	round()
	if n := openFiles(t); n > files {
		t.Errorf("%d files are open, %d before", n, files)
	}
	if n := runtime.NumGoroutine(); n > goroutines+count/5 { // the last ones may still be ending
		t.Errorf("%d goroutines run, %d before", n, goroutines)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestRequiresRootMissingCapability(t *testing.T) {
	err := hosttest.New(t).WithoutCapabilities(func() error {
		d, err := tun.Create("tun0")
		if err == nil {
			d.Close()
		}
		return err
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("Create without capabilities: %v; want a permission error that names CAP_NET_ADMIN", err)
	}
}

// echo returns a function that writes count ICMP echo requests (RFC 792) to an
// interface and reads the kernel's replies from it.
func echo(t testing.TB, count int) func() {
	const ipHeader = 20
	d := up(t, hosttest.New(t), "tun0")
	request := tuntest.UDP(false, strings.Repeat("x", 1400))
	// The IP header is right but for the protocol, 17 less 1, which the header
	// checksum has to make up for.
	request[9] = 1
	binary.BigEndian.PutUint16(request[10:], binary.BigEndian.Uint16(request[10:])+16)
	icmp := request[ipHeader:]
	clear(icmp[:8])
	icmp[0] = 8
	sum := uint32(0)
	for i := 0; i < len(icmp); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(icmp[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(icmp[2:], ^uint16(sum))

	in := tuntest.Batch(count)
	out := make([][]byte, count)
	for i := range out {
		out[i] = append(make([]byte, in.Off), request...)
	}
	return func() {
		if n, err := d.Write(out, in.Off); n != count || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		for got := 0; got < count; {
			n, err := tuntest.ReadSome(d, in)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if reply := in.Bufs[i][in.Off+ipHeader]; in.Sizes[i] != len(request) || reply != 0 {
					t.Fatalf("read %d octets of ICMP type %d, want an echo reply", in.Sizes[i], reply)
				}
			}
			got += n
		}
	}
}

func TestRequiresRootNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("skipping, sync.Pool drops items at random under the race detector")
	}
	for _, count := range []int{1, 32} {
		if n := testing.AllocsPerRun(200, echo(t, count)); n != 0 {
			t.Errorf("%v allocations for %d packets there and back, want 0", n, count)
		}
	}
}

func BenchmarkRequiresRootEcho(b *testing.B) {
	const count = 32
	f := echo(b, count)
	b.ReportAllocs()
	b.SetBytes(count * 1428)
	for b.Loop() {
		f()
	}
}
