package mppe

// A Receiver of stateless mode that has refused many packets in a row searches for
// the key of the stream, and tries a hundred wrong ones while it does. Of those, each
// frame that is plausible by chance would have it follow the wrong key and search on from
// there, once in five searches. Therefore a search believes no packet alone but the one
// that is due: two must be plausible, the second with the key that the first one says. A
// wrong key passes that once in 160,000 times, and a right one with whatever frames there
// are: it costs one more packet of a stream of which thousands are lost.

const (
	// patience is the number of packets refused in a row after which the
	// stream is believed to have moved on by more than the count can say.
	patience = 8
	// huntStep is how many keys are tried for each packet refused after that,
	// and huntReach how far the hunt goes: 2^16 packets are seven seconds at
	// 100 Mbit/s, an outage that ends most calls.
	huntStep  = 32
	huntReach = 1 << 16
	// guessReach is how many packets after the first one the second may be: a few of
	// the stream may be lost, and those of others seldom have such a count.
	guessReach = 32
)

// A search is for the key that the stream has now.
type search struct {
	hunt     chain
	hunted   uint32 // how far hunt is ahead of the Receiver's chain
	cooldown uint16 // keys to pass by before the next is tried on a packet
	guess    position
	guessed  bool // the packet before guess was plausible
}

// searching reports whether there is a search.
func (r *Receiver) searching() bool { return r.refused >= patience }

// believe decrypts p with the key of c, whose tables t are, if that is the right one. due
// says that p has the count that is due. If it takes another packet to tell, there is a
// guess, and p stays as it was.
func (r *Receiver) believe(t *cipher, c *chain, due bool, count uint16, p []byte) bool {
	if !r.try(t, p) {
		return false
	}
	if due || !r.searching() {
		return true
	}
	t.Schedule(&c.key)
	t.XOR(p)
	r.guess, r.guessed = position{*c, (count + 1) & countMask}, true
	return false
}

// openGuessed opens p if it confirms the guess. The first packet that could do so and does
// not puts an end to it.
func (r *Receiver) openGuessed(count uint16, p []byte) bool {
	ahead := (count - r.guess.next) & countMask
	if !r.guessed || ahead >= guessReach {
		return false
	}
	r.guessed = false
	var t cipher
	c := r.guess.chain
	for range ahead + 1 {
		c.next(&t)
	}
	t.Schedule(&c.key)
	if !r.try(&t, p) {
		return false
	}
	r.move(r.position, true, c, count)
	return true
}

// openHunted advances the hunt by at most huntStep keys and tries p when its
// count is among them. The peer is at one of the positions ahead that have the
// count, 4,096 apart, and moves on by one key for each packet, so the hunt
// catches up. What it finds is a guess.
func (r *Receiver) openHunted(count uint16, p []byte) {
	if r.hunted >= huntReach {
		r.lost = true
		return
	}
	var t cipher
	steps := (count - r.next - uint16(r.hunted)) & countMask
	try := r.cooldown == 0 && steps < huntStep
	if try {
		steps++
	} else {
		steps = huntStep
	}
	for range steps {
		r.hunt.next(&t)
	}
	r.hunted += uint32(steps)
	r.cooldown -= min(r.cooldown, steps)
	if !try {
		return
	}
	t.Schedule(&r.hunt.key)
	r.believe(&t, &r.hunt, false, count, p)
	// The next packets would be tried on the same turn of the count. If that is the
	// right one they confirm the guess.
	r.cooldown = maxAhead
}
