package radius

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A door is a UDP socket on every address of a family that answers from the
// address it was asked at: a machine with several would else answer from another,
// and nobody would know the answer.
type door struct {
	*net.UDPConn
	v4 bool
}

// listen opens the port for both families. A machine without IPv6 has one door.
func listen(port uint16) (doors []*door, err error) {
	for _, network := range []string{"udp4", "udp6"} {
		conn, e := net.ListenUDP(network, &net.UDPAddr{Port: int(port)})
		if network == "udp6" && (errors.Is(e, syscall.EAFNOSUPPORT) || errors.Is(e, syscall.EADDRNOTAVAIL)) {
			break
		}
		d := &door{conn, network == "udp4"}
		if e == nil && d.v4 {
			e = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true)
		} else if e == nil {
			e = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
		}
		if e != nil {
			if conn != nil {
				conn.Close()
			}
			for _, d := range doors {
				d.Close()
			}
			return nil, e
		}
		doors = append(doors, d)
	}
	return doors, nil
}

// controlRoom holds the control message of either family.
const controlRoom = 128

// read gives a datagram, whom it is from, and the control message with which an
// answer leaves from the address that it came to.
func (d *door) read(b []byte) (n int, from netip.AddrPort, control []byte, err error) {
	oob := make([]byte, controlRoom)
	n, m, _, from, err := d.ReadMsgUDPAddrPort(b, oob)
	if err != nil {
		return 0, from, nil, err
	}
	if d.v4 {
		var cm ipv4.ControlMessage
		if cm.Parse(oob[:m]) == nil && cm.Dst != nil {
			control = (&ipv4.ControlMessage{Src: cm.Dst}).Marshal()
		}
	} else {
		var cm ipv6.ControlMessage
		if cm.Parse(oob[:m]) == nil && cm.Dst != nil {
			control = (&ipv6.ControlMessage{Src: cm.Dst, IfIndex: cm.IfIndex}).Marshal()
		}
	}
	return n, from, control, nil
}

func (d *door) write(b []byte, to netip.AddrPort, control []byte) {
	// What is lost is asked for again.
	d.WriteMsgUDPAddrPort(b, control, to)
}
