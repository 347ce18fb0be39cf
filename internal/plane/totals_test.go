package plane

import (
	"sync"
	"testing"
	"testing/synctest"

	"gopptp/internal/rawgre/rawgretest"
)

// TestTotalsKeepWhatEnded: a call that has ended counts on, once.
func TestTotalsKeepWhatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		for i := range byte(3) {
			crosses(t, a, b, packet(100, i))
		}
		crosses(t, b, a, packet(60, 9))
		synctest.Wait()
		want := Stats{RxPackets: 1, RxBytes: 60, TxPackets: 3, TxBytes: 300}
		if got := a.plane.Totals(); got != want {
			t.Errorf("while the call lives: %+v, want %+v", got, want)
		}
		a.call.Close()
		a.call.Close()
		if got := a.plane.Totals(); got != want {
			t.Errorf("after its end: %+v, want %+v", got, want)
		}
		again, err := a.plane.NewCall(addrA, addrB)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		again.stats.txBytes.Add(7)
		want.TxBytes += 7
		if got := a.plane.Totals(); got != want {
			t.Errorf("with another call: %+v, want %+v", got, want)
		}
	})
}

// TestTotalsNeverShrink asks while calls come, carry and end.
func TestTotalsNeverShrink(t *testing.T) {
	p := New(rawgretest.New().Listen(addrA))
	defer p.Close()
	const callers, calls, packets = 4, 50, 100
	var work sync.WaitGroup
	for range callers {
		work.Go(func() {
			for range calls {
				c, err := p.NewCall(addrA, addrB)
				if err != nil {
					t.Error(err)
					return
				}
				var tail sync.WaitGroup // a packet on its way while the call is closed
				c.pacers.Go(func() {
					for range packets {
						c.stats.rxPackets.Add(1)
						c.stats.rxBytes.Add(10)
					}
				})
				tail.Go(c.Close)
				c.Close()
				tail.Wait()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		work.Wait()
		close(done)
	}()
	var last Stats
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		now := p.Totals()
		if now.RxPackets < last.RxPackets || now.RxBytes < last.RxBytes {
			t.Fatalf("%+v after %+v", now, last)
		}
		last = now
	}
	if want := uint64(callers * calls * packets); last.RxPackets != want || last.RxBytes != 10*want {
		t.Errorf("in the end %+v, want %d packets", last, want)
	}
}

// BenchmarkTotals is what it costs to ask while the table is nearly empty.
func BenchmarkTotals(b *testing.B) {
	p := New(rawgretest.New().Listen(addrA))
	defer p.Close()
	for b.Loop() {
		p.Totals()
	}
}
