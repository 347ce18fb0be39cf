package tunnel

import (
	"regexp"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// TestRequiresRootStaticInterface: an entry of /interface/pptp-server is its user's,
// while it is enabled and free.
func TestRequiresRootStaticInterface(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On(
		"/ppp/secret/add name=u password=p local-address=10.0.0.1",
		"/ppp/secret/add name=v password=p local-address=10.0.1.1 remote-address=10.0.1.5",
		"/ip/pool/add name=p ranges=10.0.0.5-10.0.0.9",
		"/ppp/profile/set default-encryption remote-address=p",
		`/interface/pptp-server/add name=office user=u comment="the office"`,
		"/interface/pptp-server/add name=away user=v disabled=yes",
	)
	rig.Shows(t, server.On("/interface/pptp-server/print"), ";;; the office", "office", "away")
	if got := server.Monitor("/interface/pptp-server/monitor office"); got["status"] != "disconnected" || len(got) != 1 {
		t.Errorf("the monitor of a free entry shows %q", got)
	}
	client.dial("c1", "u")
	client.dial("c2", "u")
	client.dial("c3", "v")
	server.Until("all are up", func() bool { return server.On("/ppp/active/print count-only") == "3\n" })
	out := server.On("/interface/pptp-server/print")
	for _, row := range []string{
		`(?m)^\d+    R  office +u +1450 +192\.168\.51\.3 +\d+s +MPPE128 stateless *$`,
		`(?m)^\d+  X    away +v`,
		`(?m)^\d+   DR  <pptp-u> +u +1450 +192\.168\.51\.3 +\d+s +MPPE128 stateless *$`,
		`(?m)^\d+   DR  <pptp-v> +v `,
	} {
		if !regexp.MustCompile(row).MatchString(out) {
			t.Errorf("no line %s in\n%s", row, out)
		}
	}
	for name, there := range map[string]bool{"office": true, "away": false, "<pptp-u>": true, "<pptp-v>": true} {
		if server.has(name) != there {
			t.Errorf("the interface %s is there: %v", name, !there)
		}
	}
	got := server.Monitor("/interface/pptp-server/monitor office")
	for key, want := range map[string]string{
		"status": "connected", "user": "u", "caller-id": rig.ClientAddress, "encoding": "MPPE128 stateless",
		"mtu": "1450", "mru": "1450", "local-address": "10.0.0.1", "remote-address": "10.0.0.5",
	} {
		if got[key] != want {
			t.Errorf("the monitor shows %s=%q, want %q", key, got[key], want)
		}
	}

	// What passes is counted.
	client.Run("ping", "-q", "-c", "5", "-i", "0.01", "-s", "972", "-I", "c1", "10.0.0.1")
	if got := strings.Fields(server.On(`:put [/interface/get office rx-byte]`, `:put [/interface/get office tx-packet]`)); len(got) != 2 || got[0] != "5000" || got[1] != "5" {
		t.Errorf("octets received and packets sent: %q", got)
	}
	rig.Shows(t, server.On("/interface/print stats"), "office", "5 000", "5 000")
	flood := client.background("ping", "-q", "-i", "0.01", "-s", "972", "-I", "c1", "10.0.0.1")
	server.Until("the traffic is seen", func() bool {
		out := server.On("/interface/monitor-traffic office duration=2s")
		return regexp.MustCompile(`rx-bits-per-second: +[4-9]\d\d(\.\d)?kbps`).MatchString(out) && strings.Contains(out, "tx-packets-per-second:")
	})
	flood.end()

	// A live entry may be renamed and get a comment; the session goes on.
	server.On(`/interface/pptp-server/set office name=branch comment="now a branch"`)
	rig.Shows(t, server.On("/interface/pptp-server/print"), ";;; now a branch", "R  branch")
	if got := client.Client("c1"); got["status"] != "connected" {
		t.Errorf("after the new name the client is %s", got["status"])
	}
	if !client.pings("10.0.0.1", "-I", "c1") {
		t.Error("after the new name nothing passes")
	}
	// A dynamic entry can be removed, which ends its session; one that is made for
	// v now is v's when it comes back.
	server.On("/interface/pptp-server/enable away", `/interface/pptp-server/remove [find where name="<pptp-v>"]`)
	server.Until("v has its interface", func() bool { return server.has("away") })
	client.Connected("c3")
	// Disabling an entry ends the session, which comes back as a dynamic one.
	server.On("/interface/pptp-server/disable away")
	server.Until("v has a dynamic interface", func() bool { return server.has("<pptp-v>") && !server.has("away") })
	// Removing one as well.
	server.On("/interface/pptp-server/remove branch")
	server.Until("u has two dynamic interfaces", func() bool { return server.has("<pptp-u>") && server.has("<pptp-u-1>") && !server.has("office") })
}
