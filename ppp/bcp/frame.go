package bcp

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The first octet of the header (RFC 3518, section 4.2): flags and, in its lower
// half, how many octets of padding end the packet.
const (
	flagFCS     = 0x80 // the LAN's own check sequence follows the frame
	flagLAN     = 0x40 // a LAN identifier follows the header (RFC 1638, section 4.2)
	flagZeros   = 0x20 // the frame is to be filled with zeros to the least size
	flagControl = 0x10 // a packet of the bridges, in a format of its own
	padsMask    = 0x0f
)

// macEthernet is the MAC Type of IEEE 802.3 and Ethernet.
const macEthernet = 1

const (
	// HeaderLen is what stands before an Ethernet frame.
	HeaderLen = 2
	// EthernetHeader is the shortest frame that is looked at: addresses and type.
	EthernetHeader = 14
	// minFrame is the least size of a frame on a LAN, without the check sequence.
	minFrame = 60
	fcsLen   = 4
	typeAt   = 12 // where a frame has its type
)

// Errors of Parse.
var (
	ErrShort = errors.New("bcp: short packet")
	ErrKind  = errors.New("bcp: not an Ethernet frame")
	ErrFCS   = errors.New("bcp: bad check sequence")
)

// The types of tagged frames, IEEE 802.1Q and 802.1ad.
const (
	typeVLAN    = 0x8100
	typeService = 0x88a8
)

// Push writes the header just before the Ethernet frame at buf[off:] and returns
// where it begins. The caller leaves HeaderLen octets of room.
func Push(buf []byte, off int) int {
	off -= HeaderLen
	buf[off], buf[off+1] = 0, macEthernet
	return off
}

// Parse reads a packet of the protocol 0x0031 and returns the Ethernet frame within
// as a slice of b, without padding and check sequence. A frame shortened by the
// peer is left short: who puts it on a wire fills it. On the reserved bit the older
// meaning is taken, a LAN identifier, which has no place here.
func Parse(b []byte) (frame []byte, err error) {
	if len(b) < HeaderLen {
		return nil, ErrShort
	}
	flags := b[0]
	if b[1] != macEthernet || flags&(flagLAN|flagControl) != 0 {
		return nil, ErrKind
	}
	end := len(b) - int(flags&padsMask)
	if flags&flagFCS != 0 {
		end -= fcsLen
	}
	if end < HeaderLen+EthernetHeader {
		return nil, ErrShort
	}
	frame = b[HeaderLen:end:end]
	if flags&flagFCS != 0 && binary.LittleEndian.Uint32(b[end:]) != checksum(frame, flags&flagZeros != 0) {
		return nil, ErrFCS
	}
	return frame, nil
}

// zeros fill a frame to the least size.
var zeros [minFrame]byte

// checksum is that of IEEE 802.3, whose bits go out lowest first.
func checksum(frame []byte, filled bool) uint32 {
	sum := crc32.ChecksumIEEE(frame)
	if filled && len(frame) < minFrame {
		sum = crc32.Update(sum, crc32.IEEETable, zeros[len(frame):])
	}
	return sum
}

// Tagged tells a frame, of EthernetHeader octets at least, that belongs to a VLAN
// by its own word.
func Tagged(frame []byte) bool {
	typ := binary.BigEndian.Uint16(frame[typeAt:])
	return typ == typeVLAN || typ == typeService
}

// Management tells a frame to one of the sixteen addresses that bridges keep to
// themselves, 01:80:C2:00:00:00 to 0F (IEEE 802.1D, section 7.12.6).
func Management(frame []byte) bool {
	return frame[0] == 0x01 && frame[1] == 0x80 && frame[2] == 0xc2 && frame[3] == 0 && frame[4] == 0 && frame[5] < 0x10
}
