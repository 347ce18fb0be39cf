package tree_test

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// TestNetwork shows what the machine knows, with the names that sessions have.
func TestNetwork(t *testing.T) {
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	engine := &treetest.Engine{}
	engine.SetSessions(session.Status{ID: 1, Interface: "<pptp-anna>", User: "anna", Running: true})
	var (
		eth = tree.NetworkLink{"eth0", "enp1s0"}
		ppp = tree.NetworkLink{"pptp-anna", "<pptp-anna>"}
	)
	addresses := []tree.NetworkAddress{
		{Link: eth, Prefix: netip.MustParsePrefix("192.0.2.7/24")},
		{Link: ppp, Prefix: netip.MustParsePrefix("10.0.0.1/32"), Peer: netip.MustParseAddr("10.0.0.5")},
		{Link: eth, Prefix: netip.MustParsePrefix("fe80::1/64")},
		{Link: eth, Prefix: netip.MustParsePrefix("2001:db8::1/64")},
	}
	b, err := tree.Config{
		Store: db, Engine: engine, Journal: journal.New(nil, false), Network: tree.Network{
			Addresses: func() []tree.NetworkAddress { return addresses },
			Routes: func() []tree.NetworkRoute {
				return []tree.NetworkRoute{
					{Link: eth, Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1"), Distance: 1},
					{Link: ppp, Destination: netip.MustParsePrefix("10.0.0.5/32"), Source: netip.MustParseAddr("10.0.0.1"), Connected: true, Dynamic: true},
				}
			},
			Neighbors: func() []tree.NetworkNeighbor {
				return []tree.NetworkNeighbor{
					{Link: eth, Address: netip.MustParseAddr("192.0.2.1"), MAC: "02:00:00:00:00:01", Dynamic: true},
					{Link: eth, Address: netip.MustParseAddr("192.0.2.9"), Dynamic: true},
					{Link: eth, Address: netip.MustParseAddr("fe80::2"), MAC: "02:00:00:00:00:02", Router: true},
				}
			},
		},
	}.New()
	if err != nil {
		t.Fatal(err)
	}
	show := func(path string) string {
		m := b.Root().At(path)
		q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
		var out strings.Builder
		if _, err := b.Execute(t.Context(), tree.Admin(), q, func(rows []*menu.Row) error {
			for _, r := range rows {
				out.WriteString(r.ID.String())
				for i := range m.Properties {
					if text, there := r.Lookup(m.Properties[i].Name); there && text != menu.False {
						out.WriteString(" " + m.Properties[i].Name + "=" + text)
					}
				}
				out.WriteString("\n")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for path, want := range map[string]string{
		"/ip/address": "*1 address=192.0.2.7/24 network=192.0.2.0 interface=eth0 actual-interface=eth0\n" +
			"*2 address=10.0.0.1/32 network=10.0.0.5 interface=<pptp-anna> actual-interface=<pptp-anna> dynamic=true\n",
		"/ipv6/address": "*1 address=fe80::1/64 interface=eth0 actual-interface=eth0 link-local=true\n" +
			"*2 address=2001:db8::1/64 interface=eth0 actual-interface=eth0 global=true\n",
		"/ip/route": "*1 dst-address=0.0.0.0/0 gateway=192.0.2.1 immediate-gw=192.0.2.1%eth0 distance=1 routing-table=main active=true static=true\n" +
			"*2 dst-address=10.0.0.5/32 pref-src=10.0.0.1 gateway=<pptp-anna> immediate-gw=<pptp-anna> distance=0 routing-table=main dynamic=true active=true connect=true\n",
		"/ip/arp": "*1 address=192.0.2.1 mac-address=02:00:00:00:00:01 interface=eth0 dynamic=true complete=true\n" +
			"*2 address=192.0.2.9 interface=eth0 dynamic=true\n",
		"/ipv6/neighbor":         "*1 address=fe80::2 mac-address=02:00:00:00:00:02 interface=eth0 complete=true router=true\n",
		"/ip/neighbor":           "",
		"/routing/bgp/peer":      "",
		"/routing/ospf/neighbor": "",
	} {
		if diff := cmp.Diff(want, show(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	// An address keeps its id while it is there.
	addresses = append([]tree.NetworkAddress{{Link: eth, Prefix: netip.MustParsePrefix("192.0.2.8/24")}}, addresses[1:]...)
	if got := show("/ip/address"); !strings.HasPrefix(got, "*3 address=192.0.2.8/24") || !strings.Contains(got, "*2 address=10.0.0.1/32") {
		t.Errorf("after a change:\n%s", got)
	}
}
