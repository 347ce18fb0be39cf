//go:build linux && !purego

package offload

import (
	"testing"

	"golang.org/x/sys/cpu"
)

// TestSumHasVectors has slices whose last octet must not be touched: the function
// that does so all the same is the one that sums them.
func TestSumHasVectors(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("this machine has no AVX2")
	}
	whole, b := guarded(t)
	end := 2*len(b) + 1
	for n, want := range map[int]string{
		20: "sumWith", 31: "sumWith",
		32: "sumVectors", 33: "sumVectors", 64: "sumVectors", 127: "sumVectors", 128: "sumVectors",
		1400: "sumVectors", 1401: "sumVectors",
	} {
		beyond := whole[end-n : end]
		if got := fault(t, func() { Sum(beyond, 0) }); got != want {
			t.Errorf("%d octets are summed by %q, want %q", n, got, want)
		}
		if got := fault(t, func() { sumWith(false, beyond, 0) }); got != "sumWith" {
			t.Errorf("%d octets without vectors are summed by %q", n, got)
		}
	}
}
