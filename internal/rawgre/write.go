package rawgre

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// The way of a packet out:
//
//  1. a batch is written into headers for the kernel (load)
//  2. one sendmmsg sends it, without waiting (send)
//  3. a packet that the kernel refuses is counted and skipped (flush)
//
// Nothing waits for room in the send buffer, because the kernel offers no such
// wait: to a raw socket whose IP header it writes itself it answers ENOBUFS. A
// lost packet is what the senders inside a tunnel expect of a full queue.

// A sender is what WriteBatch gives to the kernel. It belongs to one goroutine
// from Get to Put.
type sender struct {
	hdrs    [BatchSize]mmsghdr
	iovs    [BatchSize]unix.Iovec
	names   [BatchSize]unix.RawSockaddrInet4
	sources [BatchSize]sourceInfo

	// Arguments and results of send, which the runtime calls.
	pending []mmsghdr
	sent    int
	errno   syscall.Errno

	sendFunc func(fd uintptr) // send; a method value made in flush would be allocated each time
}

func newSender() *sender {
	tx := new(sender)
	for i := range tx.hdrs {
		tx.names[i].Family = unix.AF_INET
		tx.sources[i].hdr.Level = unix.IPPROTO_IP
		tx.sources[i].hdr.Type = unix.IP_PKTINFO
		tx.sources[i].hdr.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		tx.hdrs[i].name(&tx.names[i])
		tx.hdrs[i].control(&tx.sources[i])
		tx.hdrs[i].hdr.Iov = &tx.iovs[i]
		tx.hdrs[i].hdr.SetIovlen(1)
	}
	tx.sendFunc = tx.send
	return tx
}

// load makes headers of the packets, at most BatchSize of them, and returns how
// many cannot be sent because they have no IPv4 address or no content.
func (tx *sender) load(pkts []Packet) (invalid uint64) {
	n := 0
	for i := range pkts {
		p := &pkts[i]
		if !p.Peer.Is4() || p.Local.IsValid() && !p.Local.Is4() || p.N == 0 {
			invalid++
			continue
		}
		b := p.Bytes()
		tx.iovs[n].Base = &b[0]
		tx.iovs[n].SetLen(len(b))
		tx.names[n].Addr = p.Peer.As4()
		tx.sources[n].info.Spec_dst = [4]byte{} // the kernel chooses
		if p.Local.IsValid() {
			tx.sources[n].info.Spec_dst = p.Local.As4()
		}
		n++
	}
	tx.pending = tx.hdrs[:n]
	return invalid
}

// send sends what the kernel takes now.
func (tx *sender) send(fd uintptr) {
	tx.sent, tx.errno = sendmmsg(fd, tx.pending)
}

// WriteBatch implements Conn.
func (s *Socket) WriteBatch(pkts []Packet) (int, error) {
	tx := s.senders.Get().(*sender)
	var sent int
	var err error
	for len(pkts) > 0 && err == nil {
		batch := pkts[:min(len(pkts), BatchSize)]
		pkts = pkts[len(batch):]
		if invalid := tx.load(batch); invalid > 0 {
			s.counters.invalid.Add(invalid)
		}
		var n int
		n, err = s.flush(tx)
		sent += n
		clear(tx.iovs[:len(batch)]) // the buffers are the caller's again
	}
	s.senders.Put(tx)
	return sent, err
}

// flush sends the loaded packets and returns how many the kernel took.
func (s *Socket) flush(tx *sender) (int, error) {
	sent := 0
	for len(tx.pending) > 0 {
		// Control, and not Write: it keeps the descriptor open during the call
		// but takes no lock, which only a wait would need.
		if s.out.Control(tx.sendFunc) != nil {
			return sent, net.ErrClosed // there is no other reason
		}
		if tx.errno != 0 {
			s.counters.refused(tx.errno)
			tx.pending = tx.pending[1:]
			continue
		}
		sent += tx.sent
		tx.pending = tx.pending[tx.sent:]
	}
	return sent, nil
}
