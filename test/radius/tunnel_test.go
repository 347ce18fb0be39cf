package radius

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopptp/test/rig"
)

// ping sends some packets of a size through a tunnel of a client and says how long they
// took; ping does not wait for all that are late.
func (m *machine) ping(tunnel string, count, size int) time.Duration {
	m.t.Helper()
	began := time.Now()
	m.Run("ping", "-q", "-c", fmt.Sprint(count), "-s", fmt.Sprint(size), "-i", "0.002", "-W", "5", "-I", tunnel, "10.0.0.1")
	return time.Since(began)
}

// TestRequiresRootTunnelMethods connects users by every method, and refuses
// others in RouterOS's words. A secret beats RADIUS.
func TestRequiresRootTunnelMethods(t *testing.T) {
	t.Parallel()
	server, client, f := newTunnels(t, fmt.Sprintf(`
local	Cleartext-Password := "remote"
plain	Cleartext-Password := "%s"
	Framed-IP-Address = 10.99.0.2
`, password))
	server.On("/ppp/secret/add name=local password=here remote-address=10.99.0.9")
	for _, c := range []struct{ method, user, address, encoding string }{
		{"pap", "plain", "10.99.0.2", ""},
		{"chap", "plain", "10.99.0.2", ""},
		{"mschap1", "plain", "10.99.0.2", "MPPE128 stateless"},
		{"mschap2", `DOM\plain`, "10.99.0.2", "MPPE128 stateless"},
		{"mschap2", "u-sql", "10.99.0.1", "MPPE128 stateless"},
	} {
		client.dial("u", c.user, "allow="+c.method)
		server.sessions(1)
		client.ping("u", 3, 100)
		active := server.On("/ppp/active/print detail")
		rig.Shows(t, server.On("/ppp/active/print"), "Flags: R - radius", "0  R  "+c.user)
		rig.Shows(t, active, "0 R", fmt.Sprintf("name=%q", c.user), "address="+c.address, fmt.Sprintf("encoding=%q", c.encoding), "limit-bytes-in=0")
		if got := client.Client("u")["local-address"]; got != c.address {
			t.Errorf("%s by %s: the address is %s", c.user, c.method, got)
		}
		client.On("/interface/pptp-client/remove u")
		server.sessions(0)
	}

	client.add("local", "local", "here")
	client.Connected("local")
	if active := server.On("/ppp/active/print detail"); strings.Contains(active, "0 R ") {
		t.Errorf("a secret's user is RADIUS's:\n%s", active)
	}
	client.On("/interface/pptp-client/remove local")
	server.sessions(0)
	// It knows the user by the other password, and is not asked.
	server.stopped(f, "local")
	before := server.Monitor("/radius/monitor 0")["requests"]
	client.add("local", "local", "remote")
	server.Logs(`: user local authentication failed\n`)
	client.On("/interface/pptp-client/remove local")
	if got := server.Monitor("/radius/monitor 0"); got["requests"] != before || got["bad-replies"] != "0" || got["pending"] != "0" || got["accepts"] == "0" {
		t.Errorf("the monitor shows %v, before %s requests", got, before)
	}

	for _, method := range []string{"pap", "mschap2"} {
		client.add("wrong", "plain", "wrong", "allow="+method)
		server.Logs(`: user plain authentication failed\n`)
		client.Logs(`wrong: terminating\.\.\. - failed to authenticate ourselves to peer`)
		client.On("/interface/pptp-client/remove wrong")
	}
	client.add("nobody", "nobody", password)
	server.Logs(`: user nobody authentication failed\n`)
	client.On("/interface/pptp-client/remove nobody")
	server.Until("rejects", func() bool { return server.Monitor("/radius/monitor 0")["rejects"] >= "3" })
	server.On("/radius/reset-counters 0")
	if got := server.Monitor("/radius/monitor 0"); got["rejects"] != "0" || got["requests"] != "0" || got["last-request-rtt"] != "0s" {
		t.Errorf("after reset-counters: %v", got)
	}

	// With a wrong secret FreeRADIUS says nothing: the request's signature is bad.
	server.On("/radius/set 0 secret=another")
	client.add("u", "plain", password)
	server.Logs(`: user plain authentication failed - radius timeout\n`)
	server.On("/radius/set 0 secret=" + secret)
	client.Connected("u")
	client.On("/interface/pptp-client/remove u")
	// While there is no server nobody gets in but who has a secret; the next server
	// in the list helps.
	f.stop()
	server.On("/radius/reset-counters 0")
	client.add("u", "plain", password)
	server.Until("a request without an answer", func() bool {
		got := server.Monitor("/radius/monitor 0")
		return got["timeouts"] != "0" && got["resends"] != "0"
	})
	client.add("local", "local", "here")
	client.Connected("local")
	server.On(
		"/radius/set 0 authentication-port=9 accounting-port=9",
		fmt.Sprintf("/radius/add service=ppp address=127.0.0.1 secret=%s authentication-port=%d accounting-port=%d", secret, f.auth, f.acct),
	)
	f.start(t)
	client.Connected("u")
	server.Until("the second one accepts", func() bool { return server.Monitor("/radius/monitor 1")["accepts"] != "0" })
}

// TestRequiresRootTunnelUnsigned has a server whose replies carry no
// Message-Authenticator: they are not believed, unless the row says so. The log
// for debugging shows each packet, and no secret.
func TestRequiresRootTunnelUnsigned(t *testing.T) {
	t.Parallel()
	server, client, f := newTunnels(t, fmt.Sprintf("u\tCleartext-Password := \"%s\"\n\tFramed-IP-Address = 10.99.0.2\n", password))
	f.stop()
	conf, err := os.ReadFile(filepath.Join(f.dir, "radiusd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "radiusd.conf", bytes.ReplaceAll(conf, []byte("&Message-Authenticator := 0x00"), []byte("&Reply-Message := \"welcome\"")))
	f.start(t)
	server.Stop()
	server.Args = []string{"--log-level", "debug"}
	server.Start()
	client.add("u", "u", password, "allow=pap")
	server.Logs(`radius,error server 127\.0\.0\.1:\d+ replies without Message-Authenticator and is not believed`)
	server.Logs(`: user u authentication failed - radius timeout\n`)
	if n := server.Monitor("/radius/monitor 0"); n["bad-replies"] == "0" || n["accepts"] != "1" { // that is Accounting-On
		t.Errorf("the monitor shows %v", n)
	}
	server.On("/radius/set 0 require-message-auth=no")
	client.Connected("u")
	server.Logs(`radius,debug tx Access-Request with id \d+ to 127\.0\.0\.1:\d+\n`)
	server.Logs(`radius,debug rx Access-Accept with id \d+ from 127\.0\.0\.1:\d+\n`)
	server.Logs(`radius,debug,packet     Service-Type = 2\n`)
	server.Logs(`radius,debug,packet     User-Name = "u"\n`)
	server.Logs(`radius,debug,packet     User-Password = \(secret\)\n`)
	server.Logs(`radius,debug tx Accounting-Request with id \d+ to 127\.0\.0\.1:\d+\n`)
	if log := server.Logged(); strings.Contains(log, password) || strings.Contains(log, secret) {
		t.Error("the log has a secret")
	}
}

// TestRequiresRootTunnelAttributes: what a server orders has its effect on the
// live session.
func TestRequiresRootTunnelAttributes(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft")
	users := ""
	for user, reply := range map[string]string{
		"routed": `Framed-IP-Address = 10.20.30.40, Framed-IP-Netmask = 255.255.255.0, Framed-Pool = "second",
			Framed-Route = "192.168.7.0/24 0.0.0.0 5", Framed-Route += "172.16.0.0/12"`,
		"pooled":  `Framed-Pool = "second"`,
		"chosen":  `Framed-IP-Address = 255.255.255.254, Framed-Pool = "second"`,
		"nowhere": `Framed-Pool = "none"`,
		"filtered": `Framed-IP-Address = 10.20.31.1, Filter-Id = "both", Filter-Id += "inward.in", Mikrotik-Address-List = "vpn",
			MS-Primary-DNS-Server = 10.0.0.53, MS-Secondary-DNS-Server = 10.0.1.53`,
		"gold":     `Framed-IP-Address = 10.20.31.2, Mikrotik-Group = "gold"`,
		"nogroup":  `Framed-IP-Address = 10.20.31.3, Mikrotik-Group = "none"`,
		"slow":     `Framed-IP-Address = 10.20.31.4, Mikrotik-Rate-Limit = "256k"`,
		"nonsense": `Framed-IP-Address = 10.20.31.5, Mikrotik-Rate-Limit = "fast"`,
		"received": `Framed-IP-Address = 10.20.31.6, Mikrotik-Recv-Limit = 5000, Mikrotik-Xmit-Limit-Gigawords = 1`,
		"total":    `Framed-IP-Address = 10.20.31.7, Mikrotik-Total-Limit = 8000`,
		"ended":    `Framed-IP-Address = 10.20.31.8, WISPr-Session-Terminate-Time = "2020-01-01T00:00:00Z"`,
		"single":   `Port-Limit = 1`,
		"required": `MS-MPPE-Encryption-Policy = Encryption-Required, MS-MPPE-Encryption-Types = RC4-40or128-bit-Allowed`,
	} {
		users += fmt.Sprintf("%s\tCleartext-Password := \"%s\"\n\t%s\n", user, password, strings.ReplaceAll(reply, "\t", ""))
	}
	users = strings.ReplaceAll(users, ",\n", ",\n\t")
	server, client, _ := newTunnels(t, users)
	server.On(
		"/ip/pool/add name=first ranges=10.31.0.10-10.31.0.20", "/ip/pool/add name=second ranges=10.32.0.10-10.32.0.20",
		"/ppp/profile/set default-encryption remote-address=first only-one=yes",
		"/ppp/profile/add name=gold local-address=10.0.0.2 incoming-filter=golden address-list=golden",
	)
	address := func(user string) string {
		server.Until(user+" is active", func() bool { return server.On(`/ppp/active/print count-only where name=`+user) == "1\n" })
		return server.get("/ppp/active", user, "address")
	}
	list := func(kind, set string) string { return server.Run("nft", "list", kind, "ip", "gopptp", set) }

	client.dial("routed", "routed")
	if got := address("routed"); got != "10.20.30.40" {
		t.Errorf("Framed-IP-Address: %s", got)
	}
	server.Until("routes", func() bool { return strings.Contains(server.Run("ip", "route"), "172.16.0.0/12") })
	routes := server.Run("ip", "route")
	rig.Shows(t, routes, "10.20.30.0/24 dev <pptp-routed>")
	rig.Shows(t, routes, "172.16.0.0/12 dev <pptp-routed>")
	rig.Shows(t, routes, "192.168.7.0/24 dev <pptp-routed>", "metric 5")
	client.On("/interface/pptp-client/remove routed")
	server.Until("the routes are gone", func() bool { return !strings.Contains(server.Run("ip", "route"), "192.168.7.0") })

	client.dial("pooled", "pooled")
	if got := address("pooled"); got != "10.32.0.10" {
		t.Errorf("Framed-Pool: %s", got)
	}
	rig.Shows(t, server.On("/ip/pool/used/print"), "second", "10.32.0.10", "PPP", "pooled")
	client.dial("chosen", "chosen")
	if got := address("chosen"); got != "10.31.0.10" {
		t.Errorf("an address to be chosen: %s", got)
	}
	client.add("nowhere", "nowhere", password)
	server.Logs(`user nowhere gets no address`)
	client.On("/interface/pptp-client/remove nowhere")

	client.dial("filtered", "filtered", "use-peer-dns=yes")
	address("filtered")
	rig.Shows(t, list("map", "gopptp-incoming"), `"<pptp-filtered>" : jump inward`)
	rig.Shows(t, list("map", "gopptp-outgoing"), `"<pptp-filtered>" : jump both`)
	rig.Shows(t, list("set", "vpn"), "10.20.31.1")
	client.Until("name servers", func() bool {
		return strings.Contains(client.ReadFile("resolv.conf"), "nameserver 10.0.0.53\nnameserver 10.0.1.53")
	})

	client.dial("gold", "gold")
	address("gold")
	if got := client.Client("gold")["remote-address"]; got != "10.0.0.2" {
		t.Errorf("Mikrotik-Group: the other end is %s", got)
	}
	rig.Shows(t, list("map", "gopptp-incoming"), `"<pptp-gold>" : jump golden`)
	rig.Shows(t, list("set", "golden"), "10.20.31.2")
	client.dial("nogroup", "nogroup")
	server.Logs(`user "nogroup": the group "none" of a server is no profile: default-encryption is used`)

	client.dial("slow", "slow")
	if took := client.ping("slow", 40, 1000); took < 700*time.Millisecond {
		t.Errorf("330 kbit at 256 kbit/s took %v", took)
	}
	client.On("/interface/pptp-client/remove slow")
	client.dial("nonsense", "nonsense")
	server.Logs(`rate limit "fast" of a server is ignored`)

	client.dial("received", "received")
	address("received")
	rig.Shows(t, server.On("/ppp/active/print detail where name=received"), "limit-bytes-in=5000 limit-bytes-out=4294967296")
	client.dial("total", "total")
	for _, user := range []string{"received", "total"} {
		// The session may end meanwhile.
		_, _ = client.TryRun("ping", "-q", "-c", "10", "-s", "1000", "-i", "0.01", "-W", "1", "-I", user, "10.0.0.1")
		server.Logs(`<pptp-` + user + `>: terminating\.\.\. - traffic limit reached`)
	}
	client.add("ended", "ended", password)
	server.Logs(`<pptp-ended>: terminating\.\.\. - session timeout`)

	// PAP gives no keys.
	client.add("required", "required", password, "allow=pap")
	server.Logs(`<pptp-required>: terminating\.\.\. - encryption`)
	client.On("/interface/pptp-client/remove required")

	// only-one of the profile does not count, Port-Limit does; the same client that
	// comes again takes the place of its old session.
	client.dial("gold2", "gold")
	server.Until("two sessions", func() bool { return server.On("/ppp/active/print count-only where name=gold") == "2\n" })
	client.dial("single", "single")
	address("single")
	client.add("single2", "single", password)
	server.Logs(`<pptp-single>: terminating\.\.\. - user is already active`)
}
