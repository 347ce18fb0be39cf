// Package rc4 runs many RC4 streams at once, each with a key of its own, as
// stateless MPPE needs them: one for each packet. One stream alone waits for its
// own stores most of the time; several side by side fill that time.
//
// There are three ways to do it, with the same result: 32 streams in the lanes
// of AVX-512, four in scalar assembly, two in Go. A Batch takes the fastest for
// each part of its work by what the processor has and by the lengths.
//
// RC4 is broken by today's measure. The package is for protocols that have
// nothing else, and does not hide the tables from who shares the processor's
// caches; no implementation of RC4 with tables does. It holds no state, starts
// no goroutine and opens no socket.
package rc4

// A Path is a way to run several streams at once.
type Path uint8

// The paths. Which of them a machine has, Paths tells.
const (
	Auto     Path = iota // the best of the machine's, for each part of the work
	Portable             // Go, two streams
	Scalar               // assembly, four streams
	Vector               // assembly, 32 streams in AVX-512, short batches as with Scalar
)

func (p Path) String() string {
	switch p {
	case Auto:
		return "auto"
	case Portable:
		return "Go"
	case Scalar:
		return "scalar"
	case Vector:
		return "AVX-512"
	}
	return "unknown"
}

// Paths lists the paths of this machine, the fastest last.
func Paths() []Path {
	paths := []Path{Portable}
	if scalar {
		paths = append(paths, Scalar)
	}
	if vector {
		paths = append(paths, Vector)
	}
	return paths
}
