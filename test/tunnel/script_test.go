package tunnel

import (
	"regexp"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// TestRequiresRootScripts: on-up and on-down of a profile run when a session comes
// and goes, and know which one.
func TestRequiresRootScripts(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	const script = `{:log info ("%s " . $user . " " . $"local-address" . " " . $"remote-address" . " " . $"caller-id" . " " . $"called-id" . " " . [/interface/get $interface name])}`
	server.On(
		"/ppp/profile/add name=scripts on-up="+strings.Replace(script, "%s", "up", 1)+" on-down="+strings.Replace(strings.Replace(script, "%s", "down", 1), ` . " " . [/interface/get $interface name]`, "", 1),
		"/ppp/secret/add name=u password=p profile=scripts local-address=10.0.0.1 remote-address=10.0.0.5",
		"/ppp/profile/add name=broken on-up={:error \"no luck\"}",
		"/ppp/secret/add name=broken password=p profile=broken local-address=10.0.1.1 remote-address=10.0.1.5",
		"/ppp/profile/add name=endless on-up={:while (true) do={:delay 1s}}",
		"/ppp/secret/add name=endless password=p profile=endless local-address=10.0.2.1 remote-address=10.0.2.5",
	)
	client.On(`/ppp/profile/add name=scripts use-encryption=yes on-up={:log info ("client up " . $"local-address" . " " . $"remote-address")} on-down={:log info "client down"}`)
	client.dial("u", "u", "profile=scripts")
	server.Logs(`script,info up u 10\.0\.0\.1 10\.0\.0\.5 192\.168\.51\.3 192\.168\.51\.2 <pptp-u>`)
	client.Logs(`script,info client up 10\.0\.0\.5 10\.0\.0\.1`)
	hides(t, server.Logged(), "script,info down")
	client.On("/interface/pptp-client/disable u")
	server.Logs(`script,info down u 10\.0\.0\.1 10\.0\.0\.5 192\.168\.51\.3 192\.168\.51\.2`)
	client.Logs(`script,info client down`)
	if n := len(regexp.MustCompile(`script,info`).FindAllString(server.Logged(), -1)); n != 2 {
		t.Errorf("%d lines of scripts", n)
	}

	// A script that fails or never ends keeps no session from anything.
	client.dial("broken", "broken")
	server.Logs(`script,error.*no luck`)
	if !client.pings("10.0.1.1") {
		t.Error("the session with the broken script carries nothing")
	}
	client.dial("endless", "endless")
	if !client.pings("10.0.2.1") {
		t.Error("the session with the endless script carries nothing")
	}
	client.On("/interface/pptp-client/disable endless")
	server.Until("the session is gone", func() bool { return !server.has("<pptp-endless>") })
	rig.Shows(t, server.On("/system/script/job/print"), "endless")
	server.On("/system/script/job/remove [find where script~\"endless\"]") // or the daemon would let it go on for a while
}
