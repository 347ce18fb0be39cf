package plane

import (
	"testing"
	"testing/synctest"
	"time"

	"gopptp/mppe"
)

// TestWhatIsDroppedIsNoUse: packets that the tunnel does not take, as those of IPv6
// that a kernel sends on its own, keep no session from its idle timeout.
func TestWhatIsDroppedIsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		began := a.call.Used()
		send := func(p []byte) {
			t.Helper()
			time.Sleep(time.Minute)
			if err := a.dev.Send(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		six := packet(60, 1)
		six[0] = 0x60
		send(six)
		if used := a.call.Used(); used != began {
			t.Errorf("used %v after the beginning by IPv6", used.Sub(began))
		}
		a.call.Block()
		send(packet(60, 2))
		if used := a.call.Used(); used != began {
			t.Errorf("used %v after the beginning while the network was down", used.Sub(began))
		}
		a.call.SetReceiver(mppe.Config{}, mppe.StartKey{})
		a.call.SetSender(mppe.Config{}, mppe.StartKey{})
		a.call.Resume(a.dev)
		send(packet(60, 3))
		if used := a.call.Used(); used != time.Now() {
			t.Errorf("used %v ago", time.Since(used))
		}
	})
}
