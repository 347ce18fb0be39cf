package interop_test

import (
	"context"
	"regexp"
	"strconv"
	"testing"
	"time"

	"gopptp/test/lab"
	"gopptp/test/rig"
)

// The tunnel of our server's user u1.
const (
	ourTunnelAddress   = "10.0.0.1"
	theirTunnelAddress = "10.0.0.5"
)

// A serverCase is a way in which a client of the lab can dial our server.
type serverCase struct {
	name     string
	options  string // of the client's pppd
	encoding string // as RouterOS prints it, or empty
}

// serverCases are what a client may insist on; our server accepts all.
var serverCases = []serverCase{
	{"mschap2 mppe128", "refuse-eap refuse-pap refuse-chap refuse-mschap require-mppe-128", "MPPE128 stateless"},
	{"mschap2 mppe40", "refuse-eap refuse-pap refuse-chap refuse-mschap require-mppe-40", "MPPE40 stateless"},
	{"mschap2 mppe128 stateful", "plugin /host/mppe-stateful.so mppe-stateful refuse-eap refuse-pap refuse-chap refuse-mschap require-mppe-128", "MPPE128 stateful"},
	{"mschap2 no encryption", "refuse-eap refuse-pap refuse-chap refuse-mschap nomppe", ""},
	{"mschap2 no ccp", "refuse-eap refuse-pap refuse-chap refuse-mschap noccp", ""},
	{"mschap1 mppe128", "refuse-eap refuse-pap refuse-chap refuse-mschap-v2 require-mppe-128", "MPPE128 stateless"},
	{"mschap1", "refuse-eap refuse-pap refuse-chap refuse-mschap-v2 nomppe", ""},
	{"chap", "refuse-eap refuse-pap refuse-mschap refuse-mschap-v2", ""},
	{"pap", "refuse-eap refuse-chap refuse-mschap refuse-mschap-v2", ""},
}

// TestRequiresRootServer has the lab's clients dial our server.
func TestRequiresRootServer(t *testing.T) {
	ctx, l := testLab(t, "server")
	s := &serverTest{l: l, d: start(t, ctx, l), client: boot(t, ctx, l, "client", clientAddress), results: answerTransfers(t, l)}
	console(t, ctx, s.d,
		"/interface/pptp-server/server/set enabled=yes authentication=pap,chap,mschap1,mschap2",
		"/ppp/secret/add name=u1 password=secret1 service=pptp profile=default-encryption local-address="+ourTunnelAddress+" remote-address="+theirTunnelAddress)

	// A case that fails must not make the next one fail.
	run := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					tidyGuest(t, ctx, s.client, s.results)
					s.d.Exec(ctx, "/ppp/active/remove [find]")
				}
			}()
			test(t)
		})
	}
	for _, kind := range []string{"pptp", "kernel"} {
		for _, test := range serverCases {
			run(kind+" "+test.name, func(t *testing.T) { s.serves(t, ctx, kind, test) })
		}
		run(kind+" wrong password", func(t *testing.T) { s.refuses(t, ctx, kind, "u1", "wrong", "") })
		run(kind+" unknown user", func(t *testing.T) { s.refuses(t, ctx, kind, "nobody", "secret1", "") })
		run(kind+" method not accepted", func(t *testing.T) {
			console(t, ctx, s.d, "/interface/pptp-server/server/set authentication=mschap2")
			defer console(t, ctx, s.d, "/interface/pptp-server/server/set authentication=pap,chap,mschap1,mschap2")
			s.neverConnects(t, ctx, kind, "refuse-eap refuse-chap refuse-mschap refuse-mschap-v2")
		})
		run(kind+" bridge", func(t *testing.T) { // pppd knows no BCP, and IP goes on
			console(t, ctx, s.d, "/ppp/profile/set default-encryption bridge=br0")
			defer console(t, ctx, s.d, "/ppp/profile/unset default-encryption value-name=bridge")
			s.serves(t, ctx, kind, serverCases[0])
		})
		for _, test := range []serverCase{serverCases[0], {"no encryption", "refuse-eap refuse-pap refuse-chap refuse-mschap nomppe", ""}} {
			run(kind+" compression, "+test.name, func(t *testing.T) { // pppd knows no MPPC, and the rest goes on
				console(t, ctx, s.d, "/ppp/profile/set default-encryption use-compression=yes")
				defer console(t, ctx, s.d, "/ppp/profile/set default-encryption use-compression=default")
				s.serves(t, ctx, kind, test)
			})
		}
		run(kind+" encryption required", func(t *testing.T) {
			console(t, ctx, s.d, "/ppp/profile/set default-encryption use-encryption=required")
			defer console(t, ctx, s.d, "/ppp/profile/set default-encryption use-encryption=yes")
			s.neverConnects(t, ctx, kind, "nomppe")
		})
	}
	for _, test := range []struct{ method, options string }{
		{"mschap1", "refuse-eap refuse-pap refuse-chap refuse-mschap-v2"},
		{"chap", "refuse-eap refuse-pap refuse-mschap refuse-mschap-v2"},
		{"pap", "refuse-eap refuse-chap refuse-mschap refuse-mschap-v2"},
	} {
		run("wrong password by "+test.method, func(t *testing.T) { s.refuses(t, ctx, "kernel", "u1", "wrong", test.options) })
	}
	run("log print", func(t *testing.T) {
		rig.Shows(t, console(t, ctx, s.d, "/log/print"), "pptp,ppp,info <pptp-u1>: connected", "pptp,ppp,info <pptp-u1>: disconnected")
	})
	for _, encoding := range []string{"stateless", "stateful"} {
		run("packets get lost, "+encoding, func(t *testing.T) { s.losesPackets(t, ctx, encoding) })
	}
	run("client goes silent", func(t *testing.T) { s.clientGoesSilent(t, ctx) })
	run("stop and start", func(t *testing.T) { s.stopAndStart(t, ctx) })
}

// A serverTest is our server with a guest beside it.
type serverTest struct {
	l       *lab.Lab
	d       *lab.Daemon
	client  *lab.Guest
	results <-chan transferred
}

// dial makes the guest dial as u1 and waits until our side is up as well.
func (s *serverTest) dial(t *testing.T, ctx context.Context, kind, options string) {
	t.Helper()
	mark := s.d.Mark()
	d, err := s.client.Dial(ctx, kind, labAddress, "u1", "secret1", options)
	if err != nil {
		t.Fatal(err)
	}
	if d.Local != theirTunnelAddress || d.Remote != ourTunnelAddress {
		t.Errorf("the client got %s -> %s, want %s -> %s", d.Local, d.Remote, theirTunnelAddress, ourTunnelAddress)
	}
	waitLog(t, ctx, s.d, mark, connectLimit, `^<pptp-u1>: connected$`)
	checkInterfaces(t, ctx, s.l, "<pptp-u1>")
}

// checkEmpty checks that nothing is left of a session.
func (s *serverTest) checkEmpty(t *testing.T, ctx context.Context) {
	t.Helper()
	checkInterfaces(t, ctx, s.l)
	checkHides(t, console(t, ctx, s.d, "/ppp/active/print"), "u1")
	checkHides(t, console(t, ctx, s.d, "/interface/pptp-server/print"), "u1")
}

// serves is one good case: a session that the client ends, and one that we end.
func (s *serverTest) serves(t *testing.T, ctx context.Context, kind string, test serverCase) {
	sniffer, err := s.l.Sniff()
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	mark := s.d.Mark()
	s.dial(t, ctx, kind, test.options)
	checkTunnel(t, ctx, s.l, s.client, s.results, ourTunnelAddress, theirTunnelAddress)
	checkWire(t, sniffer.Counts(), test.encoding != "")
	rig.Shows(t, console(t, ctx, s.d, "/interface/pptp-server/print"), "<pptp-u1>", "u1", "1400", clientAddress, test.encoding)
	rig.Shows(t, console(t, ctx, s.d, "/ppp/active/print"), "u1", "pptp", clientAddress, theirTunnelAddress, test.encoding)

	guestExec(t, ctx, s.client, "/host/peer hangup")
	waitLog(t, ctx, s.d, mark, disconnectLimit, `^<pptp-u1>: disconnected$`)
	s.checkEmpty(t, ctx)
	s.checkSessionLog(t, s.d.Log(mark), test.encoding)
	checkAccount(t, s.d.Log(mark))

	mark = s.d.Mark()
	s.dial(t, ctx, kind, test.options)
	console(t, ctx, s.d, "/ppp/active/remove [find name=u1]")
	waitLog(t, ctx, s.d, mark, disconnectLimit, `^<pptp-u1>: disconnected$`)
	guestExec(t, ctx, s.client, "/host/peer gone")
	s.checkEmpty(t, ctx)
	s.checkSessionLog(t, s.d.Log(mark), test.encoding)
}

// checkSessionLog checks the lines of one session from its connection to its
// end (RouterOS's form and order).
func (s *serverTest) checkSessionLog(t *testing.T, lines []lab.LogLine, encoding string) {
	t.Helper()
	session := []wanted{
		{"pptp,info", `TCP connection established from ` + regexp.QuoteMeta(clientAddress)},
		{"pptp,ppp,info", `<pptp-u1>: authenticated`},
	}
	if encoding != "" {
		session = append(session, wanted{"pptp,ppp,info", `<pptp-u1>: using encoding - ` + encoding})
	}
	session = append(session,
		wanted{"pptp,ppp,info", `<pptp-u1>: connected`},
		wanted{"pptp,ppp,info", `<pptp-u1>: terminating\.\.\.( - .+)?`},
		wanted{"pptp,ppp,info", `<pptp-u1>: disconnected`})
	account := []wanted{
		{"pptp,ppp,info,account", `u1 logged in, ` + regexp.QuoteMeta(theirTunnelAddress+" from "+clientAddress)},
		{"pptp,ppp,info,account", loggedOut.String()},
	}
	checkLog(t, lines, session, account)
}

// loggedOut is the end of a session in the log: seconds, octets in and out,
// packets in and out.
var loggedOut = regexp.MustCompile(`u1 logged out, (\d+) (\d+) (\d+) (\d+) (\d+) from ` + regexp.QuoteMeta(clientAddress))

// checkAccount checks that a session which carried a transfer says so.
func checkAccount(t *testing.T, lines []lab.LogLine) {
	t.Helper()
	for _, l := range lines {
		m := loggedOut.FindStringSubmatch(l.Message)
		if m == nil {
			continue
		}
		for i, what := range []string{"octets in", "octets out"} {
			if n, _ := strconv.Atoi(m[2+i]); n < lab.TransferSize || n > 2*lab.TransferSize {
				t.Errorf("%q: %s: %d, want a little more than %d", l, what, n, lab.TransferSize)
			}
		}
		return
	}
	t.Error("no logged out line")
}

// refuses is a client whose credentials are wrong.
func (s *serverTest) refuses(t *testing.T, ctx context.Context, kind, user, password, options string) {
	mark := s.d.Mark()
	_, err := s.client.Dial(ctx, kind, labAddress, user, password, options)
	checkRefused(t, err)
	waitLog(t, ctx, s.d, mark, disconnectLimit, `authentication failed`)
	s.checkEmpty(t, ctx)
	checkLog(t, s.d.Log(mark), []wanted{
		{"pptp,info", `TCP connection established from ` + regexp.QuoteMeta(clientAddress)},
		{"pptp,ppp,error", `<[0-9a-f]+>: user ` + user + ` authentication failed`},
	})
}

// neverConnects is a client that must not come in, though its credentials are
// good: no session, no packet of it in clear, and the log says that something
// went wrong.
func (s *serverTest) neverConnects(t *testing.T, ctx context.Context, kind, options string) {
	sniffer, err := s.l.Sniff()
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	mark := s.d.Mark()
	if d, err := s.client.Dial(ctx, kind, labAddress, "u1", "secret1", options); err == nil {
		t.Errorf("the client connected: %v", d)
		guestExec(t, ctx, s.client, "/host/peer hangup")
	}
	waitLog(t, ctx, s.d, mark, disconnectLimit, `^<[^>]+>: (.*failed|.*reject|terminating\.\.\. - .+)`)
	s.checkEmpty(t, ctx)
	for _, l := range s.d.Log(mark) {
		if regexp.MustCompile(`: connected$`).MatchString(l.Message) {
			t.Errorf("the log has %q", l)
		}
	}
	if n := sniffer.Counts()[protocolIP]; n != 0 {
		t.Errorf("%d IP packets in clear on the wire", n)
	}
}

// losesPackets is a path that loses: each side must find its way back into the
// encryption (RFC 3078, section 3), in stateful mode by asking the other.
func (s *serverTest) losesPackets(t *testing.T, ctx context.Context, encoding string) {
	options := "require-mppe-128"
	if encoding == "stateful" {
		options = "plugin /host/mppe-stateful.so mppe-stateful " + options
	}
	mark := s.d.Mark()
	s.dial(t, ctx, "kernel", options)
	guestExec(t, ctx, s.client, "/host/peer lose 1")
	defer s.client.Exec(ctx, "/host/peer lose 0") // also when the test ends here
	checkTransfer(t, ctx, s.client, s.results, theirTunnelAddress, ourTunnelAddress)
	guestExec(t, ctx, s.client, "/host/peer lose 0")
	guestExec(t, ctx, s.client, "ping -c 3 -i 0.2 -W 2 -q "+ourTunnelAddress)
	guestExec(t, ctx, s.client, "/host/peer hangup")
	waitLog(t, ctx, s.d, mark, disconnectLimit, `^<pptp-u1>: disconnected$`)
	s.checkSessionLog(t, s.d.Log(mark), "MPPE128 "+encoding) // one session, all the time
}

// clientGoesSilent is the page's keepalive: nothing received for the period,
// then five echo requests a second apart, five lines in the log, and the end.
func (s *serverTest) clientGoesSilent(t *testing.T, ctx context.Context) {
	console(t, ctx, s.d, "/interface/pptp-server/server/set keepalive-timeout=3")
	defer console(t, ctx, s.d, "/interface/pptp-server/server/set keepalive-timeout=30")
	s.dial(t, ctx, "kernel", "")
	mark := s.d.Mark()
	if err := s.l.Unplug(ctx, s.client); err != nil {
		t.Fatal(err)
	}
	defer s.l.Plug(ctx, s.client) // also when the test ends here
	waitLog(t, ctx, s.d, mark, keepaliveLimit, `^<pptp-u1>: disconnected$`)
	checkMissedEchoes(t, s.d.Log(mark), "<pptp-u1>")
	s.checkEmpty(t, ctx)
	if err := s.l.Plug(ctx, s.client); err != nil {
		t.Fatal(err)
	}
	guestExec(t, ctx, s.client, "/host/peer hangup")
}

// keepaliveLimit is 3 s of silence and five seconds of echoes, with room for a
// busy machine.
const keepaliveLimit = 20 * time.Second

// checkMissedEchoes checks the lines of a keepalive that ended a session.
func checkMissedEchoes(t *testing.T, lines []lab.LogLine, name string) {
	t.Helper()
	var missed []lab.LogLine
	for _, l := range lines {
		switch l.Message {
		case name + ": LCP missed echo reply":
			missed = append(missed, l)
		case name + ": terminating... - peer is not responding":
			if len(missed) != 5 {
				t.Errorf("%d lines LCP missed echo reply before the end, want 5", len(missed))
			}
			for i := 1; i < len(missed); i++ {
				if apart := missed[i].Arrived.Sub(missed[i-1].Arrived); apart < 500*time.Millisecond || apart > 2*time.Second {
					t.Errorf("missed echo replies %d and %d are %v apart, want 1s", i, i+1, apart)
				}
			}
			return
		}
	}
	t.Errorf("the log does not say that %s is not responding", name)
}

// stopAndStart ends gopptp under a session, politely and by SIGKILL: nothing
// of the session stays, and the configuration does.
func (s *serverTest) stopAndStart(t *testing.T, ctx context.Context) {
	s.dial(t, ctx, "pptp", "")
	began := time.Now()
	if err := s.d.Stop(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("gopptp took %v to stop", took)
	}
	// Told, not left alone: the client ends long before it would notice by itself.
	guestExec(t, ctx, s.client, "/host/peer gone")
	checkInterfaces(t, ctx, s.l)

	s.d = start(t, ctx, s.l)
	s.dial(t, ctx, "kernel", "")
	if err := s.d.Kill(); err != nil {
		t.Fatal(err)
	}
	checkInterfaces(t, ctx, s.l)
	guestExec(t, ctx, s.client, "/host/peer hangup")

	s.d = start(t, ctx, s.l)
	s.dial(t, ctx, "kernel", "")
	guestExec(t, ctx, s.client, "/host/peer hangup")
	waitLog(t, ctx, s.d, 0, disconnectLimit, `^<pptp-u1>: disconnected$`)
	s.checkEmpty(t, ctx)
}
