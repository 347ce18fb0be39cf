// Package fsm is the option negotiation automaton of RFC 1661, section 4, as a
// table, with its restart timer and counter (section 4.6).
//
// It knows no packet, no option and no clock: Step is a pure function, and a
// Restart is told the time. Negotiation over it is ppp/cp. The footnotes of the
// table (passive, restart and crossed connection) are not in its cells; they
// are up to the caller.
package fsm

import (
	"fmt"
	"strings"
)

// A State is one of the ten of RFC 1661, section 4.2.
type State uint8

// The states, numbered as in the RFC.
const (
	Initial State = iota
	Starting
	Closed
	Stopped
	Closing
	Stopping
	ReqSent
	AckRcvd
	AckSent
	Opened

	numStates = iota
)

var stateNames = [numStates]string{"Initial", "Starting", "Closed", "Stopped", "Closing",
	"Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened"}

// String gives the RFC's name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// TimerRuns tells whether the restart timer runs in state s: those states wait
// for an answer (RFC 1661, section 4.2).
func (s State) TimerRuns() bool { return s >= Closing && s <= AckSent }

// An Event is one of the sixteen of RFC 1661, section 4.3.
type Event uint8

// The events, in the order of the table's rows.
const (
	Up                   Event = iota // the lower layer is up
	Down                              // the lower layer is down
	Open                              // administrative Open
	Close                             // administrative Close
	TimeoutRetry                      // TO+: timeout with the counter above zero
	TimeoutExpired                    // TO-: timeout with the counter expired
	ConfigureRequestGood              // RCR+
	ConfigureRequestBad               // RCR-
	ConfigureAck                      // RCA
	ConfigureNakReject                // RCN
	TerminateRequest                  // RTR
	TerminateAck                      // RTA
	UnknownCode                       // RUC
	RejectPermitted                   // RXJ+: Code-Reject or Protocol-Reject that can be lived with
	RejectCatastrophic                // RXJ-: one that cannot
	EchoOrDiscard                     // RXR

	numEvents = iota
)

var eventNames = [numEvents]string{"Up", "Down", "Open", "Close", "TO+", "TO-", "RCR+", "RCR-",
	"RCA", "RCN", "RTR", "RTA", "RUC", "RXJ+", "RXJ-", "RXR"}

// String gives the RFC's abbreviation.
func (e Event) String() string {
	if int(e) < len(eventNames) {
		return eventNames[e]
	}
	return fmt.Sprintf("event(%d)", uint8(e))
}

// An Action is a set of the actions of RFC 1661, section 4.4.
type Action uint16

// The actions, in the order in which a set is performed: what leaves the layer
// below in doubt comes first, what tells the layer above comes last.
const (
	TLD Action = 1 << iota // This-Layer-Down
	IRC                    // Initialize-Restart-Count
	ZRC                    // Zero-Restart-Count
	SCR                    // Send-Configure-Request
	SCA                    // Send-Configure-Ack
	SCN                    // Send-Configure-Nak/Rej
	STR                    // Send-Terminate-Request
	STA                    // Send-Terminate-Ack
	SCJ                    // Send-Code-Reject
	SER                    // Send-Echo-Reply
	TLU                    // This-Layer-Up
	TLS                    // This-Layer-Started
	TLF                    // This-Layer-Finished

	lastAction = TLF
)

var actionNames = [...]string{"tld", "irc", "zrc", "scr", "sca", "scn", "str", "sta", "scj", "ser", "tlu", "tls", "tlf"}

// Has tells whether a holds all of b.
func (a Action) Has(b Action) bool { return a&b == b }

// Each calls f for every action of the set, in the order to perform them.
func (a Action) Each(f func(Action)) {
	for one := Action(1); one <= lastAction; one <<= 1 {
		if a&one != 0 {
			f(one)
		}
	}
}

// String gives the RFC's abbreviations, separated by commas.
func (a Action) String() string {
	var names []string
	for i, name := range actionNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Step gives the state that follows when e happens in s, and what to do. It is
// false for an illegal event: "the automaton should stay in its state and log"
// is what RFC 1661, section 4.4 asks for in other words.
func Step(s State, e Event) (next State, actions Action, ok bool) {
	if s >= numStates || e >= numEvents {
		return s, 0, false
	}
	t := table[e][s]
	if !t.ok {
		return s, 0, false
	}
	return t.next, t.actions, true
}
