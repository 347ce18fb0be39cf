package host

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// priorityStep is how many of the 256 priorities of IEEE 802.1D, section 9.2.7, one
	// of Linux's 64 stands for.
	priorityStep = 4
	// maxPathCost is the largest that Linux knows.
	maxPathCost = 1<<16 - 1
	// highMAC begins the address of a port: a bridge without an address of its own
	// takes the lowest of its ports', and must not change it with each session.
	highMAC = 0xfe
)

// A BridgePort says how an interface for Ethernet frames is to join a bridge.
type BridgePort struct {
	Name    string // of the interface, which exists
	AltName string // empty: none
	Bridge  string // which exists too

	Priority *int // 0 to 255, in steps; nil leaves it
	PathCost int  // 0 leaves it; what is beyond Linux's largest is that
	Isolated bool // it reaches no other port that is isolated
	Learning bool // the bridge learns addresses from it
	VID      int  // VLAN of untagged frames, and the only one of the port; 0 leaves the bridge's default
}

// JoinBridge makes an interface the port of a bridge and sets it up. Its MTU is the
// bridge's, which would otherwise sink to the port's. IPv6 is off on the port
// itself, which is no matter of what crosses it. On an error other than ErrName the
// interface is half set up and is to be closed.
//
// It must be called in the network namespace in which the Handle was opened.
func (h *Handle) JoinBridge(cfg BridgePort) error {
	wrap := func(what string, err error) error {
		return fmt.Errorf("host: %s of port %.32q of bridge %.32q: %w", what, cfg.Name, cfg.Bridge, explain(err))
	}
	port, err := h.nl.LinkByName(cfg.Name)
	if err != nil {
		return wrap("set up", err)
	}
	found, err := h.nl.LinkByName(cfg.Bridge)
	if err != nil {
		return fmt.Errorf("host: bridge %.32q: %w", cfg.Bridge, explain(err))
	}
	bridge, ok := found.(*netlink.Bridge)
	if !ok {
		return fmt.Errorf("host: %.32q is no bridge", cfg.Bridge)
	}
	mac := append(net.HardwareAddr{}, port.Attrs().HardwareAddr...)
	if len(mac) > 0 {
		mac[0] = highMAC
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"turn off IPv6", func() error { return h.disableIPv6(port) }},
		{"set address", func() error { return h.nl.LinkSetHardwareAddr(port, mac) }},
		{"set MTU", func() error { return h.nl.LinkSetMTU(port, bridge.Attrs().MTU) }},
		{"set queue length", func() error { return h.nl.LinkSetTxQLen(port, txQueueLen) }},
		{"add", func() error { return h.nl.LinkSetMaster(port, bridge) }},
		// Before "up", or the first frames pass without them.
		{"set options", func() error { return setPort(port, cfg) }},
		{"set VLAN", func() error { return h.setPortVLAN(port, bridge, cfg.VID) }},
		{"set up", func() error { return h.nl.LinkSetUp(port) }},
	} {
		if err := step.do(); err != nil {
			return wrap(step.what, err)
		}
	}
	return h.nameLink(port, LinkConfig{AltName: cfg.AltName})
}

// setPort sets what a bridge knows of a port, all at once.
func setPort(port netlink.Link, cfg BridgePort) error {
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_BRIDGE)
	msg.Index = int32(port.Attrs().Index)
	req.AddData(msg)
	options := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	flag := func(attr int, on bool) {
		value := []byte{0}
		if on {
			value[0] = 1
		}
		options.AddRtAttr(attr, value)
	}
	flag(unix.IFLA_BRPORT_LEARNING, cfg.Learning)
	flag(unix.IFLA_BRPORT_ISOLATED, cfg.Isolated)
	if cfg.Priority != nil {
		options.AddRtAttr(unix.IFLA_BRPORT_PRIORITY, nl.Uint16Attr(uint16(*cfg.Priority/priorityStep)))
	}
	if cfg.PathCost > 0 {
		options.AddRtAttr(unix.IFLA_BRPORT_COST, nl.Uint32Attr(uint32(min(cfg.PathCost, maxPathCost))))
	}
	req.AddData(options)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// setPortVLAN makes vid the only VLAN of a port, untagged, in place of the bridge's
// default. A kernel that cannot filter VLANs has no bridge that does, and without
// filtering a port's VLAN means nothing.
func (h *Handle) setPortVLAN(port netlink.Link, bridge *netlink.Bridge, vid int) error {
	if vid == 0 {
		return nil
	}
	switch err := h.nl.BridgeVlanAdd(port, uint16(vid), true, true, false, true); {
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil
	case err != nil:
		return err
	}
	old := bridge.VlanDefaultPVID
	if old == nil || *old == 0 || int(*old) == vid {
		return nil
	}
	if err := h.nl.BridgeVlanDel(port, *old, false, false, false, true); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}
