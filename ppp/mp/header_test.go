package mp

import (
	"bytes"
	"errors"
	"testing"
)

// vectors follow the two figures of RFC 1990, section 3, from the octet after
// the protocol field 0x003D on: B, E, reserved zeros, number.
var vectors = []struct {
	name string
	h    Header
	wire string
}{
	{"long, whole", Header{Begin: true, End: true}, "\xc0\x00\x00\x00"},
	{"long, first", Header{Begin: true, Sequence: 0x010203}, "\x80\x01\x02\x03"},
	{"long, middle", Header{Sequence: 0xffffff}, "\x00\xff\xff\xff"},
	{"long, last", Header{End: true, Sequence: 0x800000}, "\x40\x80\x00\x00"},
	{"short, whole", Header{Begin: true, End: true, Short: true}, "\xc0\x00"},
	{"short, first", Header{Begin: true, Short: true, Sequence: 0x123}, "\x81\x23"},
	{"short, middle", Header{Short: true, Sequence: 0xfff}, "\x0f\xff"},
	{"short, last", Header{End: true, Short: true, Sequence: 0x800}, "\x48\x00"},
}

func TestRFC1990Section3(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			if got := v.h.Append([]byte("x")); string(got) != "x"+v.wire || v.h.Len() != len(v.wire) {
				t.Errorf("appends %x, length %d", got, v.h.Len())
			}
			buf := []byte("______data")
			if off := v.h.Push(buf, 6); off != 6-len(v.wire) || string(buf[off:]) != v.wire+"data" || buf[0] != '_' {
				t.Errorf("pushes %q at %d", buf, off)
			}
			var h Header
			data, err := h.Parse([]byte(v.wire+"data"), v.h.Short)
			if err != nil || h != v.h || string(data) != "data" {
				t.Errorf("parses %+v %q %v", h, data, err)
			}
			for n := range v.wire {
				was := h
				if _, err := h.Parse([]byte(v.wire[:n]), v.h.Short); !errors.Is(err, ErrShort) || h != was {
					t.Errorf("%d octets: %v", n, err)
				}
			}
		})
	}
}

// TestReservedBits: ignored on receipt, zero when sent; a number too large is cut.
func TestReservedBits(t *testing.T) {
	rows := []struct {
		in    string
		short bool
		want  string
	}{
		{"\xff\x00\x00\x01", false, "\xc0\x00\x00\x01"},
		{"\x3f\x12\x34\x56", false, "\x00\x12\x34\x56"},
		{"\xf1\x23", true, "\xc1\x23"},
		{"\x30\x00", true, "\x00\x00"},
	}
	for _, r := range rows {
		var h Header
		if _, err := h.Parse([]byte(r.in), r.short); err != nil || string(h.Append(nil)) != r.want {
			t.Errorf("%x: %+v %v", r.in, h, err)
		}
	}
	if got := (Header{Sequence: 0xff123456}).Append(nil); !bytes.Equal(got, []byte{0, 0x12, 0x34, 0x56}) {
		t.Errorf("%x", got)
	}
	if got := (Header{Sequence: 0xff123456, Short: true}).Append(nil); !bytes.Equal(got, []byte{4, 0x56}) {
		t.Errorf("%x", got)
	}
}

func FuzzHeader(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.wire+"data"), v.h.Short)
	}
	f.Fuzz(func(t *testing.T, b []byte, short bool) {
		var h Header
		data, err := h.Parse(b, short)
		if err != nil {
			if h != (Header{}) || len(b) >= MaxHeaderLen {
				t.Fatalf("%x: %+v %v", b, h, err)
			}
			return
		}
		again := append(h.Append(nil), data...)
		reserved := byte(0x3f)
		if short {
			reserved = 0x30
		}
		want := bytes.Clone(b)
		want[0] &^= reserved
		if !bytes.Equal(again, want) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
