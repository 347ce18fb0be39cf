package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/gre"
	"gopptp/internal/aaa"
	"gopptp/internal/host"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/tun/tuntest"
	"gopptp/ppp"
	"gopptp/pptp"
)

// carries sends a packet of size octets through the tunnel and reports whether it
// arrives.
func (p *pair) carries(from, to *tuntest.TUN, size int) bool {
	p.t.Helper()
	pkt := make([]byte, size)
	pkt[0], pkt[2], pkt[3] = 0x45, byte(size>>8), byte(size)
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
	defer cancel()
	if err := from.Send(ctx, pkt); err != nil {
		p.t.Fatal(err)
	}
	got, err := to.Receive(ctx)
	return err == nil && len(got) == size
}

// sizes gives the MTU and MRU of both ends.
func (p *pair) sizes() (server, client [2]int) {
	p.t.Helper()
	a := p.server.Active()
	c, _ := p.client.Client(1)
	if len(a) != 1 {
		p.t.Fatalf("%d sessions", len(a))
	}
	return [2]int{a[0].MTU, a[0].MRU}, [2]int{c.MTU, c.MRU}
}

// TestMRRU: with an MRRU on both sides full packets cross in fragments, encrypted
// or not; with one on one side all is as without.
func TestMRRU(t *testing.T) {
	for _, r := range []struct {
		name           string
		server, client int // MRRU
		profile        string
		wantServer     [2]int // MTU and MRU
		wantClient     [2]int
		largest        int // that crosses from the client
		fragments      bool
	}{
		{"encrypted", 1600, 1600, "default-encryption", [2]int{1596, 1596}, [2]int{1596, 1596}, 1596, true},
		{"clear", 1600, 1600, "default", [2]int{1600, 1600}, [2]int{1600, 1600}, 1600, true},
		{"different", 1600, 1500, "default", [2]int{1500, 1600}, [2]int{1500, 1500}, 1500, true},
		{"large", 65535, 65535, "default-encryption", [2]int{65531, 65531}, [2]int{65531, 65531}, 65531, true},
		{"server only", 1600, 0, "default-encryption", [2]int{1450, 1450}, [2]int{1450, 1450}, 1450, false},
		{"client only", 0, 1600, "default-encryption", [2]int{1450, 1450}, [2]int{1450, 1450}, 1450, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				fragments, large := 0, 0
				p.gre.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
					var h gre.Header
					frame, err := h.Parse(d.Data)
					var f ppp.Header
					if rest, bad := f.Parse(frame); err == nil && bad == nil {
						if f.Protocol == ppp.ProtocolMP {
							fragments++
						}
						if len(rest) > 1450 {
							large++
						}
					}
					return rawgretest.All(d)
				})
				s, c := serverConfig(), clientConfig()
				s.MRRU, c.MRRU, c.Profile = r.server, r.client, r.profile
				p.server.SetServer(s)
				p.client.PutClient(c)
				server, client := p.devices("<pptp-MT-User>")
				if gotS, gotC := p.sizes(); gotS != r.wantServer || gotC != r.wantClient {
					t.Errorf("MTU and MRU: server %v, client %v", gotS, gotC)
				}
				if p.client.host.last.MTU != r.wantClient[0] || p.server.host.last.MTU != r.wantServer[0] {
					t.Errorf("interfaces with %d and %d", p.client.host.last.MTU, p.server.host.last.MTU)
				}
				for _, size := range []int{20, 1400, 1450, 1500, r.largest} {
					if size <= r.largest && !(p.carries(client, server, size) && p.carries(server, client, min(size, r.wantServer[0]))) {
						t.Errorf("a packet of %d octets does not cross", size)
					}
				}
				if (fragments > 0) != r.fragments || r.fragments && large != 0 {
					t.Errorf("%d fragments, %d frames above the MTU", fragments, large)
				}
			})
		})
	}
}

// TestMRRUChanged: the client dials again with what is set, and without it packets
// are whole again.
func TestMRRUChanged(t *testing.T) {
	withPair(t, func(p *pair) {
		s, c := serverConfig(), clientConfig()
		s.MRRU, c.MRRU = 1600, 1600
		p.server.SetServer(s)
		p.client.PutClient(c)
		p.devices("<pptp-MT-User>")
		c.MRRU = 0
		p.client.PutClient(c)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		name := "<pptp-MT-User>"
		if !p.server.host.Taken(name) { // the new call was there before the old one had gone
			name, _ = host.InterfaceName("<pptp-MT-User-1>", func(string) bool { return false })
		}
		server, client := p.devices(name)
		if _, got := p.sizes(); got != [2]int{1450, 1450} {
			t.Errorf("MTU and MRU %v", got)
		}
		p.crosses(client, server)
	})
}

// TestMRRUChangesMSS: a profile with change-tcp-mss tells the machine what fits.
func TestMRRUChangesMSS(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Yes, ChangeMSS: aaa.Yes})
		s, c := serverConfig(), clientConfig()
		s.MRRU, c.MRRU = 1614, 1614
		p.server.SetServer(s)
		p.client.PutClient(c)
		p.devices("<pptp-MT-User>")
		if got := p.client.host.last; !got.FitMSS || got.MTU != 1610 {
			t.Errorf("fit the MSS to an MTU of %d: %v", got.MTU, got.FitMSS)
		}
	})
}

// TestDecryptsLarge: only those of whom it is known.
func TestDecryptsLarge(t *testing.T) {
	for name, want := range map[string]bool{"gopptp": true, "MikroTik": true, "cananian": false, "linux": false, "": false} {
		if got := decryptsLarge(pptp.Peer{VendorName: name}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
