package cp

import (
	"bytes"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/fsm"
)

// configureRequest judges the peer's request and answers it.
func (m *Machine) configureRequest(now time.Time, p ppp.Packet) {
	if m.state != fsm.Stopped && !negotiates(m.state) {
		m.reply = ppp.Packet{Code: TerminateAck, ID: p.ID}
		m.step(now, fsm.ConfigureRequestGood) // the same as RCR- there
		return
	}
	if ppp.CheckOptions(p.Data) != nil {
		return
	}
	if m.repeated(now, p) {
		m.Send(m.ack(p))
		return
	}
	if begins(m.state) {
		m.fresh()
	}
	m.countFailure(p)
	nak, reject := m.judge(p.Data)
	switch {
	case len(reject) > 0:
		m.reply = ppp.Packet{Code: ConfigureReject, ID: p.ID, Data: reject}
	case len(nak) > 0:
		m.reply = ppp.Packet{Code: ConfigureNak, ID: p.ID, Data: nak}
		m.nakedRequest = ppp.Packet{Code: p.Code, ID: p.ID, Data: bytes.Clone(p.Data)}
	default:
		m.failures, m.nakedRequest = 0, ppp.Packet{}
		m.reply = m.ack(p)
		m.acked = m.reply
		m.set(p.Data)
		m.step(now, fsm.ConfigureRequestGood)
		return
	}
	m.step(now, fsm.ConfigureRequestBad)
}

// ack is the Configure-Ack of a request: the same options in the same order.
func (m *Machine) ack(p ppp.Packet) ppp.Packet {
	return ppp.Packet{Code: ConfigureAck, ID: p.ID, Data: bytes.Clone(p.Data)}
}

// repeated tells a copy of the request that opened the layer from a new one.
func (m *Machine) repeated(now time.Time, p ppp.Packet) bool {
	return m.state == fsm.Opened && now.Before(m.openedAt.Add(repeatWindow)) &&
		p.ID == m.acked.ID && bytes.Equal(p.Data, m.acked.Data)
}

// countFailure notes that our last Nak did not lead to a better request. A copy
// of the same request only says that the Nak was lost, at least as often as a
// peer may repeat itself.
func (m *Machine) countFailure(p ppp.Packet) {
	if m.nakedRequest.Code == 0 {
		return
	}
	if p.ID == m.nakedRequest.ID && bytes.Equal(p.Data, m.nakedRequest.Data) && m.copies < m.cfg.Timing.MaxConfigure {
		m.copies++
		return
	}
	m.failures++
	m.copies = 0
}

// judge gives the options for a Configure-Nak and for a Configure-Reject.
func (m *Machine) judge(options []byte) (nak, reject []byte) {
	stubborn := m.failures >= m.cfg.Timing.MaxFailure // "converted to Configure-Reject" (RFC 1661, section 4.6)
	var seen [256]bool
	for o := range ppp.Options(options) {
		verdict, better := m.judgeOne(o, seen[o.Type])
		seen[o.Type] = true
		switch {
		case verdict == Reject, verdict == Nak && stubborn:
			reject = o.Append(reject)
		case verdict == Nak:
			nak = ppp.Option{Type: o.Type, Data: better}.Append(nak)
		}
	}
	if stubborn {
		return nak, reject
	}
	for i := range m.cfg.Options {
		row := &m.cfg.Options[i]
		if row.Missing == nil || seen[row.Type] {
			continue
		}
		if data, ok := row.Missing(); ok {
			nak = ppp.Option{Type: row.Type, Data: data}.Append(nak)
		}
	}
	return nak, reject
}

// judgeOne gives the verdict on one option. None of the options in use may be
// listed twice (RFC 1661, section 6), so the second is rejected: otherwise the
// value that was judged and the value that is set could differ.
func (m *Machine) judgeOne(o ppp.Option, again bool) (Verdict, []byte) {
	row := m.cfg.row(o.Type)
	if row == nil || row.Judge == nil || again {
		return Reject, nil
	}
	if row.fits(o.Data) {
		return row.Judge(o.Data)
	}
	if row.Suggest == nil {
		return Reject, nil
	}
	return Nak, row.Suggest()
}

// set hands the values of an acked request to the rows.
func (m *Machine) set(options []byte) {
	for i := range m.cfg.Options {
		row := &m.cfg.Options[i]
		if row.Set == nil {
			continue
		}
		found := false
		for o := range ppp.Options(options) {
			if o.Type == row.Type {
				row.Set(o.Data, true)
				found = true
				break
			}
		}
		if !found {
			row.Set(nil, false)
		}
	}
}
