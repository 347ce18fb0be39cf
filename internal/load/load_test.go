package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/journal"
	"gopptp/internal/plane"
	"gopptp/internal/rawgre/rawgretest"
	serving "gopptp/internal/session"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
	"gopptp/ppp/auth"
)

var (
	server  = netip.MustParseAddr("192.0.2.1")
	clients = netip.MustParsePrefix("10.99.0.0/24")
)

// A machine has a server, whose interfaces answer echoes.
type machine struct {
	t       *testing.T
	ctx     context.Context
	manager *serving.Manager
	conns   chan net.Conn
	gre     *rawgretest.Network
	deaf    int // how many of the interfaces answer nothing

	mu    sync.Mutex
	made  int
	stack sync.WaitGroup
}

// withServer runs f in a bubble: a goroutine that is left over keeps it from ending.
func withServer(t *testing.T, f func(m *machine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		m := &machine{t: t, ctx: ctx, conns: make(chan net.Conn), gre: rawgretest.New()}
		socket := m.gre.Listen(server)
		road := plane.New(socket)
		m.manager = serving.NewManager(serving.Config{
			Journal: journal.New(nil, false), Plane: road, Host: m,
			Listen: func(context.Context) (net.Listener, error) { return listener{m}, nil },
		})
		var running, sessions sync.WaitGroup
		running.Go(func() { _ = road.Run(context.Background()) })
		sessions.Go(func() { m.manager.Run(ctx) })
		m.manager.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Required})
		m.manager.SetServer(serving.ServerConfig{
			Enabled: true, MaxMTU: 1450, MaxMRU: 1450, Keepalive: 30 * time.Second,
			DefaultProfile: "default-encryption", Authentication: []auth.Method{auth.MSCHAPv2},
		})
		m.manager.PutSecret(aaa.Secret{ID: 1, Name: "load", Service: "any", Password: "p", Profile: "default-encryption",
			LocalAddress: netip.MustParseAddr("10.0.0.1"), RemoteAddress: netip.MustParseAddr("10.0.0.2")})
		defer func() {
			cancel()
			sessions.Wait()
			socket.Close()
			running.Wait()
			m.stack.Wait()
		}()
		f(m)
	})
}

// config is a run of n sessions from the addresses of clients.
func (m *machine) config(n int) Config {
	m.t.Helper()
	from, err := Addresses(clients, n, server)
	if err != nil {
		m.t.Fatal(err)
	}
	return Config{
		Target: server, From: from, Count: n, Calls: 1, Parallel: 8, User: "load", Password: "p", Keepalive: 30 * time.Second,
		Dial: m.dial, GRE: m.gre.Listen(from...), Progress: new(bytes.Buffer),
	}
}

// dial connects to the server.
func (m *machine) dial(ctx context.Context, from netip.Addr) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case m.conns <- pipe{b, server, from}:
		return pipe{a, from, server}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipe is one end of a control connection.
type pipe struct {
	net.Conn
	local, remote netip.Addr
}

func (p pipe) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.local, 50000))
}
func (p pipe) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.remote, 1723))
}

// listener gives the server what is dialed.
type listener struct{ m *machine }

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.m.conns:
		return c, nil
	case <-l.m.ctx.Done():
		return nil, net.ErrClosed
	}
}
func (l listener) Close() error   { return nil }
func (l listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(server, 1723)) }

// CreateInterface implements session.Host.
func (m *machine) CreateInterface(serving.InterfaceConfig) (serving.Interface, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := tuntest.New("tunnel")
	if m.made++; m.made > m.deaf {
		m.stack.Go(func() { answer(d) })
	}
	return fitted{d}, nil
}

func (m *machine) CreateBridgePort(string, aaa.BridgePort) (tun.Device, error) {
	return nil, errors.New("there are no bridges")
}
func (m *machine) IsLocal(netip.Addr) (bool, error) { return false, nil }

type fitted struct{ tun.Device }

func (fitted) Refit(serving.InterfaceConfig) error { return nil }

// answer sends the echoes of a tunnel back, until it is closed.
func answer(d *tuntest.TUN) {
	for {
		p, err := d.Receive(context.Background())
		if err != nil {
			return
		}
		if len(p) < minEcho || checksum(p[:ipHeader]) != 0 || checksum(p[ipHeader:]) != 0 || p[ipHeader] != typeEcho {
			panic("not an echo that a kernel would answer")
		}
		source := [4]byte(p[12:16])
		copy(p[12:16], p[16:20])
		copy(p[16:20], source[:])
		p[ipHeader] = typeEchoReply
		if d.Send(context.Background(), p) != nil {
			return
		}
	}
}

// rows gives the values of a report by the names of its rows.
func rows(r *Report) map[string]float64 {
	values := map[string]float64{}
	for _, row := range r.Rows {
		values[row.Name] = row.Value
	}
	return values
}

// TestSharedConnections: several sessions on a control connection are as good as each on
// its own, and end it together.
func TestSharedConnections(t *testing.T) {
	withServer(t, func(m *machine) {
		cfg := m.config(50)
		cfg.Calls = 7
		dial, dialed := cfg.Dial, 0
		var mu sync.Mutex
		cfg.Dial = func(ctx context.Context, from netip.Addr) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialed++
			return dial(ctx, from)
		}
		cfg.Hold = 2 * time.Minute
		r, err := Run(m.t.Context(), cfg)
		if err != nil || len(r.Problems) > 0 {
			t.Fatal(r, err)
		}
		if dialed != 8 {
			t.Errorf("%d control connections for 50 sessions", dialed)
		}
		if rows(r)["lost"] != 0 || !strings.Contains(r.Rows[1].Detail, "50 of 50 answered") {
			t.Errorf("%+v", r.Rows)
		}
	})
}

func TestRun(t *testing.T) {
	withServer(t, func(m *machine) {
		cfg := m.config(50)
		cfg.Hold = 5 * time.Minute
		printed := 0
		cfg.Print = func(context.Context) error {
			printed = len(m.manager.Active())
			return nil
		}
		r, err := Run(m.t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Problems) > 0 {
			t.Errorf("problems: %q", r.Problems)
		}
		if printed != 50 {
			t.Errorf("%d sessions were there after 5 minutes, want 50", printed)
		}
		synctest.Wait()
		if n := len(m.manager.Active()); n > 0 {
			t.Errorf("%d sessions are left", n)
		}
		got := rows(r)
		for _, name := range []string{"set-up", "ping", "lost", "print", "disconnect"} {
			if _, ok := got[name]; !ok {
				t.Errorf("there is no row %q in %v", name, got)
			}
		}
		if _, ok := got["traffic"]; ok || got["lost"] != 0 {
			t.Errorf("rows: %v", got)
		}
	})
}

func TestRunSilentTunnels(t *testing.T) {
	withServer(t, func(m *machine) {
		m.deaf = 2
		r, err := Run(m.t.Context(), m.config(5))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0], "2 of 5 sessions were not answered") {
			t.Errorf("problems: %q", r.Problems)
		}
	})
}

func TestRunLost(t *testing.T) {
	withServer(t, func(m *machine) {
		cfg := m.config(5)
		cfg.Hold = time.Minute
		var dropping sync.WaitGroup
		dropping.Go(func() {
			time.Sleep(30 * time.Second)
			m.manager.Disconnect(m.manager.Active()[0].ID)
		})
		r, err := Run(m.t.Context(), cfg)
		dropping.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if rows(r)["lost"] != 1 || len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0], "1 of 5 sessions were lost, the first: ") {
			t.Errorf("%+v", r)
		}
	})
}

func TestRunRefused(t *testing.T) {
	withServer(t, func(m *machine) {
		cfg := m.config(200)
		cfg.Password = "wrong"
		began := time.Now()
		_, err := Run(m.t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "no session came up") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("that took %v: the rest of the sessions was tried as well", took)
		}
	})
}

func TestRunCancelled(t *testing.T) {
	withServer(t, func(m *machine) {
		cfg := m.config(10)
		cfg.Hold = time.Hour
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(m.t.Context())
		time.AfterFunc(time.Minute, func() { cancel(stop) })
		if _, err := Run(ctx, cfg); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if n := len(m.manager.Active()); n > 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

func TestDevice(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")
	d := newDevice(7)
	d.address(a, b)
	batch := tun.NewBatch(4, 1500, 3)
	reply := func(p []byte) []byte {
		p = bytes.Clone(p)
		p[ipHeader] = typeEchoReply
		return p
	}
	d.ask(200, 6, true)
	if err := d.Wait(); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Read(batch); n != 4 || err != nil || batch.Sizes[0] != 200 {
		t.Fatalf("Read = %d, %v, %v", n, err, batch.Sizes)
	}
	first := reply(batch.Bufs[0][3:203])
	if n, err := d.Read(batch); n != 2 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	if n, err := d.Read(batch); n != 0 || err != nil {
		t.Fatalf("Read without a packet = %d, %v", n, err)
	}
	if n, err := d.Write([][]byte{first}, 0); n != 1 || err != nil || d.answers() != 1 {
		t.Errorf("Write = %d, %v; %d answers", n, err, d.answers())
	}
	if n, _ := d.Read(batch); n != 1 {
		t.Errorf("an answer made %d echoes, want 1", n)
	}
	for what, change := range map[string]func(p []byte){
		"another session's": func(p []byte) { p[ipHeader+5]++ },
		"an earlier one":    func(p []byte) { p[ipHeader+7]-- },
		"a request":         func(p []byte) { p[ipHeader] = typeEcho },
		"no ICMP":           func(p []byte) { p[9] = 17 },
		"too short":         func(p []byte) { binary.BigEndian.PutUint16(p[2:], 100) },
	} {
		p := bytes.Clone(first)
		change(p)
		if _, err := d.Write([][]byte{p, p[:10], nil}, 0); err != nil || d.answers() != 1 {
			t.Errorf("%s: %v, %d answers", what, err, d.answers())
		}
	}
	d.ask(200, 1, false) // what comes now to the old ones does not count
	d.put(first)
	if d.answers() != 0 {
		t.Error("an answer to an earlier echo counted")
	}
	d.quiet()
	if n, _ := d.Read(batch); n != 0 {
		t.Errorf("%d echoes after quiet", n)
	}
	d.Close()
	d.Close()
	if err := d.Wait(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait after Close: %v", err)
	}
}
