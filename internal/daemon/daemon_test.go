package daemon

import "testing"

func TestShards(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 7: 2, 8: 4, 16: 8, 64: 8} {
		if got := shards(processors); got != want {
			t.Errorf("%d processors: %d sockets", processors, got)
		}
	}
}
