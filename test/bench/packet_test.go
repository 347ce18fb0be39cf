package main

import (
	"bytes"
	"testing"

	"gopptp/mppe"
)

// The reference must do the same work, or the ratio means nothing.
func TestReferenceIsMPPE(t *testing.T) {
	key := startKey()
	ours, theirs := mppe.NewSender(mppeConfig, key), newReference(key.Long)
	for n := range 5000 { // past the wrap of the count
		a, b := userPacket(), userPacket()
		if start := ours.Seal(a, mppe.Overhead); start != 0 {
			t.Fatalf("Seal starts at %d", start)
		}
		theirs.seal(b)
		if !bytes.Equal(a, b) {
			t.Fatalf("packet %d differs: % x…, reference % x…", n, a[:16], b[:16])
		}
	}
}

func TestPathsMakeTheSameBytes(t *testing.T) {
	if err := sameBytes(); err != nil {
		t.Error(err)
	}
}
