package ppp

import (
	"bytes"
	"errors"
	"testing"
)

func TestPacket(t *testing.T) {
	in := []byte("\x01\x02\x00\x06ab")
	var p Packet
	if err := p.Parse(append(in, "padding"...)); err != nil {
		t.Fatal(err)
	}
	if p.Code != 1 || p.ID != 2 || string(p.Data) != "ab" || p.Len() != len(in) {
		t.Errorf("got %+v", p)
	}
	if out := p.Append(nil); !bytes.Equal(out, in) {
		t.Errorf("Append = %x", out)
	}
	for i := range in {
		q := Packet{Code: 9}
		if err := q.Parse(in[:i]); err == nil || q.Code != 9 {
			t.Errorf("prefix of %d octets: %v, %+v", i, err, q)
		}
	}
	for _, n := range []byte{0, 1, 3, 7} {
		bad := bytes.Clone(in)
		bad[3] = n
		if err := p.Parse(bad); !errors.Is(err, ErrLength) {
			t.Errorf("length %d: %v", n, err)
		}
	}
	if long := (&Packet{Data: make([]byte, 1<<17)}).Append(nil); len(long) != MaxPacketLen {
		t.Errorf("long packet has %d octets", len(long))
	}
}

func TestProtocolString(t *testing.T) {
	for p, want := range map[Protocol]string{
		ProtocolIP: "IP", ProtocolCompressed: "Compressed", ProtocolLCP: "LCP", ProtocolCCP: "CCP", 0x4025: "0x4025",
	} {
		if got := p.String(); got != want {
			t.Errorf("%d = %q, want %q", p, got, want)
		}
	}
}

func FuzzPacket(f *testing.F) {
	f.Add((&Packet{Code: 1, ID: 7, Data: []byte("x")}).Append(nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		var p Packet
		if p.Parse(in) != nil {
			return
		}
		if out := p.Append(nil); !bytes.Equal(out, in[:len(out)]) {
			t.Errorf("Append(Parse(%x)) = %x", in, out)
		}
	})
}
