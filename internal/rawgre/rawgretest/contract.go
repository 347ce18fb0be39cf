package rawgretest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"gopptp/internal/rawgre"
)

// bufLen holds a full outer packet of the contract and its IP header.
const bufLen = 2048

// An End is a Conn under test and the address by which the other one reaches it.
type End struct {
	rawgre.Conn
	Addr netip.Addr
}

// TestContract tests what rawgre.Conn promises of two Conns that reach each
// other. open makes a new pair for each part of the test.
func TestContract(t *testing.T, open func(t *testing.T) (a, b End)) {
	for _, part := range []struct {
		name string
		f    func(t *testing.T, a, b End)
	}{
		{"batch in order", testBatch},
		{"empty batch", testEmpty},
		{"long batch", testLongBatch},
		{"refused packets are skipped", testRefused},
		{"too long for its buffer", testTooLong},
		{"close ends waiting", testClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			a, b := open(t)
			defer a.Close()
			defer b.Close()
			part.f(t, a, b)
		})
	}
}

// GRE makes an enhanced GRE packet (RFC 2637, section 4.1) with a sequence
// number and the given number of octets of payload.
func GRE(seq uint32, payload int) []byte {
	b := []byte{0x30, 0x01, 0x88, 0x0b}
	b = binary.BigEndian.AppendUint16(b, uint16(payload))
	b = binary.BigEndian.AppendUint16(b, 1) // call ID
	b = binary.BigEndian.AppendUint32(b, seq)
	return append(b, bytes.Repeat([]byte{byte(seq)}, payload)...)
}

// Buffers makes packets to read into.
func Buffers(n, size int) []rawgre.Packet {
	pkts := make([]rawgre.Packet, n)
	for i := range pkts {
		pkts[i].Buf = make([]byte, size)
	}
	return pkts
}

// packet makes a packet to write that does not begin at the start of its buffer.
func packet(content []byte, local, peer netip.Addr) rawgre.Packet {
	const headroom = 7
	return rawgre.Packet{Buf: append(make([]byte, headroom), content...), Off: headroom, N: len(content), Local: local, Peer: peer}
}

// read reads n packets and returns copies of them.
func read(t *testing.T, c rawgre.Conn, n int) []Datagram {
	t.Helper()
	var got []Datagram
	pkts := Buffers(rawgre.BatchSize, bufLen)
	for len(got) < n {
		k, err := c.ReadBatch(pkts)
		if err != nil || k == 0 {
			t.Fatalf("ReadBatch = %d, %v after %d of %d packets", k, err, len(got), n)
		}
		for i := range pkts[:k] {
			p := &pkts[i]
			got = append(got, Datagram{Src: p.Peer, Dst: p.Local, Data: bytes.Clone(p.Bytes())})
		}
	}
	return got
}

// want compares datagrams with the packets 0 to len-1 that a sent to b.
func want(t *testing.T, got []Datagram, a, b netip.Addr, size func(i int) int) {
	t.Helper()
	for i, d := range got {
		if w := GRE(uint32(i), size(i)); !bytes.Equal(d.Data, w) {
			t.Fatalf("packet %d: got %x, want %x", i, d.Data, w)
		}
		if d.Src != a || d.Dst != b {
			t.Fatalf("packet %d came from %v to %v, want from %v to %v", i, d.Src, d.Dst, a, b)
		}
	}
}

func testBatch(t *testing.T, a, b End) {
	size := func(i int) int { return 10 * i }
	var out []rawgre.Packet
	for i := range 20 {
		out = append(out, packet(GRE(uint32(i), size(i)), a.Addr, b.Addr))
	}
	before := fmt.Sprint(out)
	if n, err := a.WriteBatch(out); n != len(out) || err != nil {
		t.Fatalf("WriteBatch = %d, %v; want %d, nil", n, err, len(out))
	}
	if after := fmt.Sprint(out); after != before {
		t.Errorf("WriteBatch changed the packets:\n%s\nbefore:\n%s", after, before)
	}
	want(t, read(t, b, len(out)), a.Addr, b.Addr, size)

	// The other way, without a source.
	out = []rawgre.Packet{packet(GRE(0, 5), netip.Addr{}, a.Addr)}
	if n, err := b.WriteBatch(out); n != 1 || err != nil {
		t.Fatalf("WriteBatch without a source = %d, %v; want 1, nil", n, err)
	}
	want(t, read(t, a, 1), b.Addr, a.Addr, func(int) int { return 5 })
}

func testEmpty(t *testing.T, a, _ End) {
	if n, err := a.WriteBatch(nil); n != 0 || err != nil {
		t.Errorf("WriteBatch(nil) = %d, %v; want 0, nil", n, err)
	}
	if n, err := a.ReadBatch(nil); n != 0 || err != nil {
		t.Errorf("ReadBatch(nil) = %d, %v; want 0, nil", n, err)
	}
}

func testLongBatch(t *testing.T, a, b End) {
	size := func(int) int { return 100 }
	var out []rawgre.Packet
	for i := range 3*rawgre.BatchSize + 1 {
		out = append(out, packet(GRE(uint32(i), size(i)), a.Addr, b.Addr))
	}
	if n, err := a.WriteBatch(out); n != len(out) || err != nil {
		t.Fatalf("WriteBatch = %d, %v; want %d, nil", n, err, len(out))
	}
	many := Buffers(2*rawgre.BatchSize, bufLen)
	n, err := b.ReadBatch(many)
	if n == 0 || n > rawgre.BatchSize || err != nil {
		t.Fatalf("ReadBatch = %d, %v; want 1 to BatchSize, nil", n, err)
	}
	var got []Datagram
	for i := range many[:n] {
		got = append(got, Datagram{Src: many[i].Peer, Dst: many[i].Local, Data: many[i].Bytes()})
	}
	if rest := len(out) - n; rest > 0 {
		got = append(got, read(t, b, rest)...)
	}
	want(t, got, a.Addr, b.Addr, size)
}

func testRefused(t *testing.T, a, b End) {
	foreign := netip.AddrFrom4([4]byte{203, 0, 113, 9})
	const n = 3
	out := []rawgre.Packet{
		packet(GRE(99, 1), a.Addr, netip.Addr{}),
		packet(GRE(0, 1), a.Addr, b.Addr),
		packet(GRE(99, 1), a.Addr, netip.IPv6Loopback()),
		packet(GRE(99, 1), netip.IPv6Loopback(), b.Addr),
		packet(GRE(99, 1), foreign, b.Addr),
		packet(GRE(1, 1), a.Addr, b.Addr),
		packet(nil, a.Addr, b.Addr),
		packet(GRE(99, 1<<16-1), a.Addr, b.Addr),
		packet(GRE(2, 1), a.Addr, b.Addr),
		packet(GRE(99, 1), foreign, b.Addr),
	}
	if sent, err := a.WriteBatch(out); sent != n || err != nil {
		t.Fatalf("WriteBatch = %d, %v; want %d, nil", sent, err, n)
	}
	want(t, read(t, b, n), a.Addr, b.Addr, func(int) int { return 1 })
}

func testTooLong(t *testing.T, a, b End) {
	var out []rawgre.Packet
	for i := range 5 {
		size := 10
		if i%2 == 1 {
			size = 500
		}
		out = append(out, packet(GRE(uint32(i), size), a.Addr, b.Addr))
	}
	if n, err := a.WriteBatch(out); n != len(out) || err != nil {
		t.Fatalf("WriteBatch = %d, %v; want %d, nil", n, err, len(out))
	}
	in := Buffers(len(out), rawgre.MinIPHeader+len(GRE(0, 10)))
	var got []byte
	for len(got) < 3 {
		n, err := b.ReadBatch(in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range in[:n] {
			got = append(got, in[i].Bytes()[11])
		}
	}
	if !bytes.Equal(got, []byte{0, 2, 4}) {
		t.Errorf("got packets %v, want those that fit: 0, 2, 4", got)
	}
	// The elements may have been exchanged, but no buffer is there twice.
	seen := map[*byte]bool{}
	for i := range in {
		if first := &in[i].Buf[0]; seen[first] {
			t.Errorf("buffer %d came back twice", i)
		} else {
			seen[first] = true
		}
	}
}

func testClose(t *testing.T, a, b End) {
	result := make(chan error, 1)
	go func() {
		_, err := b.ReadBatch(Buffers(1, bufLen))
		result <- err
	}()
	time.Sleep(10 * time.Millisecond) // so that it most likely waits
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadBatch ended with %v, want net.ErrClosed", err)
	}
	if _, err := b.ReadBatch(Buffers(1, bufLen)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadBatch after Close: %v, want net.ErrClosed", err)
	}
	if _, err := b.WriteBatch([]rawgre.Packet{packet(GRE(0, 1), b.Addr, a.Addr)}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteBatch after Close: %v, want net.ErrClosed", err)
	}
}
