package link

import (
	"bytes"
	"slices"

	"gopptp/ppp"
)

const (
	// maxKept bounds the packets that wait for one protocol: one of each code
	// that makes sense before a layer starts.
	maxKept = 4
	// maxKeptLen bounds such a packet: what fits the default MRU.
	maxKeptLen = 1500
)

// early keeps packets that came before their layer was started. Peers pipeline
// (MikroTik sends CCP and IPCP at once), and who drops such a packet makes the
// peer wait for its restart timer, 3 s. Of each code only the newest is kept: a
// repeated request replaces itself.
type early struct{ kept []keptPacket }

type keptPacket struct {
	protocol ppp.Protocol
	packet   []byte
}

// keep stores a copy of the packet.
func (e *early) keep(p ppp.Protocol, packet []byte) {
	if len(packet) == 0 || len(packet) > maxKeptLen {
		return
	}
	e.kept = slices.DeleteFunc(e.kept, func(k keptPacket) bool {
		return k.protocol == p && k.packet[0] == packet[0]
	})
	n := 0
	for _, k := range e.kept {
		if k.protocol == p {
			n++
		}
	}
	if n < maxKept {
		e.kept = append(e.kept, keptPacket{p, bytes.Clone(packet)})
	}
}

// take removes the packets of a protocol and gives them in the order of arrival.
func (e *early) take(p ppp.Protocol) [][]byte {
	var packets [][]byte
	e.kept = slices.DeleteFunc(e.kept, func(k keptPacket) bool {
		if k.protocol != p {
			return false
		}
		packets = append(packets, k.packet)
		return true
	})
	return packets
}

// forget drops everything.
func (e *early) forget() { e.kept = nil }
