package rc4

import (
	stdrc4 "crypto/rc4"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	for _, size := range []int{1, 1400} {
		for _, n := range []int{1, 2, 4, 16, 32, 64} {
			keys, data := make([][KeyLen]byte, n), make([][]byte, n)
			for i := range n {
				keys[i][0] = byte(i)
				data[i] = make([]byte, size)
			}
			type v struct {
				name string
				f    func()
				t    []float64
			}
			var vs []*v
			for _, p := range append(Paths(), Auto) {
				b := new(Batch)
				b.Force(p)
				vs = append(vs, &v{name: p.String(), f: func() { b.XOR(keys, data) }})
			}
			vs = append(vs, &v{name: "crypto", f: func() {
				for i := range n {
					c, _ := stdrc4.NewCipher(keys[i][:])
					c.XORKeyStream(data[i], data[i])
				}
			}})
			for range 150 {
				for _, x := range vs {
					s := time.Now()
					x.f()
					x.t = append(x.t, float64(time.Since(s))/float64(n))
					for i := range keys {
						keys[i][1]++
					}
				}
			}
			for _, x := range vs {
				slices.Sort(x.t)
				fmt.Printf("size %4d n %2d %-8s min %6.0f q1 %6.0f med %6.0f\n", size, n, x.name, x.t[0], x.t[len(x.t)/4], x.t[len(x.t)/2])
			}
		}
	}
}
