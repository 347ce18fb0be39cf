package offload

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRFC1071Section3 is the example of the RFC.
func TestRFC1071Section3(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if sum := Sum(b, 0); sum != 0xddf2 {
		t.Errorf("Sum = %#x, want 0xddf2", sum)
	}
}

func TestSum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	room := make([]byte, 300)
	for i := range room {
		room[i] = byte(random.Uint32())
	}
	room = append(room, bytes.Repeat([]byte{0xff}, 300)...)
	for from := range room {
		for _, to := range []int{from, min(from+1, len(room)), from + random.IntN(len(room)-from+1), len(room)} {
			b := room[from:to]
			initial := uint16(random.Uint32())
			want := naive([]byte{byte(initial >> 8), byte(initial)}, b)
			if got := Sum(b, initial); got != want {
				t.Fatalf("Sum of %d octets and %#x = %#x, want %#x", len(b), initial, got, want)
			}
		}
	}
}

// TestSumCarries has a carry from each word of 64 bits, and out of the last one.
func TestSumCarries(t *testing.T) {
	for n := range 200 {
		for _, last := range []byte{0, 1, 0xfe, 0xff} {
			b := bytes.Repeat([]byte{0xff}, n+1)
			b[n] = last
			for _, initial := range []uint16{0, 1, 0xffff} {
				want := naive([]byte{byte(initial >> 8), byte(initial)}, b)
				if got := Sum(b, initial); got != want {
					t.Fatalf("Sum of %d octets ff, %x and %#x = %#x, want %#x", n, last, initial, got, want)
				}
			}
		}
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte(nil), uint16(0))
	f.Add(octets(1400, 3), uint16(0xffff))
	f.Fuzz(func(t *testing.T, b []byte, initial uint16) {
		if got, want := Sum(b, initial), naive([]byte{byte(initial >> 8), byte(initial)}, b); got != want {
			t.Errorf("Sum = %#x, want %#x", got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	for _, size := range []int{20, 64, 1400} {
		data := octets(size, 1)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				Sum(data, 0)
			}
		})
		b.Run(fmt.Sprint(size, " naive"), func(b *testing.B) { // as RFC 1071, section 4.1 has it
			b.SetBytes(int64(size))
			for b.Loop() {
				var sum uint32
				for i := 0; i+1 < len(data); i += 2 {
					sum += uint32(data[i])<<8 | uint32(data[i+1])
				}
				for sum > 0xffff {
					sum = sum>>16 + sum&0xffff
				}
			}
		})
	}
}
