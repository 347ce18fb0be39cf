package main

import (
	"bytes"
	"crypto/rc4"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"gopptp/mppe"
	streams "gopptp/mppe/rc4"
)

// mppeTurns is how many turns of a batch everybody has in each round, by turns. What
// counts is the fastest turn of a round, since all else that the machine does only
// adds, and of the rounds the median.
const mppeTurns = 40

// A contestant seals or opens packets, and is compared with its reference round by
// round.
type contestant struct {
	name      string
	pass      func() time.Duration // for MaxBatch packets
	reference *contestant          // nil for a reference itself
	took      []float64            // nanoseconds per packet in each round
}

// turn is the first of a round if began is false.
func (c *contestant) turn(began bool) {
	took := float64(c.pass()) / mppe.MaxBatch
	if !began {
		c.took = append(c.took, took)
		return
	}
	last := &c.took[len(c.took)-1]
	*last = min(*last, took)
}

func (c *contestant) row() row {
	return rounds{c.took, c.reference.took}.row(c.name, c.reference.name, nanoseconds, "")
}

// pathsOf are the paths to measure: all that the machine has if name is empty, and
// which to take where only one is measured.
func pathsOf(name string) (all []streams.Path, one streams.Path, err error) {
	all = streams.Paths()
	if name == "" {
		return all, streams.Auto, nil
	}
	for _, p := range all {
		if p.String() == name {
			return []streams.Path{p}, p, nil
		}
	}
	return nil, 0, fmt.Errorf("this machine has no path %q, only %v", name, all)
}

// sealing compares MPPE with what one would write without caring for speed, on
// every path that the machine has or on the one that is forced.
func (b *bench) sealing() error {
	paths, auto, err := pathsOf(b.path)
	if err != nil {
		return err
	}
	if err := sameBytes(); err != nil {
		return err
	}
	const standard = "crypto/rc4 and crypto/sha1"
	full, mixed := slices.Repeat([]int{packetSize}, mppe.MaxBatch), mixedSizes()
	plain := &contestant{name: standard, pass: referencePass(full)}
	plainMixed := &contestant{name: standard, pass: referencePass(mixed)}
	plainStream := &contestant{name: "crypto/rc4", pass: streamPass(full)}
	all := []*contestant{plain, plainMixed, plainStream}
	add := func(reference *contestant, name string, pass func() time.Duration) {
		all = append(all, &contestant{name: name, pass: pass, reference: reference})
	}
	for _, way := range []struct {
		name string
		pass func(mppe.Config, []int, int, streams.Path) func() time.Duration
	}{{"mppe seal", sealPass}, {"mppe open", openPass}} {
		add(plain, way.name, way.pass(mppeConfig, full, mppe.MaxBatch, auto))
		for _, path := range []streams.Path{streams.Scalar, streams.Vector} {
			if !slices.Contains(paths, path) {
				b.absent = append(b.absent, pathRow(way.name, path))
			}
		}
		for _, path := range paths {
			add(plain, pathRow(way.name, path), way.pass(mppeConfig, full, mppe.MaxBatch, path))
		}
		add(plainMixed, way.name+", 40 to 1400 octets", way.pass(mppeConfig, mixed, mppe.MaxBatch, auto))
		for _, n := range []int{16, 4, 1} {
			add(plain, fmt.Sprintf("%s, batches of %d", way.name, n), way.pass(mppeConfig, full, n, auto))
		}
		stateful := mppeConfig
		stateful.Stateless = false
		add(plainStream, way.name+", stateful", way.pass(stateful, full, mppe.MaxBatch, auto))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one core, the reference's garbage included
	for range b.mppe {
		for turn := range mppeTurns {
			for _, c := range all {
				c.turn(turn > 0)
			}
		}
	}
	for _, c := range all {
		if c.reference != nil {
			b.add(c.row())
		}
	}
	return nil
}

// pathRow names the row of one path.
func pathRow(name string, path streams.Path) string { return fmt.Sprintf("%s, %v", name, path) }

// mixedSizes are lengths as routers see them: of twelve packets seven short, four
// middling and one long, in no order.
func mixedSizes() []int {
	sizes := make([]int, mppe.MaxBatch)
	for i := range sizes {
		sizes[i] = []int{40, 40, 40, 40, 40, 40, 40, 576, 576, 576, 576, packetSize}[i%12]
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(sizes), func(i, j int) { sizes[i], sizes[j] = sizes[j], sizes[i] })
	return sizes
}

func userPackets(sizes []int) [][]byte {
	all := make([][]byte, len(sizes))
	for i, n := range sizes {
		all[i] = userPacket()[:mppe.Overhead+2+n]
		binary.BigEndian.PutUint16(all[i][mppe.Overhead+4:], uint16(n)) // IP total length
	}
	return all
}

// arrive writes packets to bufs as an interface does: to the cache.
func arrive(bufs, packets [][]byte) {
	for i, p := range packets {
		copy(bufs[i], p)
	}
}

func referencePass(sizes []int) func() time.Duration {
	r, bufs, packets := newReference(startKey().Long), userPackets(sizes), userPackets(sizes)
	return func() time.Duration {
		arrive(bufs, packets)
		start := time.Now()
		for _, buf := range bufs {
			r.seal(buf)
		}
		return time.Since(start)
	}
}

// streamPass is what stateful mode is compared with: RC4 and nothing else.
func streamPass(sizes []int) func() time.Duration {
	key := startKey()
	c, _ := rc4.NewCipher(key.Long[:]) // the length is right
	bufs, packets := userPackets(sizes), userPackets(sizes)
	return func() time.Duration {
		arrive(bufs, packets)
		start := time.Now()
		for _, buf := range bufs {
			c.XORKeyStream(buf, buf)
		}
		return time.Since(start)
	}
}

// A session is both ends of one, with packets that are sealed and opened again
// and again.
type session struct {
	s       *mppe.Sender
	r       *mppe.Receiver
	batch   *mppe.Batch
	size    int // of a batch
	packets [][]byte
	bufs    [][]byte
	offs    []int
	opened  [][]byte
	errs    []error
}

func newSession(cfg mppe.Config, sizes []int, size int, path streams.Path) *session {
	key, n := startKey(), len(sizes)
	t := &session{
		s: mppe.NewSender(cfg, key), r: mppe.NewReceiver(cfg, key), batch: new(mppe.Batch), size: size,
		packets: userPackets(sizes), bufs: userPackets(sizes), offs: make([]int, n), opened: make([][]byte, n), errs: make([]error, n),
	}
	t.batch.Force(path)
	return t
}

func (t *session) seal() time.Duration {
	arrive(t.bufs, t.packets)
	for i := range t.offs {
		t.offs[i] = mppe.Overhead
	}
	start := time.Now()
	for at := 0; at < len(t.bufs); at += t.size {
		t.s.SealBatch(t.batch, t.bufs[at:at+t.size], t.offs[at:])
	}
	return time.Since(start)
}

func (t *session) open() time.Duration {
	for i, buf := range t.bufs {
		t.opened[i] = buf[t.offs[i]:]
	}
	start := time.Now()
	for at := 0; at < len(t.opened); {
		at += t.r.OpenBatch(t.batch, t.opened[at:min(at+t.size, len(t.opened))], t.errs[at:])
	}
	took := time.Since(start)
	for _, err := range t.errs {
		if err != nil {
			panic(err) // our own packet
		}
	}
	return took
}

func sealPass(cfg mppe.Config, sizes []int, size int, path streams.Path) func() time.Duration {
	return newSession(cfg, sizes, size, path).seal
}

func openPass(cfg mppe.Config, sizes []int, size int, path streams.Path) func() time.Duration {
	t := newSession(cfg, sizes, size, path)
	return func() time.Duration {
		t.seal()
		return t.open()
	}
}

// sameBytes compares what every path and the reference make of the same packets,
// and what is opened with what was sealed.
func sameBytes() error {
	key, sizes := startKey(), mixedSizes()
	for _, path := range streams.Paths() {
		r, t := newReference(key.Long), newSession(mppeConfig, sizes, len(sizes), path)
		t.s, t.r = mppe.NewSender(mppeConfig, key), mppe.NewReceiver(mppeConfig, key)
		sealed := userPackets(sizes)
		t.seal()
		for i := range sizes {
			if r.seal(sealed[i]); !bytes.Equal(t.bufs[i], sealed[i]) {
				return fmt.Errorf("mppe, %v: packet %d is not what the reference makes of it", path, i)
			}
		}
		t.open()
		for i := range sizes {
			if !bytes.Equal(t.opened[i], t.packets[i][mppe.Overhead:]) {
				return fmt.Errorf("mppe, %v: packet %d comes out wrong", path, i)
			}
		}
	}
	return nil
}
