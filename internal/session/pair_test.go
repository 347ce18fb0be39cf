package session

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/host"
	"gopptp/internal/journal"
	"gopptp/internal/plane"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
	"gopptp/ppp/auth"
)

var (
	clientAddr = netip.MustParseAddr("192.168.51.3")
	otherAddr  = netip.MustParseAddr("192.168.51.4")
	serverAddr = netip.MustParseAddr("192.168.62.2")
	innerLocal = netip.MustParseAddr("10.0.0.1")
	innerPeer  = netip.MustParseAddr("10.0.0.5")
)

// A pair is two whole daemons without a kernel under them: what the test puts
// in its place is the network and the machine's interfaces.
type pair struct {
	t              *testing.T
	gre            *rawgretest.Network
	server, client *side
	other          *side // another client, at another address

	events []Event // of the server, guarded by mu
	mu     sync.Mutex

	// authenticate is asked by the server for users that are no secrets; nil for
	// nobody.
	authenticate func(context.Context, *auth.Request, aaa.Call) *aaa.Grant
}

type side struct {
	*Manager
	log  *journal.Journal
	host *fakeHost
}

// fakeHost makes interfaces in memory.
type fakeHost struct {
	*tuntest.Host
	mu    sync.Mutex
	local map[netip.Addr]bool
	last  InterfaceConfig
	all   []InterfaceConfig

	refused netip.Addr // the peer of the next configuration to refuse
}

func (h *fakeHost) CreateInterface(c InterfaceConfig) (Interface, error) {
	h.fit(c)
	name, _ := host.InterfaceName(c.Name, h.Taken)
	d, err := h.Create(name)
	if err != nil {
		return nil, err
	}
	return fakeInterface{d, h}, nil
}

func (h *fakeHost) CreateBridgePort(tunnel string, p aaa.BridgePort) (tun.Device, error) {
	if p.Bridge == "missing" {
		return nil, errors.New("no such bridge")
	}
	name, _ := host.InterfaceName(tunnel+"-br", h.Taken)
	return h.CreateTAP(name)
}

func (h *fakeHost) fit(c InterfaceConfig) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = c
	h.all = append(h.all, c)
}

// impossible is a filter that the machine does not take.
const impossible = "impossible"

// A fakeInterface remembers how it was refitted.
type fakeInterface struct {
	tun.Device
	host *fakeHost
}

func (i fakeInterface) Refit(c InterfaceConfig) error {
	i.host.fit(c)
	if c.IncomingFilter == impossible {
		return errors.New("no such filter")
	}
	i.host.mu.Lock()
	defer i.host.mu.Unlock()
	if c.Remote == i.host.refused {
		i.host.refused = netip.Addr{}
		return errors.New("not now")
	}
	return nil
}

// refuse makes the next configuration with this peer fail.
func (h *fakeHost) refuse(peer netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = peer
}

func (h *fakeHost) IsLocal(a netip.Addr) (bool, error) { return h.local[a], nil }

// pipeConn is one end of a control connection in memory, with addresses.
type pipeConn struct {
	net.Conn
	local, remote netip.Addr
}

func (c pipeConn) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.local, 50000))
}
func (c pipeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.remote, 1723))
}

// pipeListener gives the server what the client dials.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(serverAddr, 1723))
}

// withPair runs f in a bubble with a server that knows MT-User and a client
// that knows nothing yet; at its end both stop within two seconds and leave no
// goroutine (the bubble would not end).
func withPair(t *testing.T, f func(p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{t: t, gre: rawgretest.New()}
		var mu sync.Mutex
		var listener *pipeListener
		dial := func(own netip.Addr, server string) (net.Conn, error) {
			mu.Lock()
			l := listener
			mu.Unlock()
			if l == nil || server != serverAddr.String() {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: net.ErrClosed}
			}
			a, b := net.Pipe()
			select {
			case l.conns <- pipeConn{b, serverAddr, own}:
				return pipeConn{a, own, serverAddr}, nil
			case <-l.closed:
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: net.ErrClosed}
			}
		}
		listen := func(context.Context) (net.Listener, error) {
			mu.Lock()
			defer mu.Unlock()
			listener = &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
			return listener, nil
		}
		var stops []func()
		mk := func(own netip.Addr) *side {
			conn := p.gre.Listen(own)
			s := &side{log: journal.New(nil, false), host: &fakeHost{Host: tuntest.NewHost(), local: map[netip.Addr]bool{own: true}}}
			road := plane.New(conn)
			s.Manager = NewManager(Config{
				Journal: s.log, Plane: road, Host: s.host, Listen: listen,
				Dial:    func(_ context.Context, server string) (net.Conn, error) { return dial(own, server) },
				Resolve: func(_ context.Context, server string) (netip.Addr, error) { return netip.ParseAddr(server) },
				Authenticate: func(ctx context.Context, req *auth.Request, call aaa.Call) *aaa.Grant {
					if p.authenticate == nil {
						return &aaa.Grant{Reason: "unknown user"}
					}
					return p.authenticate(ctx, req, call)
				},
				Events: func(e Event) {
					if e.Server {
						p.mu.Lock()
						defer p.mu.Unlock()
						p.events = append(p.events, e)
					}
				},
			})
			ctx, cancel := context.WithCancel(context.Background())
			var manager, wg sync.WaitGroup
			wg.Go(func() { _ = road.Run(context.Background()) })
			manager.Go(func() { s.Run(ctx) })
			stops = append(stops, func() {
				start := time.Now()
				cancel()
				manager.Wait()
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("stopping took %v", took)
				}
				conn.Close()
				wg.Wait()
			})
			for id, profile := range []aaa.Profile{{Name: "default"}, {Name: "default-encryption", UseEncryption: aaa.Yes}} {
				s.PutProfile(uint64(id), profile)
			}
			return s
		}
		p.server, p.client, p.other = mk(serverAddr), mk(clientAddr), mk(otherAddr)
		p.server.SetServer(serverConfig())
		p.server.PutSecret(aaa.Secret{ID: 1, Name: "MT-User", Service: "pptp", Password: "StrongPass",
			Profile: "default-encryption", LocalAddress: innerLocal, RemoteAddress: innerPeer})
		synctest.Wait()
		defer func() {
			for _, stop := range slices.Backward(stops) {
				stop()
			}
		}()
		f(p)
	})
}

func serverConfig() ServerConfig {
	return ServerConfig{Enabled: true, MaxMTU: 1450, MaxMRU: 1450, Keepalive: 30 * time.Second, DefaultProfile: "default-encryption",
		Authentication: []auth.Method{auth.MSCHAPv1, auth.MSCHAPv2}}
}

func clientConfig() ClientConfig {
	return ClientConfig{ID: 1, Name: "pptp-out1", MaxMTU: 1450, MaxMRU: 1450, ConnectTo: serverAddr.String(), User: "MT-User",
		Password: "StrongPass", Profile: "default-encryption", Keepalive: 60 * time.Second,
		Allow: []auth.Method{auth.PAP, auth.CHAP, auth.MSCHAPv1, auth.MSCHAPv2}}
}

// devices waits for the tunnel's interfaces.
func (p *pair) devices(serverName string) (server, client *tuntest.TUN) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	client, err := p.client.host.Wait(ctx, clientConfig().Name)
	if err == nil {
		server, err = p.server.host.Wait(ctx, serverName)
	}
	if err != nil {
		p.t.Fatalf("no tunnel: %v\nserver:\n%s\nclient:\n%s", err, p.server.lines(), p.client.lines())
	}
	synctest.Wait()
	return server, client
}

// crosses sends a packet through the tunnel.
func (p *pair) crosses(from, to *tuntest.TUN) {
	p.t.Helper()
	pkt := make([]byte, 1400)
	pkt[0], pkt[2], pkt[3] = 0x45, 1400>>8, 1400&0xff
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
	defer cancel()
	if err := from.Send(ctx, pkt); err != nil {
		p.t.Fatal(err)
	}
	if got, err := to.Receive(ctx); err != nil || len(got) != 1400 {
		p.t.Fatalf("got %d octets, %v\nserver: %+v\n%s\nclient: %+v\n%s", len(got), err,
			p.server.Active(), p.server.lines(), p.client.Active(), p.client.lines())
	}
}

// lines is the log, one "topics message" a line.
func (s *side) lines() string {
	var b strings.Builder
	for _, e := range s.log.Entries() {
		b.WriteString(e.Topics + " " + e.Message + "\n")
	}
	return b.String()
}

// logged checks that the lines occur in the log in that order.
func (s *side) logged(t *testing.T, want ...string) {
	t.Helper()
	rest := s.lines()
	for _, line := range want {
		_, after, ok := strings.Cut(rest, line+"\n")
		if !ok {
			t.Fatalf("the log lacks %q, or has it in another place:\n%s", line, s.lines())
		}
		rest = after
	}
}
