package tunnel

import "testing"

// TestRequiresRootInterfaceRemoved: a tunnel whose interface somebody removes ends,
// at either end, and the client comes back with a new one.
func TestRequiresRootInterfaceRemoved(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.on("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5",
		"/interface/pptp-server/add name=in-u user=u")
	client.dial("u", "u")
	works := func() bool { return client.has("u") && server.has("in-u") && client.pings("10.0.0.1") }
	client.until("the tunnel works", works)
	client.run("ip", "link", "del", "u")
	client.logs(`u: terminating\.\.\. - interface was removed`)
	client.until("the tunnel works again", works)
	server.run("ip", "link", "del", "in-u")
	server.logs(`in-u: terminating\.\.\. - interface was removed`)
	client.until("the tunnel works once more", works)

	client.on("/interface/pptp-client/set u dial-on-demand=yes")
	client.logs(`u: waiting for packets`)
	client.until("the client waits", func() bool { return client.client("u")["status"] == "waiting for packets" })
	client.run("ip", "link", "del", "u")
	client.until("it waits with a new interface", func() bool {
		return client.has("u") && client.client("u")["status"] == "waiting for packets"
	})
}
