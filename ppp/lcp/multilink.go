package lcp

import (
	"encoding/binary"
	"slices"

	"gopptp/ppp/cp"
)

// The endpoint discriminator (RFC 1990, section 5.1.3).
const (
	// EndpointLocal is the class of a discriminator that is assigned locally.
	EndpointLocal = 1
	// MaxEndpoint is the longest one: the class and 20 octets of address.
	MaxEndpoint = 21
)

// A Multilink is what both sides asked for (RFC 1990, section 5.1). It counts
// once the layer is open.
type Multilink struct {
	// MRRU is the largest packet that the peer may send in fragments, PeerMRRU
	// the largest that we may; 0 is none.
	MRRU, PeerMRRU int
	// ShortSeq says that the peer sends short sequence numbers, PeerShortSeq
	// that we do.
	ShortSeq, PeerShortSeq bool
}

// Multilink tells what was agreed on.
func (m *Machine) Multilink() Multilink {
	return Multilink{
		MRRU: int(m.mrru), PeerMRRU: int(m.peerMRRU),
		ShortSeq: m.mrru != 0 && m.shortSeq, PeerShortSeq: m.peerMRRU != 0 && m.peerShortSeq,
	}
}

// multilinkOptions are the rows of RFC 1990; without an MRRU of our own there are
// none, and a peer that asks is rejected.
func (m *Machine) multilinkOptions() []cp.Option {
	if m.cfg.MRRU == 0 {
		return nil
	}
	return []cp.Option{m.mrruOption(), m.shortSeqOption(), m.endpointOption()}
}

// mrruOption is the Maximum-Receive-Reconstructed-Unit (RFC 1990, section 5.1.1).
// A peer that will not have it, or only with a value that we cannot give, goes
// without: the link works as well.
func (m *Machine) mrruOption() cp.Option {
	return cp.Option{
		Type: optionMRRU, Name: "mrru", Len: 2,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if binary.BigEndian.Uint16(data) < MinMRU {
				return cp.Nak, binary.BigEndian.AppendUint16(nil, MinMRU)
			}
			return cp.Ack, nil
		},
		Suggest: func() []byte { return binary.BigEndian.AppendUint16(nil, DefaultMRU) },
		Set: func(data []byte, ok bool) {
			m.peerMRRU = 0
			if ok {
				m.peerMRRU = binary.BigEndian.Uint16(data)
			}
		},
		Want: func() ([]byte, bool) {
			return binary.BigEndian.AppendUint16(nil, m.mrru), m.mrru != 0
		},
		Naked: func(data []byte) error {
			v := binary.BigEndian.Uint16(data)
			// "A system MUST be able to receive the full 1500 octet Information
			// field of any reassembled PPP packet": that much we can give.
			if m.mrru == 0 || v < MinMRU || v > max(m.cfg.MRRU, DefaultMRU) {
				v = 0
			}
			m.mrru = v
			return nil
		},
		Refused: func() error {
			m.mrru = 0
			return nil
		},
	}
}

// shortSeqOption is the Short-Sequence-Number-Header-Format (RFC 1990,
// section 5.1.2): who asks for it receives it.
func (m *Machine) shortSeqOption() cp.Option {
	return cp.Option{
		Type: optionShortSeq, Name: "short-sequence", Len: 0,
		Judge: ack,
		Set:   func(_ []byte, ok bool) { m.peerShortSeq = ok },
		Want:  func() ([]byte, bool) { return nil, m.mrru != 0 && m.shortSeq },
		Naked: func([]byte) error {
			m.shortSeq = false
			return nil
		},
		Refused: func() error {
			m.shortSeq = false
			return nil
		},
	}
}

// endpointOption is the Endpoint-Discriminator (RFC 1990, section 5.1.3). There
// is no second link to join, so the peer's is acked and forgotten. It is never
// Nak'd: what cannot be one is rejected.
func (m *Machine) endpointOption() cp.Option {
	return cp.Option{
		Type: optionEndpoint, Name: "endpoint", Len: cp.AnyLen,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if len(data) == 0 || len(data) > MaxEndpoint {
				return cp.Reject, nil
			}
			return cp.Ack, nil
		},
		Want: func() ([]byte, bool) { return slices.Clone(m.endpoint), m.mrru != 0 && len(m.endpoint) > 0 },
		Naked: func([]byte) error {
			m.endpoint = nil
			return nil
		},
	}
}
