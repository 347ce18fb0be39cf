package auth

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkBothSides(b *testing.B) {
	for _, m := range allMethods {
		b.Run(m.String(), func(b *testing.B) {
			for b.Loop() {
				c := channel{rng: rand.New(rand.NewPCG(1, 1)), serverPassword: "p"}
				c.run(b, newAuthenticator(b, m), newPeer(b, m, "u", "p"))
			}
		})
	}
}
