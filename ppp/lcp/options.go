package lcp

import (
	"encoding/binary"

	"gopptp/ppp/cp"
)

// Types of the options that we know (RFC 1661, section 6; RFC 1662, section 7.1;
// RFC 1990, section 5.1).
const (
	optionMRU      = 1
	optionACCM     = 2
	optionAuth     = 3
	optionMagic    = 5
	optionPFC      = 7
	optionACFC     = 8
	optionMRRU     = 17
	optionShortSeq = 18
	optionEndpoint = 19
)

// options is LCP's table. Quality-Protocol, Callback and whatever else have no row
// and are rejected, and so is multilink unless the configuration asks for it.
func (m *Machine) options() []cp.Option {
	return append([]cp.Option{
		m.mruOption(),
		m.authOption(),
		m.magicOption(),
		{Type: optionACCM, Name: "asyncmap", Len: 4, Judge: ack}, // nothing is escaped in GRE, so any map will do
		m.flagOption(optionPFC, "pfc", &m.peerPFC),
		m.flagOption(optionACFC, "acfc", &m.peerACFC),
	}, m.multilinkOptions()...)
}

func ack([]byte) (cp.Verdict, []byte) { return cp.Ack, nil }

// mruOption is the Maximum-Receive-Unit (RFC 1661, section 6.1).
func (m *Machine) mruOption() cp.Option {
	return cp.Option{
		Type: optionMRU, Name: "mru", Len: 2,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if binary.BigEndian.Uint16(data) < MinMRU {
				return cp.Nak, binary.BigEndian.AppendUint16(nil, MinMRU)
			}
			return cp.Ack, nil
		},
		Suggest: func() []byte { return binary.BigEndian.AppendUint16(nil, DefaultMRU) },
		Set: func(data []byte, ok bool) {
			m.peerMRU = DefaultMRU
			if ok {
				m.peerMRU = binary.BigEndian.Uint16(data)
			}
		},
		Want: func() ([]byte, bool) {
			return binary.BigEndian.AppendUint16(nil, m.mru), m.mru != DefaultMRU
		},
		// Any size that everybody must take anyway will do for us.
		Naked: func(data []byte) error {
			if v := binary.BigEndian.Uint16(data); v >= MinMRU && v <= DefaultMRU {
				m.mru = v
			} else {
				m.mru = DefaultMRU
			}
			return nil
		},
		Refused: func() error {
			m.mru = DefaultMRU
			return nil
		},
	}
}

// magicOption is the Magic-Number (RFC 1661, section 6.4).
func (m *Machine) magicOption() cp.Option {
	return cp.Option{
		Type: optionMagic, Name: "magic", Len: magicLen,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if binary.BigEndian.Uint32(data) == 0 { // "MUST always be Nak'd"
				return cp.Nak, binary.BigEndian.AppendUint32(nil, m.newMagic())
			}
			return cp.Ack, nil
		},
		Want: func() ([]byte, bool) {
			return binary.BigEndian.AppendUint32(nil, m.magic), m.magic != 0
		},
		Naked: func([]byte) error {
			m.magic = m.newMagic()
			return nil
		},
		Refused: func() error {
			m.magic = 0
			return nil
		},
	}
}

// flagOption is one of the two compressions of the frame header (RFC 1661,
// sections 6.5 and 6.6). We never ask: four octets are cheaper than a doubt.
func (m *Machine) flagOption(typ uint8, name string, flag *bool) cp.Option {
	return cp.Option{Type: typ, Name: name, Len: 0, Judge: ack, Set: func(_ []byte, ok bool) { *flag = ok }}
}
