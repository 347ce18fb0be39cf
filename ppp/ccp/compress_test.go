package ccp

import (
	"errors"
	"testing"

	"gopptp/mppe"
	"gopptp/ppp/cp"
)

var (
	both  = Config{Strengths: all, Compress: true}
	alone = Config{Compress: true, NoEncryption: true}
)

func TestCompressionIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		bits uint32
		arm  mppe.Config
	}{
		{Config{Compress: true}, bitStateless | bit128 | bitCompress, mppe.Config{Strength: mppe.Bits128, Stateless: true, Compress: true}},
		{both, bitStateless | bit128 | bit56 | bit40 | bitCompress, mppe.Config{Strength: mppe.Bits128, Stateless: true, Compress: true}},
		{alone, bitCompress, mppe.Config{Compress: true}},
		{Config{Strengths: all, Compress: true, NoEncryption: true}, bitCompress, mppe.Config{Compress: true}},
	} {
		m := New(c.cfg)
		m.Start(start)
		o := outs(m)
		if len(o) != 2 || o[0].Receive != c.arm || string(o[1].Packet.Data) != option(c.bits) {
			t.Errorf("%+v: %+v", c.cfg, o)
		}
	}
}

func TestJudgeCompression(t *testing.T) {
	for _, r := range []struct {
		name string
		cfg  Config
		in   uint32
		code uint8
		out  uint32
	}{
		{"both", both, 0x01000041, cp.ConfigureAck, 0x01000041},
		{"encryption alone", both, 0x01000040, cp.ConfigureAck, 0x01000040},
		{"stateful", both, 0x00000041, cp.ConfigureAck, 0x00000041},
		{"Windows", both, 0x010000e1, cp.ConfigureNak, 0x01000041},
		{"compression alone where there is encryption", both, 1, cp.ConfigureNak, 0x010000e1 &^ (bit56 | bit40)},
		{"alone", alone, 1, cp.ConfigureAck, 1},
		{"alone, stateless", alone, 0x01000001, cp.ConfigureAck, 0x01000001},
		{"encryption where there is none", alone, 0x01000040, cp.ConfigureNak, 1},
		{"both where there is no encryption", alone, 0x01000041, cp.ConfigureNak, 0x01000001},
		{"D too", alone, 0x11, cp.ConfigureNak, 1},
	} {
		m, _ := begin(t, r.cfg)
		o := say(m, cp.ConfigureRequest, 9, option(r.in))
		if len(o) != 1 || o[0].Packet.Code != r.code || string(o[0].Packet.Data) != option(r.out) {
			t.Errorf("%s: %+v, want code %d %x", r.name, o, r.code, option(r.out))
		}
	}
}

// TestNakWithoutCompression: Linux has no compression and says so.
func TestNakWithoutCompression(t *testing.T) {
	m, r := begin(t, Config{Compress: true})
	o := say(m, cp.ConfigureNak, r.ID, option(bitStateless|bit128))
	want := mppe.Config{Strength: mppe.Bits128, Stateless: true}
	if len(o) != 2 || o[0].Kind != Arm || o[0].Receive != want || string(o[1].Packet.Data) != option(bitStateless|bit128) {
		t.Fatalf("%+v", o)
	}
	say(m, cp.ConfigureAck, o[1].Packet.ID, string(o[1].Packet.Data))
	o = say(m, cp.ConfigureRequest, 1, option(bitStateless|bit128|bitCompress))
	if len(o) != 2 || o[1].Kind != Opened || o[1].Receive != want || !o[1].Send.Compress {
		t.Errorf("one direction compressed: %+v", o)
	}

	// A Nak cannot add what was not asked for.
	m, r = begin(t, Config{})
	if o := say(m, cp.ConfigureNak, r.ID, option(bit128|bitCompress)); o[0].Receive != (mppe.Config{Strength: mppe.Bits128}) {
		t.Errorf("%+v", o)
	}
	// Nor can it take encryption away for compression.
	m, r = begin(t, Config{Compress: true})
	o = say(m, cp.ConfigureNak, r.ID, option(bitCompress))
	o = append(o, say(m, cp.ConfigureNak, o[len(o)-1].Packet.ID, option(bitCompress))...)
	if last := o[len(o)-1]; last.Kind != Refused || !errors.Is(last.Err, ErrNoStrength) {
		t.Errorf("%+v", o)
	}
}

func TestCompressionAlone(t *testing.T) {
	m, r := begin(t, alone)
	say(m, cp.ConfigureAck, r.ID, string(r.Data))
	o := say(m, cp.ConfigureRequest, 1, option(bitCompress))
	want := mppe.Config{Compress: true}
	if len(o) != 2 || o[1].Kind != Opened || o[1].Receive != want || o[1].Send != want {
		t.Fatalf("%+v", o)
	}
	// A peer may want to get nothing compressed.
	m, r = begin(t, alone)
	say(m, cp.ConfigureAck, r.ID, string(r.Data))
	o = say(m, cp.ConfigureRequest, 1, "")
	if len(o) != 2 || o[0].Packet.Code != cp.ConfigureAck || o[1].Kind != Opened || o[1].Receive != want || o[1].Send.Active() {
		t.Errorf("half of it: %+v", o)
	}
	// What a peer without it does.
	for name, answers := range map[string][]struct {
		code uint8
		data string
	}{
		"Reject":           {{cp.ConfigureReject, option(bitCompress)}},
		"Nak, encryption":  {{cp.ConfigureNak, option(bitStateless | bit128)}, {cp.ConfigureNak, option(bitStateless | bit128)}},
		"Nak, nothing":     {{cp.ConfigureNak, option(0)}, {cp.ConfigureNak, option(0)}},
		"Terminate":        {{cp.TerminateRequest, ""}},
		"only its own way": {{cp.ConfigureRequest, option(bit128)}, {cp.ConfigureRequest, option(bit40)}, {cp.ConfigureRequest, option(0)}},
	} {
		m, r := begin(t, alone)
		var o []Output
		id := r.ID
		for i, a := range answers {
			if a.code == cp.ConfigureRequest || a.code == cp.TerminateRequest {
				id = uint8(100 + i)
			}
			o = append(o, say(m, a.code, id, a.data)...)
			if a.code == cp.ConfigureNak {
				id = o[len(o)-1].Packet.ID
			}
		}
		if name == "Terminate" {
			continue // it may still come
		}
		refused := false
		for _, v := range o {
			refused = refused || v.Kind == Refused
		}
		if !refused || m.Opened() {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// FuzzCompress is FuzzMachine with compression: whatever the peer says, what is
// opened was armed for, and encryption is in both directions or not wanted.
func FuzzCompress(f *testing.F) {
	f.Add(true, []byte("\x01\x01\x00\x0a"+option(bitCompress)+"\x02\x01\x00\x0a"+option(bitCompress)))
	f.Add(true, []byte("\x02\x01\x00\x0a"+option(bitCompress)+"\x01\x01\x00\x04\x0e\x01\x00\x04"))
	f.Add(false, []byte("\x03\x01\x00\x0a"+option(bitStateless|bit128)+"\x02\x02\x00\x0a"+option(bitStateless|bit128)+
		"\x01\x01\x00\x0a"+option(bitStateless|bit128|bitCompress)))
	f.Fuzz(func(t *testing.T, only bool, b []byte) {
		cfg := both
		if only {
			cfg = alone
		}
		checkMachine(t, cfg, b)
	})
}
