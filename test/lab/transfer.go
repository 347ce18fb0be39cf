package lab

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

const (
	// TransferSize is what a transfer carries each way, in octets.
	TransferSize = 1 << 20
	// transferLimit is for both ways together. A userspace peer in a guest needs
	// a second or two; stateful MPPE on a path that loses 1 % needs 5 to 20 s,
	// since each loss costs TCP all that is under way, and pppd waits for a
	// second before it asks for a reset again. (Two pppd need longer still.)
	transferLimit = 90 * time.Second
)

// Offer carries TransferSize octets each way over c, from the side that
// connected: it sends, then receives. Every octet is from a generator seeded
// from the sum of what went before, so that an octet lost, changed or from
// another transfer shows.
func Offer(c net.Conn) error {
	c.SetDeadline(time.Now().Add(transferLimit))
	sum, err := send(c, [32]byte{})
	if err != nil {
		return err
	}
	_, err = receive(c, sum)
	return err
}

// Answer is the other end of Offer: it receives, then sends.
func Answer(c net.Conn) error {
	c.SetDeadline(time.Now().Add(transferLimit))
	sum, err := receive(c, [32]byte{})
	if err != nil {
		return err
	}
	if _, err := send(c, sum); err != nil {
		return err
	}
	// The other side closes when it has all: until then a reset would take
	// back what is on its way.
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("lab: transfer: after the end: %d octets, %v", n, err)
	}
	return nil
}

// pattern gives the octets that belong to a seed, and their sum.
func pattern(seed [32]byte) ([]byte, [32]byte) {
	b := make([]byte, TransferSize)
	rand.NewChaCha8(seed).Read(b)
	return b, sha256.Sum256(b)
}

func send(c net.Conn, seed [32]byte) ([32]byte, error) {
	b, sum := pattern(seed)
	_, err := c.Write(b)
	return sum, err
}

func receive(c net.Conn, seed [32]byte) ([32]byte, error) {
	want, sum := pattern(seed)
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		return sum, fmt.Errorf("lab: transfer: %d of %d octets: %w", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		return sum, errors.New("lab: transfer: octets differ from what was sent")
	}
	return sum, nil
}
