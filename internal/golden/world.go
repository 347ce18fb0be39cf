package golden

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// A World is a tree over an empty store, with an engine whose sessions the test
// decides on.
type World struct {
	Tree    *tree.Tree
	Engine  *treetest.Engine
	Journal *journal.Journal
	Files   *os.Root

	sessions []session.Status
}

// NewWorld makes a world that ends with the test. Changes are made to the tree's
// configuration before it is built.
func NewWorld(t testing.TB, changes ...func(*tree.Config)) *World {
	t.Helper()
	dir := t.TempDir()
	db, _, err := store.Open(filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	shared := filepath.Join(dir, "files")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.OpenRoot(shared)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	w := &World{Engine: &treetest.Engine{}, Journal: journal.New(nil, false), Files: files}
	scripts := script.NewRunner(w.Journal)
	t.Cleanup(scripts.Close)
	cfg := tree.Config{Store: db, Engine: w.Engine, Journal: w.Journal, Files: files, Network: network(), Interpreter: scripts}
	for _, change := range changes {
		change(&cfg)
	}
	if w.Tree, err = cfg.New(); err != nil {
		t.Fatal(err)
	}
	return w
}

// network is what the machine's IP stack knows: an Ethernet with a router, and the
// tunnel of ben, if he has one.
func network() tree.Network {
	link := tree.NetworkLink{"ether1"}
	router := netip.MustParseAddr("192.0.2.1")
	return tree.Network{
		Addresses: func() []tree.NetworkAddress {
			return []tree.NetworkAddress{
				{Link: link, Prefix: netip.MustParsePrefix("192.0.2.7/24")},
				{Link: link, Prefix: netip.MustParsePrefix("2001:db8::7/64")},
				{Link: tree.NetworkLink{"ppp0", "<pptp-ben>"}, Prefix: netip.MustParsePrefix("10.0.0.1/32"), Peer: netip.MustParseAddr("10.0.0.5")},
			}
		},
		Routes: func() []tree.NetworkRoute {
			return []tree.NetworkRoute{
				{Link: link, Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: router, Distance: 1},
				{Link: link, Destination: netip.MustParsePrefix("192.0.2.0/24"), Connected: true, Dynamic: true},
			}
		},
		Neighbors: func() []tree.NetworkNeighbor {
			return []tree.NetworkNeighbor{
				{Link: link, Address: router, MAC: "02:00:00:00:00:01", Dynamic: true},
				{Link: link, Address: netip.MustParseAddr("2001:db8::1"), MAC: "02:00:00:00:00:01", Router: true, Dynamic: true},
			}
		},
	}
}

// Directive obeys a line of a golden file, given in words, that changes the world
// rather than speaks to it, and reports whether it is one. Ids are hexadecimal.
//
//	!session ID USER [BINDING]  a session of the server side came up 44m8s ago
//	!end                        no session is left
//	!up ID                      the client with the id came up 48m6s ago
//	!lease POOL ADDRESS USER    an address of a pool is in use
//	!stamp NAME                 a file was written now
//	!login USER PASSWORD DOOR   somebody comes in, and stays
//	!wait TIME                  time passes
func (w *World) Directive(t testing.TB, words []string) bool {
	t.Helper()
	switch {
	case words[0] == "!session" && len(words) >= 3:
		s := session.Status{
			ID: id(t, words[1]), Interface: "<pptp-" + words[2] + ">", State: "connected", Running: true,
			User: words[2], CallerID: "192.168.51.3", OuterAddress: netip.MustParseAddr("192.168.51.3"),
			LocalAddress: netip.MustParseAddr("10.0.0.1"), RemoteAddress: netip.MustParseAddr("10.0.0.5"),
			MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless",
			ConnectedAt: time.Now().Add(-44*time.Minute - 8*time.Second),
			Traffic:     session.Traffic{RxBytes: 1296625, TxBytes: 2000, RxPackets: 1040, TxPackets: 20},
		}
		s.SessionID = 0x81A00000 + uint32(s.ID)
		if len(words) > 3 {
			s.Binding, s.Interface = id(t, words[3]), "pptp-in1"
		}
		w.sessions = append(w.sessions, s)
		w.Engine.SetSessions(w.sessions...)
	case words[0] == "!end":
		w.sessions = nil
		w.Engine.SetSessions()
	case words[0] == "!up" && len(words) == 2:
		w.Engine.SetClient(id(t, words[1]), session.Status{
			ID: 0x90, State: "connected", Running: true, MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless",
			LocalAddress: netip.MustParseAddr("10.0.0.5"), RemoteAddress: netip.MustParseAddr("10.0.0.1"),
			ConnectedAt: time.Now().Add(-48*time.Minute - 6*time.Second),
			Traffic:     session.Traffic{RxBytes: 3000, TxBytes: 400000},
		})
	case words[0] == "!lease" && len(words) == 4:
		w.Engine.SetLeases(aaa.Lease{Address: netip.MustParseAddr(words[2]), Pool: id(t, words[1]), Owner: "pptp", Info: words[3]})
	case words[0] == "!stamp" && len(words) == 2:
		if err := w.Files.Chtimes(words[1], time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
	case words[0] == "!login" && len(words) == 4:
		from := login.Attempt{Door: login.Door(words[3]), From: netip.MustParseAddr("192.168.4.31"), Name: words[1], Password: words[2]}
		_, leave, err := w.Tree.Gate().Login(context.Background(), from)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(leave)
	case words[0] == "!wait" && len(words) == 2:
		time.Sleep(Time(t, words[1]))
	default:
		return false
	}
	return true
}

// id reads an id without its star.
func id(t testing.TB, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Time reads a time as the console writes it.
func Time(t testing.TB, text string) time.Duration {
	t.Helper()
	d, err := menu.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
