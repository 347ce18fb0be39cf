package mppe

import (
	"encoding/binary"

	"gopptp/mppe/rc4"
)

// MaxBatch is how many packets are worth putting into one batch: as many streams
// as package rc4 looks at together.
const MaxBatch = 64

// A Batch is the working memory of SealBatch and OpenBatch, about 40 KB. Its zero
// value is ready. It belongs to one goroutine at a time and keeps nothing that
// anybody needs, so many sessions can share one.
//
// In stateless mode each packet has a key of its own. The keys are made one after
// the other, each from the one before; all else of a batch is done side by side.
type Batch struct {
	rc4    rc4.Batch // at the front, for the sake of its cache lines
	cipher cipher    // scratch of the key chain
	keys   [MaxBatch][keyLen]byte
	data   [MaxBatch][]byte
}

// Force makes the Batch take one of the paths that rc4.Paths lists, for its keys
// too. It is for tests and measurements; the bytes are the same.
func (b *Batch) Force(p rc4.Path) {
	b.rc4.Force(p)
	b.cipher.Force(p)
}

// xor runs data from..to of the batch through the streams of their keys.
func (b *Batch) xor(from, to int) { b.rc4.XOR(b.keys[from:to], b.data[from:to]) }

// release forgets the packets, which belong to others.
func (b *Batch) release(n int) { clear(b.data[:n]) }

// SealBatch is Seal for each of bufs, in that order: offs[i] is where the frame in
// bufs[i] begins, and then where its MPPE header does. Only without compression
// and in stateless mode it is faster.
func (s *Sender) SealBatch(b *Batch, bufs [][]byte, offs []int) {
	offs = offs[:len(bufs)]
	if s.tables != nil || s.packer != nil {
		for i, buf := range bufs {
			offs[i] = s.Seal(buf, offs[i])
		}
		return
	}
	for len(bufs) > 0 {
		n := min(len(bufs), MaxBatch)
		for i, buf := range bufs[:n] {
			s.chain.next(&b.cipher)
			b.keys[i], b.data[i] = s.chain.key, buf[offs[i]:]
			offs[i] = s.push(buf, offs[i], bitFlushed|bitEncrypted)
		}
		b.xor(0, n)
		b.release(n)
		bufs, offs = bufs[n:], offs[n:]
	}
}

// OpenBatch is Open for the first n of packets, in that order: packets[i] becomes
// the frame in it, or errs[i] says why there is none and packets[i] stays. n is at
// least 1 unless there are no packets; the caller goes on with those after it when
// it has done with these, which with compression is good until then only.
//
// Only packets of stateless mode that are in the order of their count are faster
// than with Open, and of those only true ones: the first that is not a PPP frame
// under its key shows when the others have been decrypted already, each under a
// key that nobody may have used. They are then put back and opened one by one.
func (r *Receiver) OpenBatch(b *Batch, packets [][]byte, errs []error) (n int) {
	run := r.inOrder(packets)
	if run < 2 {
		return r.openEach(packets[:min(1, len(packets))], errs)
	}
	c := r.chain
	for i, p := range packets[:run] {
		c.next(&b.cipher)
		b.keys[i], b.data[i] = c.key, p[Overhead:]
	}
	b.xor(0, run)
	good := 0
	for good < run && plausible(b.data[good][:min(len(b.data[good]), headLen)], len(b.data[good])) {
		packets[good], errs[good] = b.data[good], nil
		good++
	}
	if good > 0 {
		r.chain.key = b.keys[good-1]
		r.advance(good)
	}
	if good < run {
		b.xor(good, run)
		r.openEach(packets[good:run], errs[good:])
	}
	b.release(run)
	return run
}

// inOrder counts the packets at the front that have the counts that are due.
func (r *Receiver) inOrder(packets [][]byte) int {
	if r.tables != nil || r.unpacker != nil {
		return 0
	}
	packets = packets[:min(len(packets), MaxBatch)]
	for i, p := range packets {
		due := bitFlushed | bitEncrypted | (r.next+uint16(i))&countMask
		if len(p) <= Overhead || binary.BigEndian.Uint16(p)&(bitFlushed|bitEncrypted|countMask) != due {
			return i
		}
	}
	return len(packets)
}

// openEach opens packets one by one.
func (r *Receiver) openEach(packets [][]byte, errs []error) int {
	for i, p := range packets {
		inner, err := r.Open(p)
		if errs[i] = err; err == nil {
			packets[i] = inner
		}
	}
	return len(packets)
}

// advance takes n packets in order for opened, the last with the current key.
func (r *Receiver) advance(n int) {
	r.credit = uint16(min(int(r.credit)+n*creditPerPacket, maxCredit))
	r.jumped = false
	r.next = (r.next + uint16(n)) & countMask
	r.refused, r.lost = 0, false
}
