package ccp

import (
	"encoding/binary"

	"gopptp/mppe"
	"gopptp/ppp/cp"
)

// option is the one row of CCP's table: MPPE and MPPC (RFC 3078, section 2).
func (m *Machine) option() cp.Option {
	return cp.Option{
		Type: optionMPPE, Name: "mppe", Len: bitsLen,
		Judge:   m.judge,
		Suggest: func() []byte { return encode(m.want) },
		Missing: func() ([]byte, bool) { return encode(m.want), !m.cfg.NoEncryption },
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

// choose picks from bits what we agree to, if they hold enough for that.
func (m *Machine) choose(bits uint32) (mppe.Config, bool) {
	c := configOf(bits, mppe.None)
	if m.cfg.NoEncryption {
		return c, c.Compress
	}
	c.Strength = strongest(bits, m.cfg.Strengths)
	c.Stateless = c.Stateless || m.cfg.StatelessOnly
	c.Compress = c.Compress && m.cfg.Compress
	return c, c.Strength != mppe.None
}

// judge decides on what the peer wants to be sent. Windows offers all that it
// has and expects the Nak that chooses (RFC 3078, section 2.1).
func (m *Machine) judge(data []byte) (cp.Verdict, []byte) {
	bits := binary.BigEndian.Uint32(data)
	choice, ok := m.choose(bits)
	if !ok {
		return cp.Nak, encode(m.want)
	}
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
	choice, ok := m.choose(bits)
	if !ok {
		if m.misses++; m.misses >= maxPrompts {
			return ErrNoStrength
		}
		return nil
	}
	choice.Compress = choice.Compress && m.want.Compress // what we do not ask for, a Nak cannot add
	m.want, m.choosing = choice, false
	return nil
}
