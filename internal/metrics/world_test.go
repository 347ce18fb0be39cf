package metrics

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/host"
	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/nas"
	"gopptp/internal/plane"
	"gopptp/internal/radius"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/session"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
	"gopptp/internal/xdp"
	"gopptp/ppp/auth"
)

var (
	serverAddr = netip.MustParseAddr("192.0.2.1")
	clientAddr = netip.MustParseAddr("192.0.2.2")
)

// A world is a server and clients without a kernel under them.
type world struct {
	t              testing.TB
	gre            *rawgretest.Network
	server, client Sources
	hosts          map[*session.Manager]*tuntest.Host
}

// newWorld makes one whose server takes calls, of a user MT-User among others.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, gre: rawgretest.New(), hosts: map[*session.Manager]*tuntest.Host{}}
	calls := make(chan net.Conn)
	w.server, w.client = w.daemon(serverAddr, calls), w.daemon(clientAddr, calls)
	m := w.server.Sessions
	m.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Yes})
	m.PutSecret(aaa.Secret{ID: 1, Name: "MT-User", Service: "pptp", Password: "StrongPass", Profile: "default-encryption",
		LocalAddress: netip.MustParseAddr("10.0.0.1"), RemoteAddress: netip.MustParseAddr("10.0.0.5")})
	w.client.Sessions.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Yes})
	return w
}

// daemon makes all that one has but doors.
func (w *world) daemon(own netip.Addr, calls chan net.Conn) Sources {
	t := w.t
	log := journal.New(nil, false)
	conn := w.gre.Listen(own)
	access, err := nas.New(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	s := Sources{
		Version: "1.2.3", Road: plane.New(conn), Access: access, Gate: login.New(log), Journal: log,
		Socket: func() rawgre.Stats {
			return rawgre.Stats{Overflow: 1, Truncated: 2, Malformed: 3, ReceiveErrors: 4, Invalid: 5, NoBuffer: 6, Denied: 7, TooBig: 8, Unreachable: 9, Refused: 10}
		},
	}
	h := &memory{tuntest.NewHost()}
	s.Sessions = session.NewManager(session.Config{
		Journal: log, Plane: s.Road, Host: h, Authenticate: access.Authenticate,
		Listen: func(context.Context) (net.Listener, error) {
			return &listener{calls: calls, closed: make(chan struct{})}, nil
		},
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			select {
			case calls <- pipe{theirs, serverAddr, own}:
				return pipe{ours, own, serverAddr}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		Resolve: func(_ context.Context, server string) (netip.Addr, error) { return netip.ParseAddr(server) },
	})
	access.Attach(s.Sessions)
	w.hosts[s.Sessions] = h.Host
	ctx, cancel := context.WithCancel(context.Background())
	lower, stop := context.WithCancel(context.Background())
	var upper, roads sync.WaitGroup
	upper.Go(func() { s.Sessions.Run(ctx) })
	roads.Go(func() { _ = s.Road.Run(lower) })
	roads.Go(func() { access.Run(lower) })
	t.Cleanup(func() {
		cancel()
		upper.Wait()
		stop()
		s.Road.Close()
		roads.Wait()
		if err := access.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dials makes a client with a password.
func (w *world) dials(id uint64, user, password string) {
	w.client.Sessions.PutClient(session.ClientConfig{ID: id, Name: "out-" + user, MaxMTU: 1450, MaxMRU: 1450, ConnectTo: serverAddr.String(),
		User: user, Password: password, Profile: "default-encryption", Allow: []auth.Method{auth.MSCHAPv2}})
}

// serves lets the server take calls.
func (w *world) serves(methods ...auth.Method) {
	w.server.Sessions.SetServer(session.ServerConfig{Enabled: true, MaxMTU: 1450, MaxMRU: 1450, DefaultProfile: "default-encryption", Authentication: methods})
}

// device waits for the interface of a tunnel.
func (w *world) device(of Sources, name string) *tuntest.TUN {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	d, err := w.hosts[of.Sessions].Wait(ctx, name)
	if err != nil {
		w.t.Fatalf("no %s: %v", name, err)
	}
	return d
}

// until waits for something that needs no clock.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// silence is a RADIUS server that does not answer.
func (w *world) silence() radius.Server {
	w.t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	at := netip.MustParseAddrPort(c.LocalAddr().String())
	return radius.Server{ID: 1, Services: []string{"ppp"}, Address: at.Addr(), AuthPort: at.Port(), AcctPort: at.Port(), Secret: "s", Timeout: 10 * time.Millisecond}
}

// A memory makes interfaces that are in memory only.
type memory struct{ *tuntest.Host }

func (h *memory) CreateInterface(c session.InterfaceConfig) (session.Interface, error) {
	name, _ := host.InterfaceName(c.Name, h.Taken)
	d, err := h.Create(name)
	return unfit{d}, err
}

func (h *memory) CreateBridgePort(string, aaa.BridgePort) (tun.Device, error) {
	return nil, errors.New("no bridges here")
}

func (h *memory) IsLocal(netip.Addr) (bool, error) { return false, nil }

type unfit struct{ tun.Device }

func (unfit) Refit(session.InterfaceConfig) error { return nil }

type pipe struct {
	net.Conn
	local, remote netip.Addr
}

func (p pipe) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.local, 1723)) }
func (p pipe) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.remote, 1723))
}

type listener struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// everything makes a daemon show all families that there are.
func everything(s *Sources) {
	s.PerSession = true
	s.FastPath = func() xdp.Stats {
		return xdp.Stats{Received: 11, Sent: 12, Malformed: 13, Overflow: 14, NoBuffer: 15}
	}
}
