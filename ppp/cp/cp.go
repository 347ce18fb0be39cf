// Package cp negotiates options over the automaton of ppp/fsm: what LCP, CCP
// and the network control protocols have in common (RFC 1661, sections 4 to 6).
// A protocol is a table of Option rows; the engine knows the rest: identifiers,
// retransmission, that Reject beats Nak beats Ack, and when to stop arguing.
//
// It is sans-IO: packets and time go in, an ordered queue of outputs comes out.
// It starts no goroutine, keeps no timer of its own and frames nothing. No
// method returns an error: a packet that makes no sense is discarded, "silently"
// as the RFC wants it, and the machine stays usable.
package cp

import (
	"errors"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/fsm"
)

// Codes of the control packets (RFC 1661, section 5).
const (
	ConfigureRequest = 1
	ConfigureAck     = 2
	ConfigureNak     = 3
	ConfigureReject  = 4
	TerminateRequest = 5
	TerminateAck     = 6
	CodeReject       = 7
)

// Causes of a Failed or Finished output.
var (
	ErrTimeout       = errors.New("cp: no answer")
	ErrRejected      = errors.New("cp: protocol rejected by the peer")
	ErrNotConverging = errors.New("cp: negotiation does not converge")
	ErrTerminated    = errors.New("cp: terminated by the peer")
)

// Timing is the timers and counters of RFC 1661, section 4.6. Zero fields take
// the RFC's defaults.
type Timing struct {
	// First is how long the first Configure-Request waits for its answer; each
	// further one waits twice as long, up to Restart. Below the round trip time
	// it would make the peer renegotiate, so zero means Restart.
	First time.Duration
	// Restart is the interval of retransmission of Configure-Requests.
	Restart time.Duration
	// Terminate is the interval of retransmission of Terminate-Requests.
	Terminate time.Duration
	// MaxConfigure, MaxTerminate and MaxFailure bound the Configure-Requests,
	// the Terminate-Requests and the Configure-Naks in a row.
	MaxConfigure, MaxTerminate, MaxFailure int
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

func (t Timing) withDefaults() Timing {
	t.Restart = or(t.Restart, fsm.RestartInterval)
	t.First = min(or(t.First, t.Restart), t.Restart)
	t.Terminate = or(t.Terminate, t.Restart)
	t.MaxConfigure = or(t.MaxConfigure, fsm.MaxConfigure)
	t.MaxTerminate = or(t.MaxTerminate, fsm.MaxTerminate)
	t.MaxFailure = or(t.MaxFailure, fsm.MaxFailure)
	return t
}

// Limits that the RFC leaves open.
const (
	// maxNaked is how many Configure-Naks and -Rejects in a row we follow: each
	// restarts the counter of RFC 1661, so that a peer could go on for ever.
	maxNaked = 10
	// repeatWindow is how long after the layer opened an identical
	// Configure-Request counts as a copy made by the network, or as the sign
	// that our Ack was lost, and is acked again without leaving Opened. A peer
	// that really starts anew repeats itself beyond it.
	repeatWindow = 3 * fsm.RestartInterval
	// earlyRetry is the wait before we ask again a peer whose Terminate-Ack says
	// that its layer is not up yet; it doubles each time.
	earlyRetry = 100 * time.Millisecond
	// maxRejected cuts the copy in a Code-Reject so that it fits the smallest
	// MRU that we let a peer have, 128 octets.
	maxRejected = 120
)

// A Kind says what an Output is.
type Kind uint8

// The kinds of output.
const (
	Send     Kind = iota + 1 // Packet is to be sent
	Up                       // This-Layer-Up: both sides agreed
	Down                     // This-Layer-Down: no longer
	Started                  // This-Layer-Started: the lower layer is wanted
	Finished                 // This-Layer-Finished; Err says why, nil after a Close
	Failed                   // a row gave up (Err); the owner closes or carries on
	Own                      // the first of the kinds that a protocol may add
)

// An Output is one thing for the owner to do. The order is the meaning.
type Output struct {
	Kind   Kind
	Packet ppp.Packet
	Err    error
}

// A Config is what makes a Machine a protocol. It is not modified.
type Config struct {
	Options []Option
	Timing  Timing
	// Reset, if not nil, is called when a negotiation begins afresh, before any
	// row is asked.
	Reset func()
}

// A Machine negotiates one protocol. It is not safe for concurrent use.
type Machine struct {
	cfg   Config
	state fsm.State
	timer fsm.Restart
	out   []Output

	id           uint8         // of the last packet that we began
	request      []byte        // options of our last Configure-Request
	reqID        uint8         // its identifier
	waiting      bool          // it is not answered yet
	sentAt       time.Time     // when it was first sent
	resent       bool          // it was sent more than once: no measure of the round trip
	interval     time.Duration // before the next retransmission
	early        time.Duration // before asking again after an early Terminate-Ack
	refused      types         // that the peer rejected in this negotiation
	naked        int           // Naks and Rejects in a row that we followed
	failures     int           // Naks in a row that we sent and that led to no better request
	copies       int           // of nakedRequest
	nakedRequest ppp.Packet    // the peer's last request that got a Nak; Code 0 for none
	reply        ppp.Packet    // what sca, scn, sta or scj sends
	acked        ppp.Packet    // the peer's last request that we acked
	openedAt     time.Time
	rtt          time.Duration
	measured     bool  // rtt is
	cause        error // of the next Finished
}

// New makes a machine in the state Initial.
func New(cfg Config) *Machine {
	cfg.Timing = cfg.Timing.withDefaults()
	return &Machine{cfg: cfg}
}

// State is the state of the automaton.
func (m *Machine) State() fsm.State { return m.state }

// Opened tells whether both sides agreed.
func (m *Machine) Opened() bool { return m.state == fsm.Opened }

// RTT is the last measured time between a request and its answer, if any.
func (m *Machine) RTT() (time.Duration, bool) { return m.rtt, m.measured }

// SetFirst changes Timing.First for the negotiations to come.
func (m *Machine) SetFirst(d time.Duration) {
	m.cfg.Timing.First = min(or(d, m.cfg.Timing.Restart), m.cfg.Timing.Restart)
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

// Up tells that the lower layer can carry packets.
func (m *Machine) Up(now time.Time) { m.step(now, fsm.Up) }

// Down tells that it no longer can.
func (m *Machine) Down(now time.Time) { m.step(now, fsm.Down) }

// Open asks for the layer.
func (m *Machine) Open(now time.Time) { m.step(now, fsm.Open) }

// Close ends the layer: a Terminate-Request, repeated until it is acked or
// Max-Terminate is reached.
func (m *Machine) Close(now time.Time) {
	m.cause = nil
	m.step(now, fsm.Close)
}

// Rejected tells that the peer rejected the whole protocol (RFC 1661,
// section 5.7).
func (m *Machine) Rejected(now time.Time) {
	m.cause = ErrRejected
	m.step(now, fsm.RejectCatastrophic)
}

// Deadline is when Tick has something to do, if at all.
func (m *Machine) Deadline() (time.Time, bool) { return m.timer.Deadline() }

// Tick tells the time.
func (m *Machine) Tick(now time.Time) {
	if m.timer.Expired(now) {
		m.step(now, m.timer.Event())
	}
}

// NewID gives the identifier for a packet that the owner sends by itself.
func (m *Machine) NewID() uint8 {
	m.id++
	return m.id
}

// Send queues a packet of the owner's own, as an Echo-Request.
func (m *Machine) Send(p ppp.Packet) { m.Emit(Output{Kind: Send, Packet: p}) }

// Emit queues an output of the owner's own behind those of the machine.
func (m *Machine) Emit(o Output) { m.out = append(m.out, o) }

// Input takes a packet from the peer. It does not retain p.Data.
func (m *Machine) Input(now time.Time, p ppp.Packet) {
	if m.state <= fsm.Starting {
		return // no lower layer: nothing can have arrived
	}
	switch p.Code {
	case ConfigureRequest:
		m.configureRequest(now, p)
	case ConfigureAck:
		m.configureAck(now, p)
	case ConfigureNak, ConfigureReject:
		m.configureNakReject(now, p)
	case TerminateRequest:
		m.reply = ppp.Packet{Code: TerminateAck, ID: p.ID}
		m.cause = ErrTerminated
		m.step(now, fsm.TerminateRequest)
	case TerminateAck:
		m.step(now, fsm.TerminateAck)
		m.hurry(now)
	case CodeReject:
		m.codeReject(now, p)
	default:
		m.unknownCode(now, p)
	}
}

// hurry asks again soon: a Terminate-Ack to a Configure-Request comes from a
// peer whose layer is not open yet (RFC 1661, section 4.1, state Closed), as
// accel-ppp's IPCP while its CCP is under way. The restart timer would lose 3 s.
func (m *Machine) hurry(now time.Time) {
	if m.state == fsm.ReqSent || m.state == fsm.AckSent {
		m.timer.Hasten(now, m.early)
		m.early = min(2*m.early, m.cfg.Timing.Restart)
	}
}

// Hasten asks again in d at the latest if a Configure-Request waits for its
// answer: the owner has reason to think that it was lost.
func (m *Machine) Hasten(now time.Time, d time.Duration) {
	if m.waiting && (m.state == fsm.ReqSent || m.state == fsm.AckSent) {
		m.timer.Hasten(now, d)
	}
}

// codeReject tells a code that we can do without from one that we cannot
// (RFC 1661, section 5.6).
func (m *Machine) codeReject(now time.Time, p ppp.Packet) {
	if len(p.Data) == 0 {
		return
	}
	if code := p.Data[0]; code < ConfigureRequest || code > CodeReject {
		m.step(now, fsm.RejectPermitted)
		return
	}
	m.cause = ErrRejected
	m.step(now, fsm.RejectCatastrophic)
}

func (m *Machine) unknownCode(now time.Time, p ppp.Packet) {
	copied := p.Append(nil)
	m.reply = ppp.Packet{Code: CodeReject, ID: m.NewID(), Data: copied[:min(len(copied), maxRejected)]}
	m.step(now, fsm.UnknownCode)
}

// fresh forgets what an earlier negotiation taught.
func (m *Machine) fresh() {
	m.refused = types{}
	m.naked, m.failures, m.waiting, m.cause = 0, 0, false, nil
	m.copies, m.nakedRequest = 0, ppp.Packet{}
	if m.cfg.Reset != nil {
		m.cfg.Reset()
	}
}

// begins tells whether a Configure-Request sent in state s opens a negotiation.
func begins(s fsm.State) bool {
	return s == fsm.Starting || s == fsm.Closed || s == fsm.Stopped || s == fsm.Opened
}

// step runs the automaton and performs the actions.
func (m *Machine) step(now time.Time, e fsm.Event) {
	next, actions, ok := fsm.Step(m.state, e)
	if !ok {
		return // "illegal": stay
	}
	answered := e == fsm.ConfigureRequestGood || e == fsm.ConfigureRequestBad // fresh before the judgement
	if actions.Has(fsm.SCR) && begins(m.state) && !answered {
		m.fresh()
	}
	m.state = next
	actions.Each(func(a fsm.Action) { m.perform(now, a, e, actions) })
	switch {
	case !next.TimerRuns():
		m.timer.Stop()
	case next == fsm.AckRcvd && e == fsm.ConfigureAck:
		m.timer.Arm(now, m.cfg.Timing.Restart) // now it is the peer's turn
	}
}

func (m *Machine) perform(now time.Time, a fsm.Action, e fsm.Event, all fsm.Action) {
	switch a {
	case fsm.TLD:
		m.Emit(Output{Kind: Down, Err: m.cause})
	case fsm.IRC:
		m.interval, m.early = m.cfg.Timing.First, earlyRetry
		m.timer.Reset(m.cfg.Timing.MaxConfigure)
		if all.Has(fsm.STR) {
			m.timer.Reset(m.cfg.Timing.MaxTerminate)
		}
	case fsm.ZRC:
		m.timer.Reset(0)
		m.timer.Arm(now, m.cfg.Timing.Restart)
	case fsm.SCR:
		m.sendRequest(now, e)
	case fsm.SCA, fsm.SCN, fsm.STA, fsm.SCJ:
		m.Send(m.reply)
	case fsm.STR:
		if e != fsm.TimeoutRetry {
			m.reqID = m.NewID()
		}
		m.waiting = false
		m.Send(ppp.Packet{Code: TerminateRequest, ID: m.reqID})
		m.timer.Sent()
		m.timer.Arm(now, m.cfg.Timing.Terminate)
	case fsm.TLU:
		m.openedAt, m.cause = now, nil
		m.Emit(Output{Kind: Up})
	case fsm.TLS:
		m.Emit(Output{Kind: Started})
	case fsm.TLF:
		if e == fsm.TimeoutExpired && m.cause == nil && m.state == fsm.Stopped {
			m.cause = ErrTimeout
		}
		m.Emit(Output{Kind: Finished, Err: m.cause})
		m.cause = nil
	}
}
