package interop_test

import (
	"context"
	"fmt"
	"testing"

	"gopptp/test/rig"
)

// protocolMultilink is the PPP protocol of fragments.
const protocolMultilink = 0x003d

// multilinkOptions make Linux take part in multilink: an MRRU, and an interface
// that sends what ours is.
const multilinkOptions = "multilink mrru 1614 mtu 1600"

// fullPacket is what an Ethernet carries.
const fullPacket = 1500

// TestRequiresRootMultilink has Linux and us cut packets for each other, each as
// server and as client: a full packet crosses whole that the MTU has no room for.
func TestRequiresRootMultilink(t *testing.T) {
	ctx, l := testLab(t, "multilink")
	d, guest, results := start(t, ctx, l), boot(t, ctx, l, "peer", clientAddress), answerTransfers(t, l)
	console(t, ctx, d,
		"/interface/pptp-server/server/set enabled=yes mrru=1600",
		"/ppp/secret/add name=u1 password=secret1 service=pptp profile=default-encryption local-address="+ourTunnelAddress+" remote-address="+theirTunnelAddress)
	s := &serverTest{l: l, d: d, client: guest, results: results}
	c := &clientTest{l: l, d: d, server: guest, results: results}
	run := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					tidyGuest(t, ctx, guest, results)
					d.Exec(ctx, "/ppp/active/remove [find]", "/interface/pptp-client/remove [find]")
				}
			}()
			test(t)
		})
	}
	for _, test := range []struct {
		name, kind, options string
		encoding            string
		mtu                 int // ours
		lossy               bool
	}{
		{"server, pptp mppe128", "pptp", "require-mppe-128", "MPPE128 stateless", 1500, false},
		{"server, kernel clear", "kernel", "nomppe", "", 1600, false},
		{"server, kernel short numbers", "kernel", "mpshortseq require-mppe-128", "MPPE128 stateless", 1500, false},
		{"server, kernel mppe128, fragments get lost", "kernel", "require-mppe-128", "MPPE128 stateless", 1500, true},
	} {
		run(test.name, func(t *testing.T) {
			mark := d.Mark()
			s.dial(t, ctx, test.kind, multilinkOptions+" "+test.options)
			rig.Shows(t, console(t, ctx, d, "/interface/pptp-server/print"), "<pptp-u1>", fmt.Sprint(test.mtu), test.encoding)
			if test.lossy {
				guestExec(t, ctx, guest, "/host/peer lose 1")
				defer guest.Exec(ctx, "/host/peer lose 0") // also when the test ends here
				checkTransfer(t, ctx, guest, results, theirTunnelAddress, ourTunnelAddress)
				guestExec(t, ctx, guest, "/host/peer lose 0")
			}
			s.crosses(t, ctx, ourTunnelAddress, theirTunnelAddress)
			guestExec(t, ctx, guest, "/host/peer hangup")
			waitLog(t, ctx, d, mark, disconnectLimit, `^<pptp-u1>: disconnected$`)
			s.checkSessionLog(t, d.Log(mark), test.encoding) // one session, all the time
		})
	}
	for _, test := range []struct {
		name, options string
		encoding      string
		mtu           int
	}{
		{"client, mppe128", multilinkOptions + " require-mppe-128", "MPPE128 stateless", 1500},
		{"client, clear", multilinkOptions + " nomppe", "", 1600},
		{"client, server without multilink", "require-mppe-128", "MPPE128 stateless", 1400},
	} {
		run(test.name, func(t *testing.T) {
			c.serve(t, ctx, "require-mschap-v2 "+test.options)
			mark := d.Mark()
			console(t, ctx, d, "/interface/pptp-client/add name=pptp-out1 connect-to="+clientAddress+" disabled=no mrru=1600 user=u1 password=secret1")
			ours := c.connected(t, ctx, mark, connectLimit)
			rig.Shows(t, console(t, ctx, d, "/interface/pptp-client/monitor pptp-out1 once"), fmt.Sprintf("mtu: %d", test.mtu))
			if test.mtu >= fullPacket {
				s.crosses(t, ctx, ours, pptpdTunnelAddress)
			} else {
				checkTunnel(t, ctx, l, guest, results, ours, pptpdTunnelAddress)
			}
			c.remove(t, ctx)
		})
	}
}

// crosses checks that full packets cross in both directions, that a transfer does,
// and that all of it went in fragments.
func (s *serverTest) crosses(t *testing.T, ctx context.Context, ours, theirs string) {
	t.Helper()
	sniffer, err := s.l.Sniff()
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	ping := []string{"ping", "-c", "3", "-i", "0.2", "-W", "2", "-q", "-M", "do", "-s", fmt.Sprint(fullPacket - 28)}
	if _, err := s.l.Run(ctx, append(ping, "-I", ours, theirs)...); err != nil {
		t.Error(err)
	}
	guestExec(t, ctx, s.client, fmt.Sprintf("ping -c 3 -i 0.2 -W 2 -q -M do -s %d %s", fullPacket-28, ours))
	checkTransfer(t, ctx, s.client, s.results, theirs, ours)
	counts := sniffer.Counts()
	if n := counts[protocolMultilink]; n < 24 || counts[protocolIP]+counts[protocolEncrypted] != 0 {
		t.Errorf("on the wire: %v, want fragments only", counts)
	}
}
