package offload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func TestHeader(t *testing.T) {
	want := Header{Flags: 1, Kind: TCP4 | ECN, HeaderLen: 2, SegmentSize: 3, ChecksumStart: 4, ChecksumOffset: 5}
	var b [HeaderLen + 1]byte
	want.Put(b[:])
	var h Header
	if rest, err := h.Parse(b[:]); err != nil || len(rest) != 1 || h != want {
		t.Errorf("Parse = %+v, %d octets, %v; want %+v, 1 octet", h, len(rest), err, want)
	}
	for n := range HeaderLen {
		if _, err := h.Parse(b[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("Parse of %d octets: %v, want ErrShort", n, err)
		}
	}
}

// cut gives all segments.
func cut(t testing.TB, h Header, pkt []byte) (segments [][]byte) {
	t.Helper()
	var s Split
	if err := s.Start(h, pkt); err != nil {
		t.Fatal(err)
	}
	room := make([]byte, len(pkt)+1)
	for s.Pending() {
		for i := range room {
			room[i] = 0xa5
		}
		n, fits := s.Next(room[:len(pkt)])
		if !fits || room[n] != 0xa5 {
			t.Fatalf("segment %d: %d octets, %t, and the next octet is %x", len(segments), n, fits, room[n])
		}
		segments = append(segments, slices.Clone(room[:n]))
	}
	return segments
}

// checkSegments compares segments with the packet that they were cut from, whose
// checksums do not matter.
func checkSegments(t *testing.T, super []byte, size int, segments [][]byte) {
	t.Helper()
	ip := int(super[0]&15) * 4
	udp := super[9] == 17
	header := ip + 8
	if !udp {
		header = ip + int(super[ip+12]>>4)*4
	}
	want := slices.Collect(slices.Chunk(super[header:], size))
	if len(segments) != len(want) {
		t.Fatalf("%d segments, want %d", len(segments), len(want))
	}
	at := uint32(0)
	for i, segment := range segments {
		p, err := parse(segment)
		if err != nil {
			t.Fatalf("segment %d: %v", i, err)
		}
		if !bytes.Equal(p.payload, want[i]) {
			t.Fatalf("segment %d has another payload", i)
		}
		// All else must be that of the super packet.
		back := slices.Clone(segment[:header])
		expect := slices.Clone(super[:header])
		binary.BigEndian.PutUint16(expect[4:], binary.BigEndian.Uint16(super[4:])+uint16(i))
		for _, b := range [][]byte{back, expect} {
			clear(b[2:4])
			clear(b[10:12])
			if udp {
				clear(b[ip+4 : ip+8])
			} else {
				clear(b[ip+16 : ip+18])
			}
		}
		if !udp {
			binary.BigEndian.PutUint32(expect[ip+4:], binary.BigEndian.Uint32(super[ip+4:])+at)
			if i > 0 {
				expect[ip+13] &^= 0x80
			}
			if i < len(segments)-1 {
				expect[ip+13] &^= 0x09
			}
		}
		if !bytes.Equal(back, expect) {
			t.Fatalf("segment %d has the header\n%x, want but for lengths and sums\n%x", i, back, expect)
		}
		at += uint32(len(p.payload))
	}
}

func TestSplit(t *testing.T) {
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) {
			h, pkt := sample.spec.super(sample.size)
			before := slices.Clone(pkt)
			segments := cut(t, h, pkt)
			checkSegments(t, pkt, sample.size, segments)
			if !bytes.Equal(pkt, before) {
				t.Error("the super packet was written to")
			}
		})
	}
}

// TestSplitNoRoom: what has no room is lost, and nothing else.
func TestSplitNoRoom(t *testing.T) {
	h, pkt := segmentSpec{flags: flagACK, payload: octets(250, 1)}.super(100)
	var s Split
	if err := s.Start(h, pkt); err != nil {
		t.Fatal(err)
	}
	small := make([]byte, 139)
	if n, fits := s.Next(small); n != 140 || fits || !bytes.Equal(small, make([]byte, 139)) {
		t.Errorf("Next = %d, %t, %x; want 140 octets that do not fit", n, fits, small)
	}
	whole := cut(t, h, pkt)
	for i := 1; s.Pending(); i++ {
		b := make([]byte, 140)
		if n, fits := s.Next(b); !fits || !bytes.Equal(b[:n], whole[i]) {
			t.Errorf("segment %d is another one after one without room", i)
		}
	}
}

// TestSplitUDPSumOfZero: zero would say that there is no checksum.
func TestSplitUDPSumOfZero(t *testing.T) {
	spec := segmentSpec{udp: true, payload: make([]byte, 4)}
	copy(spec.payload, cut(t, Header{Kind: UDP4, SegmentSize: 2}, spec.packet())[0][26:28])
	segment := cut(t, Header{Kind: UDP4, SegmentSize: 2}, spec.packet())[0]
	if !bytes.Equal(segment[26:28], []byte{0xff, 0xff}) {
		t.Errorf("the checksum is %x, want ffff", segment[26:28])
	}
}

func TestSplitRefuses(t *testing.T) {
	good := segmentSpec{flags: flagACK, payload: octets(250, 1)}
	udp := segmentSpec{udp: true, payload: octets(250, 1)}
	for name, test := range map[string]struct {
		spec   segmentSpec
		change func(h *Header, pkt []byte)
	}{
		"no size":              {good, func(h *Header, _ []byte) { h.SegmentSize = 0 }},
		"no kind":              {good, func(h *Header, _ []byte) { h.Kind = None }},
		"fragments of UDP":     {udp, func(h *Header, _ []byte) { h.Kind = 3 }},
		"TCP of IPv6":          {good, func(h *Header, _ []byte) { h.Kind = 4 }},
		"UDP that is TCP":      {good, func(h *Header, _ []byte) { h.Kind = UDP4 }},
		"TCP that is UDP":      {udp, func(h *Header, _ []byte) { h.Kind = TCP4 }},
		"congestion of UDP":    {udp, func(h *Header, _ []byte) { h.Kind |= ECN }},
		"version 6":            {udp, func(_ *Header, pkt []byte) { pkt[0] = 0x65 }},
		"short IP header":      {good, func(_ *Header, pkt []byte) { pkt[0] = 0x44 }},
		"short IP header, UDP": {udp, func(_ *Header, pkt []byte) { pkt[0] = 0x44 }},
		"long IP header":       {segmentSpec{payload: octets(10, 0)}, func(_ *Header, pkt []byte) { pkt[0] = 0x4f }},
		"other length":         {good, func(_ *Header, pkt []byte) { pkt[3]-- }},
		"a fragment":           {good, func(_ *Header, pkt []byte) { pkt[7] = 1 }},
		"more fragments":       {good, func(_ *Header, pkt []byte) { pkt[6] = 0x20 }},
		"short TCP header":     {good, func(_ *Header, pkt []byte) { pkt[32] = 0x40 }},
		"long TCP header":      {segmentSpec{payload: octets(10, 0)}, func(_ *Header, pkt []byte) { pkt[32] = 0xf0 }},
		"no payload":           {segmentSpec{}, func(*Header, []byte) {}},
		"UDP without payload":  {segmentSpec{udp: true}, func(*Header, []byte) {}},
		"UDP, long IP header ": {segmentSpec{udp: true, payload: octets(30, 0)}, func(_ *Header, pkt []byte) { pkt[0] = 0x4f }},
	} {
		t.Run(name, func(t *testing.T) {
			h, pkt := test.spec.super(100)
			test.change(&h, pkt)
			var s Split
			if err := s.Start(h, pkt); !errors.Is(err, ErrMalformed) || s.Pending() {
				t.Errorf("Start: %v, pending %t; want ErrMalformed", err, s.Pending())
			}
		})
	}
}

func TestSplitRefusesPrefixes(t *testing.T) {
	for name, sample := range samples {
		h, pkt := sample.spec.super(sample.size)
		for n := range min(len(pkt), 200) {
			var s Split
			if err := s.Start(h, pkt[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: Start of %d octets: %v, want ErrMalformed", name, n, err)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	for _, udp := range []bool{false, true} {
		want := segmentSpec{udp: udp, flags: flagACK, payload: octets(77, 1)}
		h, pkt := want.super(1)
		if err := Complete(Header{}, pkt); err != nil || bytes.Equal(pkt, want.packet()) {
			t.Errorf("Complete without a need: %v; the packet must be as it was", err)
		}
		if err := Complete(h, pkt); err != nil || !bytes.Equal(pkt, want.packet()) {
			t.Errorf("Complete: %v\n%x, want\n%x", err, pkt, want.packet())
		}
	}
	pkt := make([]byte, 30)
	for _, h := range []Header{
		{ChecksumStart: 30}, {ChecksumStart: 20, ChecksumOffset: 9}, {ChecksumStart: 0xffff, ChecksumOffset: 0xffff},
	} {
		h.Flags = NeedsChecksum
		if err := Complete(h, pkt); !errors.Is(err, ErrMalformed) || !bytes.Equal(pkt, make([]byte, 30)) {
			t.Errorf("Complete with %+v: %v, want ErrMalformed", h, err)
		}
	}
	// A sum that is zero is written as 0xffff (RFC 768).
	pkt = []byte{0xff, 0xff, 0, 0}
	if err := Complete(Header{Flags: NeedsChecksum, ChecksumOffset: 2}, pkt); err != nil || pkt[2] != 0xff || pkt[3] != 0xff {
		t.Errorf("Complete: %v, %x; want ffffffff", err, pkt)
	}
}

func FuzzSplit(f *testing.F) {
	for _, sample := range samples {
		h, pkt := sample.spec.super(sample.size)
		b := make([]byte, HeaderLen)
		h.Put(b)
		f.Add(append(b, pkt...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		pkt, err := h.Parse(b)
		if err != nil {
			return
		}
		whole := slices.Clone(pkt)
		if err := Complete(h, whole); err != nil && !bytes.Equal(whole, pkt) {
			t.Error("Complete failed and changed the packet")
		}
		var s Split
		if s.Start(h, pkt) != nil {
			return
		}
		checkSegments(t, pkt, int(h.SegmentSize), cut(t, h, pkt))
	})
}

func TestSplitAllocatesNothing(t *testing.T) {
	h, pkt := samples["as long as can be"].spec.super(1410)
	b := make([]byte, 1500)
	if n := testing.AllocsPerRun(100, func() {
		var s Split
		if err := s.Start(h, pkt); err != nil {
			t.Fatal(err)
		}
		for s.Pending() {
			s.Next(b)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkSplit(b *testing.B) {
	h, pkt := samples["as long as can be"].spec.super(1410)
	room := make([]byte, 64*2048)
	b.SetBytes(int64(len(pkt)))
	for b.Loop() {
		var s Split
		if err := s.Start(h, pkt); err != nil {
			b.Fatal(err)
		}
		for i := 0; s.Pending(); i++ {
			s.Next(room[i%64*2048:][:1500])
		}
	}
}
