package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	wire "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// The sizes of a packet (RFC 2865, section 3) and of its parts.
const (
	headerLen  = 20
	maxPacket  = wire.MaxPacketLength
	maxValue   = 253 // of an attribute
	vendorHead = 6   // of a Vendor-Specific attribute's value, up to the vendor's value: id, type, length
)

// The vendors whose attributes are read (RFC 2865, section 5.26).
const (
	vendorMicrosoft = 311
	vendorAscend    = 529
	vendorWISPr     = 14122
	vendorMikrotik  = 14988
)

// Why a packet is dropped.
var (
	errLength        = errors.New("radius: bad length")
	errCode          = errors.New("radius: unexpected code")
	errAuthenticator = errors.New("radius: bad authenticator")
	errMessageAuth   = errors.New("radius: bad Message-Authenticator")
	errNoMessageAuth = errors.New("radius: no Message-Authenticator")
	errProxyState    = errors.New("radius: Proxy-State that was not asked for")
	errAttribute     = errors.New("radius: bad attribute")
)

// A kind names an attribute: its type, and the vendor if it is a vendor's.
type kind struct {
	vendor uint32
	typ    uint8
}

// frame cuts b at the packet's own length: "Octets outside the range of the
// Length field MUST be treated as padding" (RFC 2865, section 3).
func frame(b []byte) ([]byte, error) {
	if len(b) < headerLen {
		return nil, errLength
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerLen || n > maxPacket || n > len(b) {
		return nil, errLength
	}
	return b[:n], nil
}

// checkAttributes walks the attributes of a packet that frame has cut, and those
// inside the vendors' that are read. After it, attributes cannot go wrong.
func checkAttributes(b []byte) error {
	for b = b[headerLen:]; len(b) > 0; {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return errAttribute
		}
		v := b[2:b[1]]
		if b[0] == uint8(rfc2865.VendorSpecific_Type) && !checkVendor(v) {
			return errAttribute
		}
		b = b[b[1]:]
	}
	return nil
}

func checkVendor(v []byte) bool {
	if len(v) < 4 {
		return false
	}
	if !known(binary.BigEndian.Uint32(v)) {
		return true // what is inside is the vendor's business
	}
	for v = v[4:]; len(v) > 0; v = v[v[1]:] {
		if len(v) < 2 || v[1] < 2 || int(v[1]) > len(v) {
			return false
		}
	}
	return true
}

func known(vendor uint32) bool {
	switch vendor {
	case vendorMicrosoft, vendorAscend, vendorWISPr, vendorMikrotik:
		return true
	}
	return false
}

// attributes gives the attributes of a packet that checkAttributes has passed, in
// order, those of the known vendors one by one. Values are slices of b.
func attributes(b []byte) iter.Seq2[kind, []byte] {
	return func(yield func(kind, []byte) bool) {
		for b := b[headerLen:]; len(b) > 0; b = b[b[1]:] {
			v := b[2:b[1]]
			if b[0] != uint8(rfc2865.VendorSpecific_Type) {
				if !yield(kind{typ: b[0]}, v) {
					return
				}
				continue
			}
			vendor := binary.BigEndian.Uint32(v)
			if !known(vendor) {
				continue
			}
			for v = v[4:]; len(v) > 0; v = v[v[1]:] {
				if !yield(kind{vendor, v[0]}, v[2:v[1]]) {
					return
				}
			}
		}
	}
}

// seal encodes a request. One for authentication and a Status-Server carry a
// Message-Authenticator, as the first attribute: what comes before it in a reply
// is what a forger of CVE-2024-3596 could choose.
func seal(p *wire.Packet) ([]byte, error) {
	signed := p.Code == wire.CodeAccessRequest || p.Code == wire.CodeStatusServer
	if signed {
		zero := &wire.AVP{Type: rfc2869.MessageAuthenticator_Type, Attribute: make(wire.Attribute, md5.Size)}
		p.Attributes = append(wire.Attributes{zero}, p.Attributes...)
	}
	b, err := p.Encode()
	if err != nil {
		return nil, fmt.Errorf("radius: encode: %w", err)
	}
	if signed {
		copy(b[headerLen+2:], messageAuth(b, p.Secret))
	}
	return b, nil
}

// messageAuth is the Message-Authenticator of a packet whose own is zero and
// whose authenticator is the one to be signed (RFC 2869, section 5.14).
func messageAuth(b, secret []byte) []byte {
	h := hmac.New(md5.New, secret)
	h.Write(b)
	return h.Sum(nil)
}

// signed checks the Message-Authenticator of a packet, with the authenticator
// that signs it. There may be one, and none is found = false.
func signed(b []byte, authenticator [16]byte, secret []byte) (found bool, err error) {
	var at int
	for i := headerLen; i < len(b); i += int(b[i+1]) {
		if b[i] != uint8(rfc2869.MessageAuthenticator_Type) {
			continue
		}
		if at != 0 || b[i+1] != 2+md5.Size {
			return true, errMessageAuth
		}
		at = i + 2
	}
	if at == 0 {
		return false, nil
	}
	var zero [md5.Size]byte
	h := hmac.New(md5.New, secret)
	h.Write(b[:4])
	h.Write(authenticator[:])
	h.Write(b[headerLen:at])
	h.Write(zero[:])
	h.Write(b[at+md5.Size:])
	if !hmac.Equal(h.Sum(nil), b[at:at+md5.Size]) {
		return true, errMessageAuth
	}
	return true, nil
}

// digest is the authenticator of a packet over another's, with the secret (RFC
// 2865, section 3; RFC 2866, section 3).
func digest(b []byte, authenticator [16]byte, secret []byte) [md5.Size]byte {
	h := md5.New()
	h.Write(b[:4])
	h.Write(authenticator[:])
	h.Write(b[headerLen:])
	h.Write(secret)
	return [md5.Size]byte(h.Sum(nil))
}

// checkReply judges a reply to a request: its length and signature before
// anything in it is looked at. It gives the reply without padding.
func checkReply(request, reply, secret []byte, requireMessageAuth bool) ([]byte, error) {
	reply, err := frame(reply)
	if err != nil {
		return nil, err
	}
	if !answers(wire.Code(request[0]), wire.Code(reply[0])) || reply[1] != request[1] {
		return nil, errCode
	}
	asked := [16]byte(request[4:headerLen])
	sum := digest(reply, asked, secret)
	if subtle.ConstantTimeCompare(sum[:], reply[4:headerLen]) != 1 {
		return nil, errAuthenticator
	}
	if err := checkAttributes(reply); err != nil {
		return nil, err
	}
	found, err := signed(reply, asked, secret)
	if err != nil {
		return nil, err
	}
	// Nobody gets in by what answers accounting or a Status-Server.
	if wire.Code(request[0]) != wire.CodeAccessRequest {
		return reply, nil
	}
	if !found && requireMessageAuth {
		return nil, errNoMessageAuth
	}
	// We send no Proxy-State, so that one that comes back was added by somebody
	// on the path. The known forgery of CVE-2024-3596 needs it.
	for k := range attributes(reply) {
		if !found && k == (kind{typ: uint8(rfc2865.ProxyState_Type)}) {
			return nil, errProxyState
		}
	}
	return reply, nil
}

// answers reports whether a reply of a code may follow a request of another. A
// Status-Server is answered as what its port is for (RFC 5997, section 3).
func answers(request, reply wire.Code) bool {
	switch request {
	case wire.CodeAccessRequest:
		return reply == wire.CodeAccessAccept || reply == wire.CodeAccessReject || reply == wire.CodeAccessChallenge
	case wire.CodeAccountingRequest:
		return reply == wire.CodeAccountingResponse
	case wire.CodeStatusServer:
		return reply == wire.CodeAccessAccept || reply == wire.CodeAccountingResponse
	}
	return false
}
