package session

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/ppp/auth"
)

// The founding page's example, without a kernel.
func TestFoundingExample(t *testing.T) {
	withPair(t, func(p *pair) {
		start := time.Now()
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		if took := time.Since(start); took != 0 {
			t.Errorf("the tunnel waited %v for a timer", took)
		}
		p.crosses(cdev, sdev)
		p.crosses(sdev, cdev)
		synctest.Wait() // a packet is there before it is counted

		active := p.server.Active()
		if len(active) != 1 {
			t.Fatalf("active: %+v", active)
		}
		st := active[0]
		if st.Interface != "<pptp-MT-User>" || st.User != "MT-User" || st.CallerID != clientAddr.String() || st.MTU != 1450 || st.MRU != 1450 ||
			st.LocalAddress != innerLocal || st.RemoteAddress != innerPeer || st.Encoding != "MPPE128 stateless" || !st.Running ||
			st.Traffic.RxPackets != 1 || st.Traffic.TxBytes != 1400 {
			t.Errorf("server: %+v", st)
		}
		st, ok := p.client.Client(1)
		if !ok || st.State != "connected" || !st.Running || st.Encoding != "MPPE128 stateless" || st.LocalAddress != innerPeer || st.RemoteAddress != innerLocal {
			t.Errorf("client: %+v", st)
		}
		if c, want := p.client.host.last, (InterfaceConfig{Name: "pptp-out1", MTU: 1450, Local: innerPeer, Remote: innerLocal, Outer: serverAddr}); !reflect.DeepEqual(c, want) {
			t.Errorf("client interface: %+v", c)
		}
		time.Sleep(143 * time.Second)
		p.client.RemoveClient(1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		p.server.logged(t,
			"pptp,info TCP connection established from 192.168.51.3",
			"pptp,ppp,info,account MT-User logged in, 10.0.0.5 from 192.168.51.3",
			"pptp,ppp,info <pptp-MT-User>: authenticated",
			"pptp,ppp,info <pptp-MT-User>: using encoding - MPPE128 stateless",
			"pptp,ppp,info <pptp-MT-User>: connected",
			"pptp,ppp,info <pptp-MT-User>: terminating... - hungup",
			"pptp,ppp,info,account MT-User logged out, 143 1400 1400 1 1 from 192.168.51.3",
			"pptp,ppp,info <pptp-MT-User>: disconnected")
		p.client.logged(t,
			"pptp,ppp,info pptp-out1: initializing...",
			"pptp,ppp,info pptp-out1: connecting...",
			"pptp,ppp,info pptp-out1: authenticated",
			"pptp,ppp,info pptp-out1: using encoding - MPPE128 stateless",
			"pptp,ppp,info pptp-out1: connected",
			"pptp,ppp,info pptp-out1: terminating... - administrator request",
			"pptp,ppp,info pptp-out1: disconnected")
		if len(p.server.Active()) != 0 || p.server.host.Taken("<pptp-MT-User>") || p.client.host.Taken("pptp-out1") {
			t.Error("something is left of the tunnel")
		}
	})
}

func TestEveryMethodAndPolicy(t *testing.T) {
	for _, method := range []auth.Method{auth.PAP, auth.CHAP, auth.MSCHAPv1, auth.MSCHAPv2} {
		for _, policy := range []aaa.Tri{aaa.No, aaa.Yes, aaa.Required} {
			t.Run(method.String()+" "+policy.String(), func(t *testing.T) {
				withPair(t, func(p *pair) {
					server := serverConfig()
					server.Authentication = []auth.Method{method}
					p.server.SetServer(server)
					p.server.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: policy})
					p.client.PutClient(clientConfig())
					if policy == aaa.Required && method < auth.MSCHAPv1 {
						time.Sleep(10 * time.Second)
						p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - encryption negotiation rejected")
						return
					}
					sdev, cdev := p.devices("<pptp-MT-User>")
					p.crosses(cdev, sdev)
					p.crosses(sdev, cdev)
					want := "MPPE128 stateless"
					if policy == aaa.No || method < auth.MSCHAPv1 {
						want = ""
					}
					if got := p.server.Active()[0].Encoding; got != want {
						t.Errorf("encoding %q, want %q", got, want)
					}
				})
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, row := range map[string]struct {
		change       func(*ClientConfig)
		server, from string // lines of the two logs
	}{
		"wrong password": {func(c *ClientConfig) { c.Password = "wrong" },
			"user MT-User authentication failed", "pptp-out1: terminating... - failed to authenticate ourselves to peer"},
		"unknown user": {func(c *ClientConfig) { c.User = "nobody" },
			"user nobody authentication failed", "pptp-out1: terminating... - failed to authenticate ourselves to peer"},
		"hostile name": {func(c *ClientConfig) { c.User = "a\nb\x1b[2J" },
			`user a\0Ab\1B[2J authentication failed`, "pptp-out1: terminating... - failed to authenticate ourselves to peer"},
		"no common method": {func(c *ClientConfig) { c.Allow = []auth.Method{auth.PAP, auth.CHAP} },
			"terminating... - authentication failed", "pptp-out1: disconnected"},
		"no server there": {func(c *ClientConfig) { c.ConnectTo = "192.0.2.200" }, "", "pptp-out1: disconnected"},
	} {
		t.Run(name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				c := clientConfig()
				row.change(&c)
				p.client.PutClient(c)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if !strings.Contains(p.server.lines(), row.server+"\n") && row.server != "" {
					t.Errorf("server:\n%s", p.server.lines())
				}
				if !strings.Contains(p.client.lines(), row.from+"\n") {
					t.Errorf("client:\n%s", p.client.lines())
				}
				for _, log := range []string{p.server.lines(), p.client.lines()} {
					if strings.Contains(log, "connected\n") && strings.Contains(log, ": connected\n") {
						t.Errorf("somebody connected:\n%s", log)
					}
					if strings.Contains(log, "StrongPass") {
						t.Errorf("the password is in the log")
					}
				}
				if n := len(p.server.Active()); n != 0 {
					t.Errorf("%d active", n)
				}
			})
		})
	}
}

// The page: nothing received for the keepalive time, then an echo each second,
// five times, five lines, then the end. The client dials again when it can.
func TestKeepalive(t *testing.T) {
	withPair(t, func(p *pair) {
		c := clientConfig()
		c.Keepalive = 10 * time.Second
		p.client.PutClient(c)
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		time.Sleep(5 * time.Minute) // the echoes of the two sides keep it
		if !p.server.Active()[0].Running {
			t.Fatal("a healthy tunnel ended")
		}
		p.gre.Carry(rawgretest.None)
		start := time.Now()
		for len(p.server.Active()) == 1 && strings.Count(p.client.lines(), "terminating") == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		if took := time.Since(start); took < 5*time.Second || took > 16*time.Second {
			t.Errorf("it took %v to notice", took)
		}
		p.client.logged(t,
			"pptp,ppp,info pptp-out1: LCP missed echo reply",
			"pptp,ppp,info pptp-out1: LCP missed echo reply",
			"pptp,ppp,info pptp-out1: LCP missed echo reply",
			"pptp,ppp,info pptp-out1: LCP missed echo reply",
			"pptp,ppp,info pptp-out1: LCP missed echo reply",
			"pptp,ppp,info pptp-out1: terminating... - peer is not responding",
			"pptp,ppp,info pptp-out1: disconnected")
		if n := strings.Count(p.client.lines(), "missed echo"); n != 5 {
			t.Errorf("%d missed echoes", n)
		}
		p.gre.Carry(rawgretest.All)
		time.Sleep(time.Minute)
		sdev, cdev = p.devices("<pptp-MT-User>")
		p.crosses(sdev, cdev)
	})
}

// User data that arrives keeps a tunnel as well as echoes do.
func TestTrafficCountsForKeepalive(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		var echoes int
		p.gre.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			if n := len(d.Data); n > 16 && n < 40 {
				echoes++
			}
			return rawgretest.All(d)
		})
		for range 60 {
			p.crosses(cdev, sdev)
			p.crosses(sdev, cdev)
			time.Sleep(5 * time.Second)
		}
		if echoes != 0 {
			t.Errorf("%d echoes while traffic flowed", echoes)
		}
	})
}

func TestDisconnectFromTheServer(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		first := p.server.Active()[0]
		if p.server.Disconnect(first.ID + 1000) {
			t.Error("disconnected a session that is none")
		}
		if !p.server.Disconnect(first.ID) {
			t.Fatal("no such session")
		}
		time.Sleep(10 * time.Second) // the client comes back
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		if again := p.server.Active()[0]; again.ID == first.ID || again.SessionID == first.SessionID {
			t.Error("an id was used again")
		}
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - administrator request",
			"pptp,ppp,info <pptp-MT-User>: disconnected", "pptp,ppp,info <pptp-MT-User>: connected")
		p.client.logged(t, "pptp,ppp,info pptp-out1: terminating... - hungup", "pptp,ppp,info pptp-out1: connected")
	})
}

func TestServerRestart(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		off := serverConfig()
		off.Enabled = false
		p.server.SetServer(off)
		time.Sleep(5 * time.Second)
		if len(p.server.Active()) != 0 {
			t.Error("a disabled server has sessions")
		}
		p.server.SetServer(serverConfig())
		time.Sleep(time.Minute)
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
	})
}

// TestStopIsToldInPPP: when the server stops, the control connection outlives the
// goodbye in PPP, also if a packet of that is lost.
func TestStopIsToldInPPP(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		lost := false
		p.gre.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			if !lost && d.Src == serverAddr {
				lost = true
				return nil
			}
			return rawgretest.All(d)
		})
		off := serverConfig()
		off.Enabled = false
		p.server.SetServer(off)
		time.Sleep(time.Second)
		p.client.logged(t, "pptp,ppp,info pptp-out1: terminating... - hungup")
		if got := p.happened(); !strings.Contains(got, "ended MT-User reboot") || !lost {
			t.Errorf("events: %s; a packet was lost: %t", got, lost)
		}
	})
}

// Static entries are for their user; while taken, and for others, there are
// dynamic ones.
func TestInterfaceNames(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutBinding(Binding{ID: 7, Name: "pptp-in1", User: "MT-User"})
		p.server.PutBinding(Binding{ID: 8, Name: "pptp-in2", User: "somebody"})
		p.server.PutBinding(Binding{ID: 9, Name: "pptp-in3", User: "MT-User", Disabled: true})
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("pptp-in1")
		p.crosses(cdev, sdev)
		for id, name := range []string{2: "pptp-out2", 3: "pptp-out3"} {
			if name != "" {
				c := clientConfig()
				c.ID, c.Name = uint64(id), name
				p.client.PutClient(c)
			}
		}
		time.Sleep(time.Second)
		names := map[string]uint64{}
		for _, st := range p.server.Active() {
			names[st.Interface] = st.Binding
		}
		if len(names) != 3 || names["pptp-in1"] != 7 {
			t.Errorf("names %v\n%s\n%s", names, p.server.lines(), p.client.lines())
		}
		for _, name := range []string{"<pptp-MT-User>", "<pptp-MT-User-1>"} {
			if binding, ok := names[name]; !ok || binding != 0 {
				t.Errorf("names %v\n%s\n%s", names, p.server.lines(), p.client.lines())
			}
		}
		p.client.RemoveClient(1)
		p.client.RemoveClient(2)
		time.Sleep(3 * time.Second)
		p.client.PutClient(clientConfig())
		p.devices("pptp-in1") // free again
	})
}

// A live session of a static entry survives a new name of it, and no other session
// gets that. It does not survive that the entry is not its user's any more.
func TestBindingChanges(t *testing.T) {
	withPair(t, func(p *pair) {
		b := Binding{ID: 7, Name: "pptp-in1", User: "MT-User"}
		p.server.PutBinding(b)
		p.client.PutClient(clientConfig())
		p.devices("pptp-in1")
		first := p.server.Active()[0].ID
		b.Name = "renamed"
		p.server.PutBinding(b)
		second := clientConfig()
		second.ID, second.Name = 2, "pptp-out2"
		p.client.PutClient(second)
		time.Sleep(time.Second)
		all := p.server.Active()
		if len(all) != 2 || all[0].ID != first || all[0].Binding != 7 || all[1].Binding != 0 {
			t.Fatalf("sessions %+v", all)
		}
		p.client.RemoveClient(2)
		time.Sleep(time.Second)
		for _, change := range []func(){func() { b.Disabled = true }, func() { b.Disabled, b.User = false, "somebody" }} {
			live := p.server.Active()[0].ID
			change()
			p.server.PutBinding(b)
			time.Sleep(3 * time.Second)
			if all := p.server.Active(); len(all) != 1 || all[0].ID == live || all[0].Binding != 0 {
				t.Errorf("sessions %+v, after %+v", all, b)
			}
			b.Disabled, b.User = false, "MT-User"
			p.server.PutBinding(b)
			p.server.Disconnect(p.server.Active()[0].ID)
			time.Sleep(3 * time.Second)
			if all := p.server.Active(); len(all) != 1 || all[0].Binding != 7 {
				t.Errorf("sessions %+v", all)
			}
		}
	})
}

// Addresses that would harm the machine or the tunnel are refused with a reason.
func TestHarmfulAddresses(t *testing.T) {
	for name, row := range map[string]struct {
		remote, line string
	}{
		"own address": {serverAddr.String(), "could not add address: remote address 192.168.62.2 is one of this machine's own"},
		"self route":  {clientAddr.String(), "could not add address: remote address 192.168.51.3 is where the tunnel itself leads to, and would route it into itself"},
		"both ends":   {innerLocal.String(), "could not add address: remote address 10.0.0.1 is that of this end of the tunnel too"},
		"none":        {"", "could not determine remote address"},
	} {
		t.Run(name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				s := aaa.Secret{ID: 1, Name: "MT-User", Service: "any", Password: "StrongPass", Profile: "default", LocalAddress: innerLocal}
				if row.remote != "" {
					s.RemoteAddress = netip.MustParseAddr(row.remote)
				}
				p.server.PutSecret(s)
				p.client.PutClient(clientConfig())
				time.Sleep(3 * time.Second)
				p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - "+row.line, "pptp,ppp,info <pptp-MT-User>: disconnected")
				if p.server.host.Taken("<pptp-MT-User>") {
					t.Error("the interface was made")
				}
			})
		})
	}
}

// A network that loses, doubles and swaps delays the handshake; it never breaks
// it, and what crosses afterwards is intact.
func TestBadNetwork(t *testing.T) {
	for _, nth := range []int{2, 3, 4, 5, 7} {
		withPair(t, func(p *pair) {
			lose, double, swap := rawgretest.Lose(nth), rawgretest.Double(nth+1), rawgretest.Swap(nth+2)
			p.gre.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
				var out []rawgretest.Datagram
				for _, d := range lose(d) {
					for _, d := range double(d) {
						out = append(out, swap(d)...)
					}
				}
				return out
			})
			p.client.PutClient(clientConfig())
			for range 60 {
				time.Sleep(time.Second)
				if st, _ := p.client.Client(1); st.Running {
					break
				}
			}
			p.gre.Carry(rawgretest.All)
			time.Sleep(10 * time.Second)
			sdev, cdev := p.devices("<pptp-MT-User>")
			p.crosses(cdev, sdev)
			p.crosses(sdev, cdev)
		})
	}
}

// With use-encryption=required no clear IP packet passes, whatever is forged:
// clear packets, a CCP Terminate-Request, a CCP Reset-Request.
func TestRequiredEncryptionIsNeverUndone(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Required})
		p.client.PutProfile(1, aaa.Profile{Name: "default-encryption", UseEncryption: aaa.Required})
		clear := 0
		p.gre.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			if i := strings.Index(string(d.Data), "\xff\x03\x00\x21"); i >= 0 && i <= 16 {
				clear++
			}
			return rawgretest.All(d)
		})
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		for _, forged := range []string{
			"\xff\x03\x80\xfd\x05\x09\x00\x04",            // CCP Terminate-Request
			"\xff\x03\x80\xfd\x0e\x0a\x00\x04",            // CCP Reset-Request
			"\xff\x03\x80\xfd\x04\x01\x00\x04",            // CCP Configure-Reject of nothing
			"\xff\x03\x00\x21" + string(make([]byte, 60)), // clear packet
		} {
			for _, s := range p.client.sessionsForTest() {
				_ = s.data.SendFrame([]byte(forged))
			}
			for range 20 {
				pkt := make([]byte, 100)
				pkt[0], pkt[3] = 0x45, 100
				_ = sdev.Send(p.t.Context(), pkt)
				time.Sleep(50 * time.Millisecond)
			}
		}
		time.Sleep(time.Minute)
		if clear > 20 { // the forged ones themselves
			t.Errorf("%d clear packets on the wire", clear)
		}
		if clear != 1 {
			t.Errorf("%d clear packets on the wire, one was forged", clear)
		}
		sdev, cdev = p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
	})
}

func (m *Manager) sessionsForTest() (all []*session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		all = append(all, s)
	}
	return all
}

// A peer that answers nothing any more does not hold up a graceful stop: the
// bound of two seconds is withPair's.
func TestStopWithASilentPeer(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		p.gre.Carry(rawgretest.None)
	})
}

func TestServerKeepalive(t *testing.T) {
	withPair(t, func(p *pair) {
		server := serverConfig()
		server.Keepalive = 3 * time.Second
		p.server.SetServer(server)
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		time.Sleep(time.Minute)
		p.gre.Carry(rawgretest.None)
		time.Sleep(10 * time.Second)
		p.server.logged(t,
			"pptp,ppp,info <pptp-MT-User>: LCP missed echo reply",
			"pptp,ppp,info <pptp-MT-User>: LCP missed echo reply",
			"pptp,ppp,info <pptp-MT-User>: LCP missed echo reply",
			"pptp,ppp,info <pptp-MT-User>: LCP missed echo reply",
			"pptp,ppp,info <pptp-MT-User>: LCP missed echo reply",
			"pptp,ppp,info <pptp-MT-User>: terminating... - peer is not responding",
			"pptp,ppp,info <pptp-MT-User>: disconnected")
	})
}
