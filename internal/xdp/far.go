package xdp

import (
	"encoding/binary"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// What is needed of the netlink family "netdev" (linux/netdev.h, Linux 6.3).
const (
	netdevFamily      = "netdev"
	netdevVersion     = 1
	netdevGet         = 1      // NETDEV_CMD_DEV_GET
	netdevIndex       = 1      // NETDEV_A_DEV_IFINDEX
	netdevXDPFeatures = 3      // NETDEV_A_DEV_XDP_FEATURES
	takesFrames       = 1 << 2 // NETDEV_XDP_ACT_NDO_XMIT
)

// farEnds asks the kernel what becomes of frames that a program sends by an interface.
type farEnds struct {
	family int
	socket *nl.SocketHandle
}

// openFarEnds asks in the network namespace of the calling thread.
func openFarEnds() (*farEnds, error) {
	h, err := netlink.NewHandle(unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	family, err := h.GenlFamilyGet(netdevFamily)
	if err != nil {
		return nil, fmt.Errorf("netlink family %q: %w", netdevFamily, err)
	}
	s, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	return &farEnds{int(family.ID), &nl.SocketHandle{Socket: s}}, nil
}

func (f *farEnds) close() { f.socket.Close() }

// take reports whether the far end of an interface takes them. Of a veth pair it does as
// long as it runs an XDP program itself, in its driver.
func (f *farEnds) take(index int) bool {
	req := nl.NewNetlinkRequest(f.family, 0)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: f.socket}
	req.AddData(&nl.Genlmsg{Command: netdevGet, Version: netdevVersion})
	req.AddData(nl.NewRtAttr(netdevIndex, nl.Uint32Attr(uint32(index))))
	answers, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil || len(answers) != 1 || len(answers[0]) < nl.SizeofGenlmsg {
		return false
	}
	attrs, err := nl.ParseRouteAttr(answers[0][nl.SizeofGenlmsg:])
	if err != nil {
		return false
	}
	for _, a := range attrs {
		if a.Attr.Type == netdevXDPFeatures && len(a.Value) == 8 {
			return binary.NativeEndian.Uint64(a.Value)&takesFrames != 0
		}
	}
	return false
}
