package tunnel

import (
	"fmt"
	"testing"

	"gopptp/test/rig"
)

// TestRequiresRootMRRU: with an MRRU on both sides a full packet of an Ethernet
// crosses a tunnel whose MTU is 1450, whole for those above it and in both
// directions; without one it does not.
func TestRequiresRootMRRU(t *testing.T) {
	t.Parallel()
	rig.Need(t, "ping")
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	for _, r := range []struct {
		name           string
		server, client string // mrru
		profile        string // of the client
		encoding       string
		mtu            int
	}{
		{"encrypted", "1600", "1600", "default-encryption", "MPPE128 stateless", 1596},
		{"clear", "1600", "1600", "default", "", 1600},
		{"jumbo", "9004", "9004", "default-encryption", "MPPE128 stateless", 9000},
		{"server only", "1600", "disabled", "default-encryption", "MPPE128 stateless", 1450},
		{"client only", "disabled", "1600", "default", "", 1450},
	} {
		t.Run(r.name, func(t *testing.T) {
			server.On("/interface/pptp-server/server/set max-mtu=1450 max-mru=1450 mrru=" + r.server)
			client.dial("tunnel", "u", "max-mtu=1450", "max-mru=1450", "mrru="+r.client, "profile="+r.profile)
			got, mtu := client.Client("tunnel"), fmt.Sprint(r.mtu)
			if got["mtu"] != mtu || got["mru"] != mtu || got["encoding"] != r.encoding {
				t.Errorf("%v, want mtu and mru %s, encoding %q", got, mtu, r.encoding)
			}
			client.Until("the tunnel carries packets", func() bool { return client.pings("10.0.0.1") })
			rig.Shows(t, server.On("/interface/pptp-server/print"), "<pptp-u>", mtu)
			for _, way := range []struct {
				*machine
				to string
			}{{client, "10.0.0.1"}, {server, "10.0.0.5"}} {
				for _, size := range []int{1450, 1500, r.mtu, r.mtu + 1} {
					options := []string{"-M", "do", "-s", fmt.Sprint(size - 28)}
					if size <= r.mtu {
						if !way.answersAll(way.to, options...) {
							t.Errorf("%d octets from the %s do not cross", size, way.Name)
						}
						continue
					}
					if out, err := way.TryRun("ping", append(options, "-c", "1", "-W", "0.2", "-q", way.to)...); err == nil {
						t.Errorf("%d octets from the %s cross:\n%s", size, way.Name, out)
					}
				}
			}
			client.On("/interface/pptp-client/remove tunnel")
			server.Until("the session is over", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
		})
	}
}
