package soak

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// What the environment may say: how long the test is to go on, as 10m (make soak),
// and the seed of an earlier run.
const (
	lengthVariable = "GOPPTP_SOAK"
	seedVariable   = "GOPPTP_SOAK_SEED"
)

// short is how long the test takes without being told, if that is enough to
// disturb the tunnel once in every way.
const short = 15 * time.Second

// Limits of patience. On a bad path, with a busy machine, TCP may have to wait for
// its timeout several times in a row.
const (
	moveLimit    = 30 * time.Second
	reviveLimit  = 30 * time.Second
	releaseLimit = 15 * time.Second
)

// How many packets of one direction are lost in an outage: more than the receiver
// takes for a jump (2,047), so that it must search for its key, and more than it
// searches through (65,536), so that the two must agree on new keys.
const (
	someLost = 5_000
	allLost  = 80_000
)

// pprofAddress is where each daemon tells of itself, on a loopback of its own.
const pprofAddress = "127.0.0.1:6060"

// The ends of the tunnel.
const serverInside, clientInside = "10.0.0.1", "10.0.0.5"

// A world is the test's machines and the traffic between them.
type world struct {
	t              *testing.T
	server, client *rig.Machine
	relay          *relay
	up, down       *direction // from the client, and to it
	late           *direction // the one that lost its keys last
	dice           *rand.Rand
}

// TestRequiresRootSoak moves octets of every kind through a tunnel on a bad path
// while it is disturbed in every way, and each comes as it was sent.
func TestRequiresRootSoak(t *testing.T) {
	rig.Need(t, "ping")
	length, seed := short, rand.Uint64()
	if text := os.Getenv(lengthVariable); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	w := newWorld(t, seed)
	before := [2]held{w.settled(w.server), w.settled(w.client)}

	began := time.Now()
	w.enable()
	disturbances := []struct {
		name string
		do   func()
	}{
		{"the server ends the session", w.remove},
		{"the client is disabled and enabled", w.restart},
		{"packets to the client are lost", func() { w.outage(w.down, someLost) }},
		{"the client is killed", w.kill},
		{"packets from the client are lost", func() { w.outage(w.up, someLost) }},
		{"so many are lost that the keys are", w.rekey},
	}
	for n := 0; n < len(disturbances) || time.Since(began) < length; n++ {
		d := disturbances[n%len(disturbances)]
		l := start(t, w.dice, w.up, w.down)
		l.moves(moveLimit)
		leave(t, (length-time.Since(began))/time.Duration(10*len(disturbances)))
		at := time.Now()
		d.do()
		took := time.Since(at)
		l.stop()
		t.Logf("%6.1f s: %s: %.1f s", time.Since(began).Seconds(), d.name, took.Seconds())
	}
	l := start(t, w.dice, w.up, w.down)
	l.moves(moveLimit)
	l.stop()
	t.Logf("%v\n%v", w.up, w.down)
	t.Logf("the path carried %d packets, lost %d, doubled %d, swapped %d, and kept %d while it was dark",
		w.relay.passed.Load(), w.relay.lost.Load(), w.relay.twice.Load(), w.relay.swapped.Load(),
		w.relay.darkened[serverSide].Load()+w.relay.darkened[clientSide].Load())

	w.disable()
	for i, m := range []*rig.Machine{w.server, w.client} {
		w.released(m, before[i])
		w.undamaged(m)
		w.quiet(m)
	}
}

// newWorld makes a server and a client that have been connected once, so that
// both have all that they keep, and are not any more.
func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, server: rig.New(t, "server", ""), client: rig.New(t, "client", ""), dice: rand.New(rand.NewPCG(seed, 0))}
	w.relay = connect(t, w.server, w.client, seed)
	for _, m := range []*rig.Machine{w.server, w.client} {
		m.WriteFile("password", "p\n")
		m.Args = []string{"--pprof", pprofAddress, "--admin-password-file", m.File("password"), "--log-level", "debug"}
		m.Start()
	}
	w.server.On(
		"/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u password=p local-address="+serverInside+" remote-address="+clientInside,
	)
	w.client.On("/interface/pptp-client/add name=u user=u password=p connect-to=" + rig.ServerAddress)
	w.up = newDirection(t, clientSide, w.client, w.server, serverInside)
	w.down = newDirection(t, serverSide, w.server, w.client, clientInside)
	w.enable()
	w.disable()
	return w
}

// enable connects the client, disable disconnects it.
func (w *world) enable() {
	w.t.Helper()
	w.again(func() { w.client.On("/interface/pptp-client/enable u") })
}

func (w *world) disable() {
	w.t.Helper()
	w.client.On("/interface/pptp-client/disable u")
	w.server.Within(reviveLimit, "no session", func() bool { return w.server.On("/ppp/active/print count-only") == "0\n" })
}

// again does what makes the client connect anew, and waits until both have.
func (w *world) again(do func()) {
	w.t.Helper()
	ends := map[*rig.Machine]string{w.client: " u: connected\n", w.server: ">: connected\n"} // <pptp-u>, or <pptp-u-1> while the old one ends
	before := map[*rig.Machine]int{}
	for m, line := range ends {
		before[m] = strings.Count(m.Logged(), line)
	}
	do()
	for m, line := range ends {
		m.Within(reviveLimit, "connected again", func() bool { return strings.Count(m.Logged(), line) > before[m] })
	}
}

func (w *world) remove() {
	w.again(func() { w.server.On("/ppp/active/remove [find]") })
}

func (w *world) restart() {
	w.again(func() { w.client.On("/interface/pptp-client/disable u", "/interface/pptp-client/enable u") })
}

func (w *world) kill() {
	w.again(func() {
		w.client.Kill()
		w.client.Start()
	})
}

// outage loses so many packets of one direction, and all of the other meanwhile; the
// session lives through it.
func (w *world) outage(d *direction, packets int64) {
	w.t.Helper()
	connections := strings.Count(w.client.Logged(), " u: connected\n")
	lost := &w.relay.darkened[d.side]
	before := lost.Load()
	w.relay.dark.Store(true)
	d.blast(w.t, func() bool { return lost.Load() >= before+packets })
	w.relay.dark.Store(false)
	for _, d := range []*direction{w.up, w.down} {
		pings := d.pings.Load()
		d.from.Within(reviveLimit, "an answer after the outage", func() bool { return d.pings.Load() > pings })
	}
	if n := strings.Count(w.client.Logged(), " u: connected\n"); n != connections {
		w.t.Errorf("the session did not live through an outage of %d packets", packets)
	}
}

// outages bounds those of rekey. A search that follows a wrong key, which is rare, may find
// the right one beyond its reach, and needs no new keys.
const outages = 4

// rekey makes the two agree on new keys, in one direction and then in the other.
func (w *world) rekey() {
	w.t.Helper()
	if w.late != w.down {
		w.late = w.down
	} else {
		w.late = w.up
	}
	agreements := strings.Count(w.client.Logged(), " CCP ConfAck")
	for range outages {
		w.outage(w.late, allLost)
		if strings.Count(w.client.Logged(), " CCP ConfAck") > agreements {
			return
		}
	}
	w.t.Errorf("%d outages of %d packets, and no new keys", outages, allLost)
}

// held is what a daemon has of what runs out.
type held struct{ goroutines, files int }

// held asks a daemon what it holds.
func (w *world) held(m *rig.Machine) held {
	w.t.Helper()
	profile := w.ask(m, "/debug/pprof/goroutine?debug=1")
	var h held
	if _, err := fmt.Sscanf(profile, "goroutine profile: total %d", &h.goroutines); err != nil {
		w.t.Fatalf("%s: %v in %.200s", m.Name, err, profile)
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", m.PID()))
	if err != nil {
		w.t.Fatal(err)
	}
	h.files = len(files)
	return h
}

// settled is what a daemon holds when nothing is under way: the least in a second.
func (w *world) settled(m *rig.Machine) held {
	w.t.Helper()
	least := w.held(m)
	for began := time.Now(); time.Since(began) < time.Second; time.Sleep(rig.Look) {
		now := w.held(m)
		least.goroutines, least.files = min(least.goroutines, now.goroutines), min(least.files, now.files)
	}
	return least
}

// ask gets a page of a daemon's profiles.
func (w *world) ask(m *rig.Machine, path string) string {
	w.t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
			m.Do(func() { c, err = new(net.Dialer).DialContext(ctx, network, address) })
			return c, err
		},
	}
	answer, err := (&http.Client{Transport: transport, Timeout: rig.Soon}).Get("http://" + pprofAddress + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// released checks that a daemon holds no more than before, after a moment.
func (w *world) released(m *rig.Machine, before held) {
	w.t.Helper()
	var now held
	for began := time.Now(); time.Since(began) < releaseLimit; time.Sleep(rig.Look) {
		if now = w.held(m); now.goroutines <= before.goroutines && now.files <= before.files {
			w.t.Logf("%s: %d goroutines and %d files, before %d and %d", m.Name, now.goroutines, now.files, before.goroutines, before.files)
			return
		}
	}
	w.t.Errorf("%s: %d goroutines and %d files, before %d and %d\n%s", m.Name, now.goroutines, now.files, before.goroutines, before.files,
		w.ask(m, "/debug/pprof/goroutine?debug=1"))
}

// undamaged checks that a kernel has thrown away nothing that was damaged on the
// way and would have come again whole.
func (w *world) undamaged(m *rig.Machine) {
	w.t.Helper()
	lines := strings.Split(m.Run("cat", "/proc/net/snmp"), "\n")
	found := 0
	for i := 1; i < len(lines); i += 2 {
		names, values := strings.Fields(lines[i-1]), strings.Fields(lines[i])
		for n, name := range names {
			if name != "InCsumErrors" {
				continue
			}
			found++
			if values[n] != "0" {
				w.t.Errorf("%s: %s %s packets had a wrong checksum", m.Name, values[n], strings.TrimSuffix(names[0], ":"))
			}
		}
	}
	if found < 3 { // ICMP, TCP, UDP
		w.t.Errorf("%s: /proc/net/snmp tells of the checksums of %d protocols only", m.Name, found)
	}
	w.t.Logf("%s: %s", m.Name, strings.ReplaceAll(strings.TrimSpace(w.ask(m, "/debug/counters")), "\n", ", "))
}

// quiet checks that a daemon has told of no trouble: nothing of what is done to it
// is any.
func (w *world) quiet(m *rig.Machine) {
	w.t.Helper()
	for line := range strings.Lines(m.Logged()) {
		if trouble.MatchString(line) {
			w.t.Errorf("%s logged: %s", m.Name, line)
		}
	}
}

// trouble is a line of the log, "15:04:05 topics message", that is more than
// information, or none of the log at all.
var trouble = regexp.MustCompile(`^\S+ \S*(warning|error|critical)|^[^0-9]`)
