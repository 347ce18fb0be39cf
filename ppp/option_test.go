package ppp

import (
	"bytes"
	"errors"
	"testing"
)

func TestOptions(t *testing.T) {
	in := []byte("\x01\x04\x05\xdc\x07\x02\x01\x04\x00\x80")
	want := []Option{{1, []byte{5, 0xdc}}, {7, []byte{}}, {1, []byte{0, 0x80}}}
	var got []Option
	var out []byte
	for o, err := range Options(in) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o)
		out = o.Append(out)
		if o.Len() != 2+len(o.Data) {
			t.Errorf("Len = %d", o.Len())
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d options, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Type != want[i].Type || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("option %d = %v, want %v", i, got[i], want[i])
		}
	}
	if !bytes.Equal(out, in) {
		t.Errorf("Append = %x", out)
	}
}

func TestOptionsMalformed(t *testing.T) {
	rows := []struct {
		name, in string
		want     error
	}{
		{"type only", "\x01", ErrShort},
		{"length 0", "\x01\x00\x05\xdc", ErrOption},
		{"length 1", "\x01\x01\x05\xdc", ErrOption},
		{"overlong", "\x01\x05\x05\xdc", ErrOption},
		{"second overlong", "\x07\x02\x01\xff\x00", ErrOption},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := CheckOptions([]byte(r.in)); !errors.Is(err, r.want) {
				t.Errorf("got %v, want %v", err, r.want)
			}
		})
	}
}

func TestOptionsStop(t *testing.T) {
	n := 0
	for range Options([]byte("\x01\x02\x02\x02")) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("walked %d", n)
	}
}

func TestOptionCut(t *testing.T) {
	o := Option{Type: 1, Data: make([]byte, 300)}
	if b := o.Append(nil); len(b) != 255 || b[1] != 255 || o.Len() != 255 {
		t.Errorf("len %d, field %d, Len %d", len(b), b[1], o.Len())
	}
}

func FuzzOptions(f *testing.F) {
	f.Add(Option{Type: 1, Data: []byte{5, 0xdc}}.Append(nil))
	f.Add(Option{Type: 18, Data: []byte{1, 0, 0, 0x40}}.Append(Option{Type: 7}.Append(nil)))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out []byte
		for o, err := range Options(in) {
			if err != nil {
				return
			}
			out = o.Append(out)
		}
		if !bytes.Equal(in, out) {
			t.Errorf("Append(Options(%x)) = %x", in, out)
		}
	})
}
