package auth

import (
	"math/bits"
	"testing"

	"gopptp/ppp"
)

// TestChallengesNeverRepeat: of ten thousand challenges no two are the same, in
// what follows the first octets either, and each bit is as often set as not.
func TestChallengesNeverRepeat(t *testing.T) {
	const rounds = 10_000
	for _, m := range allMethods[1:] {
		size := m.challengeSize()
		seen := map[string]bool{}
		set := make([]int, 8*size)
		var flips int
		var last []byte
		for range rounds {
			a := newAuthenticator(t, m)
			must(t, a.Start(start))
			var v chapValue
			must(t, v.Parse(packet(t, a).Data))
			for _, part := range [][]byte{v.value[:size/2], v.value[size/2:]} {
				// Of 20,000 halves of 32 bits one pair is expected to be the same
				// in one run of twenty: only halves of 64 bits never are.
				if size >= 16 && seen[string(part)] {
					t.Fatalf("%v: %x comes twice", m, part)
				}
				seen[string(part)] = true
			}
			if seen[string(v.value)] {
				t.Fatalf("%v: the challenge %x comes twice", m, v.value)
			}
			seen[string(v.value)] = true
			for i := range set {
				set[i] += int(v.value[i/8] >> (i % 8) & 1)
			}
			for i := range last {
				flips += bits.OnesCount8(last[i] ^ v.value[i])
			}
			last = v.value
		}
		// Six standard deviations of 10,000 throws of a coin are 300.
		for i, n := range set {
			if n < rounds/2-300 || n > rounds/2+300 {
				t.Errorf("%v: bit %d is set in %d of %d challenges", m, i, n, rounds)
			}
		}
		// From one challenge to the next half of the bits change.
		if all := 8 * size * (rounds - 1); flips < all*49/100 || flips > all*51/100 {
			t.Errorf("%v: %d of %d bits change", m, flips, all)
		}
	}
}

// TestReplay: a response that was right once is wrong for every other challenge,
// whether it comes as it was or under the new identifier.
func TestReplay(t *testing.T) {
	for _, m := range allMethods[1:] {
		first := newAuthenticator(t, m)
		must(t, first.Start(start))
		response, _ := respond(t, first, "u", "p")
		must(t, first.Input(start, ppp.ProtocolCHAP, response))
		if r := next[*Request](t, first).Verify("p"); !r.OK {
			t.Fatalf("%v: the honest response is refused", m)
		}
		for range 20 {
			again := newAuthenticator(t, m)
			must(t, again.Start(start))
			challenge := packet(t, again)
			replay := append([]byte(nil), response...)
			replay[1] = challenge.ID
			must(t, again.Input(start, ppp.ProtocolCHAP, replay))
			r := next[*Request](t, again)
			if result := r.Verify("p"); result.OK || result.Keys != nil {
				t.Errorf("%v: a replayed response passes", m)
			}
			again.Answer(r.Verify("p"))
			if verdict := packet(t, again); verdict.Code != chapFailure {
				t.Errorf("%v: the verdict on a replayed response is %d", m, verdict.Code)
			}
		}
	}
}

// TestAuthenticatorTellsChallenges: whoever keeps the challenges that are out hears
// of both, that of the Challenge and that of a Failure.
func TestAuthenticatorTellsChallenges(t *testing.T) {
	for _, m := range allMethods {
		issued := map[string]bool{}
		a, err := NewAuthenticator(AuthenticatorConfig{Method: m, Issue: func(c []byte) { issued[string(c)] = true }})
		must(t, err)
		must(t, a.Start(start))
		if m == PAP {
			if len(issued) != 0 {
				t.Error("PAP has a challenge")
			}
			continue
		}
		var v chapValue
		must(t, v.Parse(packet(t, a).Data))
		if len(issued) != 2 || !issued[string(v.value)] || !issued[string(a.spare)] {
			t.Errorf("%v: told of %d challenges", m, len(issued))
		}
	}
}
