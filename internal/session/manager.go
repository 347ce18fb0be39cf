package session

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/bell"
	"gopptp/internal/journal"
	"gopptp/internal/plane"
	"gopptp/internal/tun"
	"gopptp/ppp/auth"
)

// Port is the TCP port of the control connection (RFC 2637, section 3.1.3.1).
const Port = 1723

// A Host is the machine's door for interfaces and addresses. Its methods are
// safe for concurrent use.
type Host interface {
	// CreateInterface makes a tunnel interface, up and with its addresses.
	// Closing it removes it.
	CreateInterface(InterfaceConfig) (Interface, error)
	// CreateBridgePort makes an interface for Ethernet frames, up and a port of the
	// bridge. It is called after the tunnel that it belongs to. Closing it removes it.
	CreateBridgePort(tunnel string, port aaa.BridgePort) (tun.Device, error)
	// IsLocal reports whether addr is one of the machine's own.
	IsLocal(addr netip.Addr) (bool, error)
}

// A Config is what a Manager stands on. Those up to Resolve are required.
type Config struct {
	Journal *journal.Journal
	Plane   *plane.Plane
	Host    Host
	// Listen opens the server's control port.
	Listen func(context.Context) (net.Listener, error)
	// Dial opens a control connection to a server, given as address or name
	// without a port.
	Dial func(ctx context.Context, server string) (net.Conn, error)
	// Resolve gives an IPv4 address of a server that is given as address or name.
	Resolve func(ctx context.Context, server string) (netip.Addr, error)

	Rand io.Reader // for challenges and magic numbers; crypto/rand by default
	// SessionID gives an id for accounting to each session; by default they are
	// counted from a number that differs from one start to the next.
	SessionID func() uint32
	// Authenticate asks others for users that are no secrets here; nil for nobody.
	// It returns when ctx ends, at the latest.
	Authenticate func(ctx context.Context, req *auth.Request, call aaa.Call) *aaa.Grant
	// Events is told what happens to sessions, by their own goroutines: it may wait
	// for a disk, and for nothing else. Nil for nobody.
	Events func(Event)
}

// A Manager keeps all sessions. Its methods are safe for concurrent use, never
// block on a peer, and take effect once Run runs. Make it with NewManager.
type Manager struct {
	cfg     Config
	aaa     aaa.Local
	pools   aaa.Pools
	changed chan struct{} // holds a token when Run must look again
	asked   chan struct{} // takes a token while Run works
	bell    bell.Bell     // rings when a state changes
	guard   *guard
	issued  challenges
	meter   Meter

	mu           sync.Mutex
	identity     string
	server       ServerConfig
	port         port
	bindings     map[uint64]Binding
	ofUser       map[string][]uint64 // ids of bindings by user, in order
	bound        map[uint64]*session // sessions by the id of their binding
	clients      map[uint64]ClientConfig
	dialers      map[uint64]*dialer // running clients; owned by Run, read under mu
	sessions     map[uint64]*session
	names        names
	users        map[string]map[*session]bool // the sessions of the server's users
	placeholders map[netip.Addr]bool          // addresses of clients that dial on demand
	lastID       uint64
	base         uint32 // of SessionID
}

// sessionIDService is the first octet of a SessionID: it tells the service, as
// RouterOS's 0x81A00000 does.
const sessionIDService = 0x81 << 24

// NewManager makes a manager; it does nothing until Run.
func NewManager(cfg Config) *Manager {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Manager{
		cfg:          cfg,
		changed:      make(chan struct{}, 1),
		asked:        make(chan struct{}),
		identity:     "gopptp",
		bindings:     map[uint64]Binding{},
		ofUser:       map[string][]uint64{},
		bound:        map[uint64]*session{},
		clients:      map[uint64]ClientConfig{},
		dialers:      map[uint64]*dialer{},
		sessions:     map[uint64]*session{},
		names:        newNames(),
		users:        map[string]map[*session]bool{},
		guard:        newGuard(),
		placeholders: map[netip.Addr]bool{},
		// The bits after the service differ from one start to the next.
		base: sessionIDService | uint32(time.Now().Unix()/60&0xf)<<20,
	}
}

// Run serves and dials as configured until ctx ends, then tells every peer and
// returns when the last session is gone.
func (m *Manager) Run(ctx context.Context) {
	var listener *listener
	m.notify()
	for {
		select {
		case <-ctx.Done():
			m.reconcileClients(ctx, map[uint64]ClientConfig{})
			m.reconcileServer(ctx, listener, false)
			return
		case <-m.asked:
			continue
		case <-m.changed:
		}
		m.mu.Lock()
		enabled := m.server.Enabled
		clients := make(map[uint64]ClientConfig, len(m.clients))
		for id, c := range m.clients {
			clients[id] = c
		}
		m.mu.Unlock()
		listener = m.reconcileServer(ctx, listener, enabled)
		m.reconcileClients(ctx, clients)
	}
}

// endsWithin is the longest that it takes until the next of many sessions that are told
// to end is gone. One alone is told goodbye to for two seconds.
const endsWithin = 5 * time.Second

// await waits for sessions that have been told to end. It answers meanwhile as long as
// they do end: ten thousand interfaces take the kernel a minute.
func (m *Manager) await(done <-chan struct{}) {
	look := time.NewTicker(endsWithin)
	defer look.Stop()
	asked := m.asked
	for left := m.Count(); ; {
		select {
		case <-done:
			return
		case <-asked:
		case <-look.C:
			if n := m.Count(); n != left {
				left, asked = n, m.asked
			} else {
				asked = nil // whoever asks sees that all has come to a halt
			}
		}
	}
}

// Count is how many sessions there are, of whatever kind and stage.
func (m *Manager) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sessions)
}

// notify makes Run compare what is configured with what runs.
func (m *Manager) notify() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// SetIdentity sets the name that peers see (/system/identity).
func (m *Manager) SetIdentity(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.identity = name
}

// SetServer sets the server's configuration: enabled takes effect at once, the
// rest for sessions to come.
func (m *Manager) SetServer(c ServerConfig) {
	m.mu.Lock()
	m.server = c
	m.mu.Unlock()
	m.notify()
}

// PutBinding adds or replaces a static server interface. A live session keeps the
// name it has, unless the interface is not its user's any more: then it is
// disconnected.
func (m *Manager) PutBinding(b Binding) {
	m.mu.Lock()
	old := m.bindings[b.ID]
	m.unindexLocked(old)
	m.bindings[b.ID] = b
	m.indexLocked(b)
	live := m.bound[b.ID]
	m.mu.Unlock()
	if live != nil && (b.Disabled || b.User != old.User) {
		live.stop(endAdmin)
	}
}

// RemoveBinding forgets a static server interface and disconnects its session.
func (m *Manager) RemoveBinding(id uint64) {
	m.mu.Lock()
	m.unindexLocked(m.bindings[id])
	delete(m.bindings, id)
	live := m.bound[id]
	m.mu.Unlock()
	if live != nil {
		live.stop(endAdmin)
	}
}

// PutClient adds or replaces a client; a change makes it dial anew.
func (m *Manager) PutClient(c ClientConfig) {
	m.mu.Lock()
	m.clients[c.ID] = c
	m.mu.Unlock()
	m.notify()
}

// RemoveClient disconnects and forgets a client.
func (m *Manager) RemoveClient(id uint64) {
	m.mu.Lock()
	delete(m.clients, id)
	m.mu.Unlock()
	m.notify()
}

// PutProfile adds or replaces a profile, for sessions to come.
func (m *Manager) PutProfile(id uint64, p aaa.Profile) { m.aaa.PutProfile(id, p) }

// RemoveProfile forgets a profile.
func (m *Manager) RemoveProfile(id uint64) { m.aaa.RemoveProfile(id) }

// Grant gives what a user gets who is no secret here but is known elsewhere, by the
// name of a profile, or by the service's if that is empty or not known.
func (m *Manager) Grant(profile string, call aaa.Call) (grant *aaa.Grant, known bool) {
	return m.aaa.Grant(profile, call)
}

// PutSecret adds or replaces a secret, for sessions to come.
func (m *Manager) PutSecret(s aaa.Secret) { m.aaa.PutSecret(s) }

// RemoveSecret forgets a secret.
func (m *Manager) RemoveSecret(id uint64) { m.aaa.RemoveSecret(id) }

// Active gives the server's authenticated sessions in the order in which they
// came.
func (m *Manager) Active() []Status {
	m.mu.Lock()
	all := make([]Status, 0, len(m.sessions))
	for _, s := range m.sessions {
		if s.server {
			all = append(all, s.snapshot())
		}
	}
	m.mu.Unlock()
	all = slices.DeleteFunc(all, func(s Status) bool { return s.User == "" })
	slices.SortFunc(all, func(a, b Status) int {
		return int(a.SessionID) - int(b.SessionID)
	})
	return all
}

// Client gives the state of a client, also while it is down; ok is false if
// there is none with this id.
func (m *Manager) Client(id uint64) (Status, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clients[id]
	if !ok {
		return Status{}, false
	}
	if d := m.dialers[id]; d != nil {
		return d.snapshot(), true
	}
	state := "disconnected"
	if c.Disabled {
		state = "disabled"
	}
	return Status{Interface: c.Name, State: state, User: c.User}, true
}

// Changes gives a channel that is closed when something that Active or Client
// tell changes next, but for counters.
func (m *Manager) Changes() <-chan struct{} { return m.bell.Next() }

// Disconnect ends a session by its Status.ID; it reports whether there was one.
func (m *Manager) Disconnect(id uint64) bool {
	m.mu.Lock()
	s := m.sessions[id]
	m.mu.Unlock()
	if s == nil {
		return false
	}
	s.stop(endAdmin)
	return true
}

// register gives s its ids and a place in the table.
func (m *Manager) register(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	s.id = m.lastID
	s.status.ID = s.id
	s.status.SessionID = m.base + uint32(s.id)
	if m.cfg.SessionID != nil {
		s.status.SessionID = m.cfg.SessionID()
	}
	m.sessions[s.id] = s
}

func (m *Manager) unregister(s *session) {
	defer m.bell.Ring() // when mu is free
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, s.id)
	m.leaveInterface(s)
	m.leaveUser(s)
	close(s.gone)
}
