package soak

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/test/rig"
)

const (
	// streams is how many TCP connections there are at once in each direction.
	streams = 3
	// A stream has so many octets.
	minStream, maxStream = 1 << 16, 1 << 22
	// streamStall is how long a stream may stand still. On a path that is good
	// again, TCP goes on within its last, doubled timeout.
	streamStall = 20 * time.Second
	// A datagram has so many octets, its number at the front and its sum at the end.
	minDatagram, maxDatagram = 20, 1400
	numberLen, sumLen        = 8, 8
	// pause is between the bursts of a sender of datagrams.
	pause, burst = 5 * time.Millisecond, 8
	// segment is the length of those that the kernel cuts for us.
	segment = 1200
)

// A direction is the way of traffic from one end of the tunnel to the other.
type direction struct {
	name     string
	side     int // of the relay, where it comes from
	from, to *rig.Machine
	address  string // of the end where it goes to
	listener net.Listener
	sink     net.PacketConn

	streams, broken, octets, sent, datagrams, pings atomic.Int64
}

// newDirection opens what receives, for as long as the test runs.
func newDirection(t *testing.T, side int, from, to *rig.Machine, address string) *direction {
	t.Helper()
	d := &direction{name: from.Name + " to " + to.Name, side: side, from: from, to: to, address: address}
	to.Do(func() {
		var err error
		if d.listener, err = net.Listen("tcp4", ":0"); err != nil {
			t.Fatal(err)
		}
		if d.sink, err = net.ListenPacket("udp4", ":0"); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { d.accept(ctx, t, &running) })
	running.Go(func() { d.collect(t) })
	t.Cleanup(func() {
		cancel()
		d.listener.Close()
		d.sink.Close()
		running.Wait()
	})
	return d
}

// A header begins a stream: it says what follows.
type header struct{ Seed, Size uint64 }

// content gives the octets of a stream.
func (h header) content() io.Reader {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], h.Seed)
	return io.LimitReader(rand.NewChaCha8(seed), int64(h.Size))
}

// accept receives streams.
func (d *direction) accept(ctx context.Context, t *testing.T, running *sync.WaitGroup) {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		running.Go(func() {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			d.receive(t, c)
		})
	}
}

// receive compares a stream with what it should be, octet by octet, and answers
// with the sum of what came. One that breaks off is for its sender to count.
func (d *direction) receive(t *testing.T, c net.Conn) {
	var h header
	_ = c.SetReadDeadline(time.Now().Add(streamStall))
	if binary.Read(c, binary.BigEndian, &h) != nil {
		return
	}
	if h.Size > maxStream {
		t.Errorf("%s: the header of a stream is damaged: %x", d.name, h)
		return
	}
	all, content := sha256.New(), h.content()
	got, want := make([]byte, 1<<16), make([]byte, 1<<16)
	for at := uint64(0); at < h.Size; {
		_ = c.SetReadDeadline(time.Now().Add(streamStall))
		n, err := c.Read(got[:min(uint64(len(got)), h.Size-at)])
		_, _ = io.ReadFull(content, want[:n]) // it has as many
		if !bytes.Equal(got[:n], want[:n]) {
			t.Errorf("%s: stream %x is damaged in the %d octets from %d on", d.name, h.Seed, n, at)
			return
		}
		all.Write(got[:n])
		at += uint64(n)
		d.octets.Add(int64(n))
		if err != nil && at < h.Size {
			return
		}
	}
	_, _ = c.Write(all.Sum(nil))
}

// send sends one stream and checks the sum that comes back.
func (d *direction) send(ctx context.Context, t *testing.T, h header) error {
	var c net.Conn
	var err error
	d.from.Do(func() {
		dialer := net.Dialer{Timeout: streamStall}
		c, err = dialer.DialContext(ctx, "tcp4", net.JoinHostPort(d.address, portOf(d.listener.Addr())))
	})
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetLinger(0) // one that is given up leaves nothing in the kernel
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if err := binary.Write(c, binary.BigEndian, h); err != nil {
		return err
	}
	all, content := sha256.New(), h.content()
	for buf := make([]byte, 1<<16); ; {
		n, err := content.Read(buf)
		if err == io.EOF {
			break
		}
		all.Write(buf[:n])
		_ = c.SetWriteDeadline(time.Now().Add(streamStall))
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
	var sum [sha256.Size]byte
	_ = c.SetReadDeadline(time.Now().Add(streamStall))
	if _, err := io.ReadFull(c, sum[:]); err != nil {
		return err
	}
	if !bytes.Equal(sum[:], all.Sum(nil)) {
		t.Errorf("%s: the sum of stream %x is another at its end", d.name, h.Seed)
	}
	d.streams.Add(1)
	return nil
}

// collect checks datagrams.
func (d *direction) collect(t *testing.T) {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := d.sink.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP message
		}
		if n == blank {
			continue
		}
		if n < minDatagram || n > maxDatagram || !sound(buf[:n]) {
			t.Errorf("%s: a datagram of %d octets is damaged", d.name, n)
			continue
		}
		d.datagrams.Add(1)
	}
}

// blank is the length of datagrams that are there to be lost.
const blank = 1

// datagram fills b with random octets and their sum.
func datagram(b []byte, number uint64, dice *rand.Rand) {
	binary.BigEndian.PutUint64(b, number)
	for i := numberLen; i < len(b); i++ {
		b[i] = byte(dice.Uint32())
	}
	sum := sha256.Sum256(b[:len(b)-sumLen])
	copy(b[len(b)-sumLen:], sum[:])
}

func sound(b []byte) bool {
	sum := sha256.Sum256(b[:len(b)-sumLen])
	return bytes.Equal(b[len(b)-sumLen:], sum[:sumLen])
}

// dialUDP makes a socket for the sink with an option, or none.
func (d *direction) dialUDP(t *testing.T, level, option, value int) net.Conn {
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if option == 0 {
			return nil
		}
		return errors.Join(raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, value) }), err)
	}}
	for {
		var c net.Conn
		var err error
		d.from.Do(func() {
			c, err = dialer.DialContext(t.Context(), "udp4", net.JoinHostPort(d.address, portOf(d.sink.LocalAddr())))
		})
		if err == nil {
			return c
		}
		if t.Context().Err() != nil || !errors.Is(err, unix.ENETUNREACH) { // while there is no tunnel
			t.Error(err)
			return nil
		}
		time.Sleep(rig.Look)
	}
}

// A load is traffic in both directions, from its start to its stop.
type load struct {
	t    *testing.T
	ways []*direction
	stop func() // the end of the test does it too
}

// start begins with new streams of everything.
func start(t *testing.T, dice *rand.Rand, ways ...*direction) *load {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, d := range ways {
		for range streams {
			dice := rand.New(rand.NewPCG(dice.Uint64(), 0))
			running.Go(func() {
				for ctx.Err() == nil {
					h := header{Seed: dice.Uint64(), Size: minStream + dice.Uint64N(maxStream-minStream)}
					if d.send(ctx, t, h) != nil {
						d.broken.Add(1)
						wait(ctx, rig.Look)
					}
				}
			})
		}
		for _, s := range []struct{ level, option, value int }{
			{},
			{unix.SOL_SOCKET, unix.SO_NO_CHECK, 1}, // our own sum is the only one
			{unix.SOL_UDP, unix.UDP_SEGMENT, segment},
		} {
			dice := rand.New(rand.NewPCG(dice.Uint64(), 0))
			running.Go(func() {
				c := d.dialUDP(t, s.level, s.option, s.value)
				if c == nil {
					return
				}
				defer c.Close()
				d.shower(ctx, c, dice, s.value == segment)
			})
		}
		sizes := rand.New(rand.NewPCG(dice.Uint64(), 0))
		running.Go(func() { d.ping(ctx, t, sizes) })
	}
	l := &load{t, ways, func() {
		cancel()
		running.Wait()
	}}
	t.Cleanup(l.stop)
	return l
}

// shower sends datagrams, of mixed lengths or of one that the kernel cuts.
func (d *direction) shower(ctx context.Context, c net.Conn, dice *rand.Rand, cut bool) {
	buf := make([]byte, burst*maxDatagram)
	for number := uint64(0); ctx.Err() == nil; wait(ctx, pause) {
		if cut {
			for i := range burst {
				datagram(buf[i*segment:(i+1)*segment], number, dice)
				number++
			}
			_, _ = c.Write(buf[:burst*segment]) // lost while there is no tunnel
			d.sent.Add(burst)
			continue
		}
		for range burst {
			b := buf[:minDatagram+dice.IntN(maxDatagram-minDatagram+1)]
			datagram(b, number, dice)
			number++
			_, _ = c.Write(b)
			d.sent.Add(1)
		}
	}
}

// ping asks with packets of all lengths, fragments among them, whose content ping
// compares.
func (d *direction) ping(ctx context.Context, t *testing.T, dice *rand.Rand) {
	for ; ctx.Err() == nil; wait(ctx, rig.Look) {
		size := strconv.Itoa(dice.IntN(4000))
		out, err := d.from.TryRun("ping", "-c", "1", "-W", "1", "-s", size, d.address)
		if _, wrong, found := strings.Cut(out, "wrong data"); found {
			t.Errorf("%s: the answer to a ping of %s octets has wrong data%.50q", d.name, size, wrong)
		}
		if err == nil {
			d.pings.Add(1)
		}
	}
}

// blast sends datagrams of no content until enough of them came as far as enough
// says.
func (d *direction) blast(t *testing.T, enough func() bool) {
	t.Helper()
	c := d.dialUDP(t, 0, 0, 0)
	if c == nil {
		return
	}
	defer c.Close()
	for began := time.Now(); !enough(); {
		if time.Since(began) > time.Minute {
			t.Fatalf("%s: the path has not seen enough in a minute", d.name)
		}
		for range 200 {
			_, _ = c.Write(make([]byte, blank))
		}
	}
}

// moves waits until everything moves in both directions.
func (l *load) moves(limit time.Duration) {
	l.t.Helper()
	for _, d := range l.ways {
		streams, datagrams, pings := d.streams.Load(), d.datagrams.Load(), d.pings.Load()
		d.from.Within(limit, "streams, datagrams and pings from "+d.name, func() bool {
			return d.streams.Load() > streams && d.datagrams.Load() > datagrams && d.pings.Load() > pings
		})
	}
}

func (d *direction) String() string {
	return fmt.Sprintf("%s: %d whole streams, %d broken off, %d MB; %d of %d datagrams; %d pings",
		d.name, d.streams.Load(), d.broken.Load(), d.octets.Load()>>20, d.datagrams.Load(), d.sent.Load(), d.pings.Load())
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// wait returns after a while or with ctx.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// leave leaves the traffic alone for a while, and says so to those who watch.
func leave(t *testing.T, d time.Duration) {
	const tellEvery = 5 * time.Second
	for end := time.Now().Add(d); time.Until(end) > 0 && t.Context().Err() == nil; {
		wait(t.Context(), min(tellEvery, time.Until(end)))
		if left := time.Until(end); left > time.Second {
			t.Logf("traffic flows undisturbed, for another %v", left.Round(time.Second))
		}
	}
}
