//go:build !amd64 || purego

package offload

// haveVectors tells that there are none.
const haveVectors = false

func sumVectors([]byte) uint32 { panic("offload: no vectors") }
