package lab

import (
	"encoding/binary"
	"maps"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A Sniffer counts what passes over the lab's bridge inside of enhanced GRE, by
// PPP protocol number (0x0021 is IP in clear, 0x00fd is encrypted).
type Sniffer struct {
	file *os.File
	done sync.WaitGroup

	mu     sync.Mutex
	counts map[uint16]int // guarded by mu
}

// Sniff starts to count.
func (l *Lab) Sniff() (*Sniffer, error) {
	s := &Sniffer{counts: map[uint16]int{}}
	err := l.Do(func() error {
		// SOCK_DGRAM: packets come without their Ethernet header.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(networkOrder(unix.ETH_P_ALL)))
		if err != nil {
			return err
		}
		// A transfer of a megabyte must fit while this process is not scheduled.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
		s.file = os.NewFile(uintptr(fd), "packet socket")
		iface, err := net.InterfaceByName("br0")
		if err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: iface.Index})
	})
	if err != nil {
		if s.file != nil {
			s.file.Close()
		}
		return nil, err
	}
	s.done.Go(s.read)
	return s, nil
}

func (s *Sniffer) read() {
	b := make([]byte, 65536)
	for {
		n, err := s.file.Read(b)
		if err != nil {
			return
		}
		if protocol, ok := pppProtocol(b[:n]); ok {
			s.mu.Lock()
			s.counts[protocol]++
			s.mu.Unlock()
		}
	}
}

// Counts gives the packets seen since the last call, by PPP protocol.
func (s *Sniffer) Counts() map[uint16]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := maps.Clone(s.counts)
	clear(s.counts)
	return counts
}

// Close ends the counting.
func (s *Sniffer) Close() {
	s.file.Close()
	s.done.Wait()
}

// pppProtocol gives the PPP protocol of an IPv4 packet that carries enhanced
// GRE with a payload (RFC 2637, section 4.1; RFC 1661, section 2). It is this
// test's own reading, so that an error in gopptp's does not hide itself.
func pppProtocol(b []byte) (protocol uint16, ok bool) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != unix.IPPROTO_GRE {
		return 0, false
	}
	b = b[min(int(b[0]&15)*4, len(b)):]
	if len(b) < 8 || binary.BigEndian.Uint16(b[2:]) != 0x880b {
		return 0, false
	}
	header := 8
	if b[0]&0x10 != 0 { // sequence number
		header += 4
	}
	if b[1]&0x80 != 0 { // acknowledgement number
		header += 4
	}
	b = b[min(header, len(b)):]
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	switch {
	case len(b) >= 1 && b[0]&1 != 0: // compressed protocol field
		return uint16(b[0]), true
	case len(b) >= 2:
		return binary.BigEndian.Uint16(b), true
	}
	return 0, false
}

// networkOrder is how the kernel wants an EtherType in a socket address.
func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
