package interop_test

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"time"

	"gopptp/test/lab"
	"gopptp/test/rig"
)

// pptpdTunnelAddress is pptpd's end of each tunnel in the lab (peer serve).
const pptpdTunnelAddress = "192.168.78.1"

// A clientCase is a way in which our client dials the lab's server.
type clientCase struct {
	name     string
	options  string // of the server's pppd
	allow    string // our client's methods
	encoding string // as RouterOS prints it, or empty
}

// allMethods is the allow that a client has when nothing else is said.
const allMethods = "pap,chap,mschap1,mschap2"

var clientCases = []clientCase{
	{"mschap2 mppe128", "require-mschap-v2 require-mppe-128", allMethods, "MPPE128 stateless"},
	{"mschap2 mppe128 stateful", "plugin /host/mppe-stateful.so mppe-stateful require-mschap-v2 require-mppe-128", allMethods, "MPPE128 stateful"},
	{"mschap2 mppe40", "require-mschap-v2 require-mppe-40", allMethods, "MPPE40 stateless"},
	{"mschap2 no encryption", "require-mschap-v2 nomppe", allMethods, ""},
	{"mschap2 no ccp", "require-mschap-v2 noccp", "mschap2", ""},
	{"mschap1 mppe128", "require-mschap require-mppe-128", "mschap1", "MPPE128 stateless"},
	{"mschap1", "require-mschap nomppe", allMethods, ""},
	{"chap", "require-chap", "chap", ""},
	{"pap", "require-pap", allMethods, ""},
}

// TestRequiresRootClient has our client dial pptpd.
func TestRequiresRootClient(t *testing.T) {
	ctx, l := testLab(t, "client")
	c := &clientTest{l: l, d: start(t, ctx, l), server: boot(t, ctx, l, "server", serverAddress), results: answerTransfers(t, l)}
	// A case that fails must not make the next one fail.
	run := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					c.d.Exec(ctx, "/interface/pptp-client/remove [find]")
					tidyGuest(t, ctx, c.server, c.results)
				}
			}()
			test(t)
		})
	}
	for _, test := range clientCases {
		run(test.name, func(t *testing.T) { c.connects(t, ctx, test) })
	}
	run("wrong password", func(t *testing.T) {
		c.refused(t, ctx, "require-mschap-v2", "user=u1 password=wrong", "failed to authenticate ourselves to peer")
	})
	run("unknown user", func(t *testing.T) {
		c.refused(t, ctx, "require-mschap-v2", "user=nobody password=secret1", "failed to authenticate ourselves to peer")
	})
	run("method not accepted", func(t *testing.T) {
		c.refused(t, ctx, "require-mschap-v2", "user=u1 password=secret1 allow=pap", ".+")
	})
	for _, test := range []clientCase{clientCases[0], {"no encryption", "require-mschap-v2 nomppe", allMethods, ""}} {
		run("compression, "+test.name, func(t *testing.T) { // pppd knows no MPPC, and the rest goes on
			console(t, ctx, c.d, "/ppp/profile/set default-encryption use-compression=yes")
			defer console(t, ctx, c.d, "/ppp/profile/set default-encryption use-compression=default")
			c.connects(t, ctx, test)
		})
	}
	run("encryption required", func(t *testing.T) {
		console(t, ctx, c.d, "/ppp/profile/set default-encryption use-encryption=required")
		defer console(t, ctx, c.d, "/ppp/profile/set default-encryption use-encryption=yes")
		c.refused(t, ctx, "require-mschap-v2 nomppe", "user=u1 password=secret1", ".+")
	})
	run("server restarts", func(t *testing.T) { c.serverRestarts(t, ctx) })
	run("server goes silent", func(t *testing.T) { c.serverGoesSilent(t, ctx) })
}

// A clientTest is our client with a guest beside it.
type clientTest struct {
	l       *lab.Lab
	d       *lab.Daemon
	server  *lab.Guest
	results <-chan transferred
}

// serve sets what the guest's server wants from the next call on.
func (c *clientTest) serve(t *testing.T, ctx context.Context, options string) {
	t.Helper()
	guestExec(t, ctx, c.server, "/host/peer serve "+options)
}

// add makes the client pptp-out1.
func (c *clientTest) add(t *testing.T, ctx context.Context, properties string) {
	t.Helper()
	console(t, ctx, c.d, "/interface/pptp-client/add name=pptp-out1 connect-to="+serverAddress+" disabled=no "+properties)
}

// remove takes pptp-out1 away; nothing of it may stay.
func (c *clientTest) remove(t *testing.T, ctx context.Context) {
	t.Helper()
	console(t, ctx, c.d, "/interface/pptp-client/remove pptp-out1")
	checkHides(t, console(t, ctx, c.d, "/interface/pptp-client/print"), "pptp-out1")
	checkInterfaces(t, ctx, c.l)
	guestExec(t, ctx, c.server, "/host/peer gone")
}

// connected waits until the client is up and gives the address it got.
func (c *clientTest) connected(t *testing.T, ctx context.Context, from int, limit time.Duration) (address string) {
	t.Helper()
	waitLog(t, ctx, c.d, from, limit, `^pptp-out1: connected$`)
	checkInterfaces(t, ctx, c.l, "pptp-out1")
	status := console(t, ctx, c.d, "/interface/pptp-client/monitor pptp-out1 once")
	rig.Shows(t, status, "status: connected")
	m := regexp.MustCompile(`(?m)^ *local-address: (192\.168\.78\.\d+) *$`).FindStringSubmatch(status)
	if m == nil {
		t.Fatalf("no local-address from the server's pool in:\n%s", status)
	}
	return m[1]
}

// connects is one good case: a session that the server ends, one by redial
// that we end, and one by enable that goes with its client.
func (c *clientTest) connects(t *testing.T, ctx context.Context, test clientCase) {
	c.serve(t, ctx, test.options)
	sniffer, err := c.l.Sniff()
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	mark := c.d.Mark()
	c.add(t, ctx, "user=u1 password=secret1 allow="+test.allow)
	ours := c.connected(t, ctx, mark, connectLimit)
	checkTunnel(t, ctx, c.l, c.server, c.results, ours, pptpdTunnelAddress)
	checkWire(t, sniffer.Counts(), test.encoding != "")
	words := []string{"status: connected", "uptime: "}
	if test.encoding != "" {
		words = append(words, "encoding: "+test.encoding)
	}
	words = append(words, "mtu: 1400", "local-address: "+ours, "remote-address: "+pptpdTunnelAddress)
	rig.Shows(t, console(t, ctx, c.d, "/interface/pptp-client/monitor pptp-out1 once"), words...)
	rig.Shows(t, console(t, ctx, c.d, "/interface/pptp-client/print"), ` 0  R name="pptp-out1"`, "connect-to="+serverAddress, `user="u1"`)

	// The server ends it, and we come back by ourselves.
	guestExec(t, ctx, c.server, "/host/peer hangup")
	waitLog(t, ctx, c.d, mark, disconnectLimit, `^pptp-out1: disconnected$`)
	redialled := c.checkSessionLog(t, mark, test.encoding)
	c.connected(t, ctx, redialled, redialLimit)

	// We end it.
	console(t, ctx, c.d, "/interface/pptp-client/disable pptp-out1")
	waitLog(t, ctx, c.d, redialled, disconnectLimit, `^pptp-out1: disconnected$`)
	c.checkSessionLog(t, redialled, test.encoding)
	checkInterfaces(t, ctx, c.l)
	rig.Shows(t, console(t, ctx, c.d, "/interface/pptp-client/print"), ` 0 X  name="pptp-out1"`)
	guestExec(t, ctx, c.server, "/host/peer gone")
	c.remove(t, ctx)
}

// sessionLog is what an operator sees of one session of our client (RouterOS's
// form and order).
func sessionLog(encoding string) []wanted {
	lines := []wanted{
		{"pptp,ppp,info", `pptp-out1: initializing\.\.\.`},
		{"pptp,ppp,info", `pptp-out1: connecting\.\.\.`},
		{"pptp,ppp,info", `pptp-out1: authenticated`},
	}
	if encoding != "" {
		lines = append(lines, wanted{"pptp,ppp,info", `pptp-out1: using encoding - ` + encoding})
	}
	return append(lines,
		wanted{"pptp,ppp,info", `pptp-out1: connected`},
		wanted{"pptp,ppp,info", `pptp-out1: terminating\.\.\.( - .+)?`},
		wanted{"pptp,ppp,info", `pptp-out1: disconnected`})
}

// checkSessionLog checks the lines of the session that begins at line from, and
// gives the number of the first line after it.
func (c *clientTest) checkSessionLog(t *testing.T, from int, encoding string) (next int) {
	t.Helper()
	lines := c.d.Log(from)
	end := slices.IndexFunc(lines, func(l lab.LogLine) bool { return l.Message == "pptp-out1: disconnected" })
	checkLog(t, lines[:end+1], sessionLog(encoding))
	return from + end + 1
}

// refused is a client that the server, or we, do not let in.
func (c *clientTest) refused(t *testing.T, ctx context.Context, options, properties, reason string) {
	c.serve(t, ctx, options)
	sniffer, err := c.l.Sniff()
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	mark := c.d.Mark()
	c.add(t, ctx, properties)
	waitLog(t, ctx, c.d, mark, connectLimit, `^pptp-out1: terminating\.\.\. - `+reason+`$`)
	waitLog(t, ctx, c.d, mark, disconnectLimit, `^pptp-out1: disconnected$`)
	c.remove(t, ctx)
	for _, l := range c.d.Log(mark) {
		if l.Message == "pptp-out1: connected" {
			t.Errorf("the log has %q", l)
		}
	}
	if n := sniffer.Counts()[protocolIP]; n != 0 {
		t.Errorf("%d IP packets in clear on the wire", n)
	}
}

// serverRestarts kills the server under a session: we notice at once, since its
// control connection ends, and redial until it is back.
func (c *clientTest) serverRestarts(t *testing.T, ctx context.Context) {
	c.serve(t, ctx, "require-mschap-v2 require-mppe-128")
	mark := c.d.Mark()
	c.add(t, ctx, "user=u1 password=secret1")
	c.connected(t, ctx, mark, connectLimit)
	mark = c.d.Mark()
	guestExec(t, ctx, c.server, "/host/peer stop")
	waitLog(t, ctx, c.d, mark, disconnectLimit, `^pptp-out1: disconnected$`)
	checkInterfaces(t, ctx, c.l)
	c.serve(t, ctx, "require-mschap-v2 require-mppe-128")
	ours := c.connected(t, ctx, mark, redialLimit)
	checkTunnel(t, ctx, c.l, c.server, c.results, ours, pptpdTunnelAddress)
	c.remove(t, ctx)
}

// serverGoesSilent is the page's keepalive on our side: nothing received for
// the period, then five echo requests a second apart, five lines in the log,
// and the end; and when the server is back, so are we.
func (c *clientTest) serverGoesSilent(t *testing.T, ctx context.Context) {
	c.serve(t, ctx, "require-mschap-v2 require-mppe-128")
	mark := c.d.Mark()
	c.add(t, ctx, "user=u1 password=secret1 keepalive-timeout=3")
	c.connected(t, ctx, mark, connectLimit)
	mark = c.d.Mark()
	if err := c.l.Unplug(ctx, c.server); err != nil {
		t.Fatal(err)
	}
	defer c.l.Plug(ctx, c.server) // also when the test ends here
	waitLog(t, ctx, c.d, mark, keepaliveLimit, `^pptp-out1: disconnected$`)
	checkMissedEchoes(t, c.d.Log(mark), "pptp-out1")
	checkInterfaces(t, ctx, c.l)
	if err := c.l.Plug(ctx, c.server); err != nil {
		t.Fatal(err)
	}
	ours := c.connected(t, ctx, mark, redialLimit)
	checkTunnel(t, ctx, c.l, c.server, c.results, ours, pptpdTunnelAddress)
	// The server still has the call that went silent, until it notices: it must
	// not keep us from leaving.
	guestExec(t, ctx, c.server, "/host/peer stop")
	c.remove(t, ctx)
}
