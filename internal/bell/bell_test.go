package bell

import (
	"testing"
	"testing/synctest"
)

// rung reports whether a channel of Next was closed.
func rung(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestBell(t *testing.T) {
	var b Bell
	b.Ring() // for nobody
	first, same := b.Next(), b.Next()
	if rung(first) || rung(same) {
		t.Fatal("it rang before")
	}
	b.Ring()
	b.Ring()
	if !rung(first) || !rung(same) {
		t.Error("it did not ring for all")
	}
	if rung(b.Next()) {
		t.Error("what was before is told again")
	}
}

func TestWakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Bell
		woken := make(chan int, 3)
		for i := range 3 {
			c := b.Next()
			go func() {
				<-c
				woken <- i
			}()
		}
		synctest.Wait()
		if len(woken) > 0 {
			t.Fatal("woken without a ring")
		}
		b.Ring()
		synctest.Wait()
		if len(woken) != 3 {
			t.Errorf("%d of 3 were woken", len(woken))
		}
	})
}

func TestAllocsOfRing(t *testing.T) {
	var b Bell
	if n := testing.AllocsPerRun(100, b.Ring); n != 0 {
		t.Errorf("a ring for nobody allocates %v times", n)
	}
}
