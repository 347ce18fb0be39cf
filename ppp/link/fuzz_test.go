package link

import (
	"testing"
	"time"

	"gopptp/mppe"
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
			all = append(all, one...)
		}
	}
	f.Add(uint8(0), true, all)
	f.Add(uint8(40), false, all)
	f.Add(uint8(40), true, []byte{8, 1, 0xff, 0x03, 0x80, 0xfd, 5, 1, 0, 4})
	f.Fuzz(func(t *testing.T, steps uint8, server bool, script []byte) {
		w := newWire(t, serverConfig(), clientConfig())
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
			encrypted, up := false, 0
			for i, o := range e.log {
				switch o := o.(type) {
				case SendKey:
					encrypted = true
					if o.Config.Strength == mppe.None {
						t.Fatalf("%s: SendKey without strength\n%s", e.name, e.dump())
					}
				case NetworkUp:
					up++
					if encrypted && (o.Send.Strength == mppe.None || o.Receive.Strength == mppe.None) {
						t.Fatalf("%s: clear after encryption\n%s", e.name, e.dump())
					}
				case NetworkDown:
					up--
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
