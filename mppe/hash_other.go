//go:build !amd64 || purego

package mppe

// hashes tells that crypto/sha1 is all there is.
const hashes = false

func hashFast(_, _ *[keyLen]byte) { panic("mppe: no hash of its own") }
