package xdp

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"

	"gopptp/internal/rawgre"
)

// addresses are those that a packet has to have: the program in the kernel knows them for
// each Call ID. All zeros take no packet.
type addresses struct{ Peer, Local [4]byte }

func newCalls() (*ebpf.Map, error) {
	return ebpf.NewMap(&ebpf.MapSpec{Name: "gopptp_calls", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1 << 16})
}

func newSockets(queues int) (*ebpf.Map, error) {
	return ebpf.NewMap(&ebpf.MapSpec{Name: "gopptp_sockets", Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: uint32(queues)})
}

// Where things stand in a frame: Ethernet without a VLAN, IPv4 without options (RFC 791,
// section 3.1), enhanced GRE (RFC 2637, section 4.1).
const (
	macLen        = 6
	ethernetLen   = 14
	etherTypeIPv4 = 0x0800

	atEtherType = 12
	atIP        = ethernetLen
	atFragment  = atIP + 6
	atProtocol  = atIP + 9
	atPeer      = atIP + 12
	atLocal     = atIP + 16
	atGRE       = atIP + 20
	atCallID    = atGRE + 6
	headersLen  = atGRE + 8
)

// half is the value that a load of two octets gives.
func half(v uint16) int32 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return int32(binary.NativeEndian.Uint16(b[:]))
}

// newProgram makes the program that gives the packets of our calls to the socket of
// the queue on which they came, and leaves all others to the kernel. With bursts, the
// instructions for them, it also sends those.
func newProgram(calls, sockets *ebpf.Map, bursts asm.Instructions) (*ebpf.Program, error) {
	const (
		context = asm.R6
		frame   = asm.R7
	)
	insns := asm.Instructions{
		asm.Mov.Reg(context, asm.R1),
	}
	if len(bursts) > 0 {
		insns = append(insns,
			asm.LoadMem(asm.R0, context, 12, asm.Word), // ingress_ifindex
			asm.JEq.Imm(asm.R0, loopback, startsHere),
		)
	}
	insns = append(insns,
		asm.LoadMem(frame, context, 0, asm.Word),  // data
		asm.LoadMem(asm.R3, context, 4, asm.Word), // data_end
		asm.Mov.Reg(asm.R4, frame),
		asm.Add.Imm(asm.R4, headersLen),
		asm.JGT.Reg(asm.R4, asm.R3, "pass"),
		asm.LoadMem(asm.R0, frame, atEtherType, asm.Half),
		asm.JNE.Imm(asm.R0, half(etherTypeIPv4), "pass"),
		asm.LoadMem(asm.R0, frame, atIP, asm.Byte),
		asm.JNE.Imm(asm.R0, 0x45, "pass"),
		asm.LoadMem(asm.R0, frame, atFragment, asm.Half),
		asm.And.Imm(asm.R0, half(0x3fff)),
		asm.JNE.Imm(asm.R0, 0, "pass"),
		asm.LoadMem(asm.R0, frame, atProtocol, asm.Byte),
		asm.JNE.Imm(asm.R0, rawgre.Protocol, "pass"),
		asm.LoadMem(asm.R0, frame, atGRE, asm.Half),
		asm.And.Imm(asm.R0, half(0x2007)),
		asm.JNE.Imm(asm.R0, half(0x2001), "pass"),
		asm.LoadMem(asm.R0, frame, atGRE+2, asm.Half),
		asm.JNE.Imm(asm.R0, half(0x880b), "pass"),
		asm.LoadMem(asm.R0, frame, atCallID, asm.Half),
		asm.HostTo(asm.BE, asm.R0, asm.Half),
		asm.StoreMem(asm.RFP, -4, asm.R0, asm.Word),
		asm.LoadMem(asm.R8, frame, atPeer, asm.Word),
		asm.LoadMem(asm.R9, frame, atLocal, asm.Word),
		asm.JEq.Imm(asm.R9, 0, "pass"), // no call has it
		asm.LoadMapPtr(asm.R1, calls.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.JNE.Reg(asm.R1, asm.R8, "pass"),
		asm.LoadMem(asm.R1, asm.R0, 4, asm.Word),
		asm.JNE.Reg(asm.R1, asm.R9, "pass"),
		asm.LoadMapPtr(asm.R1, sockets.FD()),
		asm.LoadMem(asm.R2, context, 16, asm.Word), // rx_queue_index
		asm.Mov.Imm(asm.R3, xdpPass),
		asm.FnRedirectMap.Call(),
		asm.Return(),
		asm.Mov.Imm(asm.R0, xdpPass).WithSymbol("pass"),
		asm.Return(),
	)
	insns = append(insns, bursts...)
	return ebpf.NewProgram(&ebpf.ProgramSpec{Name: "gopptp", Type: ebpf.XDP, Instructions: insns, License: "MIT"})
}

// Actions of linux/bpf.h.
const (
	xdpDrop = 1
	xdpPass = 2
)

// attach binds the program to an interface until the link is closed or the process
// ends: in the driver of a card, where that can. Not in those of the kernel's own
// interfaces unless somebody asks for it: there a packet may still have the queue of the
// card that it came by, which our socket refuses (bonding), or is copied once more, and
// those of all others are cut at the far end (veth).
func attach(program *ebpf.Program, to netlink.Link, inDriver bool) (link.Link, error) {
	modes := []link.XDPAttachFlags{link.XDPDriverMode, link.XDPGenericMode}
	switch {
	case inDriver:
		modes = modes[:1]
	case to.Type() != "device":
		modes = modes[1:]
	}
	var err error
	for _, mode := range modes {
		var l link.Link
		if l, err = link.AttachXDP(link.XDPOptions{Program: program, Interface: to.Attrs().Index, Flags: mode}); err == nil {
			return l, nil
		}
	}
	if inDriver {
		return nil, fmt.Errorf("attach a program to its driver: %w: leave %q out", err, driverSuffix)
	}
	return nil, fmt.Errorf("attach a program: %w", err)
}
