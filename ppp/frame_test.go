package ppp

import (
	"bytes"
	"errors"
	"testing"
)

func TestHeader(t *testing.T) {
	rows := []struct {
		name, in string
		want     Header
		info     string
	}{
		{"uncompressed", "\xff\x03\xc0\x21x", Header{Protocol: ProtocolLCP}, "x"},
		{"acfc", "\xc0\x21x", Header{Protocol: ProtocolLCP, ACFC: true}, "x"},
		{"pfc", "\xff\x03\x21x", Header{Protocol: ProtocolIP, PFC: true}, "x"},
		{"both", "\x21x", Header{Protocol: ProtocolIP, ACFC: true, PFC: true}, "x"},
		{"both, no information", "\xfd", Header{Protocol: ProtocolCompressed, ACFC: true, PFC: true}, ""},
		{"even low octet", "\xff\x03\x00\x20x", Header{Protocol: 0x20}, "x"},
		{"ff without 03 is a compressed protocol", "\xff\x04x", Header{Protocol: 0xff, ACFC: true, PFC: true}, "\x04x"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var h Header
			info, err := h.Parse([]byte(r.in))
			if err != nil || h != r.want || string(info) != r.info {
				t.Fatalf("Parse = %+v, %q, %v; want %+v, %q", h, info, err, r.want, r.info)
			}
			out := h.Append(nil)
			if string(out)+r.info != r.in || len(out) != h.Len() {
				t.Errorf("Append = %x, Len = %d", out, h.Len())
			}
			buf := make([]byte, MaxHeaderLen+len(info))
			copy(buf[MaxHeaderLen:], info)
			if off := h.Push(buf, MaxHeaderLen); string(buf[off:]) != r.in {
				t.Errorf("Push = %x", buf[off:])
			}
		})
	}
}

func TestHeaderShort(t *testing.T) {
	for _, in := range []string{"", "\xff\x03", "\xc0", "\xff\x03\xc0", "\x00"} {
		h := Header{Protocol: 1}
		if _, err := h.Parse([]byte(in)); !errors.Is(err, ErrShort) {
			t.Errorf("Parse(%x) = %v, want ErrShort", in, err)
		}
		if h.Protocol != 1 {
			t.Errorf("Parse(%x) changed the receiver", in)
		}
	}
}

func TestHeaderPFCOfWideProtocol(t *testing.T) {
	h := Header{Protocol: ProtocolCCP, ACFC: true, PFC: true}
	if got := h.Append(nil); !bytes.Equal(got, []byte{0x80, 0xfd}) {
		t.Errorf("Append = %x", got)
	}
}

func TestHeaderAllocs(t *testing.T) {
	buf := make([]byte, 64)
	n := testing.AllocsPerRun(1000, func() {
		h := Header{Protocol: ProtocolCompressed}
		off := h.Push(buf, 32)
		if _, err := h.Parse(buf[off:]); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzHeader(f *testing.F) {
	for _, p := range []Protocol{ProtocolIP, ProtocolLCP, ProtocolCompressed} {
		for i := range 4 {
			f.Add(Header{Protocol: p, ACFC: i&1 != 0, PFC: i&2 != 0}.Append(nil))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var h Header
		info, err := h.Parse(in)
		if err != nil {
			return
		}
		if out := append(h.Append(nil), info...); !bytes.Equal(out, in) {
			t.Errorf("Append(Parse(%x)) = %x", in, out)
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	buf := make([]byte, 64)
	h := Header{Protocol: ProtocolCompressed}
	for b.Loop() {
		off := h.Push(buf, 32)
		if _, err := h.Parse(buf[off:]); err != nil {
			b.Fatal(err)
		}
	}
}
