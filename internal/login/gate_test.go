package login

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
)

var home = netip.MustParseAddr("192.0.2.1")

var secretHash = sync.OnceValue(func() string { return Hash("secret") })

// newGate makes a gate that knows admin, with the password secret, and others.
func newGate() (*Gate, *journal.Journal) {
	j := journal.New(nil, false)
	g := New(j)
	g.PutGroup(Group{ID: 1, Name: "full", Policies: PolicyNames})
	g.PutGroup(Group{ID: 2, Name: "read", Policies: []string{"read", "api", "!ssh"}})
	hash := secretHash()
	g.PutAccount(Account{ID: 1, Name: "admin", Group: 1, Hash: hash})
	g.PutAccount(Account{ID: 2, Name: "reader", Group: 2, Hash: hash})
	g.PutAccount(Account{ID: 3, Name: "off", Group: 1, Hash: hash, Disabled: true})
	g.PutAccount(Account{ID: 4, Name: "near", Group: 1, Hash: hash, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28"), netip.MustParsePrefix("2001:db8::/32")}})
	g.PutAccount(Account{ID: 5, Name: "empty", Group: 1})
	g.PutAccount(Account{ID: 6, Name: "lost", Group: 9, Hash: hash})
	return g, j
}

func messages(j *journal.Journal) []string {
	var out []string
	for _, e := range j.Entries() {
		out = append(out, e.Topics+" "+e.Message)
	}
	return out
}

// TestWhoComesIn goes through what lets somebody in and what does not.
func TestWhoComesIn(t *testing.T) {
	for _, c := range []struct {
		name, password, from string
		door                 Door
		in                   bool
	}{
		{"admin", "secret", "192.0.2.1", DoorSSH, true},
		{"admin", "secret", "::ffff:192.0.2.1", DoorAPI, true},
		{"admin", "secret", "192.0.2.1", DoorRESTAPI, true},
		{"admin", "secret", "192.0.2.1", DoorWeb, true},
		{"admin", "Secret", "192.0.2.1", DoorSSH, false},
		{"admin", "", "192.0.2.1", DoorSSH, false},
		{"Admin", "secret", "192.0.2.1", DoorSSH, false},
		{"nobody", "secret", "192.0.2.1", DoorSSH, false},
		{"", "", "192.0.2.1", DoorSSH, false},
		{"off", "secret", "192.0.2.1", DoorSSH, false},
		{"empty", "", "192.0.2.1", DoorSSH, false},
		{"lost", "secret", "192.0.2.1", DoorSSH, false},
		{"reader", "secret", "192.0.2.1", DoorAPI, true},
		{"reader", "secret", "192.0.2.1", DoorSSH, false},
		{"reader", "secret", "192.0.2.1", DoorRESTAPI, false},
		{"near", "secret", "192.0.2.1", DoorSSH, true},
		{"near", "secret", "::ffff:192.0.2.15", DoorSSH, true},
		{"near", "secret", "192.0.2.16", DoorSSH, false},
		{"near", "secret", "2001:db8::1", DoorSSH, true},
		{"near", "secret", "2001:db9::1", DoorSSH, false},
		{"admin", "secret", "192.0.2.1", "winbox", false},
		{strings.Repeat("x", maxName+1), "secret", "192.0.2.1", DoorSSH, false},
		{"admin", strings.Repeat("x", maxPassword+1), "192.0.2.1", DoorSSH, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, _ := newGate()
			u, leave, err := g.Login(t.Context(), Attempt{Door: c.door, From: netip.MustParseAddr(c.from), Name: c.name, Password: c.password})
			if c.in != (err == nil) || err != nil && !errors.Is(err, ErrDenied) {
				t.Errorf("%q %q from %s via %s: %v", c.name, c.password, c.from, c.door, err)
			}
			if err == nil {
				if u.Name != c.name || len(g.Active()) != 1 {
					t.Errorf("%q came in as %q; active: %v", c.name, u.Name, g.Active())
				}
				leave()
				leave()
			}
			if n := len(g.Active()); n != 0 {
				t.Errorf("%d are active", n)
			}
		})
	}
}

func TestPoliciesOfGroups(t *testing.T) {
	g, _ := newGate()
	u, leave, err := g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "reader", Password: "secret"})
	if err != nil || u.Policies != menu.Read || u.Group != "read" {
		t.Errorf("%+v, %v", u, err)
	}
	leave()
	if u, _, _ = g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "admin", Password: "secret"}); u.Policies != menu.AllPolicies {
		t.Errorf("%+v", u)
	}
	g.PutGroup(Group{ID: 1, Name: "full", Policies: []string{"api"}})
	if u, _, _ = g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "admin", Password: "secret"}); u.Policies != 0 {
		t.Errorf("after a change of the group: %+v", u)
	}
	g.RemoveGroup(1)
	if _, _, err = g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "admin", Password: "secret"}); !errors.Is(err, ErrDenied) {
		t.Errorf("without a group: %v", err)
	}
}

// TestLog compares the log with RouterOS's words. No password is in it, and a
// name cannot forge a line.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate()
		_, leave, err := g.Login(t.Context(), Attempt{Door: DoorAPI, From: netip.MustParseAddr("::ffff:192.0.2.1"), Name: "admin", Password: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, local, _ := g.Login(t.Context(), Attempt{Door: DoorLocal, Name: "admin"})
		for _, name := range []string{"x", "admin from 10.0.0.1 via api", "a\nb", "\xff", "", strings.Repeat("y", 100)} {
			_, _, _ = g.Login(t.Context(), Attempt{Door: DoorSSH, From: home, Name: name, Password: "guess"})
		}
		leave()
		local()
		want := []string{
			"system,info,account user admin logged in from 192.0.2.1 via api",
			"system,info,account user admin logged in via local",
			"system,error,critical login failure for user x from 192.0.2.1 via ssh",
			`system,error,critical login failure for user "admin from 10.0.0.1 via api" from 192.0.2.1 via ssh`,
			`system,error,critical login failure for user "a\nb" from 192.0.2.1 via ssh`,
			`system,error,critical login failure for user "" from 192.0.2.1 via ssh`,
			`system,error,critical login failure for user "" from 192.0.2.1 via ssh`,
			`system,error,critical login failure for user "` + strings.Repeat("y", shownName) + `" from 192.0.2.1 via ssh`,
			"system,info,account user admin logged out from 192.0.2.1 via api",
			"system,info,account user admin logged out via local",
		}
		if diff := cmp.Diff(want, messages(j)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestGuessing checks how long guesses take, that the right password waits as
// well, and that the end of a connection ends the wait.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate()
		wrong := Attempt{Door: DoorSSH, From: home, Name: "admin", Password: "guess"}
		start := time.Now()
		for range 5 {
			if _, _, err := g.Login(t.Context(), wrong); !errors.Is(err, ErrDenied) {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d < 7500*time.Millisecond {
			t.Errorf("five guesses took %v", d)
		}
		start = time.Now()
		right := Attempt{Door: DoorSSH, From: home, Name: "admin", Password: "secret"}
		if _, _, err := g.Login(t.Context(), right); err != nil || time.Since(start) < 8*time.Second {
			t.Errorf("the right password after %v: %v", time.Since(start), err)
		}
		start = time.Now()
		if _, _, err := g.Login(t.Context(), right); err != nil || time.Since(start) != 0 {
			t.Errorf("the right password again after %v: %v", time.Since(start), err)
		}
		_, _, _ = g.Login(t.Context(), wrong)
		gone := errors.New("connection closed")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(gone) })
		if _, _, err := g.Login(ctx, right); !errors.Is(err, gone) {
			t.Errorf("with a connection that is gone: %v", err)
		}
	})
}

// TestFlood starts many guesses at once: all end, no more than the bound wait
// for a processor, and the log gets no line for each.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate()
		_, _, _ = g.Login(t.Context(), Attempt{Door: DoorSSH, From: home, Name: "admin", Password: "guess"})
		var all sync.WaitGroup
		for range 500 {
			all.Go(func() {
				if _, _, err := g.Login(t.Context(), Attempt{Door: DoorSSH, From: home, Name: "admin", Password: "guess"}); !errors.Is(err, ErrDenied) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(j.Entries()); n > 1+int(maxQueue/firstDelay) {
			t.Errorf("%d lines were logged", n)
		}
		if g.waiting != 0 || len(g.hashes) != 0 {
			t.Errorf("%d wait, %d check", g.waiting, len(g.hashes))
		}
	})
}

// TestRemembered checks that a password that was right is not hashed again, but
// that a new one makes the old one wrong at once.
func TestRemembered(t *testing.T) {
	g, _ := newGate()
	a := Attempt{Door: DoorAPI, From: home, Name: "admin", Password: "secret"}
	if _, _, err := g.Login(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if len(g.verified) != 1 {
		t.Fatalf("%d passwords are remembered", len(g.verified))
	}
	g.hashes <- struct{}{} // nobody can be hashed for now
	g.hashes <- struct{}{}
	if _, _, err := g.Login(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	<-g.hashes
	<-g.hashes
	g.PutAccount(Account{ID: 1, Name: "admin", Group: 1, Hash: Hash("other")})
	if _, _, err := g.Login(t.Context(), a); !errors.Is(err, ErrDenied) {
		t.Errorf("with the old password: %v", err)
	}
}

func TestRename(t *testing.T) {
	g, _ := newGate()
	g.PutAccount(Account{ID: 1, Name: "root", Group: 1, Hash: secretHash()})
	if _, ok := g.account("admin"); ok {
		t.Error("the old name is known")
	}
	if _, ok := g.account("root"); !ok {
		t.Error("the new name is not known")
	}
	// Two users change names; the second step must not lose the first's.
	g.PutAccount(Account{ID: 2, Name: "root", Group: 1})
	g.PutAccount(Account{ID: 1, Name: "reader", Group: 1})
	if a, ok := g.account("root"); !ok || a.ID != 2 {
		t.Errorf("root is %v", a)
	}
	g.RemoveAccount(2)
	if _, ok := g.account("root"); ok {
		t.Error("a removed user is known")
	}
}

func TestKeys(t *testing.T) {
	public, _, _ := ed25519.GenerateKey(nil)
	sshKey, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshKey))) + " me@there"
	k, err := ParseKey(line)
	if err != nil || k.Type != "ed25519" || k.Bits != 256 || k.Owner != "me@there" {
		t.Fatalf("%+v, %v", k, err)
	}
	g, _ := newGate()
	a := Attempt{Door: DoorSSH, From: home, Name: "admin"}
	if _, _, err := g.LoginKey(t.Context(), a, sshKey.Marshal()); !errors.Is(err, ErrDenied) || g.Knows("admin", sshKey.Marshal()) {
		t.Errorf("before the key is known: %v", err)
	}
	g.slow.succeeded(home)
	k.ID, k.Account = 1, 1
	g.PutKey(k)
	if u, _, err := g.LoginKey(t.Context(), a, sshKey.Marshal()); err != nil || u.Policies != menu.AllPolicies {
		t.Errorf("%+v, %v", u, err)
	}
	for _, name := range []string{"reader", "off", "nobody", ""} {
		if g.Knows(name, sshKey.Marshal()) {
			t.Errorf("the key is %q's", name)
		}
	}
	if _, _, err := g.LoginKey(t.Context(), a, sshKey.Marshal()[1:]); !errors.Is(err, ErrDenied) {
		t.Errorf("with another key: %v", err)
	}
	g.RemoveKey(1)
	if g.Knows("admin", sshKey.Marshal()) {
		t.Error("the removed key is known")
	}
	for _, bad := range []string{"", "x", "ssh-ed25519", "ssh-ed25519 AAAA", `command="x" ` + line, line + "\n" + line, line[:40]} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate()
		var leave []func()
		for _, d := range []Door{DoorAPI, DoorSSH, DoorWeb} {
			_, l, err := g.Login(t.Context(), Attempt{Door: d, From: home, Name: "admin", Password: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
			time.Sleep(time.Second)
		}
		leave[1]()
		now := time.Now()
		want := []Session{
			{ID: 1, When: now.Add(-3 * time.Second), Name: "admin", Group: "full", From: home, Via: DoorAPI},
			{ID: 3, When: now.Add(-time.Second), Name: "admin", Group: "full", From: home, Via: DoorWeb},
		}
		if got := g.Active(); !slices.Equal(got, want) {
			t.Errorf("active: %v", got)
		}
		if last, ok := g.LastLogin(1); !ok || !last.Equal(now.Add(-time.Second)) {
			t.Errorf("the last login was at %v", last)
		}
	})
}

func TestAccountHidesItsHash(t *testing.T) {
	a := Account{Name: "u", Hash: "hidden"}
	if a.String() != "login.Account(u)" || a.GoString() != a.String() {
		t.Error(a.String())
	}
}

// TestRemovedMeanwhile removes a user while their password is checked.
func TestRemovedMeanwhile(t *testing.T) {
	g := New(journal.New(nil, false))
	g.PutGroup(Group{ID: 1, Name: "ops", Policies: []string{"api"}})
	g.PutAccount(Account{ID: 1, Name: "u", Group: 1})
	a := Attempt{Door: DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: "u", End: func() { t.Error("a session ended that never was") }}
	_, leave, err := g.admit(t.Context(), a, func(Account) (bool, error) {
		g.RemoveAccount(1)
		return true, nil
	})
	if !errors.Is(err, ErrDenied) || leave != nil || len(g.Active()) > 0 {
		t.Errorf("they came in: %v, %v", err, g.Active())
	}
}

// TestDismiss ends one of two sessions.
func TestDismiss(t *testing.T) {
	j := journal.New(nil, false)
	g := New(j)
	g.PutGroup(Group{ID: 1, Name: "ops", Policies: []string{"api", "read"}})
	g.PutAccount(Account{ID: 1, Name: "u", Group: 1})
	ends := 0
	enter := func() (User, func()) {
		a := Attempt{Door: DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: "u", End: func() { ends++ }}
		u, leave, err := g.admit(t.Context(), a, func(Account) (bool, error) { return true, nil })
		if err != nil {
			t.Fatal(err)
		}
		return u, leave
	}
	first, leave := enter()
	second, _ := enter()
	if !g.Dismiss(first.Session) || g.Dismiss(first.Session) || ends != 1 {
		t.Errorf("%d sessions ended", ends)
	}
	leave() // the door does, when it has let go
	if _, ok := g.Present(first.Session); ok {
		t.Error("who was dismissed is present")
	}
	if u, ok := g.Present(second.Session); !ok || u != second {
		t.Errorf("the other is %+v, %v", u, ok)
	}
	told := 0
	for _, e := range j.Entries() {
		if e.Message == "user u logged out from 192.0.2.1 via api" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the log tells %d times who went", told)
	}
	local, _, err := g.Login(t.Context(), Attempt{Door: DoorLocal, Name: "root"})
	g.RemoveGroup(1)
	if _, ok := g.Present(local.Session); err != nil || !ok || ends != 2 {
		t.Errorf("without the group: %v, %v, %d ends", err, ok, ends)
	}
}

// TestPageOfAChangedPassword checks that a new password ends the sessions of the
// page, those that are on their way in too, and no others.
func TestPageOfAChangedPassword(t *testing.T) {
	g := New(journal.New(nil, false))
	g.PutGroup(Group{ID: 1, Name: "ops", Policies: []string{"api", "web", "read"}})
	account := Account{ID: 1, Name: "u", Group: 1, Hash: "old", Inactivity: time.Minute}
	g.PutAccount(account)
	ended := map[Door]int{}
	enter := func(d Door, meanwhile func()) (User, error) {
		a := Attempt{Door: d, From: home, Name: "u", End: func() { ended[d]++ }}
		u, _, err := g.admit(t.Context(), a, func(Account) (bool, error) { meanwhile(); return true, nil })
		return u, err
	}
	page, err := enter(DoorWeb, func() {})
	api, err2 := enter(DoorAPI, func() {})
	if err != nil || err2 != nil || page.Inactivity != time.Minute {
		t.Fatalf("%+v, %v, %v", page, err, err2)
	}
	account.Inactivity = time.Hour
	g.PutAccount(account)
	if u, ok := g.Present(page.Session); !ok || u.Inactivity != time.Hour {
		t.Errorf("what is no password: %+v, %v", u, ok)
	}
	account.Hash = "new"
	g.PutAccount(account)
	_, in := g.Present(page.Session)
	if _, still := g.Present(api.Session); in || !still || ended[DoorWeb] != 1 || ended[DoorAPI] != 0 {
		t.Errorf("after a new password: %v, %v, %v", in, still, ended)
	}
	change := func() {
		account.Hash += "er"
		g.PutAccount(account)
	}
	if _, err := enter(DoorWeb, change); !errors.Is(err, ErrDenied) {
		t.Errorf("with a password that is changed at this moment: %v", err)
	}
}

func TestNames(t *testing.T) {
	for p, want := range map[menu.Policy]string{
		0: "", menu.Read: "read", menu.Read | menu.Write: "read,write", menu.AllPolicies: "read,write,policy,test,sensitive",
	} {
		if got := Names(p); strings.Join(got, ",") != want || Operations(got) != p {
			t.Errorf("%b: %v", p, got)
		}
	}
}

// TestClear: a password is known in clear when it was set or used since the start,
// as long as it is the user's.
func TestClear(t *testing.T) {
	g, _ := newGate()
	known := func(name, want string) {
		t.Helper()
		if got, ok := g.Clear(name); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t; want %q", name, got, ok, want)
		}
	}
	known("admin", "")
	for _, password := range []string{"wrong", "secret"} {
		_, _, _ = g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "admin", Password: password})
	}
	known("admin", "secret")
	known("nobody", "")
	known("off", "") // disabled
	known("empty", "")
	hash := Hash("other")
	g.PutAccount(Account{ID: 1, Name: "admin", Group: 1, Hash: hash})
	known("admin", "")
	g.Learn(hash, "other")
	known("admin", "other")
	for i := range 2 * maxCleartexts { // the passwords that are nobody's make room
		g.Learn(strconv.Itoa(i), "x")
	}
	known("admin", "other")
	if len(g.clear) > maxCleartexts {
		t.Errorf("%d passwords are remembered", len(g.clear))
	}
}
