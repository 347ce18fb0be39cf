package daemon

import (
	"fmt"

	"gopptp/internal/records"
	"gopptp/internal/session"
)

// recordsName is the directory of the records in Config.Data.
const recordsName = "records"

// pptpService is what calls are of, as /ppp/active has it.
const pptpService = "pptp"

// Who let a user in.
const (
	bySecret = "secret"
	byRadius = "radius"
)

// record is what is kept of a call that is over.
func record(e session.Event) records.Record {
	s, past := e.Status, e.Past
	r := records.Record{
		Kind: records.Session, Side: "client", Service: pptpService, Session: fmt.Sprintf("%08X", s.SessionID),
		Interface: s.Interface, User: s.User, Method: past.Method.String(),
		CallerID: s.CallerID, CalledID: s.CalledID, Outer: s.OuterAddress, Local: s.LocalAddress, Remote: s.RemoteAddress,
		Encoding: s.Encoding, MTU: s.MTU, MRU: s.MRU,
		Began: past.Began, Authenticated: past.Authenticated, Up: s.ConnectedAt, Ended: e.At,
		Reason: past.Reason, Cause: e.Cause.String(), Refused: past.Times,
	}
	if e.Server {
		r.Side = "server"
	}
	if past.Method == 0 {
		r.Method = ""
	}
	switch {
	case !past.Authenticated.IsZero():
		t := s.Traffic
		r.Traffic = &records.Traffic{
			RxBytes: t.RxBytes, TxBytes: t.TxBytes, RxPackets: t.RxPackets, TxPackets: t.TxPackets, RxDrops: t.RxDrops, TxDrops: t.TxDrops,
		}
		if e.Server {
			r.Authority = bySecret
			if s.Radius {
				r.Authority = byRadius
			}
		}
	case past.Times > 0:
		r.Kind, r.User, r.Why = records.Refused, past.Refused, past.Why
	default:
		r.Kind = records.Failed
	}
	return r
}
