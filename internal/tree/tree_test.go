package tree_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// A bench is a tree with its store, log and engine.
type bench struct {
	*tree.Tree
	t      testing.TB
	engine *treetest.Engine
	log    *journal.Journal
	db     *store.Store
}

func start(t testing.TB, path string) *bench {
	t.Helper()
	db, _, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, engine: &treetest.Engine{}, log: journal.New(nil, false), db: db}
	if b.Tree, err = tree.New(db, b.engine, b.log); err != nil {
		t.Fatal(err)
	}
	return b
}

func newBench(t testing.TB) *bench {
	b := start(t, filepath.Join(t.TempDir(), "db"))
	t.Cleanup(func() { b.db.Close() })
	b.engine.Calls()
	return b
}

// do carries out a command given as its path, its items and name=value pairs.
func (b *bench) do(u tree.User, command string, items []string, values ...string) ([]string, error) {
	b.t.Helper()
	i := strings.LastIndexByte(command, '/')
	m := b.Root().At(command[:i])
	q := &menu.Request{Menu: m, Command: m.Command(command[i+1:]), Items: items, Args: map[string]string{}}
	for _, v := range values {
		name, value, _ := strings.Cut(v, "=")
		if q.Command.Arg(name) != nil {
			q.Args[name] = value
			continue
		}
		name, unset := strings.CutPrefix(name, "!")
		q.Values = append(q.Values, menu.Assignment{Name: name, Value: value, Unset: unset})
	}
	return b.Execute(b.t.Context(), u, q, func([]*menu.Row) error { return nil })
}

// must is do for the administrator, without an error.
func (b *bench) must(command string, items []string, values ...string) []string {
	b.t.Helper()
	out, err := b.do(tree.Admin(), command, items, values...)
	if err != nil {
		b.t.Fatalf("%s: %v", command, err)
	}
	return out
}

func (b *bench) wantCalls(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.engine.Calls()); diff != "" {
		b.t.Errorf("the engine was told (-want +got):\n%s", diff)
	}
	if broken := b.engine.Broken(); broken != nil {
		b.t.Error(broken)
	}
}

func items(s ...string) []string { return s }

// TestStart checks what the engine is told before anybody changed anything.
func TestStart(t *testing.T) {
	b := start(t, filepath.Join(t.TempDir(), "db"))
	defer b.db.Close()
	b.wantCalls(
		"identity gopptp",
		"profile 0 {Name:default ChangeMSS:yes}",
		"profile FFFFFFFE {Name:default-encryption UseEncryption:yes ChangeMSS:yes}",
		"server {MaxMTU:1450 MaxMRU:1450 Authentication:[mschap1 mschap2] Keepalive:30s DefaultProfile:default-encryption}",
		"aaa {Accounting:true}",
		"radius ",
		"radius incoming {Port:3799}",
	)
}

// TestPageExample checks the founding page's configuration in the engine's
// types, at once and after a restart.
func TestPageExample(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.engine.Calls()
	b.must("/interface/pptp-client/add", nil, "connect-to=192.168.62.2", "disabled=no", "name=pptp-out1", "password=StrongPass", "user=MT-User")
	b.must("/interface/pptp-server/server/set", nil, "enabled=yes")
	b.must("/ppp/secret/add", nil, "local-address=10.0.0.1", "name=MT-User", "password=StrongPass", "profile=default-encryption", "remote-address=10.0.0.5", "service=pptp")
	client := "client {ID:1 Name:pptp-out1 MaxMTU:1450 MaxMRU:1450 ConnectTo:192.168.62.2 User:MT-User Password:StrongPass " +
		"Profile:default-encryption Keepalive:1m0s UsePeerDNS:no DefaultRouteDistance:1 " +
		"Allow:[pap chap mschap1 mschap2]}"
	server := "server {Enabled:true MaxMTU:1450 MaxMRU:1450 Authentication:[mschap1 mschap2] Keepalive:30s DefaultProfile:default-encryption}"
	secret := "secret {ID:1 Name:MT-User Service:pptp Password:StrongPass Profile:default-encryption LocalAddress:10.0.0.1 RemoteAddress:10.0.0.5}"
	b.wantCalls(client, server, secret)
	b.db.Close()

	b = start(t, path)
	defer b.db.Close()
	calls := b.engine.Calls()
	if diff := cmp.Diff([]string{secret, server, client}, calls[3:6]); diff != "" {
		t.Errorf("after a restart the engine was told (-want +got):\n%s", diff)
	}
	for _, e := range b.log.Entries() {
		if strings.Contains(e.Message, "StrongPass") {
			t.Errorf("the log has %q", e.Message)
		}
	}
}

// TestRenamedProfile checks that what refers to a profile follows it.
func TestRenamedProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.must("/ppp/profile/add", nil, "name=office")
	b.must("/ppp/secret/add", nil, "name=u", "profile=office")
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "profile=off")
	b.must("/interface/pptp-server/server/set", nil, "default-profile=office")
	b.engine.Calls()
	b.must("/ppp/profile/set", items("office"), "name=home")
	calls := b.engine.Calls()
	if !strings.HasPrefix(calls[0], "profile 1 {Name:home}") {
		t.Errorf("the first call is %s", calls[0])
	}
	slices.Sort(calls[1:])
	for i, begin := range []string{"client {ID:1", "secret {ID:1", "server {"} {
		if c := calls[i+1]; !strings.HasPrefix(c, begin) || !strings.Contains(c, "Profile:home") {
			t.Errorf("call %d is %s", i+1, c)
		}
	}
	if got := b.must("/ppp/secret/get", items("u"), "value-name=profile"); got[0] != "home" {
		t.Errorf("the secret's profile is %s", got)
	}
	if _, err := b.do(tree.Admin(), "/ppp/profile/remove", items("home")); err == nil {
		t.Error("a profile in use was removed")
	}
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	if got := b.must("/ppp/secret/get", items("u"), "value-name=profile"); got[0] != "home" {
		t.Errorf("after a restart the secret's profile is %s", got)
	}
}

// TestFailureChangesNothing runs commands that are wrong in their last part.
func TestFailureChangesNothing(t *testing.T) {
	b := newBench(t)
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "name=one")
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "name=two")
	b.engine.Calls()
	logged := len(b.log.Entries())
	before := b.must("/interface/pptp-client/get", items("one"))
	for _, c := range []struct {
		command string
		items   []string
		values  []string
		kind    menu.Kind
	}{
		{"/interface/pptp-client/set", items("one"), []string{"user=v", "max-mtu=1"}, menu.BadArgument},
		{"/interface/pptp-client/set", items("one", "nosuch"), []string{"user=v"}, menu.NotFound},
		{"/interface/pptp-client/set", items("one", "two"), []string{"name=same"}, menu.Refused},
		{"/interface/pptp-client/set", items("one"), []string{"name=two"}, menu.Refused},
		{"/interface/pptp-client/set", items("one"), []string{"running=yes"}, menu.BadArgument},
		{"/interface/pptp-client/set", items("one"), []string{"nosuch=yes"}, menu.BadArgument},
		{"/interface/pptp-client/set", nil, []string{"user=v"}, menu.BadArgument},
		{"/interface/pptp-client/remove", items("one", "nosuch"), nil, menu.NotFound},
		{"/interface/pptp-client/add", nil, []string{"connect-to=a", "user=u", "name=one"}, menu.Refused},
		{"/interface/set", items("one", "two"), []string{"name=same"}, menu.Refused},
		{"/ppp/profile/remove", items("default"), nil, menu.Refused},
	} {
		_, err := b.do(tree.Admin(), c.command, c.items, c.values...)
		var e *menu.Error
		if !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%s %v %v: %#v, want kind %d", c.command, c.items, c.values, err, c.kind)
		}
	}
	b.wantCalls()
	if after := b.must("/interface/pptp-client/get", items("one")); !slices.Equal(before, after) {
		t.Errorf("the row became %s", after)
	}
	if ids := b.must("/interface/pptp-client/find", nil); len(ids) != 2 {
		t.Errorf("there are rows %v", ids)
	}
	if n := len(b.log.Entries()); n != logged {
		t.Errorf("%d lines were logged", n-logged)
	}
}

// TestDiskFull checks that a change that cannot be kept is not made.
func TestDiskFull(t *testing.T) {
	b := newBench(t)
	b.db.Close()
	_, err := b.do(tree.Admin(), "/ppp/secret/add", nil, "name=u")
	var e *menu.Error
	if !errors.As(err, &e) || e.Kind != menu.Internal {
		t.Errorf("add: %v", err)
	}
	if ids := b.must("/ppp/secret/find", nil); len(ids) != 0 {
		t.Errorf("there are rows %v", ids)
	}
	b.wantCalls()
}

// TestCommandsReachTheEngine checks each verb once.
func TestCommandsReachTheEngine(t *testing.T) {
	b := newBench(t)
	b.must("/interface/pptp-server/add", nil, "user=u")
	b.must("/interface/pptp-server/disable", items("pptp-in1"))
	b.must("/interface/enable", items("pptp-in1"))
	b.must("/interface/set", items("*1"), "name=uplink")
	b.must("/interface/pptp-server/comment", items("uplink"), "comment=x")
	b.must("/interface/pptp-server/remove", items("uplink", "*1"))
	b.wantCalls(
		"binding {ID:1 Name:pptp-in1 User:u}",
		"binding {ID:1 Name:pptp-in1 User:u Disabled:true}",
		"binding {ID:1 Name:pptp-in1 User:u}",
		"binding {ID:1 Name:uplink User:u}",
		"binding {ID:1 Name:uplink User:u}",
		"remove binding 1",
	)
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "keepalive-timeout=disabled", "mrru=1600", "allow=mschap2,pap")
	if c := b.engine.Calls()[0]; !strings.Contains(c, "ID:2 ") || strings.Contains(c, "Keepalive") || !strings.Contains(c, "MRRU:1600") || !strings.Contains(c, "Allow:[pap mschap2]") {
		t.Error(c)
	}
	b.must("/interface/pptp-client/remove", items("*2"))
	b.must("/ppp/secret/add", nil, "name=u")
	b.must("/ppp/secret/set", items("u"), "remote-address=10.0.0.5")
	b.must("/ppp/secret/unset", items("u"), "value-name=remote-address")
	b.must("/ppp/secret/remove", items("u"))
	b.must("/ppp/profile/add", nil, "name=p", "local-address=10.0.0.1", "dns-server=8.8.8.8,1.1.1.1", "use-encryption=required", "only-one=yes")
	b.must("/ppp/profile/remove", items("p"))
	b.must("/system/identity/set", nil, "name=MikroTik")
	secret := "secret {ID:1 Name:u Service:any Profile:default%s}"
	b.wantCalls(
		"remove client 2",
		fmt.Sprintf(secret, ""), fmt.Sprintf(secret, " RemoteAddress:10.0.0.5"), fmt.Sprintf(secret, ""), "remove secret 1",
		"profile 1 {Name:p LocalAddress:10.0.0.1 UseEncryption:required OnlyOne:yes DNSServers:[8.8.8.8 1.1.1.1]}",
		"remove profile 1", "identity MikroTik",
	)
	if b.Identity() != "MikroTik" {
		t.Error(b.Identity())
	}
}

// TestAutoNames checks that the lowest free number is taken, over both menus.
func TestAutoNames(t *testing.T) {
	b := newBench(t)
	add := func() string {
		id := b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u")
		return b.must("/interface/pptp-client/get", id, "value-name=name")[0]
	}
	var got []string
	got = append(got, add(), add(), add())
	b.must("/interface/pptp-client/remove", items("pptp-out2"))
	b.must("/interface/pptp-server/add", nil, "user=u", "name=pptp-out4")
	got = append(got, add(), add())
	b.must("/interface/pptp-client/set", items("pptp-out1"), "name=other")
	got = append(got, add(), add())
	if diff := cmp.Diff(strings.Fields("pptp-out1 pptp-out2 pptp-out3 pptp-out2 pptp-out5 pptp-out1 pptp-out6"), got); diff != "" {
		t.Error(diff)
	}
}

func TestDisconnect(t *testing.T) {
	b := newBench(t)
	up := session.Status{Running: true, User: "u", OuterAddress: netip.MustParseAddr("192.0.2.1"), ConnectedAt: time.Now()}
	one, two, three := up, up, up
	one.ID, one.Interface = 1, "<pptp-u>"
	two.ID, two.Interface = 2, "<pptp-u-1>"
	three.ID, three.Interface, three.Binding = 3, "static", 1
	b.must("/interface/pptp-server/add", nil, "user=u", "name=static")
	b.engine.Calls()
	b.engine.SetSessions(one, two, three)
	b.must("/interface/pptp-server/remove", items("<pptp-u>"))
	b.must("/ppp/active/remove", items("*80000003"))
	b.must("/interface/pptp-server/remove", items("*80000002", "static"))
	b.wantCalls("disconnect 1", "disconnect 3", "remove binding 1", "disconnect 2")
	if _, err := b.do(tree.Admin(), "/ppp/active/remove", items("*80000002")); err == nil || err.Error() != "no such item" {
		t.Errorf("removing it again: %v", err)
	}
}

// TestMonitorEnds checks the ways in which a monitor ends.
func TestMonitorEnds(t *testing.T) {
	b := newBench(t)
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "name=one")
	m := b.Root().At("/interface/pptp-client")
	q := func() *menu.Request {
		return &menu.Request{Menu: m, Command: m.Command("monitor"), Items: items("one"), Args: map[string]string{"interval": "20ms"}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := b.Execute(ctx, tree.Admin(), q(), func(rows []*menu.Row) error {
		if n++; n == 2 {
			cancel()
		}
		return nil
	})
	if err == nil || err.Error() != "interrupted" || n != 2 {
		t.Errorf("cancelled after %d: %v", n, err)
	}
	broken := errors.New("broken pipe")
	if _, err = b.Execute(t.Context(), tree.Admin(), q(), func([]*menu.Row) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("with a reader that is gone: %v", err)
	}
	_, err = b.Execute(t.Context(), tree.Admin(), q(), func([]*menu.Row) error {
		b.must("/interface/pptp-client/remove", items("one"))
		return nil
	})
	if err == nil || err.Error() != "no such item" {
		t.Errorf("with an item that is gone: %v", err)
	}
}

// TestWrongValuesAreTold starts with a store in which references lead nowhere
// and names are double.
func TestWrongValuesAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.must("/ppp/profile/add", nil, "name=p")
	b.must("/ppp/secret/add", nil, "name=u", "profile=p")
	b.must("/ppp/secret/add", nil, "name=v")
	m := b.Root().At("/ppp/secret")
	profiles := b.Root().At("/ppp/profile")
	double := m.Defaults(9)
	double.Put("name", "v")
	settings := b.Root().At("/system/identity")
	if err := b.db.Commit([]store.Change{{Menu: profiles, ID: 1}, {Menu: m, ID: 9, Row: double}, {Menu: settings, ID: 5, Row: settings.Defaults(5)}}); err != nil {
		t.Fatal(err)
	}
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	var got []string
	for _, e := range b.log.Entries() {
		got = append(got, e.Topics+" "+e.Message)
	}
	want := []string{
		"system,warning /ppp/secret *1: wrong value of profile, its default is used",
		"system,warning /ppp/secret *9: row with the name of another is ignored",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if got := b.must("/ppp/secret/get", items("u"), "value-name=profile"); got[0] != "default" {
		t.Errorf("the profile is %s", got)
	}
	if broken := b.engine.Broken(); broken != nil {
		t.Error(broken)
	}
}

func TestPolicies(t *testing.T) {
	b := newBench(t)
	b.must("/ppp/secret/add", nil, "name=u", "password=hidden")
	reader := tree.User{Name: "guest", Policies: menu.Read}
	if _, err := b.do(reader, "/ppp/secret/set", items("u"), "password=x"); err == nil || err.Error() != "not enough permissions (9)" {
		t.Errorf("set by a reader: %v", err)
	}
	got, err := b.do(reader, "/ppp/secret/get", items("u"))
	if err != nil || strings.Contains(got[0], "hidden") || !strings.Contains(got[0], "password=*****") {
		t.Errorf("get by a reader: %v, %v", got, err)
	}
	// A mask is for the eye: the row keeps its password.
	if got := b.must("/ppp/secret/get", items("u"), "value-name=password"); got[0] != "hidden" {
		t.Errorf("the password became %s", got)
	}
}

// TestConcurrentWriters lets ten writers and a reader work at once. Nothing is
// lost, and the engine hears of changes one at a time and in their order.
func TestConcurrentWriters(t *testing.T) {
	const writers, each = 10, 10
	b := newBench(t)
	var inside sync.Mutex
	b.engine.OnCall = func() {
		if !inside.TryLock() {
			t.Error("the engine was called by two at once")
			return
		}
		time.Sleep(10 * time.Microsecond)
		inside.Unlock()
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("u%d-%d", w, i)
				id := b.must("/ppp/secret/add", nil, "name="+name)
				b.must("/ppp/secret/set", id, "caller-id="+name)
				b.must("/ppp/secret/find", nil)
			}
		})
	}
	all.Wait()
	if ids := b.must("/ppp/secret/find", nil); len(ids) != writers*each {
		t.Errorf("%d rows", len(ids))
	}
	var last uint64
	for _, c := range b.engine.Calls() {
		var id uint64
		fmt.Sscanf(c, "secret {ID:%d ", &id)
		if id != 0 && !strings.Contains(c, "CallerID") { // added, not yet set
			if id <= last {
				t.Errorf("row %d was put after row %d", id, last)
			}
			last = id
		}
	}
	if last != writers*each {
		t.Errorf("the last row is %d", last)
	}
}

func BenchmarkPrint10000(b *testing.B) {
	t := newBench(b)
	const rows = 10000
	m := t.Root().At("/ppp/secret")
	var changes []store.Change
	path := filepath.Join(b.TempDir(), "db")
	db, _, err := store.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		r := m.Defaults(db.Next(m.IDs()))
		r.Put("name", fmt.Sprintf("user%d", i))
		changes = append(changes, store.Change{Menu: m, ID: r.ID, Row: r})
	}
	if err := db.Commit(changes); err != nil {
		b.Fatal(err)
	}
	db.Close()
	t = start(b, path)
	defer t.db.Close()
	m = t.Root().At("/ppp/secret")
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := t.Execute(b.Context(), tree.Admin(), &menu.Request{Menu: m, Command: m.Command("print")}, func(r []*menu.Row) error {
			n += len(r)
			return nil
		})
		if err != nil || n != rows {
			b.Fatal(n, err)
		}
	}
}
