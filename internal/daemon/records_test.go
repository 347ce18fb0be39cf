package daemon

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/records"
	"gopptp/internal/session"
	"gopptp/ppp/auth"
)

func TestRecord(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	outer, inner := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("10.0.0.5")
	base := session.Status{SessionID: 0x81A00007, CallerID: "192.0.2.7", CalledID: "192.0.2.1", OuterAddress: outer}
	who := base
	who.Interface, who.User, who.RemoteAddress, who.Radius = "<pptp-ben>", "ben", inner, true
	who.ConnectedAt = began.Add(2 * time.Second)
	who.Traffic = session.Traffic{RxBytes: 1, TxBytes: 2, RxPackets: 3, TxPackets: 4, RxDrops: 5, TxDrops: 6}
	common := records.Record{
		Service: "pptp", Session: "81A00007", CallerID: "192.0.2.7", CalledID: "192.0.2.1", Outer: outer,
		Began: began, Ended: began.Add(time.Minute),
	}
	for name, c := range map[string]struct {
		event session.Event
		want  func(*records.Record)
	}{
		"session of the server": {
			session.Event{Server: true, Status: who, Cause: session.IdleTimeout, Past: &session.Past{
				Authenticated: began.Add(time.Second), Method: auth.MSCHAPv2, Reason: "idle timeout", Times: 1, Refused: "bent", Why: "no secret"}},
			func(r *records.Record) {
				r.Kind, r.Side, r.Interface, r.User, r.Remote, r.Authority = records.Session, "server", "<pptp-ben>", "ben", inner, "radius"
				r.Method, r.Authenticated, r.Up = "mschap2", began.Add(time.Second), began.Add(2*time.Second)
				r.Traffic = &records.Traffic{RxBytes: 1, TxBytes: 2, RxPackets: 3, TxPackets: 4, RxDrops: 5, TxDrops: 6}
				r.Reason, r.Cause, r.Refused = "idle timeout", "idle-timeout", 1
			},
		},
		"one of a client without a method": {
			session.Event{Status: base, Past: &session.Past{Authenticated: began}},
			func(r *records.Record) {
				r.Kind, r.Side, r.Authenticated, r.Traffic = records.Session, "client", began, &records.Traffic{}
			},
		},
		"refused": {
			session.Event{Server: true, Status: base, Past: &session.Past{Refused: "bent", Why: "no secret", Times: 3}},
			func(r *records.Record) {
				r.Kind, r.Side, r.User, r.Why, r.Refused = records.Refused, "server", "bent", "no secret", 3
			},
		},
		"failed": {
			session.Event{Server: true, Status: base, Past: &session.Past{Reason: "hungup"}},
			func(r *records.Record) { r.Kind, r.Side, r.Reason = records.Failed, "server", "hungup" },
		},
	} {
		c.event.Grant, c.event.Kind, c.event.At = &aaa.Grant{}, session.Over, began.Add(time.Minute)
		c.event.Past.Began = began
		want := common
		c.want(&want)
		if got := record(c.event); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}
