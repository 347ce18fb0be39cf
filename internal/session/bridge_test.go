package session

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/host"
	"gopptp/internal/shape"
	"gopptp/internal/tun/tuntest"
)

// bridged puts a bridge into the profiles of both sides, of which the server's has the
// given MRRU, and dials; only is a user without addresses.
func bridged(p *pair, server, client string, only bool, mrru int) {
	for _, r := range []struct {
		side   *side
		bridge string
	}{{p.server, server}, {p.client, client}} {
		r.side.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Required, Bridge: aaa.BridgePort{Bridge: r.bridge}})
	}
	s := secret("default-encryption")
	if only {
		s.LocalAddress, s.RemoteAddress = netip.Addr{}, netip.Addr{}
	}
	p.server.PutSecret(s)
	config := serverConfig()
	config.MRRU = mrru
	p.server.SetServer(config)
	c := clientConfig()
	c.MRRU = 1600
	p.client.PutClient(c)
}

// ports waits for the ports of both bridges.
func (p *pair) ports() (server, client *tuntest.TUN) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	wait := func(s *side, tunnel string) *tuntest.TUN {
		name, _ := host.InterfaceName(tunnel+"-br", func(string) bool { return false })
		d, err := s.host.Wait(ctx, name)
		if err != nil {
			p.t.Fatalf("no port: %v\nserver:\n%s\nclient:\n%s", err, p.server.lines(), p.client.lines())
		}
		return d
	}
	client, server = wait(p.client, "pptp-out1"), wait(p.server, "<pptp-MT-User>")
	synctest.Wait()
	return server, client
}

// frames sends a full frame from one port to the other.
func (p *pair) frames(from, to *tuntest.TUN) {
	p.t.Helper()
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00}, make([]byte, 1500)...)
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
	defer cancel()
	if err := from.Send(ctx, frame); err != nil {
		p.t.Fatal(err)
	}
	if got, err := to.Receive(ctx); err != nil || !bytes.Equal(got, frame) {
		p.t.Fatalf("got %d octets, %v\nserver:\n%s\nclient:\n%s", len(got), err, p.server.lines(), p.client.lines())
	}
}

func TestBridgeBesideIP(t *testing.T) {
	withPair(t, func(p *pair) {
		bridged(p, "br0", "br1", false, 1600)
		server, client := p.ports()
		sdev, cdev := p.devices("<pptp-MT-User>")
		for range 3 {
			p.frames(client, server)
			p.frames(server, client)
			p.crosses(cdev, sdev)
			p.crosses(sdev, cdev)
		}
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: connected", "pptp,ppp,info <pptp-MT-User>: port of bridge br0")
		synctest.Wait() // a packet is there before it is counted
		if s := p.server.Active()[0]; s.Traffic.RxBytes != 3*(1514+1400) {
			t.Errorf("%+v", s.Traffic)
		}
		p.client.RemoveClient(1)
		time.Sleep(3 * time.Second)
		for _, s := range []*side{p.server, p.client} {
			for _, name := range []string{"pptp-out1", "pptp-out1-br", "<pptp-MT-User>", server.Name()} {
				if s.host.Taken(name) {
					t.Errorf("%s is left", name)
				}
			}
		}
	})
}

// TestBridgeOnly: no addresses anywhere, and no interface for IP; policies hold all
// the same.
func TestBridgeOnly(t *testing.T) {
	withPair(t, func(p *pair) {
		bridged(p, "br0", "br1", true, 1600)
		server, client := p.ports()
		p.frames(client, server)
		p.frames(server, client)
		s := p.server.Active()[0]
		if s.State != "connected" || !s.Running || s.RemoteAddress.IsValid() || s.Encoding == "" {
			t.Errorf("%+v", s)
		}
		if p.server.host.Taken("<pptp-MT-User>") || p.client.host.Taken("pptp-out1") {
			t.Error("an interface for IP")
		}
		if _, err := p.server.Change(s.ID, func(_ *aaa.Grant, q *aaa.Policy) { q.Rate = shape.Limit{Rx: shape.Rate{Max: 100_000}} }); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		for range 10 {
			p.frames(client, server)
		}
		if time.Since(begin) < 500*time.Millisecond {
			t.Error("a rate is not kept")
		}
		p.server.Disconnect(s.ID)
		time.Sleep(time.Second)
		server, client = p.ports()
		p.frames(client, server)
		if got := p.happened(); !strings.HasPrefix(got, "up MT-User, down MT-User, ended MT-User ") || !strings.HasSuffix(got, ", up MT-User") {
			t.Errorf("%q", got)
		}
	})
}

// TestBridgeTooSmall: without an MRRU there is a line in the log, and with the one
// that it names a full frame crosses.
func TestBridgeTooSmall(t *testing.T) {
	withPair(t, func(p *pair) {
		bridged(p, "br0", "br1", false, 0)
		p.ports()
		p.server.logged(t, "pptp,ppp,warning <pptp-MT-User>: no frame above 1448 octets crosses: mrru of at least 1524 is needed on both sides")
		config := serverConfig()
		config.MRRU = 1524
		p.server.SetServer(config)
		p.server.Disconnect(p.server.Active()[0].ID)
		time.Sleep(3 * time.Second)
		server, client := p.ports()
		p.frames(client, server)
		p.frames(server, client)
		if strings.Count(p.server.lines(), "no frame above") != 1 {
			t.Error(p.server.lines())
		}
	})
}

// TestBridgeOnOneSide: the tunnel goes on with IP.
func TestBridgeOnOneSide(t *testing.T) {
	for _, r := range [][2]string{{"br0", ""}, {"", "br1"}, {"missing", "br1"}, {"br0", "missing"}} {
		t.Run(r[0]+" "+r[1], func(t *testing.T) {
			withPair(t, func(p *pair) {
				bridged(p, r[0], r[1], false, 1600)
				sdev, cdev := p.devices("<pptp-MT-User>")
				time.Sleep(time.Minute)
				p.crosses(cdev, sdev)
				p.crosses(sdev, cdev)
				if p.client.host.Taken("pptp-out1-br") {
					t.Error("a port is left")
				}
				if r[0] == "missing" {
					p.server.logged(t, "pptp,ppp,error <pptp-MT-User>: could not add bridge port: no such bridge")
				}
			})
		})
	}
}

// TestNoBridgeAndNoIP ends the session, for a reason that the log tells.
func TestNoBridgeAndNoIP(t *testing.T) {
	withPair(t, func(p *pair) {
		bridged(p, "missing", "br1", true, 1600)
		time.Sleep(5 * time.Second)
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - could not add bridge port: no such bridge")
	})
	withPair(t, func(p *pair) {
		bridged(p, "br0", "", true, 1600)
		time.Sleep(5 * time.Second)
		if !strings.Contains(p.server.lines(), "terminating... - ") {
			t.Error(p.server.lines())
		}
	})
}
