package radius

import (
	"net/netip"
	"time"

	wire "layeh.com/radius"
)

// An ErrorCause is what a refusal of Incoming says (RFC 5176, section 3.5).
type ErrorCause uint32

// The causes that are used.
const (
	UnsupportedAttribute  ErrorCause = 401
	MissingAttribute      ErrorCause = 402
	NASMismatch           ErrorCause = 403
	UnsupportedService    ErrorCause = 405
	InvalidAttributeValue ErrorCause = 407
	SessionNotFound       ErrorCause = 503
	SessionNotRemovable   ErrorCause = 504
	ResourcesUnavailable  ErrorCause = 506
	noCause               ErrorCause = 0
)

var (
	attrProxyState           = kind{typ: 33}
	attrErrorCause           = kind{typ: 101}
	attrMessageAuthenticator = kind{typ: 80}
)

// A Match says which sessions a request is about: those that agree with every
// field that is set. User alone may be many sessions, ID is one.
type Match struct {
	User    string
	ID      string // Acct-Session-Id
	Address netip.Addr
	Calling string
	Called  string
	Port    *uint32 // NAS-Port
}

// Empty reports whether nothing is named; everybody would match.
func (m Match) Empty() bool { return m == Match{} }

// Has reports whether a session agrees with every field that is set.
func (m Match) Has(q Session, address netip.Addr) bool {
	return (m.User == "" || m.User == q.User) && (m.ID == "" || m.ID == q.ID) &&
		(!m.Address.IsValid() || m.Address == address) && (m.Calling == "" || m.Calling == q.Calling) &&
		(m.Called == "" || m.Called == q.Called) && (m.Port == nil || *m.Port == q.Port)
}

// A Change is what a CoA-Request orders; nil is left as it is. Timeouts count
// from the session's start, as in an Access-Accept; zero ends a limit.
type Change struct {
	Profile        *string
	Rate           *string // as Policy.Rate
	FilterIn       *string
	FilterOut      *string
	SessionTimeout *time.Duration
	IdleTimeout    *time.Duration
	PortLimit      *uint32
	ReceiveLimit   *uint64
	TransmitLimit  *uint64
	TotalLimit     *uint64
	Class          [][]byte
}

// An order is a decoded request of either code.
type order struct {
	match  Match
	change Change
	at     time.Time // Event-Timestamp; zero if there is none
	nas    string    // NAS-Identifier
	addr   netip.Addr
	cause  ErrorCause // why it cannot be followed; noCause if it can
}

// ignored are attributes that change nothing here and may be there: RouterOS
// takes the HotSpot's.
var ignored = map[kind]bool{
	attrProxyState: true, attrErrorCause: true, attrMessageAuthenticator: true, {typ: 24}: true, attrReplyMessage: true,
	attrFramedProtocol: true, attrNASPortType: true, {typ: 49}: true,
	attrMikrotikMarkID: true, attrMikrotikAdURL: true, attrMikrotikAdInterval: true,
}

// decodeOrder reads a request that has been checked.
func decodeOrder(b []byte) order {
	var o order
	var r rates
	var l limits
	change := wire.Code(b[0]) == wire.CodeCoARequest
	for k, v := range attributes(b) {
		var err error
		switch k {
		case attrUserName:
			o.match.User, err = named(v)
		case attrAcctSessionID:
			o.match.ID, err = named(v)
		case attrFramedIPAddress:
			o.match.Address, err = address(v)
		case attrCallingStationID:
			o.match.Calling, err = named(v)
		case attrCalledStationID:
			o.match.Called, err = named(v)
		case attrNASPort:
			var n uint32
			n, err = number(v)
			o.match.Port = &n
		case attrNASIdentifier:
			o.nas = string(v)
		case attrNASIPAddress:
			o.addr, err = address(v)
		case attrEventTimestamp:
			var n uint32
			n, err = number(v)
			o.at = time.Unix(int64(n), 0)
		case attrServiceType:
			var n uint32
			if n, err = number(v); err == nil && n == serviceAuthOnly {
				o.refuse(UnsupportedService)
			}
		case attrClass:
			// Of a Disconnect-Request it is neither identification nor order.
			if change && len(o.change.Class) < maxList {
				o.change.Class = append(o.change.Class, append([]byte(nil), v...))
			}
		default:
			if ignored[k] || !change {
				continue
			}
			var known bool
			if known, err = o.set(k, v, &r, &l); !known {
				// To take it and do nothing would be a lie (RFC 5176, section 3.5).
				o.refuse(UnsupportedAttribute)
			}
		}
		if err != nil {
			o.refuse(InvalidAttributeValue)
		}
	}
	if rate, ok := r.rate(); ok {
		o.change.Rate = &rate
	}
	for i, limit := range []**uint64{&o.change.ReceiveLimit, &o.change.TransmitLimit, &o.change.TotalLimit} {
		if l.has[i] {
			n := l.value(i)
			*limit = &n
		}
	}
	return o
}

// named reads the text of an attribute that names sessions. An empty one names
// none, and must not widen what the others name.
func named(v []byte) (string, error) {
	if len(v) == 0 {
		return "", errLength
	}
	return string(v), nil
}

func (o *order) refuse(c ErrorCause) {
	if o.cause == noCause {
		o.cause = c
	}
}

// set reads one attribute that orders a change.
func (o *order) set(k kind, v []byte, r *rates, l *limits) (known bool, err error) {
	if ok, err := r.set(k, v); ok {
		return true, err
	}
	if ok, err := l.set(k, v); ok {
		return true, err
	}
	switch k {
	case attrMikrotikGroup:
		s := string(v)
		o.change.Profile = &s
	case attrFilterID:
		name, dir := filter(string(v))
		if dir != filterOut {
			o.change.FilterIn = &name
		}
		if dir != filterIn {
			o.change.FilterOut = &name
		}
	case attrSessionTimeout:
		d, bad := seconds(v)
		o.change.SessionTimeout, err = &d, bad
	case attrIdleTimeout:
		d, bad := seconds(v)
		o.change.IdleTimeout, err = &d, bad
	case attrPortLimit:
		n, bad := number(v)
		o.change.PortLimit, err = &n, bad
	default:
		return false, nil
	}
	return true, err
}
