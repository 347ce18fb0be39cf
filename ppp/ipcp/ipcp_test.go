package ipcp

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/cp"
)

var (
	start  = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	local  = netip.MustParseAddr("10.0.0.1")
	remote = netip.MustParseAddr("10.0.0.5")
	dns    = netip.MustParseAddr("10.0.0.53")
	wins   = netip.MustParseAddr("10.0.0.54")
)

const (
	zero     = "\x03\x06\x00\x00\x00\x00"
	assigned = "\x03\x06\x0a\x00\x00\x05"
)

func newMachine(c Config) (*Machine, ppp.Packet) {
	m := New(c)
	m.Start(start)
	o := outs(m)
	return m, o[len(o)-1].Packet
}

func outs(m *Machine) []cp.Output {
	var all []cp.Output
	for o, ok := m.Next(); ok; o, ok = m.Next() {
		all = append(all, o)
	}
	return all
}

func say(m *Machine, code, id uint8, data string) []cp.Output {
	m.Input(start, ppp.Packet{Code: code, ID: id, Data: []byte(data)})
	return outs(m)
}

func server() Config {
	return Config{Local: local, Remote: remote, DNS: []netip.Addr{dns}, WINS: []netip.Addr{wins, dns}}
}

func TestServer(t *testing.T) {
	rows := []struct {
		name, in string
		code     uint8
		out      string
	}{
		{"asks", zero, 3, assigned},
		{"wants another", "\x03\x06\xc0\xa8\x00\x01", 3, assigned},
		{"right", assigned, 2, assigned},
		{"no address", "", 3, assigned},
		{"address of wrong length", "\x03\x03\x0a", 3, assigned},
		{"dns", assigned + "\x81\x06\x00\x00\x00\x00", 3, "\x81\x06\x0a\x00\x00\x35"},
		{"right dns", assigned + "\x81\x06\x0a\x00\x00\x35", 2, assigned + "\x81\x06\x0a\x00\x00\x35"},
		{"second dns, of which there is none", assigned + "\x83\x06\x00\x00\x00\x00", 4, "\x83\x06\x00\x00\x00\x00"},
		{"wins", assigned + "\x82\x06\x00\x00\x00\x00\x84\x06\x00\x00\x00\x00", 3, "\x82\x06\x0a\x00\x00\x36\x84\x06\x0a\x00\x00\x35"},
		{"vj", zero + "\x02\x06\x00\x2d\x0f\x01", 4, "\x02\x06\x00\x2d\x0f\x01"},
		{"the old option", "\x01\x0a\x00\x00\x00\x00\x00\x00\x00\x00", 4, "\x01\x0a\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"mobile ip", "\x04\x06\x00\x00\x00\x00", 4, "\x04\x06\x00\x00\x00\x00"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m, req := newMachine(server())
			if string(req.Data) != "\x03\x06\x0a\x00\x00\x01" {
				t.Errorf("asks %x", req.Data)
			}
			o := say(m, cp.ConfigureRequest, 7, r.in)
			if len(o) != 1 || o[0].Packet.Code != r.code || string(o[0].Packet.Data) != r.out {
				t.Errorf("%+v, want code %d %x", o, r.code, r.out)
			}
		})
	}
}

// TestServerKeepsItsAddress whatever the client suggests.
func TestServerKeepsItsAddress(t *testing.T) {
	m, req := newMachine(server())
	o := say(m, cp.ConfigureNak, req.ID, "\x03\x06\x01\x02\x03\x04")
	if len(o) != 1 || string(o[0].Packet.Data) != string(req.Data) {
		t.Errorf("%+v", o)
	}
	// A client that does not want to hear of it, and says nothing of its own.
	req = o[0].Packet
	o = say(m, cp.ConfigureReject, req.ID, string(req.Data))
	say(m, cp.ConfigureAck, o[0].Packet.ID, "")
	for id := range uint8(5) {
		say(m, cp.ConfigureRequest, id, "")
	}
	say(m, cp.ConfigureRequest, 9, "")
	if l, r, err := m.Addresses(); !m.Opened() || l != local || r != remote || err != nil {
		t.Errorf("%v, %v, %v, %v", m.State(), l, r, err)
	}
}

func TestClient(t *testing.T) {
	m, req := newMachine(Config{RequestDNS: true})
	if string(req.Data) != zero+"\x81\x06\x00\x00\x00\x00\x83\x06\x00\x00\x00\x00" {
		t.Fatalf("asks %x", req.Data)
	}
	o := say(m, cp.ConfigureReject, req.ID, "\x83\x06\x00\x00\x00\x00")
	o = say(m, cp.ConfigureNak, o[0].Packet.ID, assigned+"\x81\x06\x0a\x00\x00\x35")
	req = o[0].Packet
	if string(req.Data) != assigned+"\x81\x06\x0a\x00\x00\x35" {
		t.Fatalf("asks %x", req.Data)
	}
	say(m, cp.ConfigureAck, req.ID, string(req.Data))
	o = say(m, cp.ConfigureRequest, 1, "\x03\x06\x0a\x00\x00\x01")
	if len(o) != 2 || o[0].Packet.Code != cp.ConfigureAck || o[1].Kind != cp.Up {
		t.Fatalf("%+v", o)
	}
	if l, r, err := m.Addresses(); l != remote || r != local || err != nil {
		t.Errorf("%v, %v, %v", l, r, err)
	}
	if d := m.DNS(); len(d) != 1 || d[0] != dns {
		t.Errorf("DNS %v", d)
	}
}

func TestClientWishes(t *testing.T) {
	m, req := newMachine(Config{Local: dns, TakeLocal: true})
	if string(req.Data) != "\x03\x06\x0a\x00\x00\x35" {
		t.Fatalf("asks %x", req.Data)
	}
	// What is no address of a host is not taken.
	o := say(m, cp.ConfigureNak, req.ID, "\x03\x06\xe0\x00\x00\x01")
	if string(o[0].Packet.Data) != string(req.Data) {
		t.Errorf("took %x", o[0].Packet.Data)
	}
	o = say(m, cp.ConfigureNak, o[0].Packet.ID, assigned+"\x81\x06\x0a\x00\x00\x35")
	if string(o[0].Packet.Data) != assigned {
		t.Errorf("asks %x", o[0].Packet.Data)
	}
	// Nobody gives name servers to a server.
	if o := say(m, cp.ConfigureRequest, 1, "\x81\x06\x00\x00\x00\x00"); o[0].Packet.Code != cp.ConfigureReject {
		t.Errorf("%+v", o)
	}
}

func TestNoAddress(t *testing.T) {
	m, req := newMachine(Config{})
	o := say(m, cp.ConfigureReject, req.ID, zero)
	if len(o) != 1 || o[0].Kind != cp.Failed || !errors.Is(o[0].Err, ErrNoAddress) {
		t.Errorf("%+v", o)
	}
	// A server that acks 0.0.0.0 has given nothing.
	m, req = newMachine(Config{})
	say(m, cp.ConfigureAck, req.ID, string(req.Data))
	if o := say(m, cp.ConfigureRequest, 1, zero); o[0].Packet.Code != cp.ConfigureReject {
		t.Errorf("a server that asks us: %+v", o)
	}
	say(m, cp.ConfigureRequest, 2, "\x03\x06\x0a\x00\x00\x01")
	if _, _, err := m.Addresses(); !m.Opened() || err != ErrNoAddress {
		t.Errorf("%v, %v", m.State(), err)
	}
}
