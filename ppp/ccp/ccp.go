// Package ccp is the Compression Control Protocol (RFC 1962) as far as MPPE (RFC
// 3078) and MPPC (RFC 2118) need it: it agrees on one strength, on statefulness
// and on compression for each direction, and carries the Reset-Requests of
// stateful mode.
//
// It encrypts nothing, compresses nothing and holds no key; compressions other
// than MPPC are refused. It is sans-IO like ppp/cp.
//
// Nothing here is authenticated: whoever can forge a packet can make it come to
// no agreement. What that means for a link is up to ppp/link.
package ccp

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/cp"
	"gopptp/ppp/fsm"
)

// Codes of CCP's own (RFC 1962, section 2).
const (
	ResetRequest = 14
	ResetAck     = 15
)

// optionMPPE is Microsoft's option (RFC 2118, section 2; RFC 3078, section 2).
const optionMPPE = 18

// bitsLen is its data, the Supported Bits.
const bitsLen = 4

// maxPrompts is how often a request without a strength of ours is answered by
// one that has: a TP-Link asks for no strength at all, for ever.
const maxPrompts = 2

// Causes of a Refused output.
var (
	ErrRefused    = errors.New("ccp: encryption refused by the peer")
	ErrNoStrength = errors.New("ccp: no common strength of encryption")
)

// A Kind says what an Output is.
type Kind uint8

// The kinds of output.
const (
	Send    Kind = iota + 1 // Packet is to be sent
	Arm                     // the peer may soon send encrypted as in Receive: always before the Send of the request that offers it
	Opened                  // both directions are agreed: Receive and Send
	Left                    // they no longer are; Err is nil if the peer negotiates again
	Refused                 // there will be no encryption (Err), and every request is refused from now on
	Flush                   // the peer lost step (stateful): Packet is to be sent, and the next user packet must begin anew
)

// An Output is one thing for the owner to do, in order.
type Output struct {
	Kind          Kind
	Packet        ppp.Packet
	Receive, Send mppe.Config
	Err           error
}

// A Config says what to ask for and what to accept. It is not modified.
type Config struct {
	// Strengths that may be used; empty means 128 bits only. The strongest is
	// asked for.
	Strengths []mppe.Strength
	// StatelessOnly refuses stateful mode. Stateless is asked for either way.
	StatelessOnly bool
	// Compress asks for compression too, and accepts it. A peer that has none
	// leaves it out in its Nak, and it is left out.
	Compress bool
	// NoEncryption turns Strengths off: compression is all there is to agree on,
	// and one direction of it is enough. It goes with Compress.
	NoEncryption bool
	Timing       cp.Timing
}

// A Machine is one end of CCP.
type Machine struct {
	cfg Config
	cp  *cp.Machine
	out []Output

	want       mppe.Config // what we ask to receive
	choosing   bool        // we ask for all strengths, and the peer's Nak chooses
	send       mppe.Config // what the peer's acked request asks to be sent
	armed      mppe.Config // of the last Arm of this negotiation
	misses     int         // Naks without a strength of ours
	prompts    int         // requests without a strength of ours
	promptedID int         // identifier of the last such request, -1 for none
	refusing   bool
}

// New makes a machine in the state Initial.
func New(cfg Config) *Machine {
	cfg.Strengths = slices.Clone(cfg.Strengths)
	if len(cfg.Strengths) == 0 {
		cfg.Strengths = []mppe.Strength{mppe.Bits128}
	}
	m := &Machine{cfg: cfg}
	m.cp = m.newCP()
	return m
}

func (m *Machine) newCP() *cp.Machine {
	return cp.New(cp.Config{Options: []cp.Option{m.option()}, Timing: m.cfg.Timing, Reset: m.reset})
}

// reset begins a negotiation. Where several strengths are allowed all are asked
// for, and the peer's Nak chooses, as RFC 3078, section 2.1 has it: pppd leaves at
// once when it is asked for a single one that it does not have.
func (m *Machine) reset() {
	if m.cfg.NoEncryption {
		m.want = mppe.Config{Compress: true}
	} else {
		m.want = mppe.Config{Strength: strongest(bitsKnown, m.cfg.Strengths), Stateless: true, Compress: m.cfg.Compress}
	}
	m.choosing = len(m.cfg.Strengths) > 1 && !m.cfg.NoEncryption
	m.send, m.armed = mppe.Config{}, mppe.Config{}
	m.misses, m.prompts, m.promptedID = 0, 0, -1
}

// Start opens the layer over an open LCP, or renegotiates from the beginning;
// after Refused too.
func (m *Machine) Start(now time.Time) {
	if m.refusing {
		m.refusing = false
		m.cp = m.newCP()
	}
	m.cp.Down(now)
	m.cp.Open(now)
	m.cp.Up(now)
	m.pump(now)
}

// Stop tells that LCP went down.
func (m *Machine) Stop(now time.Time) {
	m.cp.Down(now)
	m.pump(now)
}

// Refuse ends the negotiation without encryption: the peer's requests are
// refused one by one from now on. If something was agreed to, the peer is told
// that it no longer is.
func (m *Machine) Refuse(now time.Time, err error) {
	if m.refusing {
		return
	}
	told := m.Promised()
	m.refusing = true
	m.pump(now) // what was on its way
	if told {
		m.emit(Output{Kind: Send, Packet: ppp.Packet{Code: cp.TerminateRequest, ID: m.cp.NewID()}})
	}
	m.cp.Down(now)
	m.pump(now) // Left, if it was open
	m.emit(Output{Kind: Refused, Err: err})
}

// Promised tells whether a request was acked by either end, so that the peer may
// take encryption for agreed on even if we do not.
func (m *Machine) Promised() bool {
	return !m.refusing && (m.send != (mppe.Config{}) || m.cp.State() == fsm.AckRcvd || m.cp.Opened())
}

// Rejected tells that the peer rejected CCP as a whole.
func (m *Machine) Rejected(now time.Time) {
	if m.refusing {
		return
	}
	m.cp.Rejected(now)
	m.pump(now)
}

// Opened tells whether both directions are agreed.
func (m *Machine) Opened() bool { return !m.refusing && m.cp.Opened() }

// Deadline is when Tick has something to do, if at all.
func (m *Machine) Deadline() (time.Time, bool) {
	if m.refusing {
		return time.Time{}, false
	}
	return m.cp.Deadline()
}

// Tick tells the time.
func (m *Machine) Tick(now time.Time) {
	if !m.refusing {
		m.cp.Tick(now)
		m.pump(now)
	}
}

// RequestReset asks the peer to begin anew with its next packet (RFC 3078,
// section 3.2).
func (m *Machine) RequestReset() {
	if m.Opened() {
		m.emit(Output{Kind: Send, Packet: ppp.Packet{Code: ResetRequest, ID: m.cp.NewID()}})
	}
}

// Input takes a packet from the peer.
func (m *Machine) Input(now time.Time, p ppp.Packet) {
	if m.refusing {
		m.refuse(p)
		return
	}
	switch p.Code {
	case ResetRequest:
		// MPPE answers by a flushed packet and needs no Reset-Ack (RFC 3078,
		// section 3.2), but Linux decrypts nothing until it has one.
		if m.Opened() {
			m.emit(Output{Kind: Flush, Packet: ppp.Packet{Code: ResetAck, ID: p.ID}})
		}
	case ResetAck:
		// Says less than the flushed packet that follows it.
	case cp.ConfigureRequest:
		if m.hopeless(p) {
			m.Refuse(now, ErrNoStrength)
			m.refuse(p)
			return
		}
		m.cp.Input(now, p)
	default:
		m.cp.Input(now, p)
	}
	m.pump(now)
}

// hopeless counts requests that have no strength of ours; copies of one count
// once.
func (m *Machine) hopeless(p ppp.Packet) bool {
	if ppp.CheckOptions(p.Data) != nil {
		return false
	}
	for o := range ppp.Options(p.Data) {
		if o.Type == optionMPPE && len(o.Data) == bitsLen {
			if _, ok := m.choose(binary.BigEndian.Uint32(o.Data)); ok {
				return false
			}
		}
	}
	if m.cfg.NoEncryption && len(p.Data) == 0 {
		return false // it only sends compressed
	}
	if int(p.ID) != m.promptedID {
		m.promptedID = int(p.ID)
		m.prompts++
	}
	return m.prompts > maxPrompts
}

// refuse answers without a negotiation: options are rejected, an empty request
// is acked, and neither changes anything. So a peer may ask for ever.
func (m *Machine) refuse(p ppp.Packet) {
	reply := ppp.Packet{ID: p.ID}
	switch {
	case p.Code == cp.TerminateRequest:
		reply.Code = cp.TerminateAck
	case p.Code != cp.ConfigureRequest || ppp.CheckOptions(p.Data) != nil:
		return
	case len(p.Data) == 0:
		reply.Code = cp.ConfigureAck
	default:
		reply.Code, reply.Data = cp.ConfigureReject, slices.Clone(p.Data)
	}
	m.emit(Output{Kind: Send, Packet: reply})
}

// Next takes the oldest output from the queue.
func (m *Machine) Next() (Output, bool) {
	if len(m.out) == 0 {
		return Output{}, false
	}
	o := m.out[0]
	m.out = m.out[1:]
	return o, true
}

// pump translates what cp put out. A request is preceded by the Arm for what it
// offers.
func (m *Machine) pump(now time.Time) {
	for o, ok := m.cp.Next(); ok; o, ok = m.cp.Next() {
		switch o.Kind {
		case cp.Send:
			if offer, ok := offered(o.Packet); ok && offer != m.armed {
				m.armed = offer
				m.emit(Output{Kind: Arm, Receive: offer})
			}
			m.emit(Output{Kind: Send, Packet: o.Packet})
		case cp.Up:
			if m.refusing {
				continue
			}
			// Agreed, but not on encryption in both directions: half of it is
			// none.
			if !m.cfg.NoEncryption && (m.send.Strength == mppe.None || m.armed.Strength == mppe.None) {
				m.Refuse(now, ErrNoStrength)
				continue
			}
			m.emit(Output{Kind: Opened, Receive: m.armed, Send: m.send})
		case cp.Down:
			m.emit(Output{Kind: Left, Err: o.Err})
		case cp.Failed, cp.Finished:
			m.Refuse(now, o.Err)
		}
	}
}

func (m *Machine) emit(o Output) { m.out = append(m.out, o) }

// offered gives what our own Configure-Request offers to receive: of several
// strengths the best, which is what a peer means that acks them all.
func offered(p ppp.Packet) (mppe.Config, bool) {
	if p.Code != cp.ConfigureRequest {
		return mppe.Config{}, false
	}
	for o, err := range ppp.Options(p.Data) {
		if err == nil && o.Type == optionMPPE && len(o.Data) == bitsLen {
			bits := binary.BigEndian.Uint32(o.Data)
			return configOf(bits, strongest(bits, known)), true
		}
	}
	return mppe.Config{}, false
}
