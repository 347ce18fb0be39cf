package link

import (
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp/lcp"
)

// FuzzInput lets two links talk for some steps, then says whatever to one of
// them in between. It must not panic, keep little, and never turn clear.
func FuzzInput(f *testing.F) {
	w := connect(f, serverConfig(), clientConfig())
	w.server.link.Close(w.now, "x")
	w.drain()
	w.run(0)
	var all []byte
	for _, e := range []*end{w.server, w.client} {
		for i, frame := range framesOf(e.log) {
			one := append([]byte{byte(len(frame)), 0}, frame...)
			f.Add(uint8(i), e == w.server, one)
			f.Add(uint8(2*i), e != w.server, one)
			f.Add(uint8(128+i), e == w.server, one)
			all = append(all, one...)
		}
	}
	f.Add(uint8(0), true, all)
	f.Add(uint8(40), false, all)
	f.Add(uint8(40), true, []byte{8, 1, 0xff, 0x03, 0x80, 0xfd, 5, 1, 0, 4})
	f.Fuzz(func(t *testing.T, steps uint8, server bool, script []byte) {
		s, c := serverConfig(), clientConfig()
		if steps >= 128 {
			s.MRRU, c.MRRU = 1600, 1600
		}
		// A server that encrypts compresses too, and some only compress.
		s.Compression, c.Compression = true, true
		if steps%4 == 3 {
			s.Encryption, c.Encryption = EncryptionNo, EncryptionNo
		}
		switch steps % 8 {
		case 2, 3:
			s.Bridge, c.Bridge = true, true
		case 6:
			s, c.Bridge = noIP(s), true
		}
		w := newWire(t, s, c)
		w.delay = time.Millisecond
		w.start()
		for range steps % 64 {
			if w.bothUp() || !w.step(start.Add(time.Minute)) {
				break
			}
		}
		victim := w.server
		if !server {
			victim = w.client
		}
		for len(script) >= 2 { // length, pause, frame
			n, pause := int(script[0]), time.Duration(script[1])*20*time.Millisecond
			script = script[2:]
			n = min(n, len(script))
			w.injectFrame(victim, script[:n])
			script = script[n:]
			w.run(pause)
			if k := len(victim.link.early.kept); k > 5*maxKept {
				t.Fatalf("%d packets kept", k)
			}
			if n := len(victim.link.out); n != 0 {
				t.Fatalf("%d outputs left", n)
			}
		}
		w.run(5 * time.Minute)
		for _, e := range []*end{w.server, w.client} {
			encrypted, up, fragments, frames := false, 0, false, false
			for i, o := range e.log {
				switch o := o.(type) {
				case SendKey:
					encrypted = s.Encryption != EncryptionNo
					if o.Config.Strength == mppe.None && s.Encryption != EncryptionNo {
						t.Fatalf("%s: SendKey without strength\n%s", e.name, e.dump())
					}
				case Multilink:
					if fragments = o.SendMRRU != 0; up != 0 || steps < 128 {
						t.Fatalf("%s: Multilink while up or unasked\n%s", e.name, e.dump())
					}
				case NetworkUp:
					up++
					if o.MTU > 1450 && !fragments || o.MTU < lcp.MinMRU-mppeRoom {
						t.Fatalf("%s: MTU %d\n%s", e.name, o.MTU, e.dump())
					}
					if encrypted && (o.Send.Strength == mppe.None || o.Receive.Strength == mppe.None) {
						t.Fatalf("%s: clear after encryption\n%s", e.name, e.dump())
					}
				case BridgeUp:
					if frames || up == 0 || !e.link.base.Bridge {
						t.Fatalf("%s: BridgeUp twice, unasked or without network\n%s", e.name, e.dump())
					}
					frames = true
				case BridgeDown:
					if !frames {
						t.Fatalf("%s: BridgeDown, but it was not up\n%s", e.name, e.dump())
					}
					frames = false
				case NetworkDown:
					up--
					frames = false
				case Down:
					if i != len(e.log)-1 {
						t.Fatalf("%s: outputs after Down\n%s", e.name, e.dump())
					}
				}
				if up < 0 || up > 1 {
					t.Fatalf("%s: NetworkUp and NetworkDown do not alternate\n%s", e.name, e.dump())
				}
			}
			if e.link.Dead() == (len(got[Down](e)) == 0) {
				t.Fatalf("%s: dead %v\n%s", e.name, e.link.Dead(), e.dump())
			}
		}
	})
}
