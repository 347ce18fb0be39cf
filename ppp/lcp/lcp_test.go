package lcp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func newMachine(c Config) *Machine {
	if c.Rand == nil {
		c.Rand = rand.NewChaCha8([32]byte{1})
	}
	m := New(c)
	m.Open(start)
	m.Up(start)
	return m
}

func outs(m *Machine) []cp.Output {
	var all []cp.Output
	for o, ok := m.Next(); ok; o, ok = m.Next() {
		if o.Kind != cp.Started {
			all = append(all, o)
		}
	}
	return all
}

func say(m *Machine, code, id uint8, data string) []cp.Output {
	m.Input(start, ppp.Packet{Code: code, ID: id, Data: []byte(data)})
	return outs(m)
}

// request takes the machine's own request and gives its options by type.
func request(t testing.TB, o []cp.Output) (ppp.Packet, map[uint8][]byte) {
	t.Helper()
	if len(o) != 1 || o[0].Packet.Code != cp.ConfigureRequest {
		t.Fatalf("outputs %+v", o)
	}
	options := map[uint8][]byte{}
	for v, err := range ppp.Options(o[0].Packet.Data) {
		if err != nil {
			t.Fatal(err)
		}
		options[v.Type] = v.Data
	}
	return o[0].Packet, options
}

func open(t testing.TB, m *Machine, theirs string) {
	t.Helper()
	r, _ := request(t, outs(m))
	say(m, cp.ConfigureAck, r.ID, string(r.Data))
	say(m, cp.ConfigureRequest, 1, theirs)
	if !m.Opened() {
		t.Fatal("not open")
	}
}

func TestRequest(t *testing.T) {
	_, o := request(t, outs(newMachine(Config{MRU: 1450, Demand: []auth.Method{auth.MSCHAPv2, auth.PAP}})))
	if len(o) != 3 || !bytes.Equal(o[optionMRU], []byte{5, 0xaa}) || string(o[optionAuth]) != "\xc2\x23\x81" || len(o[optionMagic]) != 4 {
		t.Errorf("server asks %x", o)
	}
	_, o = request(t, outs(newMachine(Config{Allow: []auth.Method{auth.PAP}})))
	if len(o) != 1 || len(o[optionMagic]) != 4 {
		t.Errorf("client asks %x", o)
	}
}

func TestJudge(t *testing.T) {
	client := Config{Allow: []auth.Method{auth.CHAP, auth.MSCHAPv1}}
	rows := []struct {
		name, in string
		cfg      Config
		code     uint8
		out      string // empty: the same as in
	}{
		{"mru", "\x01\x04\x05\xdc", Config{}, 2, ""},
		{"mru of 128", "\x01\x04\x00\x80", Config{}, 2, ""},
		{"mru of 127", "\x01\x04\x00\x7f", Config{}, 3, "\x01\x04\x00\x80"},
		{"mru of odd length", "\x01\x03\x05", Config{}, 3, "\x01\x04\x05\xdc"},
		{"any asyncmap", "\x02\x06\xff\xff\xff\xff", Config{}, 2, ""},
		{"pfc, acfc", "\x07\x02\x08\x02", Config{}, 2, ""},
		{"pfc with data", "\x07\x03x", Config{}, 4, ""},
		{"magic", "\x05\x06\x12\x34\x56\x78", Config{}, 2, ""},
		{"quality", "\x04\x08\xc0\x25\x00\x00\x00\x64", Config{}, 4, ""},
		{"callback", "\x0d\x03\x06", Config{}, 4, ""},
		{"mrru, ssdhe, discriminator", "\x11\x04\x06\x4e\x12\x02\x13\x03\x00", Config{}, 4, ""},
		{"a demand on a server", "\x03\x04\xc0\x23", Config{}, 4, ""},
		{"chap", "\x03\x05\xc2\x23\x05", client, 2, ""},
		{"mschap1", "\x03\x05\xc2\x23\x80", client, 2, ""},
		{"mschap2", "\x03\x05\xc2\x23\x81", client, 3, "\x03\x05\xc2\x23\x80"},
		{"pap", "\x03\x04\xc0\x23", client, 3, "\x03\x05\xc2\x23\x80"},
		{"eap", "\x03\x04\xc2\x27", client, 3, "\x03\x05\xc2\x23\x80"},
		{"chap without algorithm", "\x03\x04\xc2\x23", client, 3, "\x03\x05\xc2\x23\x80"},
		{"pap with data", "\x03\x05\xc0\x23x", client, 3, "\x03\x05\xc2\x23\x80"},
		{"no protocol", "\x03\x02", client, 3, "\x03\x05\xc2\x23\x80"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(r.cfg)
			outs(m)
			o := say(m, cp.ConfigureRequest, 7, r.in)
			want := r.out
			if want == "" {
				want = r.in
			}
			if len(o) != 1 || o[0].Packet.Code != r.code || string(o[0].Packet.Data) != want {
				t.Errorf("%+v, want code %d %x", o, r.code, want)
			}
		})
	}
	m := newMachine(Config{})
	outs(m)
	o := say(m, cp.ConfigureRequest, 7, "\x05\x06\x00\x00\x00\x00")
	if o[0].Packet.Code != cp.ConfigureNak || string(o[0].Packet.Data[2:]) == "\x00\x00\x00\x00" {
		t.Errorf("magic zero: %+v", o)
	}
}

func TestAgreed(t *testing.T) {
	m := newMachine(Config{Allow: []auth.Method{auth.MSCHAPv2}})
	if m.PeerMRU() != DefaultMRU {
		t.Error("MRU before any request")
	}
	open(t, m, "\x01\x04\x03\xe8\x07\x02\x03\x05\xc2\x23\x81")
	acfc, pfc := m.Compression()
	if m.PeerMRU() != 1000 || acfc || !pfc || m.OurMethod() != auth.MSCHAPv2 || m.PeerMethod() != 0 {
		t.Errorf("MRU %d, acfc %v, pfc %v, method %v", m.PeerMRU(), acfc, pfc, m.OurMethod())
	}
	say(m, cp.ConfigureRequest, 2, "\x08\x02")
	acfc, pfc = m.Compression()
	if m.PeerMRU() != DefaultMRU || !acfc || pfc || m.OurMethod() != 0 {
		t.Errorf("after a renegotiation: MRU %d, acfc %v, pfc %v, method %v", m.PeerMRU(), acfc, pfc, m.OurMethod())
	}
}

// TestMethodFallback: each Nak moves on, to the peer's suggestion if it is ours.
func TestMethodFallback(t *testing.T) {
	m := newMachine(Config{Demand: []auth.Method{auth.MSCHAPv2, auth.MSCHAPv1, auth.CHAP, auth.PAP}})
	r, _ := request(t, outs(m))
	var asked []auth.Method
	for _, nak := range []string{"\x03\x05\xc2\x23\x05", "\x03\x05\xc2\x23\x81", "\x03\x04\xc2\x27"} {
		var o map[uint8][]byte
		r, o = request(t, say(m, cp.ConfigureNak, r.ID, nak))
		asked = append(asked, decodeMethod(o[optionAuth]))
	}
	if want := []auth.Method{auth.CHAP, auth.MSCHAPv1, auth.PAP}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	o := say(m, cp.ConfigureNak, r.ID, "\x03\x05\xc2\x23\x05")
	if len(o) != 1 || o[0].Kind != cp.Failed || !errors.Is(o[0].Err, ErrNoMethod) {
		t.Errorf("%+v", o)
	}
}

func TestMethodRejected(t *testing.T) {
	m := newMachine(Config{Demand: []auth.Method{auth.MSCHAPv2, auth.PAP}})
	r, _ := request(t, outs(m))
	o := say(m, cp.ConfigureReject, r.ID, "\x03\x05\xc2\x23\x81")
	if len(o) != 1 || o[0].Kind != cp.Failed || !errors.Is(o[0].Err, ErrNoMethod) {
		t.Errorf("%+v", o)
	}
}

func TestMRUNaked(t *testing.T) {
	for nak, want := range map[string]int{"\x01\x04\x05\x00": 1280, "\x01\x04\x00\x10": DefaultMRU, "\x01\x04\xff\xff": DefaultMRU} {
		m := newMachine(Config{MRU: 1450})
		r, _ := request(t, outs(m))
		_, o := request(t, say(m, cp.ConfigureNak, r.ID, nak))
		if m.MRU() != want || (o[optionMRU] != nil) != (want != DefaultMRU) {
			t.Errorf("%x: MRU %d, asked %x", nak, m.MRU(), o[optionMRU])
		}
	}
	m := newMachine(Config{MRU: 1450})
	r, _ := request(t, outs(m))
	if _, o := request(t, say(m, cp.ConfigureReject, r.ID, "\x01\x04\x05\xaa")); m.MRU() != DefaultMRU || o[optionMRU] != nil {
		t.Errorf("MRU %d", m.MRU())
	}
}

func TestMagicNaked(t *testing.T) {
	m := newMachine(Config{})
	r, o := request(t, outs(m))
	r2, o2 := request(t, say(m, cp.ConfigureNak, r.ID, "\x05\x06\x00\x00\x00\x01"))
	if bytes.Equal(o[optionMagic], o2[optionMagic]) {
		t.Error("the same magic number")
	}
	if _, o := request(t, say(m, cp.ConfigureReject, r2.ID, string(r2.Data))); o[optionMagic] != nil {
		t.Error("asked again for what was rejected")
	}
}

func TestLooped(t *testing.T) {
	m := newMachine(Config{})
	r, _ := request(t, outs(m))
	for i := range maxLoops {
		o := say(m, cp.ConfigureRequest, r.ID, string(r.Data))
		if i < maxLoops-1 {
			if len(o) != 0 {
				t.Fatalf("%+v", o)
			}
			continue
		}
		if len(o) != 1 || o[0].Err != ErrLoopback {
			t.Errorf("%+v", o)
		}
	}
}

func TestProtocolReject(t *testing.T) {
	m := newMachine(Config{})
	m.RejectProtocol(ppp.ProtocolIPV6CP, nil)
	if o := say(m, ProtocolReject, 1, "\x80\xfd\x01\x01"); len(o) != 1 { // only the request
		t.Errorf("before it is open: %+v", o)
	}
	m = newMachine(Config{})
	open(t, m, "")
	o := say(m, ProtocolReject, 1, "\x80\xfd\x01\x01")
	if len(o) != 1 || o[0].Kind != ProtocolRejected || string(o[0].Packet.Data) != "\x80\xfd" {
		t.Errorf("%+v", o)
	}
	if o := say(m, ProtocolReject, 1, "\x80"); len(o) != 0 {
		t.Errorf("short: %+v", o)
	}
	m.RejectProtocol(ppp.ProtocolIPV6CP, make([]byte, 5000))
	if o := outs(m); len(o) != 1 || o[0].Packet.Len() != MinMRU || string(o[0].Packet.Data[:2]) != "\x80\x57" {
		t.Errorf("%+v", o)
	}
}

// TestNoRandomness: LCP works without magic numbers.
func TestNoRandomness(t *testing.T) {
	m := newMachine(Config{Rand: bytes.NewReader(nil)})
	open(t, m, "\x05\x06\x12\x34\x56\x78")
	if o := say(m, EchoRequest, 3, "\x12\x34\x56\x78hello"); len(o) != 1 || string(o[0].Packet.Data) != "\x00\x00\x00\x00hello" {
		t.Errorf("%+v", o)
	}
}
