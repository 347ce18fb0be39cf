package tunnel

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// TestRequiresRootHostileNames: what a peer calls itself reaches no terminal and no
// program as anything but text, whether it is refused or let in.
func TestRequiresRootHostileNames(t *testing.T) {
	t.Parallel()
	rig.Need(t, "curl")
	server := newMachine(t, "server")
	peer := hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(rig.ServerAddress + "/24")},
		hosttest.Port{In: peer, Name: "wan", Prefix: netip.MustParsePrefix(rig.ClientAddress + "/24")})
	server.Start()
	server.On(
		"/interface/pptp-server/server/set enabled=yes authentication=pap,mschap2",
		"/ip/service/enable www",
		"/user/add name=reader password=r group=full",
		"/ppp/profile/set default-encryption local-address=10.0.0.1 remote-address=10.0.0.5",
	)
	names := []string{
		"\x1b[2J\x1b]0;owned\x07",
		"a\r\n08:00:00 system,info,account admin logged in from 192.0.2.1 via console",
		"null\x00byte",
		"not\xff\xfeUTF-8",
		"c1\u009b31m",
		"right-to-left\u202egnp.exe",
		strings.Repeat("long", 60),
		`quote"and\backslash`,
		"<script>alert(1)</script>",
	}
	c := newCaller(t, peer)
	from := netip.MustParseAddr(rig.ClientAddress)
	for _, name := range names { // each from another address, or they would have to wait
		from = from.Next()
		peer.Address("wan", netip.PrefixFrom(from, 24))
		if _, err := c.dial(t.Context(), from, name, "p"); err == nil {
			t.Errorf("%q got in", name)
		}
	}
	rest := func(path string) string {
		out, err := server.TryRun("curl", "-s", "-u", "reader:r", "http://127.0.0.1/rest"+path)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	for where, text := range map[string]string{
		"standard error":    server.Logged(),
		"/log/print":        server.On("/log/print"),
		"/log/print detail": server.On("/log/print detail"),
		"REST /log":         rest("/log"),
	} {
		if n := strings.Count(text, "authentication failed"); n != len(names) {
			t.Errorf("%s: %d lines of failures, want %d", where, n, len(names))
		}
		plain(t, where, text)
	}
	for line := range strings.Lines(server.Logged()) {
		if len(line) > 400 {
			t.Errorf("a line of %d octets: %.80q…", len(line), line)
		}
		if strings.Contains(line, "admin logged in from 192.0.2.1") && !strings.Contains(line, "authentication failed") {
			t.Errorf("a peer wrote a line of its own: %q", line)
		}
	}
}

// plain checks that a text for people has nothing in it that a terminal obeys.
func plain(t *testing.T, where, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: it is no UTF-8", where)
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("%s: there is %U in it: %.200q", where, r, text)
			return
		}
	}
}

// TestRequiresRootStrangeUser: a user with a strange name gets a session, an
// interface and rows; one whose name a terminal would obey is not made.
func TestRequiresRootStrangeUser(t *testing.T) {
	t.Parallel()
	rig.Need(t, "curl")
	server, client := newPair(t)
	server.On("/ip/service/enable www", "/user/add name=reader password=r group=full")
	if _, err := server.Try(`/ppp/secret/add name="a\1B[2Jb" password=p`); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a name with a control character: %q", err)
	}
	const quoted = `"b\"\\c<d> é/"`
	server.On(`/ppp/secret/add name=` + quoted + ` password=p local-address=10.0.0.1 remote-address=10.0.0.5`)
	client.dial("u", quoted)
	if !client.pings("10.0.0.1") {
		t.Error("no answer")
	}
	rig.Shows(t, server.On("/ppp/active/print"), `b"\c<d> é/`, "10.0.0.5")
	rig.Shows(t, server.On("/ppp/active/print detail"), `name=`+quoted, "10.0.0.5")
	rig.Shows(t, server.On("/interface/pptp-server/print"), `<pptp-b"\c<d> é/>`)
	out, err := server.TryRun("curl", "-s", "-u", "reader:r", "http://127.0.0.1/rest/ppp/active")
	if err != nil {
		t.Fatal(err)
	}
	rig.Shows(t, out, `"address":"10.0.0.5"`, `"name":"b\"\\c`, `é/"`)
	plain(t, "the log", server.Logged())
	server.On(`/ppp/active/remove [find where name=` + quoted + `]`)
	server.Logs(`terminating\.\.\. - administrator request`)
}
