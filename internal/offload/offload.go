// Package offload cuts the super packets that the kernel leaves on an interface
// into packets, and finds runs of received packets which the kernel can take as one.
//
// It works on octets: the header before the packet (virtio_net_hdr), Split, Merge,
// and the Internet checksum. It makes no system calls, copies no payload but into the
// caller's buffers, and allocates nothing. Only IPv4 with TCP is merged, and only IPv4
// with TCP or UDP is cut. What it cannot cut is an error, and what it must not merge
// stays as it is.
package offload

import (
	"encoding/binary"
	"errors"
)

// HeaderLen is the length of a Header in octets.
const HeaderLen = 10

// MaxPacket is the length of the longest IPv4 packet (RFC 791, section 3.1).
const MaxPacket = 65535

// Flags of a Header.
const (
	// NeedsChecksum says that the sum of the octets from ChecksumStart is yet to be made;
	// the field has that of the pseudo-header.
	NeedsChecksum = 1
)

// A Kind is what a packet is to be cut into.
type Kind uint8

// Kinds of a Header. ECN, in addition to TCP4, says that only the first segment may
// have CWR (RFC 3168, section 6.1.2).
const (
	None Kind = 0
	TCP4 Kind = 1
	UDP4 Kind = 5 // VIRTIO_NET_HDR_GSO_UDP_L4, which is also said of IPv6
	ECN  Kind = 0x80
)

var (
	// ErrShort says that there is less than a Header.
	ErrShort = errors.New("offload: short header")
	// ErrMalformed says that a packet is not what its Header says, or of a kind that
	// nobody asked for.
	ErrMalformed = errors.New("offload: malformed packet")
)

// A Header is before each packet that goes to or comes from the kernel (struct
// virtio_net_hdr; Virtual I/O Device 1.2, section 5.1.6, in the form without the
// number of buffers). Its numbers have the machine's order of octets.
type Header struct {
	Flags          uint8
	Kind           Kind
	HeaderLen      uint16 // of IP and TCP together; a hint
	SegmentSize    uint16 // the payload of each segment but the last
	ChecksumStart  uint16 // where the octets to be summed begin
	ChecksumOffset uint16 // where the sum goes, from there
}

// Parse reads a header. rest is a slice of b.
func (h *Header) Parse(b []byte) (rest []byte, err error) {
	if len(b) < HeaderLen {
		return nil, ErrShort
	}
	*h = Header{
		Flags:          b[0],
		Kind:           Kind(b[1]),
		HeaderLen:      binary.NativeEndian.Uint16(b[2:]),
		SegmentSize:    binary.NativeEndian.Uint16(b[4:]),
		ChecksumStart:  binary.NativeEndian.Uint16(b[6:]),
		ChecksumOffset: binary.NativeEndian.Uint16(b[8:]),
	}
	return b[HeaderLen:], nil
}

// Put writes a header to the first HeaderLen octets of b.
func (h *Header) Put(b []byte) {
	_ = b[HeaderLen-1]
	b[0] = h.Flags
	b[1] = byte(h.Kind)
	binary.NativeEndian.PutUint16(b[2:], h.HeaderLen)
	binary.NativeEndian.PutUint16(b[4:], h.SegmentSize)
	binary.NativeEndian.PutUint16(b[6:], h.ChecksumStart)
	binary.NativeEndian.PutUint16(b[8:], h.ChecksumOffset)
}

// Where fields of IPv4 (RFC 791, section 3.1), TCP (RFC 9293, section 3.1) and UDP
// (RFC 768) are.
const (
	ipHeader   = 20 // without options
	ipTOS      = 1
	ipLength   = 2
	ipID       = 4
	ipFragment = 6
	ipProtocol = 9
	ipChecksum = 10
	ipAddress  = 12

	dontFragment = 0x4000 // in ipFragment

	tcpHeader   = 20 // without options
	tcpSeq      = 4
	tcpAck      = 8
	tcpOffset   = 12
	tcpFlags    = 13
	tcpWindow   = 14
	tcpChecksum = 16
	tcpUrgent   = 18

	flagFIN = 0x01
	flagPSH = 0x08
	flagACK = 0x10
	flagCWR = 0x80

	udpHeader   = 8
	udpLength   = 4
	udpChecksum = 6

	protocolTCP = 6
	protocolUDP = 17
)
