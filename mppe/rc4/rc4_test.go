package rc4

import (
	"bytes"
	stdrc4 "crypto/rc4"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The key and the key stream of RFC 6229, section 2, for the key length that
// MPPE has, at some of the places given there.
var (
	vectorKey    = [KeyLen]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	vectorStream = map[int]string{
		0:    "9ac7cc9a609d1ef7b2932899cde41b97",
		16:   "5248c4959014126a6e8a84f11d1a9e1c",
		240:  "065902e4b620f6cc36c8589f66432f2b",
		256:  "d39d566bc6bce3010768151549f3873f",
		496:  "b6d1e6c4a5e4771cad79538df295fb11",
		1008: "e7a72574f8782ae26aabcf9ebcd66065",
		1536: "ffa0b514647ec04f6306b892ae661181",
		2032: "d03d1bc03cd33d70dff9fa5d71963ebd",
		4080: "ff38265c1642c1abe8d3c2fe5e572bf8",
	}
)

func checkVectors(t *testing.T, name string, stream []byte) {
	t.Helper()
	for off, w := range vectorStream {
		if got := hex.EncodeToString(stream[off : off+16]); got != w {
			t.Errorf("%s: octets from %d: %s, want %s", name, off, got, w)
		}
	}
}

func TestRFC6229(t *testing.T) {
	for _, path := range Paths() {
		var c Cipher
		c.Force(path)
		c.Schedule(&vectorKey)
		stream := make([]byte, 4096)
		c.XOR(stream)
		checkVectors(t, fmt.Sprintf("%v, one stream", path), stream)
		for _, n := range []int{1, 2, 3, 4, 15, 16, 17, 32, 64} {
			var b Batch
			b.Force(path)
			keys, data := make([][KeyLen]byte, n), make([][]byte, n)
			for i := range n {
				keys[i], data[i] = vectorKey, make([]byte, 4096)
			}
			b.XOR(keys, data)
			for i := range n {
				checkVectors(t, fmt.Sprintf("%v, stream %d of %d", path, i, n), data[i])
			}
		}
	}
}

func randomKey(r *rand.Rand) (key [KeyLen]byte) {
	for i := range key {
		key[i] = byte(r.Uint32())
	}
	return key
}

// reference is what XOR has to do to p.
func reference(t testing.TB, key []byte, p []byte) {
	t.Helper()
	c, err := stdrc4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	c.XORKeyStream(p, p)
}

// Random keys of both lengths, in pieces of random length, against the standard
// library.
func TestCipher(t *testing.T) {
	for _, path := range Paths() {
		r := rand.New(rand.NewPCG(3, 4))
		for range 3000 {
			key := randomKey(r)
			n := 16
			if r.IntN(2) == 0 {
				n = 8
				copy(key[8:], key[:8])
			}
			std, err := stdrc4.NewCipher(key[:n])
			if err != nil {
				t.Fatal(err)
			}
			var c Cipher
			c.Force(path)
			c.Schedule(&key)
			for range 4 {
				want := make([]byte, r.IntN(700))
				got := bytes.Clone(want)
				std.XORKeyStream(want, want)
				c.XOR(got)
				if !bytes.Equal(got, want) {
					t.Fatalf("%v: key %x: wrong stream", path, key[:n])
				}
			}
		}
	}
}

func TestCipherRewind(t *testing.T) {
	var c Cipher
	c.Schedule(&[KeyLen]byte{1, 2, 3})
	for n := range 600 {
		before := c
		c.XOR(make([]byte, n))
		c.Rewind(n)
		if c != before {
			t.Fatalf("rewind of %d octets did not lead back", n)
		}
		c.XOR(make([]byte, 1))
	}
}

// A guarded has data with octets before and after each piece that nobody may touch.
type guarded struct {
	keys       [][KeyLen]byte
	data, want [][]byte // pieces of the two below
	room, copy []byte
}

const guard = 70

func makeGuarded(t testing.TB, r *rand.Rand, lengths []int) *guarded {
	total := guard
	for _, n := range lengths {
		total += n + guard
	}
	g := &guarded{room: make([]byte, total)}
	for i := range g.room {
		g.room[i] = byte(r.Uint32())
	}
	g.copy = bytes.Clone(g.room)
	at := guard
	for _, n := range lengths {
		key := randomKey(r)
		g.keys = append(g.keys, key)
		g.data = append(g.data, g.room[at:at+n])
		g.want = append(g.want, g.copy[at:at+n])
		reference(t, key[:], g.copy[at:at+n])
		at += n + guard
	}
	return g
}

func (g *guarded) check(t testing.TB, name string) {
	t.Helper()
	for i := range g.data {
		if !bytes.Equal(g.data[i], g.want[i]) {
			t.Fatalf("%s: stream %d of %d, %d octets: wrong", name, i, len(g.data), len(g.data[i]))
		}
	}
	if !bytes.Equal(g.room, g.copy) {
		t.Fatalf("%s: wrote outside of the data", name)
	}
}

// lengthsOf makes lengths as traffic has them: all the same, long and short,
// anything.
func lengthsOf(r *rand.Rand, n int) []int {
	kind, lengths := r.IntN(4), make([]int, n)
	for i := range lengths {
		switch {
		case kind == 0:
			lengths[i] = 1400
		case kind == 1 && r.IntN(2) == 0:
			lengths[i] = 1402
		case kind == 1:
			lengths[i] = 54
		case kind == 2:
			lengths[i] = r.IntN(100)
		default:
			lengths[i] = r.IntN(1601)
		}
	}
	return lengths
}

func TestBatch(t *testing.T) {
	for _, path := range tested() {
		t.Run(path.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			b := new(Batch)
			b.Force(path)
			for n := range 71 {
				for range 2 {
					lengths := lengthsOf(r, n)
					g := makeGuarded(t, r, lengths)
					b.XOR(g.keys, g.data)
					g.check(t, fmt.Sprint(lengths))
				}
			}
		})
	}
}

// TestBatchLengths has every length of a few blocks and many of the others, also
// beside shorter ones.
func TestBatchLengths(t *testing.T) {
	for _, path := range tested() {
		t.Run(path.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			b := new(Batch)
			b.Force(path)
			for n := 0; n < 1601; n += 1 + n/300*5 {
				lengths := make([]int, []int{1, 2, 4, 7, 14, 17, 32}[n%7])
				for i := range lengths {
					lengths[i] = max(0, n-i*(n%3))
				}
				g := makeGuarded(t, r, lengths)
				b.XOR(g.keys, g.data)
				g.check(t, fmt.Sprint(lengths))
			}
		})
	}
}

// tested are the paths to test: all that there are, and the choice among them.
func tested() []Path { return append(Paths(), Auto) }

func TestForceRefusesWhatIsMissing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a path that nobody has was taken")
		}
	}()
	new(Batch).Force(Vector + 1)
}

func TestBatchNoAllocation(t *testing.T) {
	for _, path := range tested() {
		b := new(Batch)
		b.Force(path)
		r := rand.New(rand.NewPCG(9, 9))
		g := makeGuarded(t, r, lengthsOf(r, 70))
		if n := testing.AllocsPerRun(100, func() { b.XOR(g.keys, g.data) }); n != 0 {
			t.Errorf("%v: %v allocations", path, n)
		}
	}
}

// FuzzBatch compares all paths, the lengths being what the fuzzer says.
func FuzzBatch(f *testing.F) {
	f.Add(uint64(1), []byte("\x00\x00\x05\x78"))
	f.Add(uint64(2), bytes.Repeat([]byte("\x05\x78\x00\x36"), 32))
	f.Add(uint64(3), bytes.Repeat([]byte("\x00\x40\x00\x41\x00\x3f"), 12))
	f.Fuzz(func(t *testing.T, seed uint64, raw []byte) {
		var lengths []int
		for ; len(raw) >= 2 && len(lengths) < 130; raw = raw[2:] {
			lengths = append(lengths, (int(raw[0])<<8|int(raw[1]))%2100)
		}
		for _, path := range tested() {
			g := makeGuarded(t, rand.New(rand.NewPCG(seed, 1)), lengths)
			b := new(Batch)
			b.Force(path)
			b.XOR(g.keys, g.data)
			g.check(t, path.String())
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 4, 8, 12, 16, 32, 64} {
		lengths := make([]int, n)
		for i := range lengths {
			lengths[i] = 1400
		}
		g := makeGuarded(b, r, lengths)
		for _, path := range tested() {
			b.Run(fmt.Sprintf("%d/%v", n, path), func(b *testing.B) {
				batch := new(Batch)
				batch.Force(path)
				b.SetBytes(int64(1400 * n))
				for b.Loop() {
					batch.XOR(g.keys, g.data)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/stream")
			})
		}
		b.Run(fmt.Sprintf("%d/crypto", n), func(b *testing.B) {
			b.SetBytes(int64(1400 * n))
			for b.Loop() {
				for i := range n {
					reference(b, g.keys[i][:], g.data[i])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/stream")
		})
	}
}

func BenchmarkCipher(b *testing.B) {
	key := [KeyLen]byte{1, 2, 3, 4, 5}
	p := make([]byte, 1400)
	for _, path := range []Path{Portable, Auto} {
		b.Run("schedule/"+path.String(), func(b *testing.B) {
			var c Cipher
			c.Force(path)
			for b.Loop() { // a new key each time, or the processor learns the jumps
				c.Schedule(&key)
				c.XOR(key[:])
			}
		})
	}
	b.Run("schedule/crypto", func(b *testing.B) {
		for b.Loop() {
			c, _ := stdrc4.NewCipher(key[:])
			c.XORKeyStream(key[:], key[:])
		}
	})
	b.Run("xor/own", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		var c Cipher
		c.Schedule(&key)
		for b.Loop() {
			c.XOR(p)
		}
	})
	b.Run("xor/crypto", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		c, _ := stdrc4.NewCipher(key[:])
		for b.Loop() {
			c.XORKeyStream(p, p)
		}
	})
}
