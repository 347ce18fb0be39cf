package tun

import (
	"bytes"
	"testing"

	"gopptp/internal/offload"
)

// TestArrive gives a batch what the kernel could have put there.
func TestArrive(t *testing.T) {
	const slot, off, packets = 100, 5, 2
	whole := make([]byte, slot)
	udp := make([]byte, 28+150) // a super packet
	copy(udp, []byte{0x45, 0, 0, byte(len(udp)), 0, 7, 0, 0, 64, 17})
	longest := make([]byte, offload.MaxPacket+1)
	copy(longest, udp)
	longest[2], longest[3] = 0xff, 0xff
	for name, test := range map[string]struct {
		tap     bool
		header  offload.Header
		pkt     []byte
		want    int // packets
		pending bool
		counts  Counters
	}{
		"a packet":              {false, offload.Header{}, whole, 1, false, Counters{}},
		"nothing":               {false, offload.Header{}, nil, 1, false, Counters{}},
		"a frame":               {true, offload.Header{Kind: 77}, whole, 1, false, Counters{}}, // frames have no header
		"too long":              {false, offload.Header{}, make([]byte, slot+1), 0, false, Counters{TooLong: 1}},
		"a frame that is":       {true, offload.Header{}, make([]byte, slot+1), 0, false, Counters{TooLong: 1}},
		"checksum nowhere":      {false, offload.Header{Flags: offload.NeedsChecksum, ChecksumStart: slot}, whole, 0, false, Counters{Malformed: 1}},
		"segments":              {false, offload.Header{Kind: offload.UDP4, SegmentSize: 72}, udp, 2, true, Counters{Cut: 1}},
		"segments that are two": {false, offload.Header{Kind: offload.UDP4, SegmentSize: 75}, udp, 0, false, Counters{Cut: 1, TooLong: 2}},
		"the last has room":     {false, offload.Header{Kind: offload.UDP4, SegmentSize: 80}, udp, 1, false, Counters{Cut: 1, TooLong: 1}},
		"unknown segments":      {false, offload.Header{Kind: 9, SegmentSize: 72}, udp, 0, false, Counters{Malformed: 1}},
		"longer than there are": {false, offload.Header{Kind: offload.UDP4, SegmentSize: 72}, longest, 0, false, Counters{Malformed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &TUN{frames: test.tap}
			b := NewBatch(packets, slot, off)
			copy(b.Bufs[0][off:], test.pkt)
			if len(test.pkt) > slot {
				copy(b.super[slot:], test.pkt[slot:])
			}
			test.header.Put(b.header[:])
			n := d.arrive(b, 0, len(test.pkt))
			if n != test.want || b.Pending() != test.pending || d.Counters() != test.counts {
				t.Errorf("%d packets, pending %t, %+v; want %d, %t, %+v", n, b.Pending(), d.Counters(), test.want, test.pending, test.counts)
			}
			if n > 0 && test.counts.Cut == 0 && !bytes.Equal(b.Bufs[0][off:off+b.Sizes[0]], test.pkt) {
				t.Errorf("the packet is %x, want %x", b.Bufs[0][off:off+b.Sizes[0]], test.pkt)
			}
		})
	}
}
