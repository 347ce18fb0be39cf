package lcp

import (
	"encoding/binary"
	"slices"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

// The algorithms of the CHAP option (RFC 1994, section 3; RFC 2433, section 2;
// RFC 2759, section 3).
const (
	chapMD5  = 5
	chapMSv1 = 0x80
	chapMSv2 = 0x81
)

// encodeMethod gives the data of the Authentication-Protocol option.
func encodeMethod(m auth.Method) []byte {
	if m == auth.PAP {
		return binary.BigEndian.AppendUint16(nil, uint16(ppp.ProtocolPAP))
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(ppp.ProtocolCHAP))
	switch m {
	case auth.MSCHAPv1:
		return append(b, chapMSv1)
	case auth.MSCHAPv2:
		return append(b, chapMSv2)
	}
	return append(b, chapMD5)
}

// decodeMethod reads the data of the option; 0 is a method that we do not know.
func decodeMethod(data []byte) auth.Method {
	if len(data) < 2 {
		return 0
	}
	switch p := ppp.Protocol(binary.BigEndian.Uint16(data)); {
	case p == ppp.ProtocolPAP && len(data) == 2:
		return auth.PAP
	case p != ppp.ProtocolCHAP || len(data) != 3:
		return 0
	}
	switch data[2] {
	case chapMD5:
		return auth.CHAP
	case chapMSv1:
		return auth.MSCHAPv1
	case chapMSv2:
		return auth.MSCHAPv2
	}
	return 0
}

// authOption is the Authentication-Protocol (RFC 1661, section 6.2), for the
// side that demands it and for the side that it is demanded from.
func (m *Machine) authOption() cp.Option {
	o := cp.Option{
		Type: optionAuth, Name: "authentication", Len: cp.AnyLen,
		Set:     func(data []byte, _ bool) { m.peerDemand = decodeMethod(data) },
		Want:    func() ([]byte, bool) { return encodeMethod(m.demanded), m.demanded != 0 },
		Naked:   m.methodNaked,
		Refused: m.methodRefused,
	}
	if len(m.cfg.Allow) > 0 {
		o.Judge = func(data []byte) (cp.Verdict, []byte) {
			if slices.Contains(m.cfg.Allow, decodeMethod(data)) {
				return cp.Ack, nil
			}
			m.balked = true
			return cp.Nak, encodeMethod(slices.Max(m.cfg.Allow))
		}
	}
	return o
}

// methodNaked falls back to another method, never to one that the configuration
// does not have: the peer's suggestion if it is one of ours, else the next best.
// Nothing protects these packets, so whoever can forge them chooses among the
// methods of Demand.
func (m *Machine) methodNaked(data []byte) error {
	if m.demanded == 0 {
		return nil // a hint that we should demand something: we do not
	}
	if len(m.untried) == 0 {
		return ErrNoMethod
	}
	i := max(0, slices.Index(m.untried, decodeMethod(data)))
	m.demanded = m.untried[i]
	m.untried = slices.Delete(m.untried, i, i+1)
	return nil
}

// methodRefused is a peer that will not authenticate at all.
func (m *Machine) methodRefused() error {
	if m.demanded == 0 {
		return nil
	}
	return ErrNoMethod
}
