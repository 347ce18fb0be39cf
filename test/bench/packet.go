package main

import (
	"context"
	"crypto/rand"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"gopptp/gre"
	"gopptp/mppe"
)

// packetSize is a user packet of the usual length in a tunnel.
const packetSize = 1400

// packets measures what a packet costs: headers beside a copy of the packet, then
// encryption.
func (b *bench) packets(context.Context) error {
	for _, r := range []struct {
		name, other string
		run         func(*testing.B)
		beside      func(*testing.B)
	}{
		{"GRE header, encode", "copy of the packet", encodeGRE, copyPacket},
		{"GRE header, decode", "copy of the packet", decodeGRE, copyPacket},
	} {
		ours, theirs, allocations := measure(r.run, r.beside, b.headers)
		b.add(once(r.name, r.other, nanoseconds, ours, theirs, fmt.Sprintf("%d allocations", allocations)))
		if allocations != 0 {
			return fmt.Errorf("%s: %d allocations per packet, want 0", r.name, allocations)
		}
	}
	return b.sealing()
}

// measure runs both by turns and takes the fastest run of each, in nanoseconds
// per operation: what else the machine does only adds.
func measure(run, beside func(*testing.B), rounds int) (ours, theirs float64, allocations int64) {
	ours, theirs = math.Inf(1), math.Inf(1)
	for range rounds {
		r := testing.Benchmark(run)
		ours = min(ours, perOperation(r))
		allocations = max(allocations, r.AllocsPerOp())
		theirs = min(theirs, perOperation(testing.Benchmark(beside)))
	}
	return ours, theirs, allocations
}

func perOperation(r testing.BenchmarkResult) float64 {
	return float64(r.T) / float64(max(r.N, 1))
}

func copyPacket(b *testing.B) {
	from, to := make([]byte, packetSize), make([]byte, packetSize)
	for b.Loop() {
		copy(to, from)
	}
}

// A header as almost every packet of a busy tunnel has it.
var header = gre.Header{CallID: 7, PayloadLen: packetSize, HasSeq: true, HasAck: true, Seq: 1, Ack: 2}

func encodeGRE(b *testing.B) {
	buf := make([]byte, gre.MaxLen+packetSize)
	h := header
	for b.Loop() {
		h.Seq++
		h.Push(buf, gre.MaxLen)
	}
}

func decodeGRE(b *testing.B) {
	packet := append(header.Append(nil), make([]byte, packetSize)...)
	var h gre.Header
	for b.Loop() {
		if _, err := h.Parse(packet); err != nil {
			panic(err) // our own packet; outside of go test, b has no way to fail
		}
	}
}

var mppeConfig = mppe.Config{Strength: mppe.Bits128, Stateless: true}

func startKey() (key mppe.StartKey) {
	rand.Read(key.Long[:])
	copy(key.Short[:], key.Long[:])
	return key
}

// userPacket is a PPP frame with an IP packet in it, and room for the header
// of MPPE before it.
func userPacket() []byte {
	buf := make([]byte, mppe.Overhead+2+packetSize)
	frame := buf[mppe.Overhead:]
	copy(frame, []byte{0x00, 0x21, 0x45})
	binary.BigEndian.PutUint16(frame[4:], packetSize) // IP total length
	return buf
}

// A reference is stateless MPPE-128 as the RFCs write it down, with the
// standard library: what one would write without caring for speed.
type reference struct {
	start, session [16]byte
	count          uint16
}

func newReference(start [16]byte) *reference {
	r := &reference{start: start, session: start}
	r.session = r.derived()
	return r
}

// derived is GetNewKeyFromSHA (RFC 3079, section 3).
func (r *reference) derived() (key [16]byte) {
	h := sha1.New()
	h.Write(r.start[:])
	h.Write(pads[:40])
	h.Write(r.session[:])
	h.Write(pads[40:])
	copy(key[:], h.Sum(nil))
	return key
}

// pads are SHApad1 and SHApad2 (RFC 3079, section 3).
var pads = func() (p [80]byte) {
	for i := range p[40:] {
		p[40+i] = 0xf2
	}
	return p
}()

// seal encrypts the frame in buf[2:] and writes the header before it
// (RFC 3078, sections 3.1 and 7).
func (r *reference) seal(buf []byte) {
	interim := r.derived()
	c, _ := rc4.NewCipher(interim[:])
	c.XORKeyStream(r.session[:], interim[:])
	c, _ = rc4.NewCipher(r.session[:])
	binary.BigEndian.PutUint16(buf, 0x9000|r.count) // A: tables made anew; D: encrypted
	r.count = (r.count + 1) & 0x0fff
	c.XORKeyStream(buf[2:], buf[2:])
}
