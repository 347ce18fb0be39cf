package ccp

import (
	"encoding/binary"
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/cp"
)

var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

var all = []mppe.Strength{mppe.Bits128, mppe.Bits56, mppe.Bits40}

func option(bits uint32) string {
	return "\x12\x06" + string(binary.BigEndian.AppendUint32(nil, bits))
}

func outs(m *Machine) []Output {
	var all []Output
	for o, ok := m.Next(); ok; o, ok = m.Next() {
		all = append(all, o)
	}
	return all
}

func say(m *Machine, code, id uint8, data string) []Output {
	m.Input(start, ppp.Packet{Code: code, ID: id, Data: []byte(data)})
	return outs(m)
}

// begin starts a machine and checks that the key comes before the request.
func begin(t testing.TB, c Config) (*Machine, ppp.Packet) {
	t.Helper()
	m := New(c)
	m.Start(start)
	o := outs(m)
	if len(o) != 2 || o[0].Kind != Arm || o[1].Kind != Send || o[1].Packet.Code != cp.ConfigureRequest {
		t.Fatalf("%+v", o)
	}
	return m, o[1].Packet
}

func open(t testing.TB, c Config) *Machine {
	t.Helper()
	m, r := begin(t, c)
	say(m, cp.ConfigureAck, r.ID, string(r.Data))
	o := say(m, cp.ConfigureRequest, 1, option(bitStateless|bit128))
	if len(o) != 2 || o[1].Kind != Opened {
		t.Fatalf("%+v", o)
	}
	return m
}

func kinds(o []Output) (k []Kind) {
	for i := range o {
		k = append(k, o[i].Kind)
	}
	return k
}

// TestRequest asks for all that is allowed, stateless; the key is for the best.
func TestRequest(t *testing.T) {
	for _, c := range []struct {
		allowed []mppe.Strength
		bits    uint32
	}{
		{nil, bitStateless | bit128},
		{all, bitStateless | bit128 | bit56 | bit40},
		{[]mppe.Strength{mppe.Bits40, mppe.Bits56}, bitStateless | bit56 | bit40},
		{[]mppe.Strength{mppe.Bits40}, bitStateless | bit40},
	} {
		if _, r := begin(t, Config{Strengths: c.allowed}); string(r.Data) != option(c.bits) {
			t.Errorf("%v: asks %x", c.allowed, r.Data)
		}
	}
}

func TestJudge(t *testing.T) {
	only40 := Config{Strengths: []mppe.Strength{mppe.Bits40}}
	every := Config{Strengths: all}
	stateless := Config{Strengths: all, StatelessOnly: true}
	rows := []struct {
		name string
		cfg  Config
		in   uint32
		code uint8
		out  uint32
	}{
		{"128 stateless", Config{}, bitStateless | bit128, 2, bitStateless | bit128},
		{"128 stateful", Config{}, bit128, 2, bit128},
		{"stateful is not allowed", stateless, bit128, 3, bitStateless | bit128},
		{"Windows", every, 0x010000e1, 3, bitStateless | bit128},
		{"Windows, 40 bits", only40, 0x010000e1, 3, bitStateless | bit40},
		{"several, stateful", every, bit128 | bit40, 3, bit128},
		{"MPPC too", every, bitStateless | bit128 | 1, 3, bitStateless | bit128},
		{"D too", every, bitStateless | bit128 | 0x10, 3, bitStateless | bit128},
		{"reserved bits too", every, bitStateless | bit128 | 0x00800000, 3, bitStateless | bit128},
		{"only MPPC", every, 1, 3, bitStateless | bit128},
		{"nothing", every, 0, 3, bitStateless | bit128},
		{"40 where 128 is allowed", Config{}, bitStateless | bit40, 3, bitStateless | bit128},
		{"56", every, bitStateless | bit56, 2, bitStateless | bit56},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m, _ := begin(t, r.cfg)
			o := say(m, cp.ConfigureRequest, 9, option(r.in))
			if len(o) != 1 || o[0].Packet.Code != r.code || string(o[0].Packet.Data) != option(r.out) {
				t.Errorf("%+v, want code %d %x", o, r.code, option(r.out))
			}
		})
	}
	m, _ := begin(t, Config{})
	if o := say(m, cp.ConfigureRequest, 9, "\x1a\x04\x78\x00\x12\x06\x01\x00\x00\x40"); o[0].Packet.Code != cp.ConfigureReject || string(o[0].Packet.Data) != "\x1a\x04\x78\x00" {
		t.Errorf("deflate: %+v", o)
	}
	if o := say(m, cp.ConfigureRequest, 10, "\x12\x03\x01"); o[0].Packet.Code != cp.ConfigureNak || string(o[0].Packet.Data) != option(bitStateless|bit128) {
		t.Errorf("short option: %+v", o)
	}
}

// TestAckedAll: a peer that acks several strengths means the best of them.
func TestAckedAll(t *testing.T) {
	m, r := begin(t, Config{Strengths: all})
	say(m, cp.ConfigureAck, r.ID, string(r.Data))
	o := say(m, cp.ConfigureRequest, 1, option(bitStateless|bit40))
	want := mppe.Config{Strength: mppe.Bits128, Stateless: true}
	if len(o) != 2 || o[1].Kind != Opened || o[1].Receive != want || o[1].Send.Strength != mppe.Bits40 {
		t.Errorf("%+v", o)
	}
}

// TestNaked follows within what is allowed, and the new key comes first.
func TestNaked(t *testing.T) {
	m, r := begin(t, Config{Strengths: []mppe.Strength{mppe.Bits128, mppe.Bits40}})
	o := say(m, cp.ConfigureNak, r.ID, option(bit40|bit56))
	if len(o) != 2 || o[0].Kind != Arm || o[0].Receive != (mppe.Config{Strength: mppe.Bits40}) || string(o[1].Packet.Data) != option(bit40) {
		t.Fatalf("%+v", o)
	}
	m, r = begin(t, Config{})
	o = say(m, cp.ConfigureNak, r.ID, option(bit40))
	if len(o) != 1 || string(o[0].Packet.Data) != option(bitStateless|bit128) {
		t.Fatalf("followed below what is allowed: %+v", o)
	}
	o = say(m, cp.ConfigureNak, o[0].Packet.ID, option(bit40))
	if k := kinds(o); len(k) != 1 || k[0] != Refused {
		t.Errorf("%+v", o)
	}
}

func TestRefused(t *testing.T) {
	m, r := begin(t, Config{})
	o := say(m, cp.ConfigureReject, r.ID, string(r.Data))
	if k := kinds(o); len(k) != 1 || k[0] != Refused {
		t.Fatalf("%+v", o)
	}
	if _, ok := m.Deadline(); ok {
		t.Error("the timer runs")
	}
	for range 3 { // for ever, without a state
		if o := say(m, cp.ConfigureRequest, 5, option(0)); len(o) != 1 || o[0].Packet.Code != cp.ConfigureReject || string(o[0].Packet.Data) != option(0) {
			t.Errorf("%+v", o)
		}
		if o := say(m, cp.ConfigureRequest, 6, ""); len(o) != 1 || o[0].Packet.Code != cp.ConfigureAck {
			t.Errorf("%+v", o)
		}
		if o := say(m, cp.TerminateRequest, 7, ""); len(o) != 1 || o[0].Packet.Code != cp.TerminateAck {
			t.Errorf("%+v", o)
		}
		for _, code := range []uint8{2, 3, 4, 6, 7, 14, 15, 99} {
			if o := say(m, code, 8, ""); len(o) != 0 {
				t.Errorf("code %d: %+v", code, o)
			}
		}
		if o := say(m, cp.ConfigureRequest, 6, "\x12\x01"); len(o) != 0 {
			t.Errorf("malformed: %+v", o)
		}
	}
	m.Refuse(start, ErrRefused)
	m.Rejected(start)
	m.Tick(start.Add(time.Hour))
	if o := outs(m); len(o) != 0 {
		t.Errorf("refused twice: %+v", o)
	}
	m.Start(start)
	if k := kinds(outs(m)); len(k) != 2 || k[0] != Arm {
		t.Errorf("a new start: %v", k)
	}
}

// TestRefuseTellsThePeer: what the peer believes agreed is taken back in words.
func TestRefuseTellsThePeer(t *testing.T) {
	m, _ := begin(t, Config{})
	say(m, cp.ConfigureRequest, 1, option(bitStateless|bit128))
	if !m.Promised() {
		t.Error("an Ack is a promise")
	}
	m.Refuse(start, ErrRefused)
	o := outs(m)
	if len(o) != 2 || o[0].Packet.Code != cp.TerminateRequest || o[1].Kind != Refused {
		t.Errorf("%+v", o)
	}
	m = open(t, Config{})
	m.Refuse(start, ErrRefused)
	o = outs(m)
	if k := kinds(o); len(k) != 3 || k[0] != Send || k[1] != Left || k[2] != Refused {
		t.Errorf("%+v", o)
	}
}

func TestSilence(t *testing.T) {
	m, _ := begin(t, Config{})
	for range 20 {
		at, ok := m.Deadline()
		if !ok {
			break
		}
		m.Tick(at)
	}
	o := outs(m)
	if last := o[len(o)-1]; last.Kind != Refused || last.Err != cp.ErrTimeout {
		t.Errorf("%+v", last)
	}
	for _, v := range o {
		if v.Kind == Arm {
			t.Error("a repeated request changes the key")
		}
	}
}

func TestResets(t *testing.T) {
	m, _ := begin(t, Config{})
	m.RequestReset()
	if o := say(m, ResetRequest, 1, ""); len(o) != 0 {
		t.Errorf("before it is open: %+v", o)
	}
	m = open(t, Config{})
	// Linux decrypts nothing until it has the Reset-Ack.
	if o := say(m, ResetRequest, 77, "abc"); len(o) != 1 || o[0].Kind != Flush || o[0].Packet.Code != ResetAck || o[0].Packet.ID != 77 {
		t.Errorf("%+v", o)
	}
	if o := say(m, ResetAck, 1, ""); len(o) != 0 {
		t.Errorf("%+v", o)
	}
	m.RequestReset()
	if o := outs(m); len(o) != 1 || o[0].Packet.Code != ResetRequest {
		t.Errorf("%+v", o)
	}
}

// TestRenegotiate: the order is Left, key, request.
func TestRenegotiate(t *testing.T) {
	m := open(t, Config{})
	o := say(m, cp.ConfigureRequest, 2, option(bitStateless|bit128))
	want := []Kind{Left, Arm, Send, Send}
	for i, k := range kinds(o) {
		if len(o) != len(want) || k != want[i] {
			t.Fatalf("%+v", o)
		}
	}
	if o[0].Err != nil {
		t.Error(o[0].Err)
	}
	m = open(t, Config{})
	if o := say(m, cp.TerminateRequest, 2, ""); o[0].Kind != Left || o[0].Err != cp.ErrTerminated {
		t.Errorf("%+v", o)
	}
	m.Start(start)
	if k := kinds(outs(m)); len(k) != 2 || k[0] != Arm {
		t.Errorf("%v", k)
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte("\x01\x01\x00\x0a" + option(bitStateless|bit128) + "\x02\x01\x00\x0a" + option(bitStateless|bit128)))
	f.Add([]byte("\x01\x01\x00\x0a" + option(0) + "\x0e\x01\x00\x04\x05\x01\x00\x04"))
	f.Add([]byte("\x03\x01\x00\x0a" + option(bit40) + "\x04\x02\x00\x0a" + option(bit40)))
	f.Fuzz(func(t *testing.T, b []byte) { checkMachine(t, Config{Strengths: all}, b) })
}

// checkMachine says the packets in b to a machine.
func checkMachine(t *testing.T, cfg Config, b []byte) {
	m := New(cfg)
	m.Start(start)
	armed := mppe.Config{}
	for {
		for _, o := range outs(m) {
			switch o.Kind {
			case Arm:
				armed = o.Receive
			case Send:
				if offer, ok := offered(o.Packet); ok && offer != armed {
					t.Fatalf("offers %v, armed for %v", offer, armed)
				}
			case Opened:
				encrypted := o.Send.Strength != mppe.None && armed.Strength != mppe.None
				if encrypted == cfg.NoEncryption || o.Receive != armed || !armed.Active() {
					t.Fatalf("opened %+v, armed for %v", o, armed)
				}
				if !cfg.Compress && (o.Send.Compress || armed.Compress) {
					t.Fatalf("compressed unasked: %+v", o)
				}
			}
		}
		var p ppp.Packet
		if p.Parse(b) != nil {
			return
		}
		b = b[p.Len():]
		m.Input(start, p)
	}
}
