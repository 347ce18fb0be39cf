package menu

import (
	"testing"
	"time"
)

func TestFractionOfSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0.5s": 500 * time.Millisecond, "1m1.25s": 61*time.Second + 250*time.Millisecond, "0.000000001s": 1, "3.0s": 3 * time.Second,
	} {
		if got, err := ParseTime(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0.5", ".5s", "1.s", "1.5m", "0.0000000001s", "1.-5s", "1.+5s", "1.5s1s", "9223372036854775us0.9s", "15250w9223372036.9s"} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}
