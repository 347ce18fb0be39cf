package tree_test

import (
	"net/netip"
	"path/filepath"
	"testing"

	"gopptp/internal/aaa"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// TestPoolsReachTheEngine checks what the engine is told of pools, and of profiles
// that take addresses from one.
func TestPoolsReachTheEngine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.engine.Calls()
	b.must("/ip/pool/add", nil, "name=a", "ranges=10.0.0.0/30,10.0.1.1")
	b.must("/ip/pool/add", nil, "name=b", "ranges=10.1.0.1", "next-pool=a")
	b.must("/ppp/profile/add", nil, "name=p", "local-address=10.9.9.9", "remote-address=b")
	b.must("/ip/pool/set", items("b"), "name=c")
	pool := "pool 1 {Name:a Ranges:[{First:10.0.0.0 Last:10.0.0.3} {First:10.0.1.1 Last:10.0.1.1}]}"
	b.wantCalls(
		pool,
		"pool 2 {Name:b Ranges:[{First:10.1.0.1 Last:10.1.0.1}] Next:1}",
		"profile 1 {Name:p LocalAddress:10.9.9.9 RemotePool:b}",
		"pool 2 {Name:c Ranges:[{First:10.1.0.1 Last:10.1.0.1}] Next:1}",
		"profile 1 {Name:p LocalAddress:10.9.9.9 RemotePool:c}",
	)
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	calls := b.engine.Calls()
	if calls[1] != pool {
		t.Errorf("after a restart: %s", calls[1])
	}
	b.must("/ppp/profile/set", items("p"), "remote-address=10.0.0.1")
	b.must("/ip/pool/remove", items("c"))
	b.wantCalls("profile 1 {Name:p LocalAddress:10.9.9.9 RemoteAddress:10.0.0.1}", "remove pool 2")
}

// TestPoolUsed checks what is shown of addresses that are out.
func TestPoolUsed(t *testing.T) {
	b := newBench(t)
	b.must("/ip/pool/add", nil, "name=a", "ranges=10.0.0.0/30")
	b.must("/ip/pool/add", nil, "name=b", "ranges=10.1.0.0/16")
	b.engine.SetLeases(
		aaa.Lease{Address: netip.MustParseAddr("10.0.0.1"), Pool: 1, Owner: "PPP", Info: "u"},
		aaa.Lease{Address: netip.MustParseAddr("10.0.0.2"), Pool: 1, Owner: "PPP", Info: "v"},
		aaa.Lease{Address: netip.MustParseAddr("10.1.0.1"), Pool: 2, Owner: "PPP", Info: "w"},
	)
	if got := b.must("/ip/pool/get", items("a")); got[0] != ".id=*1;name=a;ranges=10.0.0.0-10.0.0.3;total=4;used=2;available=2" {
		t.Errorf("the pool is %s", got)
	}
	used := b.must("/ip/pool/used/find", nil)
	if len(used) != 3 || used[0] != "*A000001" {
		t.Fatalf("used: %v", used)
	}
	if got := b.must("/ip/pool/used/get", items("*A000002")); got[0] != ".id=*A000002;pool=a;address=10.0.0.2;owner=PPP;info=v" {
		t.Errorf("the row is %s", got)
	}
	m := b.Root().At("/ip/pool/used")
	q := &menu.Request{Menu: m, Command: m.Command("print"), Filter: func(r *menu.Row) bool { return r.Get("pool") == "b" }}
	_, err := b.Execute(t.Context(), tree.Admin(), q, func(rows []*menu.Row) error {
		if len(rows) != 1 || rows[0].Get("info") != "w" {
			t.Errorf("of pool b: %v", rows)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// More than the pool has now.
	b.must("/ip/pool/set", items("a"), "ranges=10.0.0.1")
	if got := b.must("/ip/pool/get", items("a"), "value-name=available"); got[0] != "0" {
		t.Errorf("available: %s", got)
	}
	if m.Command("remove") != nil || m.Command("export") != nil {
		t.Error("addresses that are out can be removed or exported")
	}
}
