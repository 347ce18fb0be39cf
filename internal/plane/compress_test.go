package plane

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/rawgre/rawgretest"
	"gopptp/mppe"
)

var compressions = []mppe.Config{
	{Compress: true},
	{Compress: true, Strength: mppe.Bits128},
	{Compress: true, Strength: mppe.Bits128, Stateless: true},
}

// compress installs what both ends agreed on and opens them, as the session does.
func compress(a, b *end, cfg mppe.Config) {
	a.call.SetReceiver(cfg, keyBA)
	b.call.SetReceiver(cfg, keyAB)
	a.call.SetSender(cfg, keyAB)
	b.call.SetSender(cfg, keyBA)
	clear := cfg.Strength == mppe.None
	a.call.Open(Opening{Device: a.dev, SendClear: clear, ReceiveClear: clear})
	b.call.Open(Opening{Device: b.dev, SendClear: clear, ReceiveClear: clear})
}

// story is a packet of n octets of text.
func story(n int, number byte) []byte {
	p := packet(n, number)
	for i := 20; i < n-1; {
		i += copy(p[i:n-1], "for whom the bell tolls, the bell tolls for thee. ")
	}
	return p
}

// octetsOf counts what goes over the network from one address.
func octetsOf(net *rawgretest.Network) *int {
	n := 0
	net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
		if d.Src == addrA {
			n += len(d.Data)
		}
		return rawgretest.All(d)
	})
	return &n
}

func TestCompressedTrafficCrosses(t *testing.T) {
	for _, cfg := range compressions {
		t.Run(cfg.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net, a, b := tunnel(t)
				sent := octetsOf(net)
				compress(a, b, cfg)
				for i := range 300 {
					crosses(t, a, b, story(1400, byte(i)))
					crosses(t, b, a, story(60+i, byte(i)))
				}
				if *sent > 300*1400/4 {
					t.Errorf("%d octets for 300 packets of 1400", *sent)
				}
				synctest.Wait()
				if s := a.call.Stats(); s.TxPackets != 300 || s.TxBytes != 300*1400 || s.RxPackets != 300 || s.TxDrops+s.RxDrops != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestClearBesidesCompressed: with compression alone a peer may send in clear, and
// with encryption it may not.
func TestClearBesidesCompressed(t *testing.T) {
	for _, cfg := range compressions {
		synctest.Test(t, func(t *testing.T) {
			_, a, b := tunnel(t)
			compress(a, b, cfg)
			crosses(t, a, b, story(600, 1))
			a.call.SetSender(mppe.Config{}, mppe.StartKey{})
			a.call.Resume(a.dev)
			b.call.Resume(b.dev)
			if cfg.Strength == mppe.None {
				crosses(t, a, b, story(600, 2))
				crosses(t, b, a, story(600, 3))
				return
			}
			_ = a.dev.Send(t.Context(), story(600, 2))
			synctest.Wait()
			if b.plane.Drops(DropClear) != 1 {
				t.Errorf("%v: a clear packet was not dropped", cfg)
			}
		})
	}
}

// TestResumeIsClosedByDefault: without a word about encryption nothing passes in
// clear.
func TestResumeIsClosedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		a.call.Block()
		a.call.Resume(a.dev)
		_ = a.dev.Send(t.Context(), story(600, 1))
		_ = b.dev.Send(t.Context(), story(600, 2))
		synctest.Wait()
		if s := a.call.Stats(); s.TxPackets != 0 || s.RxPackets != 0 || s.TxDrops != 1 || a.plane.Drops(DropClear) != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestCompressionSurvivesLoss loses every seventh packet. What arrives is whole;
// the ends reset each other as sessions do; in stateless mode only what was lost
// is missing.
func TestCompressionSurvivesLoss(t *testing.T) {
	for _, cfg := range compressions {
		t.Run(cfg.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net, a, b := tunnel(t)
				compress(a, b, cfg)
				crosses(t, a, b, story(700, 0))
				lost := rawgretest.Lose(7)
				net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
					if d.Src != addrA {
						return rawgretest.All(d)
					}
					return lost(d)
				})
				arrived, resets := 0, 0
				for i := range 400 {
					p := story(700, byte(i))
					if err := a.dev.Send(t.Context(), bytes.Clone(p)); err != nil {
						t.Fatal(err)
					}
					time.Sleep(300 * time.Millisecond) // a gap is given up
					synctest.Wait()
					for {
						ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
						got, err := b.dev.Receive(ctx)
						cancel()
						if err != nil {
							break
						}
						if !bytes.Equal(got, story(700, got[699])) {
							t.Fatalf("packet %d came out wrong", i)
						}
						arrived++
					}
					for len(b.call.Frames()) > 0 {
						if f := <-b.call.Frames(); f.Signal == NeedReset {
							resets++
							b.call.Rearm(NeedReset)
							if err := a.call.Flush([]byte{0xff, 0x03, 0x80, 0xfd, 15, 1, 0, 4}); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				if arrived < 200 || cfg.Stateless && (resets != 0 || arrived < 340) || !cfg.Stateless && resets < 20 {
					t.Errorf("%d of 400 arrived, %d resets", arrived, resets)
				}
			})
		})
	}
}

// TestEncryptedWhereOnlyCompressed: a peer that encrypts although compression
// alone was agreed on is reported like one without any agreement.
func TestEncryptedWhereOnlyCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		compress(a, b, compressions[0])
		a.call.SetSender(stateless, keyAB)
		_ = a.dev.Send(t.Context(), story(600, 1))
		synctest.Wait()
		if len(b.call.Frames()) != 1 || (<-b.call.Frames()).Signal != Undecryptable {
			t.Error("not reported")
		}
	})
}
