package gre_test

import (
	"bytes"
	"errors"
	"testing"

	"gopptp/gre"
)

var headers = []struct {
	name   string
	header gre.Header
	wire   string
}{
	{"data", gre.Header{CallID: 0x1234, PayloadLen: 2, HasSeq: true, Seq: 7},
		"\x30\x01\x88\x0b\x00\x02\x12\x34\x00\x00\x00\x07"},
	{"data and acknowledgement", gre.Header{CallID: 0xffff, PayloadLen: 3, HasSeq: true, Seq: 0xfffffffe, HasAck: true, Ack: 0x01020304},
		"\x30\x81\x88\x0b\x00\x03\xff\xff\xff\xff\xff\xfe\x01\x02\x03\x04"},
	{"acknowledgement", gre.Header{CallID: 1, HasAck: true, Ack: 9},
		"\x20\x81\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x09"},
	{"empty data", gre.Header{CallID: 1, HasSeq: true, Seq: 1},
		"\x30\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01"},
	{"nothing", gre.Header{CallID: 1}, "\x20\x01\x88\x0b\x00\x00\x00\x01"},
}

func TestHeader(t *testing.T) {
	for _, tt := range headers {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.header.Append(nil); string(got) != tt.wire {
				t.Errorf("Append = %x, want %x", got, tt.wire)
			}
			if tt.header.Len() != len(tt.wire) {
				t.Errorf("Len = %d, want %d", tt.header.Len(), len(tt.wire))
			}
			payload := []byte("payload")[:tt.header.PayloadLen]
			buf := append(make([]byte, gre.MaxLen), payload...)
			off := tt.header.Push(buf, gre.MaxLen)
			want := append([]byte(tt.wire), payload...)
			if !bytes.Equal(buf[off:], want) {
				t.Errorf("Push wrote %x, want %x", buf[off:], want)
			}
			for _, padding := range []string{"", "\x00", "padding that is longer"} {
				var h gre.Header
				got, err := h.Parse(append(bytes.Clone(want), padding...))
				if err != nil || h != tt.header || !bytes.Equal(got, payload) || cap(got) != len(payload) {
					t.Errorf("Parse with padding %q = %+v, %q (cap %d), %v", padding, h, got, cap(got), err)
				}
			}
			for i := range want {
				h := gre.Header{CallID: 99}
				if _, err := h.Parse(want[:i]); !errors.Is(err, gre.ErrShort) && !errors.Is(err, gre.ErrLength) {
					t.Errorf("Parse of %d of %d octets: %v", i, len(want), err)
				}
				if h != (gre.Header{CallID: 99}) {
					t.Errorf("Parse of %d octets changed the header", i)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		want       error
	}{
		{"empty", "", gre.ErrShort},
		{"checksum bit", "\xb0\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"routing bit", "\x70\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"strict source route bit", "\x38\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"recursion 1", "\x31\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"recursion 4", "\x34\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"reserved flag high", "\x30\x41\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"reserved flag low", "\x30\x09\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrFlags},
		{"plain GRE", "\x00\x00\x08\x00\x45\x00\x00\x14", gre.ErrVersion},
		{"version 2", "\x30\x02\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrVersion},
		{"version 5", "\x30\x05\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrVersion},
		{"protocol IP", "\x30\x01\x08\x00\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrProtocol},
		{"no key", "\x10\x01\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrNoKey},
		{"no room for the acknowledgement", "\x30\x81\x88\x0b\x00\x00\x00\x01\x00\x00\x00\x01", gre.ErrShort},
		{"payload beyond the packet", "\x30\x01\x88\x0b\x00\x02\x00\x01\x00\x00\x00\x01\xff", gre.ErrLength},
		{"payload of 65535", "\x30\x01\x88\x0b\xff\xff\x00\x01\x00\x00\x00\x01\xff", gre.ErrLength},
		{"payload without sequence", "\x20\x81\x88\x0b\x00\x01\x00\x01\x00\x00\x00\x01\xff", gre.ErrNoSequence},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h gre.Header
			if payload, err := h.Parse([]byte(tt.wire)); err != tt.want || payload != nil || h != (gre.Header{}) {
				t.Errorf("Parse = %+v, %x, %v; want %v", h, payload, err, tt.want)
			}
		})
	}
}

func TestBefore(t *testing.T) {
	for _, tt := range []struct {
		a, b uint32
		want bool
	}{
		{0, 0, false}, {0, 1, true}, {1, 0, false},
		{0xffffffff, 0, true}, {0, 0xffffffff, false},
		{0xfffffff0, 0x10, true}, {0x10, 0xfffffff0, false},
		{0, 0x7fffffff, true}, {0x7fffffff, 0xfffffffe, true},
	} {
		if got := gre.Before(tt.a, tt.b); got != tt.want {
			t.Errorf("Before(%#x, %#x) = %v", tt.a, tt.b, got)
		}
	}
}

func TestHeaderAllocs(t *testing.T) {
	wire := append([]byte(headers[1].wire), "abc"...)
	buf := make([]byte, gre.MaxLen+3)
	if n := testing.AllocsPerRun(1000, func() {
		var h gre.Header
		if _, err := h.Parse(wire); err != nil {
			t.Fatal(err)
		}
		h.Push(buf, gre.MaxLen)
	}); n != 0 {
		t.Errorf("Parse and Push allocate %v times", n)
	}
}

func FuzzHeader(f *testing.F) {
	for _, tt := range headers {
		f.Add(append([]byte(tt.wire), "payload"[:tt.header.PayloadLen]...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h gre.Header
		payload, err := h.Parse(b)
		if err != nil {
			if h != (gre.Header{}) {
				t.Error("an error changed the header")
			}
			return
		}
		again := append(h.Append(nil), payload...)
		if !bytes.HasPrefix(b, again) || len(payload) != int(h.PayloadLen) {
			t.Errorf("%x came back as %x", b, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	h := gre.Header{CallID: 1, PayloadLen: 1400, HasSeq: true, HasAck: true}
	wire := append(h.Append(nil), make([]byte, 1400)...)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Parse(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPush(b *testing.B) {
	h := gre.Header{CallID: 1, PayloadLen: 1400, HasSeq: true, HasAck: true}
	buf := make([]byte, gre.MaxLen+1400)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		h.Seq++
		h.Push(buf, gre.MaxLen)
	}
}
