package pptp

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/pptp/wire"
)

// A whole life in one write, and in writes of each size.
func TestPipelinedAndSplit(t *testing.T) {
	script := octets(
		&wire.StartControlConnectionRequest{ProtocolVersion: wire.Version1},
		&wire.EchoRequest{Identifier: 1},
		ocrq(1),
		&wire.EchoRequest{Identifier: 2},
		&wire.CallClearRequest{CallID: 1},
		&wire.StopControlConnectionRequest{Reason: wire.StopNone})
	for size := 1; size <= len(script); size += 1 + size/3 {
		synctest.Test(t, func(t *testing.T) {
			_, p, run := start(t, false, Config{})
			go func() {
				for b := script; len(b) > 0; b = b[min(size, len(b)):] {
					p.nc.Write(b[:min(size, len(b))])
				}
			}()
			want1[*wire.StartControlConnectionReply](p)
			p.want(&wire.EchoReply{Identifier: 1, Result: wire.EchoOK},
				&wire.EchoReply{Identifier: 2, Result: wire.EchoOK},
				&wire.CallDisconnectNotify{CallID: 1, Result: wire.DisconnectRequest},
				&wire.StopControlConnectionReply{Result: wire.StopOK})
			p.wantClosed()
			if _, ok := errors.AsType[*StopError](<-run); !ok {
				t.Error("not stopped")
			}
		})
	}
}

// states bring a Conn and its peer to each state there is.
var states = []struct {
	name   string
	client bool
	reach  func(t *testing.T, c *Conn, p *rawPeer)
}{
	{"wait for start", false, func(*testing.T, *Conn, *rawPeer) {}},
	{"wait for start reply", true, func(t *testing.T, c *Conn, p *rawPeer) { want1[*wire.StartControlConnectionRequest](p) }},
	{"established", false, func(t *testing.T, c *Conn, p *rawPeer) { p.begin() }},
	{"established client", true, func(t *testing.T, c *Conn, p *rawPeer) { p.admit() }},
	{"request pending", false, func(t *testing.T, c *Conn, p *rawPeer) { p.begin(); p.send(ocrq(1)) }},
	{"call up", false, func(t *testing.T, c *Conn, p *rawPeer) { p.begin(); p.call(c, 1) }},
	{"dialing", true, func(t *testing.T, c *Conn, p *rawPeer) {
		p.admit()
		dialing(c, 1)
		want1[*wire.OutgoingCallRequest](p)
	}},
	{"dialed", true, func(t *testing.T, c *Conn, p *rawPeer) { p.admit(); p.dial(c, 1) }},
	{"clearing", true, func(t *testing.T, c *Conn, p *rawPeer) {
		p.admit()
		p.dial(c, 1).Disconnect(wire.DisconnectRequest)
		want1[*wire.CallClearRequest](p)
	}},
	{"stopping", false, func(t *testing.T, c *Conn, p *rawPeer) {
		p.begin()
		c.Stop(wire.StopNone)
		want1[*wire.StopControlConnectionRequest](p)
	}},
}

// A stream that is out of step is closed without a word, in each state.
func TestBrokenStream(t *testing.T) {
	echo := octets(&wire.EchoRequest{})
	with := func(off int, v byte) []byte {
		b := append([]byte(nil), echo...)
		b[off] = v
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		err  error
	}{
		{"CVE-2003-0213: length 0", []byte{0, 0}, wire.ErrLength},
		{"CVE-2003-0213: length 1", []byte{0, 1}, wire.ErrLength},
		{"CVE-2003-0213: length 11", with(1, 11), wire.ErrLength},
		{"CVE-2003-0213: length 12", with(1, 12), wire.ErrLength},
		{"length 17", with(1, 17), wire.ErrLength},
		{"length 65535", []byte{0xff, 0xff}, wire.ErrLength},
		{"CVE-2001-1183: a request of another's length", with(9, 7), wire.ErrLength},
		{"cookie", with(4, 0x4d), wire.ErrCookie},
		{"garbage", []byte("GET / HTTP/1.0\r\n\r\n"), wire.ErrLength},
		{"garbage after a good message", append(octets(&wire.EchoReply{}), 0xde, 0xad), wire.ErrLength},
	} {
		for _, s := range states {
			t.Run(tt.name+"/"+s.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p, run := start(t, s.client, Config{})
					s.reach(t, c, p)
					p.write(tt.b)
					p.wantClosed()
					if err := <-run; s.name != "stopping" && !errors.Is(err, tt.err) {
						t.Errorf("ended by %v, want %v", err, tt.err)
					}
				})
			})
		}
	}
}

// CVE-2021-42054 and its kin: a peer that vanishes, in each state, between
// messages and within one.
func TestCVE_2021_42054_PeerVanishes(t *testing.T) {
	for _, s := range states {
		for _, rest := range []int{0, 1, 5, 13} {
			synctest.Test(t, func(t *testing.T) {
				c, p, run := start(t, s.client, Config{})
				s.reach(t, c, p)
				if rest > 0 {
					p.write(octets(&wire.EchoRequest{})[:rest])
				}
				p.nc.Close()
				if err := <-run; s.name != "stopping" && !errors.Is(err, io.EOF) {
					t.Errorf("%s: ended by %v", s.name, err)
				}
				c.mu.Lock()
				defer c.mu.Unlock()
				if len(c.calls)+len(c.pending) != 0 {
					t.Errorf("%s: %d calls and %d requests are left", s.name, len(c.calls), len(c.pending))
				}
			})
		}
	}
}

// FreeBSD's and Cisco's (CVE-2001-1183) crashes: messages of each type cut
// short by their Length field, to each octet.
func TestShortMessages(t *testing.T) {
	for ty := range byte(18) {
		for n := range 32 {
			b := append(octets(&wire.EchoRequest{}), make([]byte, 32)...)[:max(n, 12)]
			b[1], b[9] = byte(n), ty
			synctest.Test(t, func(t *testing.T) {
				_, p, run := start(t, false, Config{})
				p.begin()
				p.nc.SetWriteDeadline(time.Now().Add(time.Second))
				p.nc.Write(b)
				go io.Copy(io.Discard, p.nc)
				time.Sleep(time.Second)
				p.nc.Close()
				<-run
			})
		}
	}
}

// Messages of unknown types are stepped over, a few of them.
func TestUnknownMessages(t *testing.T) {
	unknown := octets(&wire.EchoRequest{})
	unknown[9] = 16
	management := octets(&wire.EchoRequest{})
	management[3] = 2
	synctest.Test(t, func(t *testing.T) {
		var j journal
		_, p, _ := start(t, false, Config{Log: j.log})
		p.begin()
		for range 3 * maxStray {
			p.write(unknown)
			p.write(management)
			p.send(&wire.EchoRequest{Identifier: 5})
			p.want(&wire.EchoReply{Identifier: 5, Result: wire.EchoOK})
		}
		if a, b := j.count(EventIgnored, wire.ErrType), j.count(EventIgnored, wire.ErrMessageType); a != 3*maxStray || b != 3*maxStray {
			t.Errorf("%d and %d ignored", a, b)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, p, run := start(t, false, Config{})
		for range maxStray + 1 {
			p.write(unknown)
		}
		p.wantClosed()
		if err := <-run; err != ErrBabble {
			t.Errorf("ended by %v", err)
		}
	})
}
