//go:build !purego

package mppe

import "golang.org/x/sys/cpu"

// hashes tells whether the processor has the instructions of hashFast: those of
// SHA, and PSHUFB of SSSE3.
var hashes = cpu.X86.HasSSSE3 && features()&(1<<29) != 0

// features is what CPUID says in EBX of leaf 7, or 0 where there is none.
func features() (ebx uint32)

// hashFast is fromSHA for keys of 128 bits, in place. crypto/sha1 has the same
// instructions, and takes twice as long for so little: it counts, copies and pads.
//
//go:noescape
func hashFast(key, start *[keyLen]byte)
