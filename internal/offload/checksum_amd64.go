//go:build !purego

package offload

import "golang.org/x/sys/cpu"

// haveVectors tells whether the processor has the instructions of sumVectors.
var haveVectors = cpu.X86.HasAVX2

// sumVectors is the sum of the words of b, in the machine's order and not folded. The
// length of b is from vectorLen to MaxPacket.
//
//go:noescape
func sumVectors(b []byte) uint32
