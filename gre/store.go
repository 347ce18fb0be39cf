package gre

import "time"

// A store is the memory of a Reorder while its path loses or reorders: about
// 3 KB and the buffers that were ever needed at once.
type store struct {
	epoch time.Time                 // what the durations below count from
	used  time.Duration             // last time that a packet was held
	high  uint32                    // highest number received then
	runAt time.Duration             // when the last packet of run came
	at    [windowSize]time.Duration // since when number n, at n%windowSize, is or was missing
	slot  [windowSize]uint16        // index into bufs plus one of number n at n%windowSize; 0 is missing since at[n%windowSize]
	run   [backwardRun]runPacket
	bufs  [][]byte
	free  []uint16 // indices plus one of bufs not in use; used as a stack, so that few buffers stay warm
	pace
}

// A runPacket is a packet outside the window.
type runPacket struct {
	seq uint32
	buf uint16
}

// since is now as the store counts it.
func (s *store) since(now time.Time) time.Duration { return now.Sub(s.epoch) }

// put copies b into a buffer and returns its index plus one.
func (s *store) put(b []byte) uint16 {
	var i uint16
	if n := len(s.free); n > 0 {
		i = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		s.bufs = append(s.bufs, nil)
		i = uint16(len(s.bufs))
	}
	p := &s.bufs[i-1]
	*p = append((*p)[:0], b...)
	return i
}

// take gives buffer i back and returns what it holds until the next put.
func (s *store) take(i uint16) []byte {
	s.free = append(s.free, i)
	return s.bufs[i-1]
}

// dropRun gives the buffers of the run back. Those beyond the current run are
// zero.
func (s *store) dropRun() {
	for i := range s.run {
		if b := s.run[i].buf; b != 0 {
			s.take(b)
		}
	}
	s.run = [backwardRun]runPacket{}
}
