package firewall

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
)

// A lab is a client and a server with a router between them, whose interface to
// the client stands for a tunnel.
type lab struct {
	t                      *testing.T
	client, router, server *hosttest.Namespace
	fw                     *Firewall
	nft                    *nftables.Conn // the administrator's
}

const tunnel = "<pptp-u>"

var clientAddr = netip.MustParseAddr("10.0.0.5")

func newLab(t *testing.T) *lab {
	l := &lab{t: t, client: hosttest.New(t), router: hosttest.New(t), server: hosttest.New(t)}
	hosttest.Cable(t, 1500,
		hosttest.Port{In: l.client, Name: "eth0", Prefix: netip.MustParsePrefix("10.0.0.5/24")},
		hosttest.Port{In: l.router, Name: tunnel, Prefix: netip.MustParsePrefix("10.0.0.1/24")})
	hosttest.Cable(t, 1500,
		hosttest.Port{In: l.server, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.2/24")},
		hosttest.Port{In: l.router, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")})
	l.client.Route(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParseAddr("10.0.0.1"))
	l.server.Route(netip.MustParsePrefix("10.0.0.0/24"), netip.MustParseAddr("192.0.2.1"))
	l.router.Sysctl("net/ipv4/ip_forward", "1")
	l.fw = l.open()
	l.router.Do(func() {
		var err error
		if l.nft, err = nftables.New(nftables.AsLasting()); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { l.nft.CloseLasting() })
	return l
}

func (l *lab) open() (fw *Firewall) {
	l.router.Do(func() {
		var err error
		if fw, err = Open(); err != nil {
			l.t.Fatal(err)
		}
	})
	l.t.Cleanup(func() { fw.Close() })
	return fw
}

func (l *lab) add(s Session) (remove func() error) {
	l.t.Helper()
	s.Interface, s.Remote = tunnel, clientAddr
	remove, err := l.fw.Add(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return remove
}

// mtu sets that of the tunnel.
func (l *lab) mtu(mtu int) {
	l.t.Helper()
	if err := l.router.Handle.LinkSetMTU(l.router.Link(tunnel), mtu); err != nil {
		l.t.Fatal(err)
	}
}

// dial connects from one machine to the other and gives the segment sizes that
// the two ends will send; zero if they could not connect.
func (l *lab) dial(from, to *hosttest.Namespace, server string) (dialer, listener int) {
	l.t.Helper()
	var ln net.Listener
	to.Do(func() {
		var err error
		if ln, err = net.Listen("tcp4", server+":0"); err != nil {
			l.t.Fatal(err)
		}
	})
	defer ln.Close()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
	defer cancel()
	var c net.Conn
	var err error
	from.Do(func() { c, err = (&net.Dialer{}).DialContext(ctx, "tcp4", ln.Addr().String()) })
	if err != nil {
		return 0, 0
	}
	defer c.Close()
	other, err := ln.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	defer other.Close()
	return segment(l.t, c), segment(l.t, other)
}

func segment(t *testing.T, c net.Conn) (mss int) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			mss, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return mss
}

// elements gives the keys of a set, interfaces as text.
func (l *lab) elements(name string) (keys []string) {
	l.t.Helper()
	set, err := l.nft.GetSetByName(table(), name)
	if err != nil {
		return nil
	}
	elements, err := l.nft.GetSetElements(set)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range elements {
		if len(e.Key) == 4 {
			keys = append(keys, netip.AddrFrom4([4]byte(e.Key)).String())
		} else {
			keys = append(keys, strings.TrimRight(string(e.Key), "\x00"))
		}
	}
	return keys
}

const timestamps = 12 // octets that the option of that name takes of each segment

func TestRequiresRootMSS(t *testing.T) {
	l := newLab(t)
	if a, b := l.dial(l.client, l.server, "192.0.2.2"); a != 1460-timestamps || b != 1460-timestamps {
		t.Fatalf("without a session: %d, %d", a, b)
	}
	l.mtu(1040)
	if a, b := l.dial(l.client, l.server, "192.0.2.2"); a != 1460-timestamps || b != 1460-timestamps {
		t.Fatalf("with a small MTU and without a session: %d, %d", a, b)
	}
	remove := l.add(Session{FitMSS: true})
	if a, b := l.dial(l.client, l.server, "192.0.2.2"); a != 1000-timestamps || b != 1000-timestamps {
		t.Errorf("from the client: %d, %d; want 1000 less %d", a, b, timestamps)
	}
	if a, b := l.dial(l.server, l.client, "10.0.0.5"); a != 1000-timestamps || b != 1000-timestamps {
		t.Errorf("to the client: %d, %d; want 1000 less %d", a, b, timestamps)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if a, b := l.dial(l.client, l.server, "192.0.2.2"); a != 1460-timestamps || b != 1460-timestamps {
		t.Errorf("after the session: %d, %d", a, b)
	}
	l.mtu(4000)
	remove = l.add(Session{FitMSS: true}) // never raised
	if a, b := l.dial(l.client, l.server, "192.0.2.2"); a != 1460-timestamps || b != 1460-timestamps {
		t.Errorf("with a large MTU: %d, %d", a, b)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestRequiresRootFilters(t *testing.T) {
	for _, test := range []struct {
		name      string
		s         Session
		connected bool
	}{
		{"incoming", Session{IncomingFilter: "strict"}, false},
		{"outgoing", Session{OutgoingFilter: "strict"}, false},
		{"another chain", Session{IncomingFilter: "other", OutgoingFilter: "other"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			l.add(Session{FitMSS: true})() // makes the chain ppp
			nt := table()
			forward := l.nft.AddChain(&nftables.Chain{Name: "admin", Table: nt, Type: nftables.ChainTypeFilter,
				Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter})
			l.nft.AddRule(&nftables.Rule{Table: nt, Chain: forward, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: pppChain}}})
			strict := l.nft.AddChain(&nftables.Chain{Name: "strict", Table: nt})
			l.nft.AddRule(&nftables.Rule{Table: nt, Chain: strict, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}})
			if err := l.nft.Flush(); err != nil {
				t.Fatal(err)
			}
			remove := l.add(test.s)
			if a, _ := l.dial(l.client, l.server, "192.0.2.2"); a > 0 != test.connected {
				t.Errorf("connected: %t, want %t", a > 0, test.connected)
			}
			if err := remove(); err != nil {
				t.Error(err)
			}
			if a, _ := l.dial(l.client, l.server, "192.0.2.2"); a == 0 {
				t.Error("the filter outlives the session")
			}
		})
	}
}

// TestRequiresRootFilterChanges: a session whose configuration changes obeys the
// new one, also when what it had before is taken back afterwards.
func TestRequiresRootFilterChanges(t *testing.T) {
	l := newLab(t)
	open := l.add(Session{FitMSS: true, IncomingFilter: "other"})
	nt := table()
	forward := l.nft.AddChain(&nftables.Chain{Name: "admin", Table: nt, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter})
	l.nft.AddRule(&nftables.Rule{Table: nt, Chain: forward, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: pppChain}}})
	strict := l.nft.AddChain(&nftables.Chain{Name: "strict", Table: nt})
	l.nft.AddRule(&nftables.Rule{Table: nt, Chain: strict, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}})
	if err := l.nft.Flush(); err != nil {
		t.Fatal(err)
	}
	passes := func(want bool) {
		t.Helper()
		if a, _ := l.dial(l.client, l.server, "192.0.2.2"); a > 0 != want {
			t.Errorf("connected: %t, want %t", a > 0, want)
		}
	}
	passes(true)
	l.nft.FlushSet(member{element: element{set: incomingMap}, chain: "other"}.definition()) // as an administrator may
	if err := l.nft.Flush(); err != nil {
		t.Fatal(err)
	}
	closed := l.add(Session{FitMSS: true, IncomingFilter: "strict"})
	passes(false)
	if err := open(); err != nil {
		t.Error(err)
	}
	passes(false)
	if err := closed(); err != nil {
		t.Error(err)
	}
	passes(true)
	if left := l.elements(incomingMap); len(left) != 0 {
		t.Errorf("elements are left: %q", left)
	}
}

// TestRequiresRootLists: sessions share an element, and the administrator's own
// elements stay.
func TestRequiresRootLists(t *testing.T) {
	l := newLab(t)
	s := Session{AddressLists: []string{"customers", "my list"}, InterfaceList: "LAN"}
	one, two := l.add(s), l.add(s)
	for name, want := range map[string]string{"customers": "10.0.0.5", "my_list": "10.0.0.5", "LAN-interfaces": tunnel} {
		if got := strings.Join(l.elements(name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	own := nftables.SetElement{Key: []byte{10, 9, 9, 9}}
	if err := l.nft.SetAddElements(&nftables.Set{Table: table(), Name: "customers", KeyType: nftables.TypeIPAddr}, []nftables.SetElement{own}); err != nil {
		t.Fatal(err)
	}
	if err := l.nft.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := one(); err != nil {
		t.Error(err)
	}
	if n := len(l.elements("customers")); n != 2 {
		t.Errorf("%d elements while one session lives, want 2", n)
	}
	// A daemon that is killed takes nothing away: the next one does.
	_ = two
	l.fw = l.open()
	if got := strings.Join(l.elements("customers"), " "); got != "10.9.9.9" {
		t.Errorf("after a restart: %q", got)
	}
	for _, name := range []string{"my_list", "LAN-interfaces"} {
		if got := l.elements(name); len(got) != 0 {
			t.Errorf("%s after a restart: %q", name, got)
		}
	}
}

func TestRequiresRootRestartForgetsSessions(t *testing.T) {
	l := newLab(t)
	l.add(Session{FitMSS: true, IncomingFilter: "a", OutgoingFilter: "b"})
	for _, name := range []string{mssSet, incomingMap, outgoingMap} {
		if got := strings.Join(l.elements(name), " "); got != tunnel {
			t.Errorf("%s: %q", name, got)
		}
	}
	l.fw = l.open()
	for _, name := range []string{mssSet, incomingMap, outgoingMap} {
		if got := l.elements(name); len(got) != 0 {
			t.Errorf("%s after a restart: %q", name, got)
		}
	}
}

// TestRequiresRootTableTakenAway: an administrator's "nft flush ruleset" hurts
// only the sessions there are.
func TestRequiresRootTableTakenAway(t *testing.T) {
	l := newLab(t)
	l.mtu(1040)
	remove := l.add(Session{FitMSS: true, AddressLists: []string{"a"}})
	l.nft.FlushRuleset()
	if err := l.nft.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	for range 2 { // the first finds that the table is gone
		if _, err := l.fw.Add(Session{Interface: tunnel, Remote: clientAddr, FitMSS: true}); err == nil {
			break
		}
	}
	if a, _ := l.dial(l.client, l.server, "192.0.2.2"); a != 1000-timestamps {
		t.Errorf("segment %d after the table was made anew", a)
	}
}

// TestRequiresRootImpossible: a chain that cannot be jumped to is an error, and
// nothing is left of the session.
func TestRequiresRootImpossible(t *testing.T) {
	l := newLab(t)
	for _, chain := range []string{pppChain, mssChain} {
		if _, err := l.fw.Add(Session{Interface: tunnel, Remote: clientAddr, FitMSS: true, IncomingFilter: chain}); err == nil {
			t.Errorf("%s can be a filter", chain)
		}
		if got := l.elements(mssSet); len(got) != 0 {
			t.Errorf("left behind: %q", got)
		}
	}
	remove := l.add(Session{IncomingFilter: "good"})
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestClean(t *testing.T) {
	for name, want := range map[string]string{
		"customers": "customers", "my list": "my_list", "9lives": "_lives", "a-b._/c9": "a-b._/c9", "жук": "______", `a"b`: "a_b", "": "",
		strings.Repeat("x", 300): strings.Repeat("x", maxName),
	} {
		if got := clean(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNothingNeeded(t *testing.T) {
	f := &Firewall{} // without a socket
	remove, err := f.Add(Session{Interface: "a", Remote: clientAddr})
	if err != nil || remove() != nil {
		t.Errorf("%v", err)
	}
}
