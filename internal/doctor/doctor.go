// Package doctor examines a machine for what PPTP needs: privileges, /dev/net/tun, raw
// GRE, the firewall, the port, forwarding and more; and with a server's name, whether
// that server answers and GRE gets through in both directions. Each finding says what
// was seen and what to do about it.
//
// It changes nothing and leaves nothing behind. Without a server it sends to nobody but
// this machine. What it looks at is behind Machine, which a test replaces.
package doctor

import (
	"context"
	"time"
)

// A State is what became of a check.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, but not always or not as well
	Problem State = "problem" // PPTP does not work with this
	Skipped State = "skipped" // nothing can be said
)

// A Finding is the result of a check.
type Finding struct {
	Check string   `json:"check"` // its name
	State State    `json:"state"`
	Seen  string   `json:"seen"`         // what was seen
	Do    []string `json:"do,omitempty"` // what to do: sentences, and commands as they are typed
}

// Config says what to examine.
type Config struct {
	Server string // a host to call; empty for none
	Socket string // of the daemon
}

// A Reporter is told how the examination goes on.
type Reporter interface {
	// Begin comes before a check that may wait, at most for the limit.
	Begin(check, what string, limit time.Duration)
	// Finish comes after each check.
	Finish(Finding)
}

// A check examines one thing.
type check struct {
	name string
	// waits says what for and how long at most; no time for checks that do not wait.
	waits string
	limit time.Duration
	// server says that it waits only where there is a server to call.
	server bool
	run    func(*exam, context.Context) Finding
}

// local are the checks of this machine, in their order: later ones use what earlier
// ones have found.
var local = []check{
	{name: "daemon", run: (*exam).daemon, waits: "the daemon's answer", limit: askLimit},
	{name: "capabilities", run: (*exam).capabilities},
	{name: "tun", run: (*exam).tun},
	{name: "gre-socket", run: (*exam).greSocket},
	{name: "gre-loopback", run: (*exam).greLoopback, waits: "a GRE packet to this machine itself", limit: loopbackLimit},
	{name: "port", run: (*exam).port},
	{name: "other-programs", run: (*exam).otherPrograms},
	{name: "kernel-pptp", run: (*exam).kernelPPTP},
	{name: "nftables", run: (*exam).nftables},
	{name: "firewall", run: (*exam).firewall},
	{name: "firewall-legacy", run: (*exam).firewallLegacy},
	{name: "conntrack", run: (*exam).conntrack},
	{name: "forwarding", run: (*exam).forwarding},
	{name: "rp-filter", run: (*exam).rpFilter},
	{name: "mtu", run: (*exam).mtu, waits: "the server's address", limit: nameLimit, server: true},
	{name: "open-files", run: (*exam).openFiles},
	{name: "resolv-conf", run: (*exam).resolvConf},
	{name: "network-managers", run: (*exam).networkManagers},
	{name: "radius", run: (*exam).radius, waits: "what the daemon knows of its RADIUS servers", limit: askLimit},
}

// remote are the checks of a server, in their order.
var remote = []check{
	{name: "server-tcp", run: (*exam).serverTCP, waits: "an answer on TCP port 1723", limit: dialLimit},
	{name: "server-pptp", run: (*exam).serverPPTP, waits: "a Start-Control-Connection-Reply", limit: startLimit},
	{name: "server-gre", run: (*exam).serverGRE, waits: "LCP frames in GRE", limit: callLimit + greLimit},
}

// How long checks may wait.
const (
	// askLimit is what the daemon may take for an answer over its socket.
	askLimit = 5 * time.Second
	// loopbackLimit is what a packet to this machine may take.
	loopbackLimit = time.Second
	// nameLimit is what name servers may take.
	nameLimit = 5 * time.Second
	// dialLimit is the time for TCP to connect: three SYNs, at 0, 1 and 3 seconds.
	dialLimit = 5 * time.Second
	// startLimit is what a server may take to say what it is.
	startLimit = 5 * time.Second
	// callLimit is what a server may take to answer a call: some ask others first.
	callLimit = 10 * time.Second
	// greLimit is what it may take until a GRE packet has come: five requests of ours
	// go out meanwhile, and a server repeats its own every three seconds.
	greLimit = 5 * time.Second
)

// exam is an examination, and what it has found out so far.
type exam struct {
	Config
	m Machine

	pid     int    // of the daemon; 0 if none answers
	version string // what it says
	enabled bool   // its PPTP server is
	raw     bool   // a raw GRE socket can be opened
	contact contact
}

// Run examines a machine and gives all findings. When ctx ends, the checks that are
// left are skipped.
func Run(ctx context.Context, c Config, m Machine, r Reporter) []Finding {
	e := &exam{Config: c, m: m}
	defer e.contact.close()
	checks := local
	if c.Server != "" {
		checks = append(checks[:len(checks):len(checks)], remote...)
	}
	var all []Finding
	for _, check := range checks {
		if check.limit > 0 && (!check.server || c.Server != "") {
			r.Begin(check.name, check.waits, check.limit)
		}
		var f Finding
		if ctx.Err() == nil {
			f = check.run(e, ctx)
		}
		if ctx.Err() != nil { // perhaps while it waited, and then it found nothing out
			f = skipped("the examination was broken off")
		}
		f.Check = check.name
		r.Finish(f)
		all = append(all, f)
	}
	return all
}

// Count counts the findings of a state.
func Count(findings []Finding, s State) (n int) {
	for _, f := range findings {
		if f.State == s {
			n++
		}
	}
	return n
}

func ok(seen string, do ...string) Finding      { return Finding{State: OK, Seen: seen, Do: do} }
func warning(seen string, do ...string) Finding { return Finding{State: Warning, Seen: seen, Do: do} }
func problem(seen string, do ...string) Finding { return Finding{State: Problem, Seen: seen, Do: do} }
func skipped(seen string, do ...string) Finding { return Finding{State: Skipped, Seen: seen, Do: do} }
