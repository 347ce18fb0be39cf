package pptp

import (
	"fmt"
	"net"

	"gopptp/pptp/wire"
)

// An EventKind says what an Event is about.
type EventKind uint8

// The kinds of events.
const (
	EventAccepted    EventKind = iota + 1 // a Server has accepted a TCP connection
	EventRefused                          // a Server has closed one for its limits, or could not accept one: Err
	EventReceived                         // Message has come
	EventSent                             // Message is on its way
	EventIgnored                          // a message, Message if it is known, was of no use: Err
	EventEstablished                      // the control connection is established
	EventCallUp                           // Call is connected
	EventCallEnded                        // Call has ended: Err
	EventEnded                            // the control connection has ended: Err
)

// String gives the kind in words.
func (k EventKind) String() string {
	switch k {
	case EventAccepted:
		return "accepted"
	case EventRefused:
		return "refused"
	case EventReceived:
		return "received"
	case EventSent:
		return "sent"
	case EventIgnored:
		return "ignored"
	case EventEstablished:
		return "established"
	case EventCallUp:
		return "call up"
	case EventCallEnded:
		return "call ended"
	case EventEnded:
		return "ended"
	}
	return fmt.Sprintf("event %d", uint8(k))
}

// An Event is something that a log or a counter may want to know. Events that
// the peer can cause in numbers (received, sent, ignored) belong in a debug log.
type Event struct {
	Kind    EventKind
	Remote  net.Addr     // the peer; nil if a Server could not accept one
	Message wire.Message // must not be changed; text in it is the peer's own
	Call    *Call
	Err     error
}
