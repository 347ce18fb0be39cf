package pptp

import (
	"errors"
	"fmt"
	"net"
	"os"

	"gopptp/pptp/wire"
)

// Causes for the end of a connection or a call. Those that this side wanted
// unwrap to net.ErrClosed.
var (
	// ErrClosed is the cause after Close.
	ErrClosed = fmt.Errorf("pptp: connection closed: %w", net.ErrClosed)
	// ErrStopped is the cause after Stop.
	ErrStopped = fmt.Errorf("pptp: connection stopped: %w", net.ErrClosed)
	// ErrDisconnected is the cause of a call after Disconnect.
	ErrDisconnected = fmt.Errorf("pptp: call disconnected: %w", net.ErrClosed)
	// ErrCleared is the cause of a call that the peer has cleared.
	ErrCleared = errors.New("pptp: call cleared by the peer")
	// ErrSlowPeer says that the peer does not read what it is told.
	ErrSlowPeer = errors.New("pptp: peer does not read")
	// ErrBabble says that the peer sent too many useless messages in a row.
	ErrBabble = errors.New("pptp: peer sends nothing but useless messages")
	// ErrVersion says that the peer speaks another version of the protocol.
	ErrVersion = errors.New("pptp: peer's protocol version is not 1.0")
)

// Errors of the methods.
var (
	// ErrRun says that Run has been called before.
	ErrRun = errors.New("pptp: Run called twice")
	// ErrCallID says that the local Call ID is zero or belongs to another
	// call of this connection.
	ErrCallID = errors.New("pptp: call id is zero or in use")
	// ErrTooManyCalls says that MaxChannels calls exist.
	ErrTooManyCalls = errors.New("pptp: too many calls")
	// ErrWithdrawn says that a CallRequest has been answered, or the peer
	// has taken it back, or nobody has answered it in time.
	ErrWithdrawn = errors.New("pptp: call request is no longer open")
	// ErrNotPNS says that only the PNS of a call sends this message.
	ErrNotPNS = errors.New("pptp: not the PNS of this call")
	// ErrNotUp says that the call is not connected.
	ErrNotUp = errors.New("pptp: call is not connected")
)

// Reasons for ignoring a message, or for giving up a call.
var (
	errState       = errors.New("pptp: not expected now")
	errUnknownCall = errors.New("pptp: no such call")
	errEchoID      = errors.New("pptp: echo identifier is not ours")
	errPeerCallID  = errors.New("pptp: peer gave one call id to two calls")
)

// Reasons of a Server for refusing a connection, or for ending one that is half-open.
var (
	ErrMaxConns           = errors.New("pptp: too many connections")
	ErrMaxHalfOpen        = errors.New("pptp: too many half-open connections")
	ErrMaxHalfOpenPerAddr = errors.New("pptp: too many half-open connections from this address")
)

// A TimeoutError says what the peer, or the answerer of a call request, failed
// to do in time. It unwraps to os.ErrDeadlineExceeded.
type TimeoutError struct {
	Missing string
}

func (e *TimeoutError) Error() string { return "pptp: timeout: no " + e.Missing }

// Timeout reports true, as for a net.Error.
func (e *TimeoutError) Timeout() bool { return true }

func (e *TimeoutError) Unwrap() error { return os.ErrDeadlineExceeded }

// A ResultError is a message of the peer that refuses or ends something.
type ResultError struct {
	Type wire.Type
	// Result is a wire.StartResult, OutgoingResult, IncomingResult or
	// DisconnectResult, according to Type.
	Result fmt.Stringer
	Code   wire.ErrorCode
	Cause  uint16 // of calls; zero if unknown
}

func (e *ResultError) Error() string {
	s := fmt.Sprintf("pptp: %v: %v", e.Type, e.Result)
	if e.Code != wire.ErrorNone {
		s += fmt.Sprintf(" (%v)", e.Code)
	}
	if e.Cause != 0 {
		s += fmt.Sprintf(", cause %d", e.Cause)
	}
	return s
}

// A StopError says that the peer has stopped the control connection.
type StopError struct {
	Reason wire.StopReason
}

func (e *StopError) Error() string {
	return fmt.Sprintf("pptp: peer stopped the connection: %v", e.Reason)
}
