package clients

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// A values is what a row is given.
type values map[string]string

// samples has, for each menu with add, two rows to add and a change to make.
var samples = map[string]struct{ one, two, change values }{
	"/file": {
		values{"name": "f1.txt", "contents": "a=1\nb"}, values{"name": "f2.txt"}, values{"contents": "c"},
	},
	"/interface/pptp-client": {
		values{"name": "c1", "connect-to": "192.0.2.1", "user": "u", "password": "p=1", "allow": "mschap2", "comment": "first"},
		values{"name": "c2", "connect-to": "vpn.example.net", "user": "v"},
		values{"max-mtu": "1400", "disabled": "no"},
	},
	"/interface/pptp-server": {
		values{"name": "b1", "user": "u", "comment": "first"}, values{"name": "b2", "user": "v"}, values{"user": "w"},
	},
	"/ip/pool": {
		values{"name": "p1", "ranges": "10.1.0.2-10.1.0.99", "comment": "first"}, values{"name": "p2", "ranges": "10.2.0.2-10.2.0.99"},
		values{"ranges": "10.1.0.2-10.1.0.50"},
	},
	"/ppp/l2tp-secret": {
		values{"address": "192.0.2.0/24", "secret": "p=1", "comment": "first"}, values{"secret": "q"}, values{"address": "192.0.2.1/32"},
	},
	"/ppp/profile": {
		values{"name": "f1", "local-address": "10.0.0.1", "use-encryption": "required", "comment": "first"},
		values{"name": "f2"},
		values{"change-tcp-mss": "no", "!local-address": ""},
	},
	"/ppp/secret": {
		values{"name": "s1", "password": "p=1", "service": "pptp", "profile": "default-encryption", "comment": "first"},
		values{"name": "s2", "remote-address": "10.0.0.2"},
		values{"disabled": "yes", "limit-bytes-in": "1000000000000"},
	},
	"/radius": {
		values{"address": "192.0.2.5", "service": "ppp", "secret": "s", "comment": "first"}, values{"address": "192.0.2.6"},
		values{"timeout": "2s"},
	},
	"/system/logging": {
		values{"topics": "pptp,!debug", "comment": "first"}, values{"topics": "ppp"}, values{"prefix": "p", "action": "disk"},
	},
	"/system/logging/action": {
		values{"name": "a1", "target": "disk", "disk-file-name": "a1"}, values{"name": "a2", "target": "memory"},
		values{"disk-lines-per-file": "10"},
	},
	"/system/script": {
		values{"name": "s1", "source": ":put \"a=1\"\n:put 2", "policy": "read,write", "comment": "first"}, values{"name": "s2"},
		values{"dont-require-permissions": "yes", "policy": ""},
	},
	"/user": {
		values{"name": "x1", "group": "read", "password": "p", "comment": "first"}, values{"name": "x2", "group": "full", "password": "p"},
		values{"group": "write"},
	},
	"/user/group": {
		values{"name": "g1", "policy": "read,api", "comment": "first"}, values{"name": "g2"}, values{"policy": "read,write"},
	},
	"/user/ssh-keys": {
		values{"user": "admin", "comment": "first", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl one"},
		values{"user": "admin", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEcPGMIqcs3eJcXnFFrQiNYGPNiTN1SPPGjT2VPPtBNT two"},
		values{"comment": "changed"},
	},
}

// A place is a menu as the Python program is told of it.
type place struct {
	Path      []string `json:"path"`
	Singleton bool     `json:"singleton"`
	Named     bool     `json:"named"`
	Required  bool     `json:"required"` // add needs something
	Commands  []string `json:"commands"`
	Settable  []string `json:"settable"`
	Sensitive []string `json:"sensitive"`
	One       values   `json:"one"`
	Two       values   `json:"two"`
	Change    values   `json:"change"`
}

// places walks the menus that print.
func places(t *testing.T, m *menu.Menu) (out []place) {
	for _, c := range m.Children {
		out = append(out, places(t, c)...)
	}
	if m.Command("print") == nil {
		return out
	}
	p := place{Path: strings.Split(strings.Trim(m.Path(), "/"), "/"), Singleton: m.Singleton, Named: m.NameKey != "", Settable: []string{}, Sensitive: []string{}}
	for _, c := range m.Commands {
		p.Commands = append(p.Commands, c.Name)
	}
	for _, q := range m.Properties {
		if q.Settable() {
			p.Settable = append(p.Settable, q.Name)
		}
		p.Required = p.Required || q.Required
		if q.Sensitive {
			p.Sensitive = append(p.Sensitive, q.Name)
		}
	}
	sample, ok := samples[m.Path()]
	if m.Command("add") != nil && !ok {
		t.Fatalf("%s has add, and this test no sample for it", m.Path())
	}
	p.One, p.Two, p.Change = sample.one, sample.two, sample.change
	return append(out, p)
}

// debianPython is the interpreter that Debian's packages are for, whatever other
// the machine has.
const debianPython = "/usr/bin/python3"

// python runs a program of testdata with its task, and gives what it printed.
func python(t *testing.T, program string, task any) string {
	t.Helper()
	need(t, "python3-librouteros", debianPython, "-c", "import librouteros")
	input, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), debianPython, "testdata/"+program)
	cmd.Stdin = bytes.NewReader(input)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// A task is what a Python program is to do.
type task struct {
	Port     int     `json:"port"`
	TLS      int     `json:"tls"`
	Password string  `json:"password"`
	Places   []place `json:"places"`
}

// TestClientLibrouterosOnEveryMenu prints, adds, asks, changes and removes.
func TestClientLibrouterosOnEveryMenu(t *testing.T) {
	s := start(t)
	all := places(t, s.tree.Root())
	out := python(t, "menus.py", task{Port: s.plain, Password: password, Places: all})
	t.Log(out)
	if len(all) < 15 || strings.Count(out, "\n") != len(all) {
		t.Errorf("%d menus, and %d lines for them", len(all), strings.Count(out, "\n"))
	}
}

// TestClientLibrouterosTalks uses what a conversation has beside rows: TLS,
// listen and cancel, errors, long words, the end.
func TestClientLibrouterosTalks(t *testing.T) {
	s := start(t)
	t.Log(python(t, "talk.py", task{Port: s.plain, TLS: s.tls, Password: password}))
}

// TestClientLibrouterosOldLogin logs in by challenge: with a password that was set
// since the start, with a wrong one, and with one that only its hash is known of
// until somebody comes in with it by another way.
func TestClientLibrouterosOldLogin(t *testing.T) {
	const program = "oldlogin.py"
	const refused = "invalid user name or password (6)\n"
	s := start(t)
	if out := python(t, program, task{Port: s.plain, Password: password}); out != "in\n" {
		t.Errorf("with the password known: %q", out)
	}
	if out := python(t, program, task{Port: s.plain, Password: "wrong"}); out != refused {
		t.Errorf("with a wrong one: %q", out)
	}
	gate := s.tree.Gate() // in which 3 is the id of the group full
	hash := login.Hash("later")
	gate.PutAccount(login.Account{ID: 1, Name: "admin", Group: 3, Hash: hash}) // as after a restart
	if out := python(t, program, task{Port: s.plain, Password: "later"}); out != refused {
		t.Errorf("with hashes only: %q", out)
	}
	_, leave, err := gate.Login(t.Context(), login.Attempt{Door: login.DoorSSH, From: netip.MustParseAddr("127.0.0.1"), Name: "admin", Password: "later"})
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if out := python(t, program, task{Port: s.plain, Password: "later"}); out != "in\n" {
		t.Errorf("after a login by another way: %q", out)
	}
}
