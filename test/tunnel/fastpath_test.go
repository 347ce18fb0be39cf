package tunnel

import (
	"os"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// withoutGRE keeps GRE from passing through the kernel of a machine: what still gets
// through a tunnel goes by the fast path.
const withoutGRE = `table ip without-gre {
	chain input { type filter hook input priority 0; ip protocol gre drop; }
	chain output { type filter hook output priority 0; ip protocol gre drop; }
}
`

// TestRequiresRootFastPath has both ends of a tunnel on the fast path, or only one, and
// GRE blocked for the kernels of those: packets of all sizes and TCP pass both ways, with
// and without encryption, and control connections go on as ever.
func TestRequiresRootFastPath(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft", "iperf3")
	for _, tt := range []struct {
		name           string
		server, client string // the interface with its options, or empty
	}{{"both", "wan", "wan"}, {"drivers", "wan:driver", "wan:driver"}, {"server", "wan", ""}, {"client", "", "wan"}, {"client's driver", "", "wan:driver"}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if os.Getenv(rig.FastPathVariable) != "" && tt.name != "both" {
				t.Skip("all machines use the fast path, as " + rig.FastPathVariable + " says")
			}
			server, client := newMachine(t, "server"), newMachine(t, "client")
			rig.Plug(t, server.Machine, client.Machine)
			fast := map[*machine]string{server: tt.server, client: tt.client}
			for _, m := range []*machine{server, client} {
				m.WriteFile("rules", withoutGRE)
				if fast[m] != "" && os.Getenv(rig.FastPathVariable) == "" {
					m.Args = []string{"--fast-path", fast[m]}
				}
				m.Start()
			}
			server.On("/interface/pptp-server/server/set enabled=yes",
				"/ppp/profile/add name=plain use-encryption=no",
				"/ppp/secret/add name=sealed password=p profile=default-encryption local-address=10.1.0.1 remote-address=10.1.0.2",
				"/ppp/secret/add name=plain password=p profile=plain local-address=10.2.0.1 remote-address=10.2.0.2")
			client.On("/ppp/profile/add name=plain use-encryption=no")
			client.dial("sealed", "sealed")
			client.dial("plain", "plain", "profile=plain")
			far := map[string]string{"sealed": "10.1.0.1", "plain": "10.2.0.1"}
			for name, address := range far {
				client.Until(name+" answers", func() bool { return client.pings(address) })
			}
			for _, m := range []*machine{server, client} {
				if fast[m] != "" {
					m.Run("nft", "-f", m.File("rules"))
				}
			}
			for name, address := range far {
				// The first packets to a peer go the usual way, and are lost here.
				client.Until(name+" still answers", func() bool { return client.answersAll(address) })
				for _, size := range []string{"0", "100", "1400", "1422"} { // 1450 with headers
					client.Until(name+" answers to "+size, func() bool { return client.pings(address, "-s", size, "-M", "do") })
				}
				for _, way := range [][]string{nil, {"-R"}} {
					// One server a run: between two runs, iperf3 closes the socket that it
					// listens on, and resets who waits there.
					listening := server.background("iperf3", "-s", "-1", "-B", address, "--forceflush")
					server.Until("iperf3 listens", func() bool { return strings.Contains(listening.Text(), "listening") })
					out, err := client.TryRun("iperf3", append([]string{"-c", address, "-n", "20M"}, way...)...)
					if err != nil {
						t.Errorf("%s %v: %v\n%s", name, way, err, out)
					}
					listening.end()
				}
			}
			// The same clients come again: the first packets of a call may need the
			// kernel, which does not let them through, and are sent again.
			client.On("/interface/pptp-client/disable sealed", "/interface/pptp-client/enable sealed")
			client.Connected("sealed")
			client.Until("sealed answers again", func() bool { return client.pings(far["sealed"]) })
		})
	}
}
