package tunnel

import "testing"

// TestRequiresRootInterfaceRemoved: a tunnel whose interface somebody removes ends,
// at either end, and the client comes back with a new one.
func TestRequiresRootInterfaceRemoved(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5",
		"/interface/pptp-server/add name=in-u user=u")
	client.dial("u", "u")
	works := func() bool { return client.has("u") && server.has("in-u") && client.pings("10.0.0.1") }
	client.Until("the tunnel works", works)
	client.Run("ip", "link", "del", "u")
	client.Logs(`u: terminating\.\.\. - interface was removed`)
	client.Until("the tunnel works again", works)
	server.Run("ip", "link", "del", "in-u")
	server.Logs(`in-u: terminating\.\.\. - interface was removed`)
	client.Until("the tunnel works once more", works)

	client.On("/interface/pptp-client/set u dial-on-demand=yes")
	client.Logs(`u: waiting for packets`)
	client.Until("the client waits", func() bool { return client.Client("u")["status"] == "waiting for packets" })
	client.Run("ip", "link", "del", "u")
	client.Until("it waits with a new interface", func() bool {
		return client.has("u") && client.Client("u")["status"] == "waiting for packets"
	})
}
