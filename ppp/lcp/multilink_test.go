package lcp

import (
	"bytes"
	"strings"
	"testing"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

var endpoint = []byte("\x01gopptp")

func multilink() Config {
	return Config{MRU: 1450, MRRU: 1600, Endpoint: endpoint, Allow: []auth.Method{auth.MSCHAPv2}}
}

func TestMultilinkRequest(t *testing.T) {
	_, o := request(t, outs(newMachine(multilink())))
	if len(o) != 4 || string(o[optionMRRU]) != "\x06\x40" || !bytes.Equal(o[optionEndpoint], endpoint) {
		t.Errorf("asks %x", o)
	}
	c := multilink()
	c.ShortSeq, c.Endpoint = true, nil
	_, o = request(t, outs(newMachine(c)))
	if data, ok := o[optionShortSeq]; len(o) != 4 || !ok || len(data) != 0 {
		t.Errorf("asks %x", o)
	}
	c.Endpoint = []byte(strings.Repeat("x", 300))
	if _, o = request(t, outs(newMachine(c))); len(o[optionEndpoint]) != MaxEndpoint {
		t.Errorf("asks %x", o)
	}
	c.MRRU = 0 // then the others have no meaning
	if _, o = request(t, outs(newMachine(c))); len(o) != 2 || o[optionMRU] == nil || o[optionMagic] == nil {
		t.Errorf("asks %x", o)
	}
}

func TestMultilinkJudge(t *testing.T) {
	rows := []struct {
		name, in string
		code     uint8
		out      string // empty: the same as in
	}{
		{"Windows: 1614, local endpoint", "\x01\x04\x05\x78\x05\x06\x12\x34\x56\x78\x07\x02\x08\x02\x11\x04\x06\x4e\x13\x17\x01" + strings.Repeat("w", 20), 2, ""},
		{"pppd: 1500, Ethernet address", "\x01\x04\x05\xdc\x11\x04\x05\xdc\x13\x09\x03\x52\x54\x00\x12\x34\x56", 2, ""},
		{"short numbers", "\x11\x04\x06\x4e\x12\x02", 2, ""},
		{"the smallest", "\x11\x04\x00\x80", 2, ""},
		{"too small", "\x11\x04\x00\x7f", 3, "\x11\x04\x00\x80"},
		{"of odd length", "\x11\x03\x06", 3, "\x11\x04\x05\xdc"},
		{"short numbers with data", "\x12\x03x", 4, ""},
		{"null endpoint", "\x13\x03\x00", 2, ""},
		{"endpoint without class", "\x13\x02", 4, ""},
		{"endpoint too long", "\x13\x18" + strings.Repeat("w", 22), 4, ""},
		{"Windows: callback as well", "\x0d\x03\x06\x11\x04\x06\x4e", 4, "\x0d\x03\x06"},
		{"twice", "\x11\x04\x06\x4e\x11\x04\x05\xdc", 4, "\x11\x04\x05\xdc"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(multilink())
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
}

// TestMultilinkAgreed: each direction is its own, and a renegotiation forgets.
func TestMultilinkAgreed(t *testing.T) {
	for _, r := range []struct {
		theirs string
		short  bool
		want   Multilink
	}{
		{"\x11\x04\x06\x4e\x12\x02", false, Multilink{MRRU: 1600, PeerMRRU: 1614, PeerShortSeq: true}},
		{"\x11\x04\x06\x4e", true, Multilink{MRRU: 1600, PeerMRRU: 1614, ShortSeq: true}},
		{"\x12\x02", false, Multilink{MRRU: 1600}},
		{"", false, Multilink{MRRU: 1600}},
	} {
		c := multilink()
		c.ShortSeq = r.short
		m := newMachine(c)
		open(t, m, r.theirs)
		if got := m.Multilink(); got != r.want {
			t.Errorf("%x: %+v, want %+v", r.theirs, got, r.want)
		}
		say(m, cp.ConfigureRequest, 2, "")
		if got := m.Multilink(); got.PeerMRRU != 0 || got.PeerShortSeq {
			t.Errorf("%x: after a renegotiation %+v", r.theirs, got)
		}
	}
	m := newMachine(Config{})
	open(t, m, "")
	if m.Multilink() != (Multilink{}) {
		t.Errorf("out of nothing: %+v", m.Multilink())
	}
}

// TestMultilinkRefused: who does not want it gets a link without.
func TestMultilinkRefused(t *testing.T) {
	c := multilink()
	c.ShortSeq = true
	for _, row := range []struct {
		name   string
		code   uint8
		answer string
		asked  int // options of ours in the next request that are multilink's
		mrru   int
	}{
		{"all rejected", cp.ConfigureReject, "\x11\x04\x06\x40\x12\x02\x13\x09\x01gopptp", 0, 0},
		{"MRRU rejected", cp.ConfigureReject, "\x11\x04\x06\x40", 0, 0},
		{"short numbers rejected", cp.ConfigureReject, "\x12\x02", 2, 1600},
		{"endpoint rejected", cp.ConfigureReject, "\x13\x09\x01gopptp", 2, 1600},
		{"a smaller MRRU", cp.ConfigureNak, "\x11\x04\x05\xdc", 3, 1500},
		{"a larger MRRU", cp.ConfigureNak, "\x11\x04\x06\x41", 0, 0},
		{"an absurd MRRU", cp.ConfigureNak, "\x11\x04\x00\x01", 0, 0},
		{"short numbers naked", cp.ConfigureNak, "\x12\x02", 2, 1600},
		{"endpoint naked", cp.ConfigureNak, "\x13\x04\x01x", 2, 1600},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(c)
			r, _ := request(t, outs(m))
			r, o := request(t, say(m, row.code, r.ID, row.answer))
			asked := 0
			for typ := range o {
				if typ >= optionMRRU {
					asked++
				}
			}
			if asked != row.asked {
				t.Errorf("asks %x", o)
			}
			say(m, cp.ConfigureAck, r.ID, string(r.Data))
			say(m, cp.ConfigureRequest, 1, "")
			if got := m.Multilink(); !m.Opened() || got.MRRU != row.mrru || got.MRRU == 0 && got.ShortSeq {
				t.Errorf("%+v, open %v", got, m.Opened())
			}
		})
	}
	m := newMachine(Config{MRRU: 512})
	r, _ := request(t, outs(m))
	if _, o := request(t, say(m, cp.ConfigureNak, r.ID, "\x11\x04\x05\xdc")); string(o[optionMRRU]) != "\x05\xdc" {
		t.Errorf("1500 instead of 512: asks %x", o)
	}
}

// TestMultilinkUnasked: a Nak that prompts for multilink does not make us ask,
// neither without an MRRU nor once we did without.
func TestMultilinkUnasked(t *testing.T) {
	for _, r := range []struct {
		name string
		mrru uint16
		code uint8 // of an answer before
		data string
	}{
		{"none configured", 0, 0, ""},
		{"rejected", 1600, cp.ConfigureReject, "\x11\x04\x06\x40"},
		{"given up", 1600, cp.ConfigureNak, "\x11\x04\xff\xff"},
	} {
		m := newMachine(Config{MRRU: r.mrru})
		p, _ := request(t, outs(m))
		if r.code != 0 {
			p, _ = request(t, say(m, r.code, p.ID, r.data))
		}
		_, o := request(t, say(m, cp.ConfigureNak, p.ID, "\x11\x04\x05\xdc\x12\x02\x13\x03\x00"))
		if len(o) != 1 || o[optionMagic] == nil {
			t.Errorf("%s: asks %x", r.name, o)
		}
	}
}

// TestMultilinkBoth: two of us agree at once.
func TestMultilinkBoth(t *testing.T) {
	a, b := newMachine(multilink()), newMachine(Config{MRRU: 1614, Rand: bytes.NewReader([]byte("any magic"))})
	for range 10 {
		for _, o := range outs(a) {
			if o.Kind == cp.Send {
				b.Input(start, ppp.Packet{Code: o.Packet.Code, ID: o.Packet.ID, Data: o.Packet.Data})
			}
		}
		a, b = b, a
	}
	if !a.Opened() || !b.Opened() || a.Multilink().MRRU != b.Multilink().PeerMRRU || b.Multilink().MRRU != a.Multilink().PeerMRRU || a.Multilink().PeerMRRU == 0 {
		t.Errorf("%v %+v, %v %+v", a.State(), a.Multilink(), b.State(), b.Multilink())
	}
}
