package bcp

import (
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/cp"
)

var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

const (
	ethernet = "\x03\x03\x01"
	tagged   = "\x08\x03\x01"
	inline   = "\x09\x02"
	wanted   = ethernet + tagged + inline
)

func outs(m *Machine) []cp.Output {
	var all []cp.Output
	for o, ok := m.Next(); ok; o, ok = m.Next() {
		all = append(all, o)
	}
	return all
}

func newMachine() (*Machine, ppp.Packet) {
	m := New(Config{})
	m.Start(start)
	o := outs(m)
	return m, o[len(o)-1].Packet
}

func say(m *Machine, code, id uint8, data string) []cp.Output {
	m.Input(start, ppp.Packet{Code: code, ID: id, Data: []byte(data)})
	return outs(m)
}

func TestAnswers(t *testing.T) {
	rows := []struct {
		name, in string
		code     uint8
		out      string
		peer     Peer
	}{
		{"nothing", "", 2, "", Peer{}},
		{"all that we ask for", wanted, 2, wanted, Peer{Tagged: true, Inline: true}},
		{"tags off", "\x08\x03\x02", 2, "\x08\x03\x02", Peer{}},
		{"tags wrong", "\x08\x03\x07", 3, "\x08\x03\x02", Peer{}},
		{"tags of wrong length", "\x08\x02", 3, "\x08\x03\x02", Peer{}},
		{"inline", inline, 2, inline, Peer{Inline: true}},
		{"inline with a value", "\x09\x03\x01", 3, inline, Peer{}},
		{"bridge identification", "\x01\x04\x00\x11" + ethernet, 4, "\x01\x04\x00\x11", Peer{}},
		{"line identification", "\x02\x04\x00\x11", 4, "\x02\x04\x00\x11", Peer{}},
		{"token ring", "\x03\x03\x03", 4, "\x03\x03\x03", Peer{}},
		{"ethernet and token ring", ethernet + "\x03\x03\x03", 4, "\x03\x03\x03", Peer{}},
		{"no kind", "\x03\x02", 3, ethernet, Peer{}},
		{"tinygram on", "\x04\x03\x01", 2, "\x04\x03\x01", Peer{}},
		{"tinygram off", "\x04\x03\x02", 2, "\x04\x03\x02", Peer{}},
		{"tinygram wrong", "\x04\x03\x00", 3, "\x04\x03\x02", Peer{}},
		{"lan identification", "\x05\x03\x01", 4, "\x05\x03\x01", Peer{}},
		{"address", "\x06\x08\x02\x00\x00\x00\x00\x01", 2, "\x06\x08\x02\x00\x00\x00\x00\x01", Peer{}},
		{"asks for an address", "\x06\x08\x00\x00\x00\x00\x00\x00", 4, "\x06\x08\x00\x00\x00\x00\x00\x00", Peer{}},
		{"group address", "\x06\x08\x01\x00\x00\x00\x00\x01", 4, "\x06\x08\x01\x00\x00\x00\x00\x01", Peer{}},
		{"old spanning tree", "\x07\x03\x01", 3, "\x07\x03\x00", Peer{}},
		{"old spanning trees", "\x07\x04\x01\x00", 3, "\x07\x03\x00", Peer{}},
		{"no spanning tree", "\x07\x03\x00", 2, "\x07\x03\x00", Peer{}},
		{"control packets", inline + "\x0a\x02", 4, "\x0a\x02", Peer{}},
		{"unknown", "\x0b\x03\x01", 4, "\x0b\x03\x01", Peer{}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m, req := newMachine()
			if string(req.Data) != wanted {
				t.Errorf("asks %x", req.Data)
			}
			o := say(m, cp.ConfigureRequest, 7, r.in)
			if len(o) != 1 || o[0].Packet.Code != r.code || string(o[0].Packet.Data) != r.out {
				t.Errorf("%+v, want code %d %x", o, r.code, r.out)
			}
			if m.Peer() != r.peer {
				t.Errorf("peer %+v", m.Peer())
			}
		})
	}
}

// TestStubbornPeer: who goes on with the old spanning tree after our Naks is told
// that there is none.
func TestStubbornPeer(t *testing.T) {
	m, _ := newMachine()
	for id := range uint8(10) {
		if o := say(m, cp.ConfigureRequest, id, "\x07\x03\x01"); o[0].Packet.Code == cp.ConfigureReject {
			return
		}
	}
	t.Error("Naks without end")
}

// TestPoorPeer knows none of our options; frames flow all the same.
func TestPoorPeer(t *testing.T) {
	m, req := newMachine()
	o := say(m, cp.ConfigureReject, req.ID, wanted)
	req = o[0].Packet
	if len(req.Data) != 0 {
		t.Fatalf("asks %x", req.Data)
	}
	say(m, cp.ConfigureAck, req.ID, "")
	say(m, cp.ConfigureRequest, 1, "")
	if !m.Opened() || m.Peer() != (Peer{}) {
		t.Errorf("%v, %+v", m.State(), m.Peer())
	}
}

// TestForgets: what the peer took once does not outlive the negotiation.
func TestForgets(t *testing.T) {
	m, req := newMachine()
	say(m, cp.ConfigureAck, req.ID, string(req.Data))
	say(m, cp.ConfigureRequest, 1, wanted)
	if !m.Opened() || !m.Peer().Tagged {
		t.Fatalf("%v, %+v", m.State(), m.Peer())
	}
	say(m, cp.ConfigureRequest, 2, ethernet)
	if m.Opened() || m.Peer() != (Peer{}) {
		t.Errorf("%v, %+v", m.State(), m.Peer())
	}
}

func FuzzInput(f *testing.F) {
	_, req := newMachine()
	f.Add(uint8(cp.ConfigureAck), req.ID, []byte(wanted))
	for _, code := range []uint8{1, 2, 3, 4, 5, 6, 7, 99} {
		f.Add(code, uint8(1), []byte(wanted+"\x07\x03\x01\x06\x08\x02\x00\x00\x00\x00\x01"))
	}
	f.Fuzz(func(t *testing.T, code, id uint8, data []byte) {
		m, _ := newMachine()
		for range 3 {
			m.Input(start, ppp.Packet{Code: code, ID: id, Data: data})
			m.Input(start, ppp.Packet{Code: cp.ConfigureRequest, ID: id + 1, Data: data})
			if n := len(outs(m)); n > 8 {
				t.Fatalf("%d outputs", n)
			}
		}
	})
}
