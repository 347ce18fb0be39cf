package cp

import (
	"bytes"
	"fmt"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/fsm"
)

// sendRequest is the action scr.
func (m *Machine) sendRequest(now time.Time, e fsm.Event) {
	var b []byte
	for i := range m.cfg.Options {
		o := &m.cfg.Options[i]
		if o.Want == nil || m.refused.has(o.Type) {
			continue
		}
		if data, ok := o.Want(); ok {
			b = ppp.Option{Type: o.Type, Data: data}.Append(b)
		}
	}
	again := e == fsm.TimeoutRetry && m.waiting && bytes.Equal(b, m.request)
	if !again {
		m.reqID = m.NewID()
		m.sentAt = now
	}
	m.resent = again
	m.request, m.waiting = b, true
	m.Send(ppp.Packet{Code: ConfigureRequest, ID: m.reqID, Data: b})
	m.timer.Sent()
	m.timer.Arm(now, m.interval)
	m.interval = min(2*m.interval, m.cfg.Timing.Restart)
}

// answersUs tells whether p answers the request that is out: "the Identifier
// field MUST match that of the last transmitted Configure-Request", and a
// second answer to the same request is a copy made by the network.
func (m *Machine) answersUs(now time.Time, p ppp.Packet) bool {
	if !m.waiting || p.ID != m.reqID {
		return false
	}
	if !m.resent {
		m.rtt, m.measured = now.Sub(m.sentAt), true
	}
	return true
}

// negotiates tells whether the state looks into Configure packets; in the other
// states the automaton answers without (RFC 1661, section 4.1).
func negotiates(s fsm.State) bool { return s >= fsm.ReqSent }

func (m *Machine) configureAck(now time.Time, p ppp.Packet) {
	if !negotiates(m.state) {
		m.reply = ppp.Packet{Code: TerminateAck, ID: p.ID}
		m.step(now, fsm.ConfigureAck)
		return
	}
	// "the Configuration Options in a Configure-Ack MUST exactly match those of
	// the last transmitted Configure-Request" (RFC 1661, section 5.2).
	if !bytes.Equal(p.Data, m.request) || !m.answersUs(now, p) {
		return
	}
	m.waiting, m.naked = false, 0
	m.step(now, fsm.ConfigureAck)
}

func (m *Machine) configureNakReject(now time.Time, p ppp.Packet) {
	if !negotiates(m.state) {
		m.reply = ppp.Packet{Code: TerminateAck, ID: p.ID}
		m.step(now, fsm.ConfigureNakReject)
		return
	}
	if ppp.CheckOptions(p.Data) != nil || !m.answersUs(now, p) {
		return
	}
	if m.naked++; m.naked > maxNaked {
		m.fail(ErrNotConverging)
		return
	}
	known := false
	for o := range ppp.Options(p.Data) {
		row := m.cfg.row(o.Type)
		if row == nil || m.refused.has(o.Type) {
			continue
		}
		var err error
		if p.Code == ConfigureNak {
			err = m.follow(row, o.Data)
		} else if requested(m.request, o.Type) {
			known = true
			err = m.drop(row)
		}
		if err != nil {
			m.fail(fmt.Errorf("%s: %w", row.Name, err))
			return
		}
	}
	if p.Code == ConfigureReject && !known {
		return // rejects nothing of ours: "silently discarded" (RFC 1661, section 5.4)
	}
	m.waiting = false
	m.step(now, fsm.ConfigureNakReject)
}

// follow hands a counter-proposal to its row.
func (m *Machine) follow(row *Option, data []byte) error {
	if row.Naked == nil || !row.fits(data) {
		return nil
	}
	return row.Naked(data)
}

// drop gives up an option that the peer rejected.
func (m *Machine) drop(row *Option) error {
	m.refused.add(row.Type)
	if row.Refused == nil {
		return nil
	}
	return row.Refused()
}

// fail reports that a row gave up. The request counts as answered.
func (m *Machine) fail(err error) {
	m.waiting = false
	m.Emit(Output{Kind: Failed, Err: err})
}

// requested tells whether our request has an option of the type.
func requested(request []byte, typ uint8) bool {
	for o := range ppp.Options(request) {
		if o.Type == typ {
			return true
		}
	}
	return false
}
