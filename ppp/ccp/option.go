package ccp

import (
	"encoding/binary"

	"gopptp/mppe"
	"gopptp/ppp/cp"
)

// option is the one row of CCP's table: MPPE (RFC 3078, section 2).
func (m *Machine) option() cp.Option {
	return cp.Option{
		Type: optionMPPE, Name: "mppe", Len: bitsLen,
		Judge:   m.judge,
		Suggest: func() []byte { return encode(m.want) },
		Missing: func() ([]byte, bool) { return encode(m.want), true },
		Set: func(data []byte, ok bool) {
			m.send = mppe.Config{}
			if ok {
				m.send, _ = decode(binary.BigEndian.Uint32(data))
			}
		},
		Want:    func() ([]byte, bool) { return m.request(), true },
		Naked:   m.naked,
		Refused: func() error { return ErrRefused },
	}
}

// request gives the Supported Bits that we ask for.
func (m *Machine) request() []byte {
	if m.choosing {
		return encodeAll(m.want, m.cfg.Strengths)
	}
	return encode(m.want)
}

// judge decides on what the peer wants to be sent. Windows offers all that it
// has and expects the Nak that chooses (RFC 3078, section 2.1).
func (m *Machine) judge(data []byte) (cp.Verdict, []byte) {
	bits := binary.BigEndian.Uint32(data)
	best := strongest(bits, m.cfg.Strengths)
	if best == mppe.None {
		return cp.Nak, encode(m.want)
	}
	choice := mppe.Config{Strength: best, Stateless: bits&bitStateless != 0 || m.cfg.StatelessOnly}
	if asked, ok := decode(bits); ok && asked == choice {
		return cp.Ack, nil
	}
	return cp.Nak, encode(choice)
}

// naked follows the peer's choice of what we may ask for, within what is
// allowed. A Nak without a strength of ours is answered by the same request,
// once; then there is no common strength.
func (m *Machine) naked(data []byte) error {
	bits := binary.BigEndian.Uint32(data)
	best := strongest(bits, m.cfg.Strengths)
	if best == mppe.None {
		if m.misses++; m.misses >= maxPrompts {
			return ErrNoStrength
		}
		return nil
	}
	m.want = mppe.Config{Strength: best, Stateless: bits&bitStateless != 0 || m.cfg.StatelessOnly}
	m.choosing = false
	return nil
}
