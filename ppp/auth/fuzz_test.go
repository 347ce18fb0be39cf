package auth

import (
	"testing"
	"time"

	"gopptp/ppp"
)

// feed cuts data into steps: an octet of kind, an octet of length, a packet. The
// first two octets of a CHAP packet may be corrected, so that some pass the
// first checks.
func feed(data []byte, step func(kind byte, pkt []byte)) {
	for len(data) >= 2 {
		kind, n := data[0], min(int(data[1]), len(data)-2)
		step(kind, data[2:2+n])
		data = data[2+n:]
	}
}

func FuzzAuthenticator(f *testing.F) {
	for i := range allMethods {
		f.Add(byte(i), []byte("\x01\x06\x01\x01\x00\x06\x00\x00"), "p")
		f.Add(byte(i), append([]byte("\x03\x37\x31"), make([]byte, 54)...), "p")
		f.Add(byte(i), append([]byte("\x03\x15\x10"), make([]byte, 20)...), "p")
	}
	f.Fuzz(func(t *testing.T, m byte, data []byte, password string) {
		method := allMethods[int(m)%len(allMethods)]
		a := newAuthenticator(t, method)
		must(t, a.Start(start))
		now, requests, dones := start, 0, 0
		feed(data, func(kind byte, pkt []byte) {
			now = now.Add(time.Duration(kind) * time.Second / 8)
			switch kind % 4 {
			case 0:
				a.Tick(now)
			case 1:
				a.Input(now, method.Protocol(), pkt)
			case 2:
				a.Input(now, ppp.Protocol(uint16(kind)<<8|0x23), pkt)
			case 3: // with the right header
				code := uint8(chapResponse)
				if method == PAP {
					code = papAuthenticateRequest
				}
				a.Input(now, method.Protocol(), raw(code, a.id, pkt))
			}
			for o, ok := a.Next(); ok; o, ok = a.Next() {
				switch o := o.(type) {
				case Frame:
					var p ppp.Packet
					if err := p.Parse(o.Packet); err != nil {
						t.Fatal(err)
					}
				case *Request:
					requests++
					if len(o.Name) > maxField {
						t.Fatalf("name of %d octets", len(o.Name))
					}
					if res := o.Verify(password); method == PAP {
						if res.OK != (string(o.Password) == password) {
							t.Fatalf("PAP %q passes for %q: %v", o.Password, password, res.OK)
						}
						a.Answer(res)
					} else if res.OK {
						t.Fatal("garbage passes")
					} else if kind&4 == 0 {
						a.Answer(res)
					}
				case Done:
					dones++
				}
			}
		})
		if requests > 1 || dones > 1 {
			t.Fatalf("%d requests, %d results", requests, dones)
		}
	})
}

func FuzzPeer(f *testing.F) {
	for i := range allMethods {
		f.Add(byte(i), []byte("\x01\x05\x02\x01\x00\x05\x00"))
		f.Add(byte(i), append([]byte("\x03\x11\x10"), make([]byte, 16)...))
		f.Add(byte(i), append([]byte("\x03\x09\x08"), []byte("12345678\x05\x14E=691 R=0 V=3 M=no  ")...))
	}
	f.Fuzz(func(t *testing.T, m byte, data []byte) {
		method := allMethods[int(m)%len(allMethods)]
		p := newPeer(t, method, `D\u`, "p")
		must(t, p.Start(start))
		now, ended := start, false
		feed(data, func(kind byte, pkt []byte) {
			now = now.Add(time.Duration(kind) * time.Second / 8)
			var err error
			switch kind % 4 {
			case 0:
				p.Tick(now)
			case 1: // a verdict
				err = p.Input(now, method.Protocol(), raw(2+kind>>2%3, p.answered.id, pkt))
			case 2:
				err = p.Input(now, method.Protocol(), pkt)
			case 3:
				err = p.Input(now, method.Protocol(), raw(chapChallenge, kind, pkt))
			}
			if ended && err == nil && kind%4 != 0 {
				t.Fatal("a finished peer takes a packet")
			}
			for o, ok := p.Next(); ok; o, ok = p.Next() {
				switch o := o.(type) {
				case Frame:
					if ended {
						t.Fatal("a finished peer sends")
					}
					var pkt ppp.Packet
					if err := pkt.Parse(o.Packet); err != nil {
						t.Fatal(err)
					}
				case Done:
					if o.Err == nil && method == MSCHAPv2 {
						t.Fatal("garbage proves that the server knows the password")
					}
					if ended {
						t.Fatal("a second end")
					}
					ended = o.Err != nil
				default:
					t.Fatalf("output %T", o)
				}
			}
		})
	})
}
