package metrics

import (
	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/session"
)

// control is the server's control port and what is wrong on control connections.
func control(s Sources) part {
	enabled := newFamily(gauge, "server_enabled", "1 if the server is to take calls.")
	listening := newFamily(gauge, "server_listening", "1 if the server's TCP port is open.")
	open := newFamily(gauge, "control_connections", "Control connections of the server now.")
	accepted := newFamily(counter, "control_connections_accepted_total", "Control connections that the server has had.")
	refused := newFamily(counter, "refusals_total", "Control connections and calls that the server sent away before there was a session, by reason.",
		label{name: "reason", values: words(session.NumRefusals)})
	wrong := newFamily(counter, "control_errors_total",
		"What went wrong on control connections: messages that were ignored (unknown, unexpected; a few are usual when both sides hang up) and ends that were not in good order.",
		label{name: "reason", values: words(session.NumControlErrors)})
	m := s.Sessions.Meter()
	return part{[]*family{enabled, listening, open, accepted, refused, wrong}, func(e emit) {
		is, does, _ := s.Sessions.Serving()
		truth(e, enabled, is)
		truth(e, listening, does)
		now, all := m.ControlConnections()
		number(e, open, now)
		number(e, accepted, all)
		for r := range session.NumRefusals {
			number(e, refused, m.Refused(r), r.String())
		}
		for x := range session.NumControlErrors {
			number(e, wrong, m.ControlErrors(x), x.String())
		}
	}}
}

// pools is how much of each pool of addresses is taken.
func pools(s Sources) part {
	pool := label{name: "pool", from: "name in /ip/pool"}
	size := newFamily(gauge, "pool_addresses", "Addresses that a pool has.", pool)
	used := newFamily(gauge, "pool_used_addresses", "Addresses of a pool that are in use.", pool)
	return part{[]*family{size, used}, func(e emit) {
		seen := map[string]bool{}
		for _, u := range s.Sessions.PoolUsage() {
			name := text(u.Name)
			if seen[name] { // names that differ in what is not shown
				continue
			}
			seen[name] = true
			number(e, size, u.Size, name)
			number(e, used, u.Used, name)
		}
	}}
}

// doors is who came in to configure the daemon, and what the log has.
func doors(s Sources) part {
	var names []string
	for _, d := range login.Doors() {
		names = append(names, string(d))
	}
	logins := newFamily(counter, "logins_total", "Attempts to log in to the console, the APIs and the page, by door and result. Throttled ones were not looked at.",
		label{name: "door", values: names}, label{name: "result", values: words(login.NumOutcomes)})
	entries := newFamily(counter, "log_entries_total", "Entries of the log, by severity.", label{name: "severity", values: words(journal.NumSeverities)})
	return part{[]*family{logins, entries}, func(e emit) {
		for _, d := range login.Doors() {
			for o := range login.NumOutcomes {
				number(e, logins, s.Gate.Count(d, o), string(d), o.String())
			}
		}
		for x := range journal.NumSeverities {
			number(e, entries, s.Journal.Count(x), x.String())
		}
	}}
}
