package link

import (
	"io"

	"gopptp/mppe"
	"gopptp/ppp/lcp"
)

// Multilink says how the data path uses MP (RFC 1990). It replaces the one
// before; a link whose Config has no MRRU never puts it out.
//
// The first comes before the first frame and opens the receiving side, because
// a peer may send fragments right behind the packet that opens LCP for it. The
// second comes when LCP is open, before anything above it. When LCP is
// negotiated anew, so are these.
type Multilink struct {
	// ReceiveMRRU is the largest packet to put together, protocol field not
	// counted; 0 expects no fragments. Their numbers are long: two octets a
	// fragment are not worth a format that is only known in the course of LCP.
	ReceiveMRRU int
	// SendMRRU is the largest packet to cut; 0 sends no fragments. It is set if
	// both sides have an MRRU.
	SendMRRU int
	// SendShort is the peer's wish for short sequence numbers.
	SendShort bool
	// SendMTU is the largest information field of a frame to send, a fragment's
	// header included.
	SendMTU int
}

func (Multilink) output() {}

const (
	// endpointLen makes the endpoint discriminators of any two calls differ.
	endpointLen = 16
	// mppeRoom is what encryption or compression takes of the MRRU: the header and
	// the protocol field within.
	mppeRoom = mppe.Overhead + 2
	// encryptedMTU bounds encrypted packets to what an Ethernet brings, whatever
	// the MRRU, unless the peer is known to take larger ones: Linux 6.1 puts a
	// larger one together and then drops it, because it has room to decrypt 1500
	// octets only. Two hosts that agree on a larger one would lose each full
	// segment of TCP.
	encryptedMTU = 1500
)

// newEndpoint makes a discriminator that no other call has: a peer that dials
// twice must not take the two links for a bundle, since each is a tunnel of its
// own here. Without randomness there is none.
func newEndpoint(r io.Reader) []byte {
	b := make([]byte, 1+endpointLen)
	if _, err := io.ReadFull(r, b[1:]); err != nil {
		return nil
	}
	b[0] = lcp.EndpointLocal
	return b
}

// expectFragments opens the receiving side while LCP is negotiated.
func (l *Link) expectFragments() {
	l.multilink = Multilink{}
	if l.cfg.MRRU > 0 {
		l.multilink.ReceiveMRRU = receiveMRRU(l.cfg.MRRU)
		l.emit(l.multilink)
	}
}

// settleMultilink takes what LCP agreed on.
func (l *Link) settleMultilink() {
	agreed := l.lcp.Multilink()
	l.multilink = Multilink{ReceiveMRRU: receiveMRRU(agreed.MRRU)}
	if agreed.MRRU > 0 && agreed.PeerMRRU > 0 {
		l.multilink.SendMRRU, l.multilink.SendShort = agreed.PeerMRRU, agreed.PeerShortSeq
		l.multilink.SendMTU = min(l.cfg.MTU, l.lcp.PeerMRU())
	}
	if l.cfg.MRRU > 0 {
		l.emit(l.multilink)
	}
}

// receiveMRRU is what must be taken, whatever was asked for: "the full 1500 octet
// Information field of any reassembled PPP packet" (RFC 1990, section 5.1.1).
func receiveMRRU(asked int) int {
	if asked == 0 {
		return 0
	}
	return max(asked, lcp.DefaultMRU)
}

// sizes are the largest IP packets to send and to receive. With multilink they
// are no longer the link's, and encryption works within the MRRU.
func (l *Link) sizes() (mtu, mru int) {
	if l.multilink.SendMRRU == 0 {
		return min(l.cfg.MTU, l.lcp.PeerMRU()), l.lcp.MRU()
	}
	mtu, mru = min(l.cfg.MRRU, l.multilink.SendMRRU), l.lcp.Multilink().MRRU
	if l.sending.Active() {
		mtu -= mppeRoom
		if !l.cfg.LargeEncrypted {
			mtu = min(mtu, encryptedMTU)
		}
	}
	if l.receiving.Active() {
		mru -= mppeRoom
	}
	return mtu, mru
}
