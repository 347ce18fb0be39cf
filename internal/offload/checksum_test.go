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

// checkSum compares Sum as it is on this machine, and Sum without vectors, with naive.
func checkSum(t *testing.T, b []byte, initial uint16) {
	t.Helper()
	want := naive([]byte{byte(initial >> 8), byte(initial)}, b)
	if got := Sum(b, initial); got != want {
		t.Fatalf("Sum of %d octets and %#x = %#x, want %#x", len(b), initial, got, want)
	}
	if got := sumWith(false, b, initial); got != want {
		t.Fatalf("Sum of %d octets and %#x without vectors = %#x, want %#x", len(b), initial, got, want)
	}
}

// TestSum has all lengths that are handled apart, at all alignments to a vector.
func TestSum(t *testing.T) {
	const long = 300
	random := rand.New(rand.NewPCG(1, 2))
	room := make([]byte, vectorLen+MaxPacket+3)
	for i := range room {
		room[i] = byte(random.Uint32())
	}
	ones := bytes.Repeat([]byte{0xff}, len(room))
	for from := range vectorLen {
		for n := range long + 1 {
			checkSum(t, room[from:from+n], uint16(random.Uint32()))
			checkSum(t, ones[from:from+n], uint16(random.Uint32()))
		}
		for range 8 {
			to := from + long + random.IntN(MaxPacket-long)
			checkSum(t, room[from:to], uint16(random.Uint32()))
		}
	}
	checkSum(t, bytes.Repeat(ones, 4), 0) // more than MaxPacket is without vectors
	for n := MaxPacket - 2; n <= MaxPacket+3; n++ {
		checkSum(t, room[:n], 0xffff)
		checkSum(t, ones[:n], 0xffff)
		checkSum(t, make([]byte, n), 0)
	}
}

// TestSumCarries has a carry from each word of 64 bits, and out of the last one.
func TestSumCarries(t *testing.T) {
	for n := range 200 {
		for _, last := range []byte{0, 1, 0xfe, 0xff} {
			b := bytes.Repeat([]byte{0xff}, n+1)
			b[n] = last
			for _, initial := range []uint16{0, 1, 0xffff} {
				checkSum(t, b, initial)
			}
		}
	}
}

// TestSumWords has words of one value only: those about 0x8000 are where signed words
// are not what unsigned ones are.
func TestSumWords(t *testing.T) {
	for _, word := range []uint16{0, 1, 0x7fff, 0x8000, 0x8001, 0xff7f, 0x0080, 0x0180, 0xfffe} {
		b := bytes.Repeat([]byte{byte(word >> 8), byte(word)}, (MaxPacket+1)/2)
		for _, n := range []int{32, 33, 62, 64, 127, 128, 160, 1400, MaxPacket} {
			checkSum(t, b[:n], 0)
		}
	}
}

func TestSumAllocatesNothing(t *testing.T) {
	b := octets(1400, 1)
	if n := testing.AllocsPerRun(1000, func() { Sum(b, 0); sumWith(false, b, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte(nil), uint16(0))
	f.Add(octets(1400, 3), uint16(0xffff))
	for _, n := range []int{31, 32, 33, 63, 127, 129} {
		f.Add(octets(n, 5), uint16(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, initial uint16) {
		for i := range min(len(b)+1, 3) { // at more than one alignment
			checkSum(t, b[i:], initial)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	for _, size := range []int{20, 64, 256, 1400} {
		data := octets(size, 1)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				Sum(data, 0)
			}
		})
		b.Run(fmt.Sprint(size, " without vectors"), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				sumWith(false, data, 0)
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
