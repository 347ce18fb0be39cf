package journal

import "testing"

func TestCounts(t *testing.T) {
	quiet, loud := New(nil, true), New(func(Entry) {}, true)
	for _, j := range []*Journal{quiet, loud} {
		for topics, n := range map[string]int{
			"pptp,info": 3, "": 1, "pptp,ppp": 1, "system,error,critical": 2, "system,warning,info": 1, "radius,error": 1, "script,debug": 1,
		} {
			for range n {
				j.Addf(topics, "x")
			}
		}
		j.Debugf("pptp,debug,packet", "y")
		for s, want := range map[Severity]uint64{Debug: 1, Info: 5, Warning: 1, Error: 1, Critical: 2} {
			if s == Debug && j == loud {
				want++
			}
			if got := j.Count(s); got != want {
				t.Errorf("%v: %d, want %d", s, got, want)
			}
		}
	}
}
