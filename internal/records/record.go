// Package records writes what became of each call as lines of JSON into files: one
// line when the call is over, whoever called whom.
//
// It keeps the files small and few, and what strangers cause apart from what users
// do, so that no flood pushes out what somebody may ask for later. It knows nothing
// of sessions, starts no goroutine but a timer, and reads no record back.
package records

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"time"
	"unicode/utf8"
)

// A Kind is what became of a call.
type Kind string

// The kinds of records. Omitted stands for several that are not written.
const (
	Session Kind = "session" // somebody was let in
	Refused Kind = "refused" // somebody was not
	Failed  Kind = "failed"  // it ended before anybody could be
	Omitted Kind = "omitted"
)

// A Record is one line. What is not known is left out, but for the counters of a
// session, where nothing is an answer too.
type Record struct {
	Kind Kind   `json:"record"`
	Side string `json:"side,omitempty"` // server or client, which is ours

	Service   string `json:"service,omitempty"`
	Session   string `json:"session-id,omitempty"` // as accounting and /ppp/active have it
	Interface string `json:"interface,omitempty"`
	User      string `json:"user,omitempty"` // hostile text of one who was refused
	Authority string `json:"authority,omitempty"`
	Method    string `json:"authentication,omitempty"`

	CallerID string     `json:"caller-id,omitempty"`
	CalledID string     `json:"called-id,omitempty"`
	Outer    netip.Addr `json:"outer-address,omitzero"`
	Local    netip.Addr `json:"local-address,omitzero"`
	Remote   netip.Addr `json:"remote-address,omitzero"`
	Encoding string     `json:"encoding,omitempty"`
	MTU      int        `json:"mtu,omitempty"`
	MRU      int        `json:"mru,omitempty"`

	Began         time.Time `json:"began,omitzero"`
	Authenticated time.Time `json:"authenticated,omitzero"`
	Up            time.Time `json:"up,omitzero"`
	Ended         time.Time `json:"ended,omitzero"`
	Seconds       float64   `json:"seconds"` // from began to ended
	Traffic       *Traffic  `json:"traffic,omitempty"`

	Reason  string `json:"reason,omitempty"` // why it ended, as the log has it
	Cause   string `json:"cause,omitempty"`  // as accounting has it
	Why     string `json:"why,omitempty"`    // why somebody was refused
	Refused int    `json:"refused,omitempty"`
	Count   int    `json:"count,omitempty"` // of those that are omitted
}

// Traffic counts the user packets of a session; Rx is what came from the peer.
type Traffic struct {
	RxBytes   uint64 `json:"rx-bytes"`
	TxBytes   uint64 `json:"tx-bytes"`
	RxPackets uint64 `json:"rx-packets"`
	TxPackets uint64 `json:"tx-packets"`
	RxDrops   uint64 `json:"rx-drops"`
	TxDrops   uint64 `json:"tx-drops"`
}

// maxText bounds a text of a record in octets: parts of it come from strangers. No
// honest name is longer than what RADIUS can carry (RFC 2865, section 5.1).
const maxText = 253

// precision is that of times: what is finer says nothing about a call.
const precision = time.Millisecond

// line is the record as it is written.
func (r Record) line() []byte {
	for _, text := range []*string{&r.Session, &r.Interface, &r.User, &r.CallerID, &r.CalledID, &r.Encoding, &r.Reason, &r.Why} {
		*text = cut(*text)
	}
	for _, at := range []*time.Time{&r.Began, &r.Authenticated, &r.Up, &r.Ended} {
		if !at.IsZero() { // which rounding keeps, but not without its monotonic clock
			*at = at.Round(precision)
		}
	}
	if r.Seconds == 0 && !r.Began.IsZero() {
		r.Seconds = max(0, r.Ended.Sub(r.Began).Round(precision).Seconds())
	}
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false) // people read <pptp-user> better as it is
	if err := to.Encode(r); err != nil {
		panic("records: " + err.Error()) // there is no value in it that JSON lacks
	}
	return b.Bytes()
}

// cut is a text that is not too long, without half a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
