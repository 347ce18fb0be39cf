package metrics

import (
	"gopptp/internal/session"
	"gopptp/ppp/auth"
)

// methodName is what a label says of a method.
func methodName(m auth.Method) string {
	if m == 0 {
		return "none"
	}
	return m.String()
}

// methods are those names.
func methods() []string {
	var out []string
	for m := range auth.Method(session.NumMethods) {
		out = append(out, methodName(m))
	}
	return out
}

// causeName is what a label says of a cause.
func causeName(c session.Cause) string {
	if s := c.String(); s != "" {
		return s
	}
	return "other"
}

// causes are those that have a name, and what stands for all others.
func causes() []session.Cause {
	out := []session.Cause{0}
	for c := range session.Cause(session.NumCauses) {
		if c.String() != "" {
			out = append(out, c)
		}
	}
	return out
}

// side is the label of which end of a tunnel this one is.
func side() label { return label{name: "side", values: words(session.NumSides)} }

// sessions is what becomes of sessions, and who they are.
func sessions(s Sources) part {
	var causeNames []string
	for _, c := range causes() {
		causeNames = append(causeNames, causeName(c))
	}
	method := label{name: "method", values: methods()}
	stages := newFamily(gauge, "sessions", "Sessions now, by how far they have come.", side(), label{name: "state", values: words(session.NumStages)})
	connected := newFamily(gauge, "connected_sessions",
		"Sessions whose network is up, by how the user was authenticated and how strongly they encrypt (the weaker direction).",
		side(), method, label{name: "encryption", values: words(session.NumEncryptions)[session.Unencrypted:]})
	setUp := newFamily(histogram, "session_setup_seconds",
		"How long it took until the network was up: from the TCP connection to the server, or from the beginning of the dialing.", side(), method)
	proofs := newFamily(counter, "authentications_total",
		"Authentications that succeeded or failed: of users by the server, of our clients by theirs. Without a method none was agreed on.",
		side(), method, label{name: "result", values: []string{"failure", "success"}})
	ended := newFamily(counter, "sessions_ended_total", "Sessions that have ended, by cause as in RADIUS.", side(), label{name: "cause", values: causeNames})
	clients := newFamily(gauge, "clients", "Rows of /interface/pptp-client, by what they do.", label{name: "state", values: words(session.NumClientStates)})
	m := s.Sessions.Meter()
	return part{[]*family{stages, connected, setUp, proofs, ended, clients}, func(e emit) {
		for side := range session.NumSides {
			var stage [session.NumStages]int64
			for method := range auth.Method(session.NumMethods) {
				for at := range session.NumStages {
					for x := range session.NumEncryptions {
						n := m.Live(side, at, method, x)
						stage[at] += n
						if at == session.Connected && x >= session.Unencrypted {
							number(e, connected, n, side.String(), methodName(method), x.String())
						}
					}
				}
				times(e, setUp, m.SetUp(side, method), side.String(), methodName(method))
				number(e, proofs, m.Authentications(side, method, true), side.String(), methodName(method), "success")
				number(e, proofs, m.Authentications(side, method, false), side.String(), methodName(method), "failure")
			}
			for at, n := range stage {
				number(e, stages, n, side.String(), session.Stage(at).String())
			}
			for _, c := range causes() {
				number(e, ended, m.Ended(side, c), side.String(), causeName(c))
			}
		}
		for state, n := range s.Sessions.ClientStates() {
			number(e, clients, n, session.ClientState(state).String())
		}
	}}
}

// maxSessions bounds the sessions that have series of their own: twice as many as a
// server is built for would be a page of 20 MB at each scrape.
const maxSessions = 10_000

// perSession is what each session carries. They are told apart by their interfaces,
// whose names have those of users: of secrets here, or of users that a RADIUS server
// knows.
func perSession(s Sources) part {
	labels := []label{side(), {name: "interface", from: "the session's interface, which has the name of its user or client"}, direction()}
	octets := newFamily(counter, "session_bytes_total", "Octets of user packets that a session has carried. Only with --metrics-sessions.", labels...)
	packets := newFamily(counter, "session_packets_total", "User packets that a session has carried. Only with --metrics-sessions.", labels...)
	more := newFamily(gauge, "sessions_without_series", "Sessions whose network is up and that are not shown, since there are too many. Only with --metrics-sessions.")
	return part{[]*family{octets, packets, more}, func(e emit) {
		uses, left := s.Sessions.Uses(maxSessions)
		type name struct {
			side session.Side
			text string
		}
		seen := make(map[name]bool, len(uses))
		for _, u := range uses {
			n := name{u.Side, text(u.Interface)}
			if seen[n] { // names that differ in what is not shown
				left++
				continue
			}
			seen[n] = true
			number(e, octets, u.Traffic.RxBytes, u.Side.String(), n.text, receive)
			number(e, octets, u.Traffic.TxBytes, u.Side.String(), n.text, transmit)
			number(e, packets, u.Traffic.RxPackets, u.Side.String(), n.text, receive)
			number(e, packets, u.Traffic.TxPackets, u.Side.String(), n.text, transmit)
		}
		number(e, more, left)
	}}
}
