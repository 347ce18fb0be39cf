package bcp

import "gopptp/ppp/cp"

// Types of the options that we know (RFC 3518, section 5). Bridge-Identification
// (1) and Line-Identification (2) belong to source routing, LAN-Identification (5)
// is obsolete, and Bridge-Control-Packet-Indicator (10) marks frames that Linux
// would have no use for: they have no row and are rejected.
const (
	optionMACSupport   = 3
	optionTinygram     = 4
	optionMACAddress   = 6
	optionSpanningTree = 7
	optionTagged       = 8
	optionInline       = 9
)

// The values of an option that turns something on or off.
const (
	enable  = 1
	disable = 2
)

// spanningTreeNone is the Null protocol of the Spanning-Tree-Protocol option.
const spanningTreeNone = 0

const macLen = 6

func (m *Machine) options() []cp.Option {
	return []cp.Option{macSupportOption(), tinygramOption(), macAddressOption(), spanningTreeOption(), m.taggedOption(), m.inlineOption()}
}

// macSupportOption announces the one kind of frame that we take. A peer announces
// each of its own by one option; those that are not Ethernet it will not need.
func macSupportOption() cp.Option {
	return cp.Option{
		Type: optionMACSupport, Name: "mac-support", Len: 1,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if data[0] != macEthernet {
				return cp.Reject, nil
			}
			return cp.Ack, nil
		},
		Suggest: func() []byte { return []byte{macEthernet} },
		Want:    func() ([]byte, bool) { return []byte{macEthernet}, true },
	}
}

// tinygramOption is about frames without the zeros at their end. We send none, and
// understand those that come.
func tinygramOption() cp.Option {
	return cp.Option{
		Type: optionTinygram, Name: "tinygram-compression", Len: 1,
		Judge:   onOrOff,
		Suggest: func() []byte { return []byte{disable} },
	}
}

func onOrOff(data []byte) (cp.Verdict, []byte) {
	if data[0] != enable && data[0] != disable {
		return cp.Nak, []byte{disable}
	}
	return cp.Ack, nil
}

// macAddressOption tells the peer's own address, which is of no consequence. One
// that asks for an address gets none.
func macAddressOption() cp.Option {
	return cp.Option{
		Type: optionMACAddress, Name: "mac-address", Len: macLen,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if [macLen]byte(data) == [macLen]byte{} || data[0]&1 != 0 {
				return cp.Reject, nil
			}
			return cp.Ack, nil
		},
	}
}

// spanningTreeOption is the old way to speak of a spanning tree, whose packets have
// a PPP protocol of their own: we speak none that way.
func spanningTreeOption() cp.Option {
	none := func() []byte { return []byte{spanningTreeNone} }
	return cp.Option{
		Type: optionSpanningTree, Name: "spanning-tree-protocol", Len: cp.AnyLen,
		Judge: func(data []byte) (cp.Verdict, []byte) {
			if len(data) != 1 || data[0] != spanningTreeNone {
				return cp.Nak, none()
			}
			return cp.Ack, nil
		},
	}
}

// taggedOption is what each side says of the tagged frames that it takes; without
// it there are none.
func (m *Machine) taggedOption() cp.Option {
	return cp.Option{
		Type: optionTagged, Name: "tagged-frame", Len: 1,
		Judge:   onOrOff,
		Suggest: func() []byte { return []byte{disable} },
		Set:     func(data []byte, ok bool) { m.peer.Tagged = ok && data[0] == enable },
		Want:    func() ([]byte, bool) { return []byte{enable}, true },
	}
}

// inlineOption is Management-Inline: who sends it takes the frames of the spanning
// tree like any others.
func (m *Machine) inlineOption() cp.Option {
	return cp.Option{
		Type: optionInline, Name: "management-inline", Len: 0,
		Judge:   func([]byte) (cp.Verdict, []byte) { return cp.Ack, nil },
		Suggest: func() []byte { return nil },
		Set:     func(_ []byte, ok bool) { m.peer.Inline = ok },
		Want:    func() ([]byte, bool) { return nil, true },
	}
}
