package lcp

import (
	"slices"

	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

// decodeMethod reads the data of the option; 0 is a method that we do not know.
func decodeMethod(data []byte) auth.Method {
	method, _ := auth.ParseOption(data)
	return method
}

// authOption is the Authentication-Protocol (RFC 1661, section 6.2), for the
// side that demands it and for the side that it is demanded from.
func (m *Machine) authOption() cp.Option {
	o := cp.Option{
		Type: optionAuth, Name: "authentication", Len: cp.AnyLen,
		Set:     func(data []byte, _ bool) { m.peerDemand = decodeMethod(data) },
		Want:    func() ([]byte, bool) { return m.demanded.Option(), m.demanded != 0 },
		Naked:   m.methodNaked,
		Refused: m.methodRefused,
	}
	if len(m.cfg.Allow) > 0 {
		o.Judge = func(data []byte) (cp.Verdict, []byte) {
			if slices.Contains(m.cfg.Allow, decodeMethod(data)) {
				return cp.Ack, nil
			}
			m.balked = true
			return cp.Nak, slices.Max(m.cfg.Allow).Option()
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
