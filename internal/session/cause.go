package session

import "gopptp/ppp/link"

// A Cause is why a session ended, by the numbers of Acct-Terminate-Cause (RFC
// 2866, section 5.10).
type Cause uint8

// The causes that a tunnel can have.
const (
	PeerRequest    Cause = 1
	HungUp         Cause = 2
	IdleTimeout    Cause = 4
	SessionTimeout Cause = 5
	Reset          Cause = 6
	Reboot         Cause = 7
	NASError       Cause = 9
	NASRequest     Cause = 10
)

// String gives the cause as last-disconnect-reason of /ppp/secret has it.
func (c Cause) String() string {
	switch c {
	case PeerRequest:
		return "peer-request"
	case HungUp:
		return "hung-up"
	case IdleTimeout:
		return "idle-timeout"
	case SessionTimeout:
		return "session-timeout"
	case Reset:
		return "reset"
	case Reboot:
		return "reboot"
	case NASError:
		return "nas-error"
	case NASRequest:
		return "nas-request"
	}
	return ""
}

// An ending is why a session ends: what the log shows after "terminating... - ",
// and the cause for accounting.
type ending struct {
	reason string
	cause  Cause
}

// The endings that are decided here; the others are those of the link.
var (
	endAdmin   = ending{"administrator request", Reset}
	endStop    = ending{"administrator request", Reboot}
	endLost    = ending{"disconnected", HungUp}
	endSession = ending{"session timeout", SessionTimeout}
	endIdle    = ending{"idle timeout", IdleTimeout}
	endTraffic = ending{"traffic limit reached", NASRequest}
	endOnlyOne = ending{"user is already active", NASRequest}
	endCrowd   = ending{errCrowd.Error(), NASRequest}
	endRemoved = ending{"interface was removed", NASError}
)

// endOf gives the ending for a reason of the link.
func endOf(reason string) ending {
	switch reason {
	case link.ReasonHungup:
		return ending{reason, PeerRequest}
	case link.ReasonNotResponding:
		return ending{reason, HungUp}
	}
	return ending{reason, NASError}
}
