package radius

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopptp/test/rig"
)

// order sends a request to the server as its FreeRADIUS would, and gives what
// radclient prints.
func (m *machine) order(kind, secret, attributes string) string {
	m.t.Helper()
	out, err := m.Feed(attributes, "radclient", "-x", "-r", "1", "-t", "1", "127.0.0.1:3799", kind, secret)
	if _, refused := err.(*exec.ExitError); err != nil && !refused {
		m.t.Fatal(err)
	}
	return out
}

// TestRequiresRootTunnelOrders changes live sessions and ends them by radclient.
// A tunnel that is changed loses no packet.
func TestRequiresRootTunnelOrders(t *testing.T) {
	t.Parallel()
	rig.Need(t, "radclient")
	rig.Need(t, "nft")
	users := ""
	for n, user := range []string{"one", "two", "other"} {
		users += fmt.Sprintf("%s\tCleartext-Password := \"%s\"\n\tFramed-IP-Address = 10.20.30.%d, Session-Timeout = 86400\n", user, password, n+1)
	}
	users += fmt.Sprintf("many\tCleartext-Password := \"%s\"\n", password)
	server, client, f := newTunnels(t, users)
	server.On(
		"/radius/incoming/set accept=yes",
		"/ip/pool/add name=many ranges=10.20.31.1-10.20.31.9",
		"/ppp/profile/set default-encryption remote-address=many",
		"/ppp/profile/add name=gold incoming-filter=golden",
		"/ppp/secret/add name=local password=here remote-address=10.20.32.1",
	)
	for _, name := range []string{"one", "two", "other"} {
		client.dial(name, name)
	}
	client.dial("m1", "many")
	client.dial("m2", "many")
	client.add("local", "local", "here")
	client.Connected("local")
	server.sessions(6)
	id := func(user string) string {
		return strings.TrimPrefix(server.get("/ppp/active", user, "session-id"), "0x")
	}
	one, two := id("one"), id("two")

	// From here on the tunnel of one is used all the time.
	ping := exec.Command("ping", "-q", "-i", "0.1", "-c", "2000", "-W", "5", "-I", "one", "10.0.0.1")
	var lost strings.Builder
	ping.Stdout, ping.Stderr = &lost, &lost
	client.Do(func() {
		if err := ping.Start(); err != nil {
			t.Fatal(err)
		}
	})
	filters := func() string {
		return server.Run("nft", "list", "map", "ip", "gopptp", "gopptp-incoming") + server.Run("nft", "list", "map", "ip", "gopptp", "gopptp-outgoing")
	}
	orders := []struct{ kind, attributes, answer, cause string }{
		{"coa", "Acct-Session-Id = " + one + ", Mikrotik-Rate-Limit = 10M/10M", "CoA-ACK", ""},
		{"coa", "Acct-Session-Id = " + one + ", Mikrotik-Rate-Limit = fast", "CoA-NAK", "Resources-Unavailable"},
		{"coa", "Acct-Session-Id = " + one + ", Mikrotik-Group = none, Filter-Id = elsewhere", "CoA-NAK", "Resources-Unavailable"},
		{"coa", "User-Name = one, Filter-Id = first.in", "CoA-ACK", ""},
		{"coa", "User-Name = one, Filter-Id = ppp", "CoA-NAK", "Resources-Unavailable"}, // a circle
		{"coa", "User-Name = one, Session-Timeout = 7200, Idle-Timeout = 600", "CoA-ACK", ""},
		{"coa", "User-Name = one, Mikrotik-Recv-Limit = 100000000, Mikrotik-Xmit-Limit-Gigawords = 1", "CoA-ACK", ""},
		{"coa", "User-Name = local, Mikrotik-Group = gold", "CoA-ACK", ""},
		{"coa", "User-Name = one, Framed-IP-Address = 10.20.30.1, Class = 0x6e6577", "CoA-ACK", ""},
		{"coa", "User-Name = one, Framed-Pool = many", "CoA-NAK", "Unsupported-Attribute"},
		{"coa", "User-Name = nobody, Session-Timeout = 1", "CoA-NAK", "Session-Context-Not-Found"},
		{"disconnect", "User-Name = nobody", "Disconnect-NAK", "Session-Context-Not-Found"},
		{"disconnect", "User-Name = one, Acct-Session-Id = " + two, "Disconnect-NAK", "Session-Context-Not-Found"},
		{"disconnect", "Acct-Session-Id = " + two + ", Message-Authenticator = 0x00", "Disconnect-ACK", ""},
		{"disconnect", "User-Name = many", "Disconnect-ACK", ""},
	}
	server.Until("the port is open", func() bool {
		return strings.Contains(server.order("coa", secret, "NAS-Identifier = router"), "CoA-NAK")
	})
	server.On("/radius/incoming/reset-counters")
	for _, o := range orders {
		out := server.order(o.kind, secret, o.attributes)
		if !strings.Contains(out, "Received "+o.answer) || !strings.Contains(out, o.cause) {
			t.Errorf("%s %s:\n%s", o.kind, o.attributes, out)
		}
	}
	rig.Shows(t, filters(), `"<pptp-one>" : jump first`)
	rig.Shows(t, filters(), `"<pptp-local>" : jump golden`)
	if out := filters(); strings.Contains(out, "elsewhere") {
		t.Errorf("an order that was refused has an effect:\n%s", out)
	}
	if got := server.get("/ppp/active", "one", "limit-bytes-in") + " " + server.get("/ppp/active", "one", "limit-bytes-out"); got != "100000000 4294967296" {
		t.Errorf("the limits are %s", got)
	}
	if stop := server.stopped(f, "two"); stop["Acct-Terminate-Cause"] != "Admin-Reset" || stop["Acct-Session-Id"] != two {
		t.Errorf("two: %v", stop)
	}
	server.Until("both of many are gone", func() bool {
		return strings.Count(server.Logged(), "<pptp-many>: disconnected")+strings.Count(server.Logged(), "<pptp-many-1>: disconnected") >= 2
	})
	if got := server.Monitor("/radius/incoming/monitor"); got["requests"] != "15" || got["acks"] != "8" || got["naks"] != "7" || got["bad-requests"] != "0" {
		t.Errorf("the monitor shows %v", got)
	}

	// Who does not know the secret, or is no server, gets no answer.
	if out := server.order("disconnect", "wrong", "User-Name = one"); strings.Contains(out, "Received") {
		t.Errorf("with a wrong secret:\n%s", out)
	}
	out, _ := client.Feed("User-Name = one", "radclient", "-x", "-r", "1", "-t", "1", rig.ServerAddress+":3799", "disconnect", secret)
	if strings.Contains(out, "Received") {
		t.Errorf("from elsewhere:\n%s", out)
	}
	if got := server.Monitor("/radius/incoming/monitor"); got["requests"] != "17" || got["bad-requests"] != "2" {
		t.Errorf("the monitor shows %v", got)
	}

	// A rate is in force at once.
	if took := client.ping("one", 40, 1000); took > 600*time.Millisecond {
		t.Errorf("330 kbit at 10 Mbit/s took %v", took)
	}
	server.order("coa", secret, "User-Name = one, Mikrotik-Rate-Limit = 256k")
	if took := client.ping("one", 40, 1000); took < 700*time.Millisecond {
		t.Errorf("330 kbit at 256 kbit/s took %v", took)
	}
	server.order("coa", secret, "User-Name = one, Mikrotik-Rate-Limit = 0")
	time.Sleep(1500 * time.Millisecond) // what waited for its turn comes
	_ = ping.Process.Signal(os.Interrupt)
	_ = ping.Wait()
	fields := strings.Fields(strings.ReplaceAll(lost.String(), ",", ""))
	sent, received := before(fields, "packets"), before(fields, "received")
	if n, err := strconv.Atoi(sent); err != nil || n < 20 || received != sent {
		t.Errorf("of the packets under way some were lost:\n%s", lost.String())
	}

	// A session that is older than its new limit ends.
	server.order("coa", secret, "User-Name = one, Session-Timeout = 1")
	server.Logs(`<pptp-one>: terminating\.\.\. - session timeout`)
	list := f.records(t, "one")
	server.Until("one's stop", func() bool {
		list = f.records(t, "one")
		return len(list) > 1 && list[1]["Acct-Status-Type"] == "Stop"
	})
	if list[1]["Acct-Terminate-Cause"] != "Session-Timeout" || list[1]["Class"] != "0x6e6577" {
		t.Errorf("the end of one: %v", list[1])
	}
}

// before gives the word before another.
func before(words []string, w string) string {
	for i := 1; i < len(words); i++ {
		if words[i] == w {
			return words[i-1]
		}
	}
	return ""
}
