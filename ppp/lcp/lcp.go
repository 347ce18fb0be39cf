// Package lcp is the Link Control Protocol (RFC 1661): its table of options over
// ppp/cp, and the codes of its own: Protocol-Reject, Echo, Discard, and the
// Identification and Time-Remaining of RFC 1570, which are heard and forgotten.
//
// It is sans-IO, decides nothing about the phases of the link (that is ppp/link)
// and authenticates nobody: it only agrees on the method. Multilink (RFC 1990) is
// agreed on for one link, if the configuration asks for it, and refused if not.
// Callback, quality reports and compression of LCP are refused.
package lcp

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

// Codes beyond those of ppp/cp (RFC 1661, sections 5.7 to 5.9; RFC 1570,
// sections 2.1 and 2.2).
const (
	ProtocolReject = 8
	EchoRequest    = 9
	EchoReply      = 10
	DiscardRequest = 11
	Identification = 12
	TimeRemaining  = 13
)

// ProtocolRejected is an output of LCP's own: the peer knows nothing of the
// protocol in the first two octets of Packet.Data.
const ProtocolRejected = cp.Own

// Causes of a Failed output.
var (
	ErrNoMethod = errors.New("lcp: no common authentication method")
	ErrLoopback = errors.New("lcp: the link is looped back")
)

const (
	// DefaultMRU holds while nobody asks for another one (RFC 1661, section 6.1).
	DefaultMRU = 1500
	// MinMRU is the smallest MRU that we let the peer have: below it our own
	// control packets would not fit.
	MinMRU = 128
	// maxLoops is how many of our own Configure-Requests may come back before
	// the link counts as looped: two could be a freak collision of magic numbers.
	maxLoops = 3
	// magicLen is the magic number in front of an echo's data.
	magicLen = 4
	// packetHeader is the part of the MRU that the header of a packet takes.
	packetHeader = 4
)

// A Config says what to ask for and what to accept. It is not modified.
type Config struct {
	// MRU is what we ask for; 0 means DefaultMRU, which needs no asking.
	MRU uint16
	// Demand lists the methods by which the peer may authenticate, best first.
	// Empty demands nothing.
	Demand []auth.Method
	// Allow lists the methods by which we would authenticate to the peer.
	// Empty refuses any.
	Allow []auth.Method
	// MRRU is the largest packet that we put together from fragments; 0 refuses
	// multilink (RFC 1990). Without it the next two have no meaning.
	MRRU uint16
	// ShortSeq asks the peer to send short sequence numbers. That we send them
	// is for the peer to ask.
	ShortSeq bool
	// Endpoint is the class and the address of our endpoint discriminator, at
	// most MaxEndpoint octets; empty sends none. A peer takes two links with the
	// same one for a bundle.
	Endpoint []byte
	// Rand gives the magic numbers.
	Rand   io.Reader
	Timing cp.Timing
}

// A Machine is one end of LCP. The methods of cp.Machine drive it.
type Machine struct {
	*cp.Machine
	cfg Config

	mru      uint16 // that we ask for; DefaultMRU is not asked for
	magic    uint32 // ours
	untried  []auth.Method
	demanded auth.Method // what we ask the peer to use; 0 for none

	peerMRU    uint16
	peerACFC   bool
	peerPFC    bool
	peerDemand auth.Method // what the peer asks us to use
	balked     bool        // we refused a method that the peer demanded
	loops      int

	mrru         uint16 // that we ask for; 0 once the peer will not have it
	shortSeq     bool   // asked for
	endpoint     []byte
	peerMRRU     uint16 // 0 for none
	peerShortSeq bool
}

// New makes a machine in the state Initial.
func New(cfg Config) *Machine {
	if cfg.MRU == 0 {
		cfg.MRU = DefaultMRU
	}
	cfg.Demand, cfg.Allow = slices.Clone(cfg.Demand), slices.Clone(cfg.Allow)
	cfg.Endpoint = slices.Clone(cfg.Endpoint[:min(len(cfg.Endpoint), MaxEndpoint)])
	m := &Machine{cfg: cfg, peerMRU: DefaultMRU}
	m.Machine = cp.New(cp.Config{Options: m.options(), Timing: cfg.Timing, Reset: m.reset})
	return m
}

// reset begins a negotiation with all that the configuration wants.
func (m *Machine) reset() {
	m.mru = m.cfg.MRU
	m.mrru, m.shortSeq, m.endpoint = m.cfg.MRRU, m.cfg.ShortSeq, m.cfg.Endpoint
	m.magic = m.newMagic()
	m.untried = slices.Clone(m.cfg.Demand)
	m.demanded = 0
	if len(m.untried) > 0 {
		m.demanded, m.untried = m.untried[0], m.untried[1:]
	}
}

// newMagic draws a magic number, never zero. A broken source of randomness only
// costs the detection of loops.
func (m *Machine) newMagic() uint32 {
	var b [4]byte
	for range maxLoops {
		if _, err := io.ReadFull(m.cfg.Rand, b[:]); err != nil {
			return 0
		}
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
	return 0
}

// PeerMRU is the largest information field that the peer takes.
func (m *Machine) PeerMRU() int { return int(m.peerMRU) }

// MRU is what we asked for.
func (m *Machine) MRU() int { return int(m.mru) }

// Compression tells which fields the peer lets us compress.
func (m *Machine) Compression() (acfc, pfc bool) { return m.peerACFC, m.peerPFC }

// PeerMethod is how the peer authenticates to us, 0 for not at all. It counts
// once the layer is open.
func (m *Machine) PeerMethod() auth.Method { return m.demanded }

// OurMethod is how we authenticate to the peer, 0 for not at all.
func (m *Machine) OurMethod() auth.Method { return m.peerDemand }

// Balked tells whether we refused a method that the peer demanded: then that is
// the likely reason for its leaving.
func (m *Machine) Balked() bool { return m.balked }

// Input takes a packet from the peer.
func (m *Machine) Input(now time.Time, p ppp.Packet) {
	switch p.Code {
	case EchoRequest:
		m.echo(p)
	case EchoReply, DiscardRequest, Identification, TimeRemaining:
		// Only a sign of life.
	case ProtocolReject:
		if m.Opened() && len(p.Data) >= 2 {
			m.Emit(cp.Output{Kind: ProtocolRejected, Packet: ppp.Packet{Data: slices.Clone(p.Data[:2])}})
		}
	case cp.ConfigureRequest:
		if m.looped(p.Data) {
			m.loops++
			if m.loops >= maxLoops {
				m.Emit(cp.Output{Kind: cp.Failed, Err: ErrLoopback})
			}
			return
		}
		m.Machine.Input(now, p)
	default:
		m.Machine.Input(now, p)
	}
}

// looped tells whether a Configure-Request carries our own magic number
// (RFC 1661, section 6.4). Such a request gets no answer: in a loop there is
// nobody to answer, and against a collision our Nak of the peer's next request
// would help no more than its Nak of ours.
func (m *Machine) looped(options []byte) bool {
	if m.magic == 0 {
		return false
	}
	for o, err := range ppp.Options(options) {
		if err == nil && o.Type == optionMagic && len(o.Data) == magicLen {
			return binary.BigEndian.Uint32(o.Data) == m.magic
		}
	}
	return false
}

// echo answers an Echo-Request: our magic number and the peer's data, cut to
// what the peer can receive.
func (m *Machine) echo(p ppp.Packet) {
	if !m.Opened() || len(p.Data) < magicLen || m.Looped(p) {
		return
	}
	n := min(len(p.Data), m.PeerMRU()-packetHeader)
	data := binary.BigEndian.AppendUint32(nil, m.magic)
	m.Send(ppp.Packet{Code: EchoReply, ID: p.ID, Data: append(data, p.Data[magicLen:n]...)})
}

// Looped tells whether p is an Echo-Request that we sent ourselves: no sign of
// life of the peer.
func (m *Machine) Looped(p ppp.Packet) bool {
	return p.Code == EchoRequest && len(p.Data) >= magicLen && m.magic != 0 &&
		binary.BigEndian.Uint32(p.Data) == m.magic
}

// Echo sends an Echo-Request.
func (m *Machine) Echo() {
	m.Send(ppp.Packet{Code: EchoRequest, ID: m.NewID(), Data: binary.BigEndian.AppendUint32(nil, m.magic)})
}

// RejectProtocol sends a Protocol-Reject for a packet of protocol p, cut to fit
// the smallest MRU. Only an open LCP may send one (RFC 1661, section 5.7).
func (m *Machine) RejectProtocol(p ppp.Protocol, info []byte) {
	if !m.Opened() {
		return
	}
	data := binary.BigEndian.AppendUint16(nil, uint16(p))
	room := MinMRU - packetHeader - len(data)
	m.Send(ppp.Packet{Code: ProtocolReject, ID: m.NewID(), Data: append(data, info[:min(len(info), room)]...)})
}
