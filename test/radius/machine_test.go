package radius

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// A machine is a gopptp in a network namespace of its own.
type machine struct {
	*rig.Machine
	t *testing.T
}

func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	m := &machine{rig.New(t, name, ""), t}
	m.StopLimit = 8 * time.Second // it says 2, and 1.5 for RADIUS; a busy machine gets some more
	return m
}

// get gives one property of an item.
func (m *machine) get(menu, item, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.On(fmt.Sprintf(`:put [%s/get [find name="%s"] %s]`, menu, item, property)))
}

// sessions waits until the server has so many.
func (m *machine) sessions(n int) {
	m.t.Helper()
	m.Until(fmt.Sprint(n, " sessions"), func() bool { return m.On("/ppp/active/print count-only") == fmt.Sprintln(n) })
}

// add adds a client; dial waits until it is connected.
func (m *machine) add(name, user, secret string, options ...string) {
	m.t.Helper()
	m.On(fmt.Sprintf(`/interface/pptp-client/add disabled=no connect-to=%s name=%s user="%s" password=%s %s`,
		rig.ServerAddress, name, strings.ReplaceAll(user, `\`, `\\`), secret, strings.Join(options, " ")))
}

func (m *machine) dial(name, user string, options ...string) {
	m.t.Helper()
	m.add(name, user, password, options...)
	m.Connected(name)
}

// newTunnels makes a server that knows a FreeRADIUS on its loopback, and a
// client, all running.
func newTunnels(t *testing.T, users string) (server, client *machine, f *server) {
	t.Helper()
	rig.Need(t, daemonName)
	server, client = newMachine(t, "server"), newMachine(t, "client")
	rig.Plug(t, server.Machine, client.Machine)
	server.Do(func() { f = newServer(t) })
	f.in = server.Do
	f.write(t, "users", []byte(users))
	f.start(t)
	server.Start()
	client.Start()
	server.On(
		"/system/identity/set name=router",
		"/ppp/profile/set default-encryption local-address=10.0.0.1",
		fmt.Sprintf("/radius/add service=ppp address=127.0.0.1 secret=%s authentication-port=%d accounting-port=%d", secret, f.auth, f.acct),
		"/ppp/aaa/set use-radius=yes",
		"/interface/pptp-server/server/set enabled=yes authentication=pap,chap,mschap1,mschap2",
	)
	return server, client, f
}

// lostCable plugs another client into the server.
func lostCable(t *testing.T, server, client *machine) {
	t.Helper()
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan2", Prefix: netip.MustParsePrefix("192.168.52.2/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix("192.168.52.3/24")})
}
