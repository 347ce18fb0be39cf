package xdp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
)

// attached reports whether a program is bound to an interface.
func attached(in *hosttest.Namespace, name string) bool {
	x := in.Link(name).Attrs().Xdp
	return x != nil && x.Attached
}

// held is what the process has of the kernel.
type held struct{ files, goroutines, rings, tables int }

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
	return held{len(files), runtime.NumGoroutine(), bytes.Count(maps, []byte("socket:")), bytes.Count(maps, []byte("bpf-map"))}
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
	for _, name := range []string{"eth0", "eth0:driver"} {
		t.Run(name, func(t *testing.T) { closeWhileBusy(t, name) })
	}
}

func closeWhileBusy(t *testing.T, name string) {
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
		p, err := open(left, name)
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
				out, back := packets(id, addrA, addrB, 1, 10, 100, 1000, 1, 1, 1, 1), packets(id, addrB, addrA, 1, 10, 100)
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
		if s := p.Stats; round%4 == 3 { // else at whatever moment it is
			for start := time.Now(); (s().Received == 0 || s().Sent == 0) && time.Since(start) < patience; {
				time.Sleep(time.Millisecond)
			}
		} else {
			time.Sleep(time.Duration(round%4) * 40 * time.Millisecond)
		}
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
		if p.Steer(1, addrA, addrB) == nil || p.Release(1) == nil {
			t.Error("a call is steered after the end")
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
		if now.files <= before.files && now.goroutines <= before.goroutines && now.rings <= before.rings && now.tables <= before.tables {
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
