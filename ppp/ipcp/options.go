package ipcp

import (
	"net/netip"

	"gopptp/ppp/cp"
)

// Types of the options that we know (RFC 1332, section 3.3; RFC 1877,
// sections 1.1 to 1.4). IP-Addresses (1) and IP-Compression-Protocol (2) have no
// row and are rejected.
const (
	optionAddress       = 3
	optionPrimaryDNS    = 129
	optionPrimaryWINS   = 130
	optionSecondaryDNS  = 131
	optionSecondaryWINS = 132
)

const addressLen = 4

func (m *Machine) options() []cp.Option {
	return []cp.Option{
		m.addressOption(),
		m.serverOption(optionPrimaryDNS, "dns", m.cfg.DNS, 0),
		m.serverOption(optionSecondaryDNS, "dns", m.cfg.DNS, 1),
		winsOption(optionPrimaryWINS, m.cfg.WINS, 0),
		winsOption(optionSecondaryWINS, m.cfg.WINS, 1),
	}
}

// usable tells an address that can be that of a host.
func usable(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// wire gives the four octets of a, all zero for no address: "give me one".
func wire(a netip.Addr) []byte {
	if !a.Is4() {
		return make([]byte, addressLen)
	}
	b := a.As4()
	return b[:]
}

// read is called with data of the row's length only.
func read(data []byte) netip.Addr { return netip.AddrFrom4([addressLen]byte(data)) }

// addressOption is the IP-Address (RFC 1332, section 3.3).
func (m *Machine) addressOption() cp.Option {
	o := cp.Option{
		Type: optionAddress, Name: "address", Len: addressLen,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			a := read(data)
			switch {
			case m.cfg.Remote.IsValid() && a != m.cfg.Remote:
				return cp.Nak, wire(m.cfg.Remote)
			case !usable(a):
				return cp.Reject, nil // it asks us for an address, and we have none
			}
			return cp.Ack, nil
		},
		// A peer that does not speak of its address has the one we gave it.
		Set: func(data []byte, ok bool) {
			m.remote = m.cfg.Remote
			if ok {
				m.remote = read(data)
			}
		},
		Want: func() ([]byte, bool) { return wire(m.local), true },
		Naked: func(data []byte) error {
			if a := read(data); usable(a) && (!m.cfg.Local.IsValid() || m.cfg.TakeLocal) {
				m.local = a
			}
			return nil
		},
		Refused: func() error {
			if !usable(m.local) {
				return ErrNoAddress
			}
			return nil
		},
	}
	if m.cfg.Remote.IsValid() {
		o.Suggest = func() []byte { return wire(m.cfg.Remote) }
		o.Missing = func() ([]byte, bool) { return wire(m.cfg.Remote), true }
	}
	return o
}

// serverOption is a DNS server, given to the peer or asked for (RFC 1877,
// sections 1.1 and 1.3).
func (m *Machine) serverOption(typ uint8, name string, give []netip.Addr, i int) cp.Option {
	o := giveOption(typ, name, give, i)
	o.Want = func() ([]byte, bool) { return wire(m.servers[i]), m.cfg.RequestDNS }
	o.Naked = func(data []byte) error {
		if a := read(data); m.cfg.RequestDNS && usable(a) {
			m.servers[i] = a
		}
		return nil
	}
	o.Refused = func() error {
		m.servers[i] = netip.Addr{}
		return nil
	}
	return o
}

// winsOption is a NetBIOS name server, only ever given (RFC 1877, sections 1.2
// and 1.4).
func winsOption(typ uint8, give []netip.Addr, i int) cp.Option {
	return giveOption(typ, "wins", give, i)
}

// giveOption gives server i to a peer that asks for it, and rejects the option if
// there is none.
func giveOption(typ uint8, name string, give []netip.Addr, i int) cp.Option {
	o := cp.Option{Type: typ, Name: name, Len: addressLen}
	if i >= len(give) || !give[i].Is4() {
		return o
	}
	o.Judge = func(data []byte) (cp.Verdict, []byte) {
		if read(data) == give[i] {
			return cp.Ack, nil
		}
		return cp.Nak, wire(give[i])
	}
	o.Suggest = func() []byte { return wire(give[i]) }
	return o
}
