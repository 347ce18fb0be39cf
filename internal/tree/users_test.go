package tree_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me@there"

// enter logs somebody in over the API.
func (b *bench) enter(name, password string) (login.User, error) {
	b.t.Helper()
	u, leave, err := b.Gate().Login(b.t.Context(), login.Attempt{Door: login.DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: name, Password: password})
	if err == nil {
		leave()
	}
	return u, err
}

// TestFirstUser checks the user of a new system, and that there is no second
// first time.
func TestFirstUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	broken := errors.New("no such file")
	if made, err := b.FirstUser(func() (string, error) { return "", broken }); made || !errors.Is(err, broken) {
		t.Errorf("without a password: %v, %v", made, err)
	}
	made, err := b.FirstUser(func() (string, error) { return "first", nil })
	if !made || err != nil {
		t.Fatal(made, err)
	}
	if u, err := b.enter("admin", "first"); err != nil || u.Policies != menu.AllPolicies {
		t.Errorf("%+v, %v", u, err)
	}
	if got := b.must("/user/get", items("admin"), "value-name=comment"); got[0] != "system default user" {
		t.Errorf("the comment is %q", got)
	}
	again := func(when string) {
		made, err := b.FirstUser(func() (string, error) { t.Error("a password was asked for"); return "second", nil })
		if made || err != nil {
			t.Errorf("%s: %v, %v", when, made, err)
		}
	}
	again("at once")
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	again("after a restart")
	if _, err := b.enter("admin", "first"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestPasswordIsNowhere looks for a password, and for its hash where a person or
// program could see it.
func TestPasswordIsNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.must("/user/add", nil, "name=u", "group=full", "password=TopSecret")
	b.must("/user/set", items("u"), "password=TopSecret2")
	b.must("/user/add", nil, "copy-from=u", "name=v")
	for _, command := range []string{"print", "get"} {
		m := b.Root().At("/user")
		q := &menu.Request{Menu: m, Command: m.Command(command), Items: items("u"), Args: map[string]string{}}
		out, err := b.Execute(t.Context(), tree.Admin(), q, func(rows []*menu.Row) error {
			for _, r := range rows {
				if _, there := r.Lookup("password"); there {
					t.Error("print has the password")
				}
			}
			return nil
		})
		if err != nil || strings.Contains(strings.Join(out, " "), "argon2") {
			t.Errorf("%s gives %q, %v", command, out, err)
		}
	}
	if ids := b.must("/user/find", nil); len(ids) != 2 {
		t.Errorf("users: %v", ids)
	}
	for _, e := range b.log.Entries() {
		if strings.Contains(e.Message, "TopSecret") || strings.Contains(e.Message, "argon2") {
			t.Errorf("the log has %q", e.Message)
		}
	}
	if _, err := b.enter("u", "TopSecret2"); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	if _, err := b.enter("v", "TopSecret2"); err != nil {
		t.Errorf("as the copy: %v", err)
	}
	if _, err := b.enter("u", "TopSecret"); err == nil {
		t.Error("the old password opens")
	}
	b.db.Close()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(file), "TopSecret") || !strings.Contains(string(file), "$argon2id$") {
		t.Error("the database has the password, or not its hash")
	}
}

// TestUsersTakeEffect checks each change at the gate.
func TestUsersTakeEffect(t *testing.T) {
	b := newBench(t)
	b.must("/user/group/add", nil, "name=ops", "policy=api,wri,read")
	b.must("/user/add", nil, "name=u", "group=ops", "password=p", "address=192.0.2.0/24,2001:db8::1")
	want := func(in bool, when string) {
		t.Helper()
		if _, err := b.enter("u", "p"); (err == nil) != in {
			t.Errorf("%s: %v", when, err)
		}
		// What the failure cost is another test's business.
		b.Gate().PutAccount(login.Account{ID: 99, Name: "calm", Group: 3, Hash: calm})
		_, _ = b.enter("calm", "calm")
	}
	want(true, "new")
	if u, _ := b.enter("u", "p"); u.Policies != menu.Read|menu.Write || u.Group != "ops" {
		t.Errorf("%+v", u)
	}
	b.must("/user/set", items("u"), "address=10.0.0.0/8")
	want(false, "from elsewhere")
	b.must("/user/set", items("u"), "address=")
	want(true, "from anywhere")
	b.must("/user/disable", items("u"))
	want(false, "disabled")
	b.must("/user/enable", items("u"))
	b.must("/user/group/set", items("ops"), "policy=ssh,!api")
	want(false, "without the door")
	b.must("/user/group/set", items("ops"), "policy=api", "name=team")
	want(true, "with the door")
	if got := b.must("/user/get", items("u"), "value-name=group"); got[0] != "team" {
		t.Errorf("the group is %s", got)
	}
	b.must("/user/set", items("u"), "group=wr")
	if u, _ := b.enter("u", "p"); u.Group != "write" || u.Policies != menu.Read|menu.Write|menu.Test|menu.Sensitive {
		t.Errorf("%+v", u)
	}
	b.must("/user/ssh-keys/add", nil, "user=u", "key="+publicKey)
	key, err := login.ParseKey(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Gate().Knows("u", []byte(key.Blob)) {
		t.Error("the key is not known")
	}
	b.must("/user/remove", items("u"))
	want(false, "removed")
	if ids := b.must("/user/ssh-keys/find", nil); len(ids) != 0 || b.Gate().Knows("u", []byte(key.Blob)) {
		t.Errorf("the keys of a removed user are %v", ids)
	}
}

var calm = login.Hash("calm")

func TestUserErrors(t *testing.T) {
	b := newBench(t)
	b.must("/user/add", nil, "name=u", "group=read", "password=p")
	for _, c := range []struct {
		command string
		items   []string
		values  []string
		want    string
	}{
		{"/user/add", nil, nil, "missing value(s) of argument(s) name group password"},
		{"/user/add", nil, []string{"name=u", "group=read", "password=p"}, "failure: user with the same name already exists"},
		{"/user/add", nil, []string{"name=v", "group=nosuch", "password=p"}, "input does not match any value of group"},
		{"/user/add", nil, []string{"name=v", "group=read", "password=p", "address=10.0.0.0/33"}, "invalid value for argument address"},
		{"/user/set", items("u"), []string{"expired=yes"}, "unknown parameter expired"},
		{"/user/group/add", nil, []string{"name=g", "policy=read,nosuch"}, "input does not match any value of policy"},
		{"/user/group/add", nil, []string{"name=full"}, "failure: group with the same name already exists"},
		{"/user/group/remove", items("full"), nil, "failure: can not remove system group"},
		{"/user/ssh-keys/add", nil, []string{"user=u", "key=x"}, "invalid value for argument key"},
		{"/user/ssh-keys/add", nil, []string{"user=u"}, "missing value(s) of argument(s) key"},
		{"/user/ssh-keys/add", nil, []string{"user=nosuch", "key=" + publicKey}, "input does not match any value of user"},
		{"/ip/service/set", items("api"), []string{"port=0"}, "value of port out of range (1..65535)"},
		{"/ip/service/set", items("api"), []string{"name=x"}, "unknown parameter name"},
		{"/ip/service/set", items("gopher"), nil, "no such item"},
		{"/ip/service/set", items("telnet"), []string{"disabled=no"}, "failure: this system does not offer telnet, use ssh, www or api"},
		{"/ip/service/enable", items("api", "winbox"), nil, "failure: this system does not offer winbox, use ssh, www or api"},
		{"/ip/pool/add", nil, nil, "missing value(s) of argument(s) ranges"},
		{"/ip/pool/add", nil, []string{"ranges=10.0.0.9-10.0.0.1"}, "invalid value for argument ranges"},
		{"/ip/pool/add", nil, []string{"ranges=10.0.0.0/24,10.0.0.255"}, "failure: ranges overlap"},
		{"/ip/pool/add", nil, []string{"ranges=10.0.0.1", "next-pool=nosuch"}, "input does not match any value of pool"},
		{"/radius/add", nil, nil, "missing value(s) of argument(s) address"},
		{"/radius/add", nil, []string{"address=radius.example"}, "invalid value for argument address"},
		{"/radius/add", nil, []string{"address=10.0.0.1", "timeout=1ms"}, "value of timeout out of range (10ms..1m)"},
	} {
		if _, err := b.do(tree.Admin(), c.command, c.items, c.values...); err == nil || err.Error() != c.want {
			t.Errorf("%s %v %v: %v, want %s", c.command, c.items, c.values, err, c.want)
		}
	}
	b.must("/user/group/add", nil, "name=g", "policy=read")
	b.must("/user/set", items("u"), "group=g")
	if _, err := b.do(tree.Admin(), "/user/group/remove", items("g")); err == nil || err.Error() != "failure: group has some users" {
		t.Errorf("a group with users: %v", err)
	}
	b.must("/user/set", items("u"), "group=read")
	b.must("/user/group/remove", items("g"))
}

// TestPolicyPolicy checks that writing elsewhere is no right to make users.
func TestPolicyPolicy(t *testing.T) {
	b := newBench(t)
	b.must("/user/add", nil, "name=u", "group=read", "password=p")
	writer := tree.User{Name: "w", Policies: menu.AllPolicies &^ menu.PolicyPolicy}
	for _, c := range []struct {
		command string
		items   []string
		values  []string
	}{
		{"/user/add", nil, []string{"name=v", "group=full", "password=p"}},
		{"/user/set", items("u"), []string{"group=full"}},
		{"/user/enable", items("u"), nil},
		{"/user/remove", items("u"), nil},
		{"/user/group/add", nil, []string{"name=g"}},
		{"/user/group/set", items("read"), []string{"policy=policy"}},
		{"/user/ssh-keys/add", nil, []string{"user=u", "key=" + publicKey}},
	} {
		if _, err := b.do(writer, c.command, c.items, c.values...); err == nil || err.Error() != "not enough permissions (9)" {
			t.Errorf("%s: %v", c.command, err)
		}
	}
	if _, err := b.do(writer, "/user/find", nil); err != nil {
		t.Error(err)
	}
}

// TestInitialRows checks that rows that exist in every system keep what was set,
// and that no row that is added gets the id of one.
func TestInitialRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.must("/ip/service/set", items("api"), "port=1234", "address=")
	b.must("/user/group/set", items("read"), "comment=x")
	if id := b.must("/user/group/add", nil, "name=g"); id[0] != "*4" {
		t.Errorf("the new group is %s", id)
	}
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	for _, e := range b.log.Entries() {
		t.Error(e.Message)
	}
	if got := b.must("/ip/service/get", items("api"), "value-name=port"); got[0] != "1234" {
		t.Errorf("the port is %s", got)
	}
	if got := b.must("/user/group/get", items("*1"), "value-name=comment"); got[0] != "x" {
		t.Errorf("the comment is %s", got)
	}
	b.must("/ip/service/reset", items("api"), "value-name=port")
	b.must("/ip/service/reset", items("api"), "value-name=address")
	if got := b.must("/ip/service/get", items("api")); !strings.Contains(got[0], "port=8728;address=127.0.0.0/8,::1/128") {
		t.Errorf("after reset: %s", got)
	}
	if ids := b.must("/ip/service/find", nil); len(ids) != 8 {
		t.Errorf("services: %v", ids)
	}
}

// TestPoolsReferToEachOther checks references to rows of the same menu, also to
// later ones, over a restart, and a profile's to a pool.
func TestPoolsReferToEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	b.must("/ip/pool/add", nil, "ranges=10.0.0.0/30,10.0.0.9,10.0.1.1-10.0.1.5")
	b.must("/ip/pool/add", nil, "ranges=10.1.0.1", "name=more")
	b.must("/ip/pool/set", items("pool1"), "next-pool=mo")
	b.must("/ppp/profile/add", nil, "name=p", "remote-address=more", "local-address=10.9.9.9")
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	for _, e := range b.log.Entries() {
		t.Error(e.Message)
	}
	if got := b.must("/ip/pool/get", items("pool1")); got[0] != ".id=*1;name=pool1;ranges=10.0.0.0-10.0.0.3,10.0.0.9,10.0.1.1-10.0.1.5;next-pool=more;total=10;used=0;available=10" {
		t.Errorf("the pool is %s", got)
	}
	if got := b.must("/ppp/profile/get", items("p"), "value-name=remote-address"); got[0] != "more" {
		t.Errorf("the profile's pool is %s", got)
	}
	if _, err := b.do(tree.Admin(), "/ip/pool/remove", items("more")); err == nil || err.Error() != "failure: pool is in use" {
		t.Errorf("removing it: %v", err)
	}
	b.must("/ip/pool/set", items("pool1"), "next-pool=none")
	b.must("/ppp/profile/unset", items("p"), "value-name=remote-address")
	b.must("/ip/pool/remove", items("more"))
	if got := b.must("/ip/pool/get", items("pool1")); strings.Contains(got[0], "next-pool") {
		t.Errorf("the pool is %s", got)
	}
}

// TestCertificates checks that a service takes only a certificate that can be used.
func TestCertificates(t *testing.T) {
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := &bench{t: t, engine: &treetest.Engine{}, log: journal.New(nil, false), db: db}
	b.Tree, err = tree.Config{Store: db, Engine: b.engine, Journal: b.log, Certificate: func(name string) error {
		if name != "mine" && name != "none" {
			return errors.New("no such file")
		}
		return nil
	}}.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.do(tree.Admin(), "/ip/service/set", items("api-ssl"), "certificate=nosuch"); err == nil || err.Error() != "input does not match any value of certificate" {
		t.Errorf("%v", err)
	}
	b.must("/ip/service/set", items("api-ssl"), "certificate=mine")
	b.must("/ip/service/set", items("api-ssl"), "port=8730")
	b.must("/ip/service/set", items("api-ssl"), "certificate=none")
}
