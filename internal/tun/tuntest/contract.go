package tuntest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"gopptp/internal/tun"
)

// A Stack is the IP stack on the other side of a Device under test.
type Stack struct {
	Send func(t *testing.T, pkt []byte) // routes a packet into the interface
	// SendSuper routes UDP packets of the same length into it at once. The kernel
	// need not leave them for us to cut.
	SendSuper func(t *testing.T, pkts [][]byte)
	Receive   func(t *testing.T) []byte // waits for a packet that was given to Write
}

// TestContract tests what tun.Device promises. open makes a new interface, up
// and with an MTU of 1450, for each part of the test. Packets that are written go
// from 192.0.2.2 to 192.0.2.1, those that are sent the other way.
func TestContract(t *testing.T, open func(t *testing.T) (tun.Device, Stack)) {
	for _, part := range []struct {
		name string
		f    func(t *testing.T, d tun.Device, s Stack)
	}{
		{"read one", testRead},
		{"read batch", testReadBatch},
		{"read does not wait", testReadNothing},
		{"read segments", testReadSegments},
		{"segments are not interrupted", testInterruptSegments},
		{"a packet without room is dropped", testReadTooLong},
		{"write batch", testWriteBatch},
		{"refused packets are skipped", testRefused},
		{"empty batch", testEmpty},
		{"interrupt ends waiting", testInterrupt},
		{"close ends waiting", testClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			d, s := open(t)
			defer d.Close()
			part.f(t, d, s)
		})
	}
}

const (
	mtu      = 1450
	headroom = 37 // an odd number, so that nothing fits by chance
	marker   = 0xa5
)

// UDP makes a UDP packet (RFC 768, RFC 791) from 192.0.2.2 to 192.0.2.1, or the
// other way, from port 1000 to port 2000. It has no UDP checksum.
func UDP(reverse bool, payload string) []byte {
	const ipHeader, udpHeader = 20, 8
	b := make([]byte, ipHeader+udpHeader, ipHeader+udpHeader+len(payload))
	b[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(b[2:], uint16(cap(b)))
	b[8] = 64
	b[9] = 17
	src, dst := []byte{192, 0, 2, 2}, []byte{192, 0, 2, 1}
	if reverse {
		src, dst = dst, src
	}
	copy(b[12:], src)
	copy(b[16:], dst)
	var sum uint32
	for i := 0; i < ipHeader; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
	binary.BigEndian.PutUint16(b[20:], 1000)
	binary.BigEndian.PutUint16(b[22:], 2000)
	binary.BigEndian.PutUint16(b[24:], uint16(udpHeader+len(payload)))
	return append(b, payload...)
}

// Batch makes a batch of the contract's headroom and MTU.
func Batch(packets int) *tun.Batch {
	b := tun.NewBatch(packets, mtu, headroom)
	for _, buf := range b.Bufs {
		for i := range buf {
			buf[i] = marker
		}
	}
	return b
}

// ReadSome waits for packets and takes them. It is for tests that need no more.
func ReadSome(d tun.Device, b *tun.Batch) (int, error) {
	for {
		if !b.Pending() {
			if err := d.Wait(); err != nil {
				return 0, err
			}
		}
		if n, err := d.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
}

// read reads want packets that Send sent and compares their payload. It reports
// whether segments were pending.
func read(t *testing.T, d tun.Device, batch, want int) (pending bool) {
	t.Helper()
	b := Batch(batch)
	for got := 0; got < want; {
		n, err := ReadSome(d, b)
		if err != nil || n < 1 || n > batch {
			t.Fatalf("Read = %d, %v after %d of %d packets", n, err, got, want)
		}
		if b.Pending() {
			pending = true
			if n < batch {
				t.Fatalf("segments are pending with %d of %d buffers full", n, batch)
			}
		}
		for i := range n {
			payload := payload(got)
			pkt := b.Bufs[i][headroom:][:b.Sizes[i]]
			if !bytes.HasSuffix(pkt, []byte(payload)) || len(pkt) != len(UDP(true, payload)) {
				t.Fatalf("packet %d is %q", got, pkt)
			}
			if !bytes.Equal(b.Bufs[i][:headroom], bytes.Repeat([]byte{marker}, headroom)) {
				t.Fatalf("packet %d: the headroom was written to: %x", got, b.Bufs[i][:headroom])
			}
			got++
		}
	}
	if b.Pending() {
		t.Fatal("segments are pending after the last")
	}
	return pending
}

// payload is that of the packet with the number i. All have the same length.
func payload(i int) string { return fmt.Sprintf("packet %02d", i) }

func testRead(t *testing.T, d tun.Device, s Stack) {
	s.Send(t, UDP(true, payload(0)))
	read(t, d, 1, 1)
}

func testReadNothing(t *testing.T, d tun.Device, s Stack) {
	b := Batch(2)
	for range 2 {
		if n, err := d.Read(b); n != 0 || err != nil {
			t.Fatalf("Read = %d, %v; want 0, nil", n, err)
		}
	}
	// A packet of which the last Read did not know must not be slept over, nor one
	// that Wait has already told of.
	for i := range 2 {
		s.Send(t, UDP(true, payload(i)))
	}
	for range 2 {
		if err := d.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	read(t, d, 1, 2)
	if n, err := d.Read(b); n != 0 || err != nil {
		t.Fatalf("Read of an empty queue = %d, %v; want 0, nil", n, err)
	}
}

func testReadSegments(t *testing.T, d tun.Device, s Stack) {
	const count = 10
	var pkts [][]byte
	for i := range count {
		pkts = append(pkts, UDP(true, payload(i)))
	}
	for _, batch := range []int{1, 4, count, count + 1} {
		s.SendSuper(t, pkts)
		if read(t, d, batch, count) && batch >= count {
			t.Errorf("segments are pending though all of the %d have room", count)
		}
	}
}

// testInterruptSegments: what is pending can be read while interrupted, so that no
// batch stays pending.
func testInterruptSegments(t *testing.T, d tun.Device, s Stack) {
	var pkts [][]byte
	for i := range 7 {
		pkts = append(pkts, UDP(true, payload(i)))
	}
	s.SendSuper(t, pkts)
	b := Batch(3)
	if n, err := ReadSome(d, b); n != 3 || err != nil {
		t.Fatalf("Read = %d, %v; want 3, nil", n, err)
	}
	if !b.Pending() {
		t.Log("this kernel cuts UDP itself")
		return
	}
	d.Interrupt()
	for _, want := range []int{3, 1} {
		if n, err := d.Read(b); n != want || err != nil {
			t.Fatalf("Read of segments that are pending = %d, %v; want %d, nil", n, err, want)
		}
	}
	if n, err := d.Read(b); n != 0 || !errors.Is(err, tun.ErrInterrupted) || b.Pending() {
		t.Fatalf("Read = %d, %v, pending %t; want ErrInterrupted", n, err, b.Pending())
	}
}

func testReadTooLong(t *testing.T, d tun.Device, s Stack) {
	s.Send(t, UDP(true, strings.Repeat("x", 100)))
	s.Send(t, UDP(true, "short"))
	want := UDP(true, "short")
	b := tun.NewBatch(2, len(want), headroom)
	if n, err := ReadSome(d, b); n != 1 || err != nil || b.Sizes[0] != len(want) || !bytes.HasSuffix(b.Bufs[0], []byte("short")) {
		t.Errorf("Read = %d, %v: %q; want the short packet alone", n, err, b.Bufs[0])
	}
}

// testInterrupt ends a Wait that waits, and those that follow, without a packet
// being lost.
func testInterrupt(t *testing.T, d tun.Device, s Stack) {
	done := make(chan error, 1)
	go func() { done <- d.Wait() }()
	time.Sleep(10 * time.Millisecond) // it waits by now, or the test is an easier one
	d.Interrupt()
	d.Interrupt()
	if err := <-done; !errors.Is(err, tun.ErrInterrupted) {
		t.Fatalf("Wait that waits: %v", err)
	}
	s.Send(t, UDP(true, payload(0)))
	if err := d.Wait(); !errors.Is(err, tun.ErrInterrupted) {
		t.Fatalf("Wait: %v while interrupted", err)
	}
	if n, err := d.Read(Batch(1)); n != 0 || !errors.Is(err, tun.ErrInterrupted) {
		t.Fatalf("Read = %d, %v while interrupted", n, err)
	}
	d.Resume()
	d.Resume()
	read(t, d, 1, 1)
}

func testReadBatch(t *testing.T, d tun.Device, s Stack) {
	const count = 20
	for i := range count {
		s.Send(t, UDP(true, payload(i)))
	}
	read(t, d, 8, count)
}

// with puts packets behind the headroom.
func with(pkts ...[]byte) [][]byte {
	var bufs [][]byte
	for _, p := range pkts {
		bufs = append(bufs, append(make([]byte, headroom), p...))
	}
	return bufs
}

func testWriteBatch(t *testing.T, d tun.Device, s Stack) {
	var pkts [][]byte
	for i := range 20 {
		pkts = append(pkts, UDP(false, fmt.Sprintf("packet %d", i)))
	}
	if n, err := d.Write(with(pkts...), headroom); n != len(pkts) || err != nil {
		t.Fatalf("Write = %d, %v; want %d, nil", n, err, len(pkts))
	}
	for i, want := range pkts {
		if got := s.Receive(t); !bytes.Equal(got, want) {
			t.Fatalf("packet %d: got %q, want %q", i, got, want)
		}
	}
}

func testRefused(t *testing.T, d tun.Device, s Stack) {
	bad := UDP(false, "version 0")
	bad[0] = 5
	first, last := UDP(false, "first"), UDP(false, "last")
	if n, err := d.Write(with(bad, first, nil, bad, last), headroom); n != 2 || err != nil {
		t.Fatalf("Write = %d, %v; want 2, nil", n, err)
	}
	for _, want := range [][]byte{first, last} {
		if got := s.Receive(t); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func testEmpty(t *testing.T, d tun.Device, _ Stack) {
	if n, err := d.Read(Batch(0)); n != 0 || err != nil {
		t.Errorf("Read without buffers = %d, %v; want 0, nil", n, err)
	}
	if n, err := d.Write(nil, headroom); n != 0 || err != nil {
		t.Errorf("Write(nil) = %d, %v; want 0, nil", n, err)
	}
}

func testClose(t *testing.T, d tun.Device, _ Stack) {
	result := make(chan error, 1)
	go func() {
		b := Batch(1)
		for {
			if _, err := ReadSome(d, b); err != nil {
				result <- err
				return
			}
		}
	}()
	time.Sleep(10 * time.Millisecond) // so that it most likely waits
	for range 2 {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait ended with %v, want net.ErrClosed", err)
	}
	if err := d.Wait(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait after Close: %v, want net.ErrClosed", err)
	}
	if _, err := d.Read(Batch(1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close: %v, want net.ErrClosed", err)
	}
	if _, err := d.Write(with(UDP(false, "late")), headroom); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v, want net.ErrClosed", err)
	}
}
