package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/plane"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/mppe"
	"gopptp/ppp/auth"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// counted gives all that a meter has, by words, without what is zero.
func counted(m *Meter) map[string]int64 {
	out := map[string]int64{}
	note := func(n int64, words ...any) {
		if n != 0 {
			out[fmt.Sprintln(words...)] = n
		}
	}
	for side := range NumSides {
		for method := range auth.Method(NumMethods) {
			for stage := range NumStages {
				for e := range NumEncryptions {
					note(m.Live(side, stage, method, e), side, stage, int(method), e)
				}
			}
			note(int64(m.SetUp(side, method).Count), side, "set-up", int(method))
			note(int64(m.Authentications(side, method, true)), side, "right", int(method))
			note(int64(m.Authentications(side, method, false)), side, "wrong", int(method))
		}
		for c := range Cause(NumCauses) {
			note(int64(m.Ended(side, c)), side, "ended", c)
		}
	}
	for r := range NumRefusals {
		note(int64(m.Refused(r)), "refused", r)
	}
	for e := range NumControlErrors {
		note(int64(m.ControlErrors(e)), "control", e)
	}
	open, accepted := m.ControlConnections()
	note(open, "open")
	note(int64(accepted), "accepted")
	return out
}

func expect(t *testing.T, when string, m *Meter, want map[string]int64) {
	t.Helper()
	synctest.Wait()
	got := counted(m)
	delete(got, fmt.Sprintln("control", ControlUnexpected)) // both may clear a call at once
	for words, n := range want {
		if got[words+"\n"] != n {
			t.Errorf("%s: %s is %d, want %d", when, words, got[words+"\n"], n)
		}
		delete(got, words+"\n")
	}
	for words, n := range got {
		t.Errorf("%s: %q is %d, want nothing", when, words, n)
	}
}

func TestMeterOfSession(t *testing.T) {
	withPair(t, func(p *pair) {
		expect(t, "at first", p.server.Meter(), nil)
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		expect(t, "server, connected", p.server.Meter(), map[string]int64{
			"server connected 4 mppe128": 1, "server set-up 4": 1, "server right 4": 1, "open": 1, "accepted": 1})
		expect(t, "client, connected", p.client.Meter(), map[string]int64{
			"client connected 4 mppe128": 1, "client set-up 4": 1, "client right 4": 1})
		uses, more := p.server.Uses(10)
		if want := (Use{ServerSide, "<pptp-MT-User>", Traffic{RxBytes: 1400, RxPackets: 1}}); len(uses) != 1 || uses[0] != want || more != 0 {
			t.Errorf("%+v and %d more", uses, more)
		}
		if uses, more := p.server.Uses(0); len(uses) != 0 || more != 1 {
			t.Errorf("of none: %+v and %d more", uses, more)
		}
		p.client.RemoveClient(1)
		time.Sleep(2 * time.Second)
		expect(t, "server, ended", p.server.Meter(), map[string]int64{
			"server ended peer-request": 1, "server set-up 4": 1, "server right 4": 1, "accepted": 1})
		expect(t, "client, ended", p.client.Meter(), map[string]int64{
			"client ended reboot": 1, "client set-up 4": 1, "client right 4": 1})
	})
}

// TestMeterOfMethods: a session is counted with its method and what it encrypts.
func TestMeterOfMethods(t *testing.T) {
	for method, want := range map[auth.Method]string{auth.PAP: "none", auth.CHAP: "none", auth.MSCHAPv1: "mppe128"} {
		t.Run(method.String(), func(t *testing.T) {
			withPair(t, func(p *pair) {
				server := serverConfig()
				server.Authentication = []auth.Method{method}
				p.server.SetServer(server)
				p.client.PutClient(clientConfig())
				p.devices("<pptp-MT-User>")
				if n := p.server.Meter().Live(ServerSide, Connected, method, MPPE128) + p.server.Meter().Live(ServerSide, Connected, method, Unencrypted); n != 1 {
					t.Errorf("%d sessions", n)
				}
				if got := counted(p.server.Meter())[fmt.Sprintln("server", "connected", int(method), want)]; got != 1 {
					t.Errorf("%v", counted(p.server.Meter()))
				}
			})
		})
	}
}

func TestMeterOfRefusals(t *testing.T) {
	for name, row := range map[string]struct {
		change         func(*ClientConfig, *ServerConfig)
		server, client map[string]int64
	}{
		"wrong password": {func(c *ClientConfig, _ *ServerConfig) { c.Password = "wrong" },
			map[string]int64{"server wrong 4": 1, "server ended nas-error": 1, "accepted": 1},
			map[string]int64{"client wrong 4": 1, "client ended nas-error": 1}},
		"no common method": {func(c *ClientConfig, _ *ServerConfig) { c.Allow = []auth.Method{auth.PAP} },
			map[string]int64{"server wrong 0": 1, "server ended nas-error": 1, "accepted": 1},
			map[string]int64{"client wrong 0": 1, "client ended nas-error": 1}},
		"server without methods": {func(_ *ClientConfig, s *ServerConfig) { s.Authentication = nil },
			map[string]int64{"refused no-method": 1, "accepted": 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				c, s := clientConfig(), serverConfig()
				row.change(&c, &s)
				p.server.SetServer(s)
				p.client.PutClient(c)
				time.Sleep(900 * time.Millisecond) // before it dials again
				p.client.RemoveClient(1)
				time.Sleep(5 * time.Second)
				expect(t, "server", p.server.Meter(), row.server)
				expect(t, "client", p.client.Meter(), row.client)
			})
		})
	}
}

func TestControlErrors(t *testing.T) {
	for _, row := range []struct {
		err  error
		want ControlError
		bad  bool
	}{
		{pptp.ErrStopped, 0, false},
		{&pptp.StopError{}, 0, false},
		{fmt.Errorf("x: %w", wire.ErrCookie), ControlMalformed, true},
		{wire.ErrLength, ControlMalformed, true},
		{wire.ErrMessageType, ControlMalformed, true},
		{pptp.ErrBabble, ControlUseless, true},
		{&pptp.TimeoutError{}, ControlTimeout, true},
		{pptp.ErrSlowPeer, ControlSlow, true},
		{pptp.ErrVersion, ControlVersion, true},
		{&pptp.ResultError{}, ControlRefused, true},
		{fmt.Errorf("lost: %w", io.EOF), ControlLost, true},
	} {
		if got, bad := controlErrorOf(row.err); got != row.want || bad != row.bad {
			t.Errorf("%v: %v, %v", row.err, got, bad)
		}
	}
	var m Meter
	for _, err := range []error{pptp.ErrMaxConns, pptp.ErrMaxHalfOpen, pptp.ErrMaxHalfOpenPerAddr, errors.New("no more files")} {
		m.control(pptp.Event{Kind: pptp.EventRefused, Err: err})
	}
	m.control(pptp.Event{Kind: pptp.EventIgnored, Err: wire.ErrType})
	m.control(pptp.Event{Kind: pptp.EventIgnored, Err: errors.New("not now")})
	m.control(pptp.Event{Kind: pptp.EventEnded, Err: pptp.ErrVersion})
	for r := range RefusedCrowd {
		if m.Refused(r) != 1 {
			t.Errorf("%v: %d", r, m.Refused(r))
		}
	}
	for _, e := range []ControlError{ControlUnknown, ControlUnexpected, ControlVersion} {
		if m.ControlErrors(e) != 1 {
			t.Errorf("%v: %d", e, m.ControlErrors(e))
		}
	}
}

func TestEncryptionOfDirections(t *testing.T) {
	for _, row := range []struct {
		send, receive mppe.Strength
		want          Encryption
	}{
		{mppe.None, mppe.None, Unencrypted}, {mppe.Bits128, mppe.None, Unencrypted}, {mppe.Bits40, mppe.Bits128, MPPE40},
		{mppe.Bits56, mppe.Bits56, MPPE56}, {mppe.Bits128, mppe.Bits128, MPPE128},
	} {
		if got := encryptionOf(mppe.Config{Strength: row.send}, mppe.Config{Strength: row.receive}); got != row.want {
			t.Errorf("%v and %v: %v", row.send, row.receive, got)
		}
	}
}

func TestClientStates(t *testing.T) {
	withPair(t, func(p *pair) {
		connects, off, nowhere, waits := clientConfig(), clientConfig(), clientConfig(), clientConfig()
		off.ID, off.Name, off.Disabled = 2, "off", true
		nowhere.ID, nowhere.Name, nowhere.ConnectTo = 3, "nowhere", "192.0.2.1"
		waits.ID, waits.Name, waits.DialOnDemand = 4, "waits", true
		for _, c := range []ClientConfig{connects, off, nowhere, waits} {
			p.client.PutClient(c)
		}
		p.devices("<pptp-MT-User>")
		got := p.client.ClientStates()
		if want := [NumClientStates]int{ClientDisabled: 1, ClientDown: 1, ClientWaiting: 1, ClientConnected: 1}; got != want {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestServing(t *testing.T) {
	withPair(t, func(p *pair) {
		if enabled, listening, err := p.client.Serving(); enabled || listening || err != nil {
			t.Errorf("no server: %v, %v, %v", enabled, listening, err)
		}
		if enabled, listening, err := p.server.Serving(); !enabled || !listening || err != nil {
			t.Errorf("server: %v, %v, %v", enabled, listening, err)
		}
		off := serverConfig()
		off.Enabled = false
		p.server.SetServer(off)
		synctest.Wait()
		if enabled, listening, err := p.server.Serving(); enabled || listening || err != nil {
			t.Errorf("disabled: %v, %v, %v", enabled, listening, err)
		}
		blocked := errors.New("address already in use")
		p.server.cfg.Listen = func(context.Context) (net.Listener, error) { return nil, blocked }
		p.server.SetServer(serverConfig())
		if _, _, err := p.server.Serving(); err == nil {
			t.Error("it listens at once")
		}
		synctest.Wait()
		if enabled, listening, err := p.server.Serving(); !enabled || listening || !errors.Is(err, blocked) {
			t.Errorf("port in use: %v, %v, %v", enabled, listening, err)
		}
	})
}

func TestAnswers(t *testing.T) {
	withPair(t, func(p *pair) {
		if err := p.server.Answers(p.t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := NewManager(Config{}).Answers(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without Run: %v", err)
	}
}

// BenchmarkUses is what it costs to look at ten thousand sessions.
func BenchmarkUses(b *testing.B) {
	m := NewManager(Config{Plane: plane.New(rawgretest.New().Listen(serverAddr))})
	const sessions = 10_000
	for i := range sessions {
		data, err := m.cfg.Plane.NewCall(serverAddr, clientAddr)
		if err != nil {
			b.Fatal(err)
		}
		s := newSession(m, data, nil, clientAddr)
		s.status.Interface, s.status.Running = fmt.Sprintf("<pptp-%d>", i), true
		m.register(s)
	}
	for b.Loop() {
		if uses, more := m.Uses(sessions); len(uses) != sessions || more != 0 {
			b.Fatal(len(uses), more)
		}
	}
}

// TestAllocMeter: counting makes no garbage.
func TestAllocMeter(t *testing.T) {
	m := NewManager(Config{})
	s := newSession(m, nil, nil, clientAddr)
	if n := testing.AllocsPerRun(100, func() {
		s.reach(Connecting)
		s.proven(auth.MSCHAPv2)
		s.place.began = time.Now()
		s.connected(time.Now(), MPPE128)
		s.reach(Terminating)
		s.departed()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestRefusalOfWhoHangsUp: an attempt that failed is counted, logged and told of, though
// the peer goes before it hears so. Else whoever guesses passwords could do so unseen.
func TestRefusalOfWhoHangsUp(t *testing.T) {
	withPair(t, func(p *pair) {
		c := clientConfig()
		c.Password = "wrong"
		p.client.PutClient(c)
		time.Sleep(firstDelay / 2)
		p.client.RemoveClient(1)
		time.Sleep(5 * time.Second)
		expect(t, "server", p.server.Meter(), map[string]int64{"server wrong 4": 1, "server ended peer-request": 1, "accepted": 1})
		if lines := p.server.lines(); !strings.Contains(lines, ": user MT-User authentication failed\n") {
			t.Errorf("the log:\n%s", lines)
		}
		got := p.pasts()
		if len(got) != 1 || got[0].Past.Refused != "MT-User" || got[0].Past.Times != 1 {
			t.Errorf("told of: %+v", got)
		}
	})
}
