package fsm

// A transition is one cell of RFC 1661, section 4.1.
type transition struct {
	actions Action
	next    State
	ok      bool
}

// to makes a cell.
func to(next State, actions Action) transition {
	return transition{actions: actions, next: next, ok: true}
}

// no is the dash of the table: an event that cannot happen in that state.
var no transition

// table is the state transition table of RFC 1661, section 4.1. Columns are in
// the order of State, rows in the order of Event. It is read only.
var table = [numEvents][numStates]transition{
	Up: {to(Closed, 0), to(ReqSent, IRC|SCR), no, no, no, no,
		no, no, no, no},
	Down: {no, no, to(Initial, 0), to(Starting, TLS), to(Initial, 0), to(Starting, 0),
		to(Starting, 0), to(Starting, 0), to(Starting, 0), to(Starting, TLD)},
	Open: {to(Starting, TLS), to(Starting, 0), to(ReqSent, IRC|SCR), to(Stopped, 0), to(Stopping, 0), to(Stopping, 0),
		to(ReqSent, 0), to(AckRcvd, 0), to(AckSent, 0), to(Opened, 0)},
	Close: {to(Initial, 0), to(Initial, TLF), to(Closed, 0), to(Closed, 0), to(Closing, 0), to(Closing, 0),
		to(Closing, IRC|STR), to(Closing, IRC|STR), to(Closing, IRC|STR), to(Closing, TLD|IRC|STR)},

	TimeoutRetry: {no, no, no, no, to(Closing, STR), to(Stopping, STR),
		to(ReqSent, SCR), to(ReqSent, SCR), to(AckSent, SCR), no},
	TimeoutExpired: {no, no, no, no, to(Closed, TLF), to(Stopped, TLF),
		to(Stopped, TLF), to(Stopped, TLF), to(Stopped, TLF), no},

	ConfigureRequestGood: {no, no, to(Closed, STA), to(AckSent, IRC|SCR|SCA), to(Closing, 0), to(Stopping, 0),
		to(AckSent, SCA), to(Opened, SCA|TLU), to(AckSent, SCA), to(AckSent, TLD|SCR|SCA)},
	ConfigureRequestBad: {no, no, to(Closed, STA), to(ReqSent, IRC|SCR|SCN), to(Closing, 0), to(Stopping, 0),
		to(ReqSent, SCN), to(AckRcvd, SCN), to(ReqSent, SCN), to(ReqSent, TLD|SCR|SCN)},
	ConfigureAck: {no, no, to(Closed, STA), to(Stopped, STA), to(Closing, 0), to(Stopping, 0),
		to(AckRcvd, IRC), to(ReqSent, SCR), to(Opened, IRC|TLU), to(ReqSent, TLD|SCR)},
	ConfigureNakReject: {no, no, to(Closed, STA), to(Stopped, STA), to(Closing, 0), to(Stopping, 0),
		to(ReqSent, IRC|SCR), to(ReqSent, SCR), to(AckSent, IRC|SCR), to(ReqSent, TLD|SCR)},

	TerminateRequest: {no, no, to(Closed, STA), to(Stopped, STA), to(Closing, STA), to(Stopping, STA),
		to(ReqSent, STA), to(ReqSent, STA), to(ReqSent, STA), to(Stopping, TLD|ZRC|STA)},
	TerminateAck: {no, no, to(Closed, 0), to(Stopped, 0), to(Closed, TLF), to(Stopped, TLF),
		to(ReqSent, 0), to(ReqSent, 0), to(AckSent, 0), to(ReqSent, TLD|SCR)},

	UnknownCode: {no, no, to(Closed, SCJ), to(Stopped, SCJ), to(Closing, SCJ), to(Stopping, SCJ),
		to(ReqSent, SCJ), to(AckRcvd, SCJ), to(AckSent, SCJ), to(Opened, SCJ)},
	RejectPermitted: {no, no, to(Closed, 0), to(Stopped, 0), to(Closing, 0), to(Stopping, 0),
		to(ReqSent, 0), to(ReqSent, 0), to(AckSent, 0), to(Opened, 0)},
	RejectCatastrophic: {no, no, to(Closed, TLF), to(Stopped, TLF), to(Closed, TLF), to(Stopped, TLF),
		to(Stopped, TLF), to(Stopped, TLF), to(Stopped, TLF), to(Stopping, TLD|IRC|STR)},
	EchoOrDiscard: {no, no, to(Closed, 0), to(Stopped, 0), to(Closing, 0), to(Stopping, 0),
		to(ReqSent, 0), to(AckRcvd, 0), to(AckSent, 0), to(Opened, SER)},
}
