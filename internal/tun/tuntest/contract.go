package tuntest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"gopptp/internal/tun"
)

// A Stack is the IP stack on the other side of a Device under test.
type Stack struct {
	Send    func(t *testing.T, pkt []byte) // routes a packet into the interface
	Receive func(t *testing.T) []byte      // waits for a packet that was given to Write
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

// Buffers makes n buffers of the contract's headroom and MTU.
func Buffers(n int) (bufs [][]byte, sizes []int) {
	for range n {
		bufs = append(bufs, bytes.Repeat([]byte{marker}, headroom+mtu))
	}
	return bufs, make([]int, n)
}

// read reads want packets that Send sent and compares their payload.
func read(t *testing.T, d tun.Device, batch, want int) {
	t.Helper()
	bufs, sizes := Buffers(batch)
	for got := 0; got < want; {
		n, err := d.Read(bufs, sizes, headroom)
		if err != nil || n < 1 || n > batch {
			t.Fatalf("Read = %d, %v after %d of %d packets", n, err, got, want)
		}
		for i := range n {
			payload := fmt.Sprintf("packet %d", got)
			pkt := bufs[i][headroom:][:sizes[i]]
			if !bytes.HasSuffix(pkt, []byte(payload)) || len(pkt) != len(UDP(true, payload)) {
				t.Fatalf("packet %d is %q", got, pkt)
			}
			if !bytes.Equal(bufs[i][:headroom], bytes.Repeat([]byte{marker}, headroom)) {
				t.Fatalf("packet %d: the headroom was written to: %x", got, bufs[i][:headroom])
			}
			got++
		}
	}
}

func testRead(t *testing.T, d tun.Device, s Stack) {
	s.Send(t, UDP(true, "packet 0"))
	read(t, d, 1, 1)
}

// testInterrupt ends a Read that waits, and those that follow, without a packet
// being lost.
func testInterrupt(t *testing.T, d tun.Device, s Stack) {
	bufs, sizes := Buffers(1)
	done := make(chan error, 1)
	go func() {
		_, err := d.Read(bufs, sizes, headroom)
		done <- err
	}()
	time.Sleep(10 * time.Millisecond) // it waits by now, or the test is an easier one
	d.Interrupt()
	d.Interrupt()
	if err := <-done; !errors.Is(err, tun.ErrInterrupted) {
		t.Fatalf("Read that waits: %v", err)
	}
	s.Send(t, UDP(true, "packet 0"))
	if n, err := d.Read(bufs, sizes, headroom); n != 0 || !errors.Is(err, tun.ErrInterrupted) {
		t.Fatalf("Read = %d, %v while interrupted", n, err)
	}
	d.Resume()
	d.Resume()
	read(t, d, 1, 1)
}

func testReadBatch(t *testing.T, d tun.Device, s Stack) {
	const count = 20
	for i := range count {
		s.Send(t, UDP(true, fmt.Sprintf("packet %d", i)))
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
	if n, err := d.Read(nil, nil, headroom); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v; want 0, nil", n, err)
	}
	if n, err := d.Write(nil, headroom); n != 0 || err != nil {
		t.Errorf("Write(nil) = %d, %v; want 0, nil", n, err)
	}
}

func testClose(t *testing.T, d tun.Device, _ Stack) {
	result := make(chan error, 1)
	go func() {
		bufs, sizes := Buffers(1)
		for {
			if _, err := d.Read(bufs, sizes, headroom); err != nil {
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
		t.Errorf("Read ended with %v, want net.ErrClosed", err)
	}
	bufs, sizes := Buffers(1)
	if _, err := d.Read(bufs, sizes, headroom); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close: %v, want net.ErrClosed", err)
	}
	if _, err := d.Write(with(UDP(false, "late")), headroom); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v, want net.ErrClosed", err)
	}
}
