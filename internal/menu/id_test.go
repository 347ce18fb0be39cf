package menu

import (
	"fmt"
	"math"
	"testing"
)

func TestIDText(t *testing.T) {
	for _, id := range []ID{0, 1, 9, 10, 15, 16, 0x1A, 0x80000010, 0xFEDCBA9876543210, math.MaxUint64} {
		text := id.String()
		if want := fmt.Sprintf("*%X", uint64(id)); text != want {
			t.Errorf("%d is written %s, want %s", uint64(id), text, want)
		}
		if again, ok, err := ParseID(text); again != id || !ok || err != nil {
			t.Errorf("%s is read back as %d, %v, %v", text, again, ok, err)
		}
	}
}

// TestAllocsOfClean holds plain text to what it is: each cell of each print goes
// through it.
func TestAllocsOfClean(t *testing.T) {
	if got := Clean("plain text"); got != "plain text" {
		t.Errorf("plain text becomes %q", got)
	}
	if n := testing.AllocsPerRun(100, func() { Clean("a name of somebody") }); n != 0 {
		t.Errorf("plain text costs %v allocations", n)
	}
}
