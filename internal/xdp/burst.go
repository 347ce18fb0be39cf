package xdp

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"gopptp/internal/rawgre"
)

// A burst gives a batch of packets to an interface at once, where the far end takes it at
// once: between the ends of a veth pair. AF_XDP makes of each packet one of the kernel's
// own, which goes through the far end alone and is copied twice on the way, more than the
// half of what a packet costs there. Here the kernel runs our program as often as there
// are packets (BPF_PROG_RUN on live frames, Linux 5.18): each run fills one frame with the
// next of them and sends it on, and all go through the far end together.
//
// The caller sees to it that nobody else uses it at the same time.
type burst struct {
	slots  *ebpf.Map
	memory []byte    // of slots: a control slot, and one for each packet
	by     *ebpf.Map // the interface; its index alone would mean that of the sending thread's namespace
	run    testRun
	empty  [ethernetLen]byte // what is in a frame before the program fills it

	open    atomic.Bool // the far end takes bursts
	refused atomic.Bool // the kernel does not
}

const (
	// worthBurst is from how many packets on a burst is faster than AF_XDP: the kernel
	// makes a pool of frames for each.
	worthBurst = 8

	// A slot has the length of a packet with all of its headers, and the packet.
	slotSize   = frameSize
	slotPacket = 8
	slotCount  = 1 + rawgre.BatchSize
	// The control slot has the number of packets that have been taken.
)

// testRun is the part of union bpf_attr (linux/bpf.h) for BPF_PROG_RUN.
type testRun struct {
	program, result   uint32
	sizeIn, sizeOut   uint32
	dataIn, dataOut   uint64
	repeat, duration  uint32
	contextIn         uint32
	contextOut        uint32
	contextAt, backAt uint64
	flags, processor  uint32
	batch, _          uint32
}

const (
	progRun    = 10     // BPF_PROG_RUN
	liveFrames = 1 << 1 // BPF_F_TEST_XDP_LIVE_FRAMES
)

// newBurst makes one by an interface of the calling thread's network namespace. It has no
// program yet.
func newBurst(index int) (_ *burst, err error) {
	b := &burst{}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.by, err = ebpf.NewMap(&ebpf.MapSpec{Name: "gopptp_by", Type: ebpf.DevMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return nil, fmt.Errorf("make a table in the kernel: %w", err)
	}
	if err = b.by.Put(uint32(0), uint32(index)); err != nil {
		return nil, err
	}
	b.slots, err = ebpf.NewMap(&ebpf.MapSpec{Name: "gopptp_burst", Type: ebpf.Array, KeySize: 4, ValueSize: slotSize,
		MaxEntries: slotCount, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		return nil, fmt.Errorf("make a table in the kernel: %w", err)
	}
	page := os.Getpagesize()
	size := (slotCount*slotSize + page - 1) / page * page
	if b.memory, err = unix.Mmap(b.slots.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map a table: %w", os.NewSyscallError("mmap", err))
	}
	return b, nil
}

func (b *burst) close() {
	if b.memory != nil {
		unix.Munmap(b.memory) // fails only for memory that is not mapped
		b.memory = nil
	}
	for _, m := range []*ebpf.Map{b.slots, b.by} {
		if m != nil {
			m.Close()
		}
	}
}

// takes reports whether there is a use in a burst of n packets.
func (b *burst) takes(n int) bool {
	return b != nil && n >= worthBurst && b.open.Load() && !b.refused.Load()
}

// use makes the program, which has the instructions of b, the one that runs. It has to be
// bound to an interface: for one that is not, the kernel changes its code before and after
// each burst and waits until no processor can run the old one, some 20 ms.
func (b *burst) use(p *ebpf.Program) {
	b.run = testRun{program: uint32(p.FD()), sizeIn: ethernetLen, flags: liveFrames, batch: rawgre.BatchSize}
}

// A program begins at startsHere what it does in a burst. It knows a burst by the
// interface that the frame came by: the loopback, which none of ours ever is.
const (
	startsHere = "burst"
	loopback   = 1 // its index in each network namespace
)

// instructions fill a frame with the packet whose turn it is and send it. The context is
// in R6.
func (b *burst) instructions() asm.Instructions {
	const context, slot, length = asm.R6, asm.R7, asm.R8
	lookUp := asm.Instructions{
		asm.LoadMapPtr(asm.R1, b.slots.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "drop"),
	}
	var all asm.Instructions
	all = append(all, asm.StoreImm(asm.RFP, -4, 0, asm.Word).WithSymbol(startsHere))
	all = append(all, lookUp...)
	all = append(all,
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R0, 0, asm.R1, asm.Word),
		asm.StoreMem(asm.RFP, -4, asm.R1, asm.Word),
	)
	all = append(all, lookUp...)
	return append(all,
		asm.Mov.Reg(slot, asm.R0),
		asm.LoadMem(length, slot, 0, asm.Word),
		asm.JLT.Imm(length, ethernetLen, "drop"), // never; the verifier wants to see it
		asm.JGT.Imm(length, slotSize-slotPacket, "drop"),
		asm.Mov.Reg(asm.R1, context),
		asm.Mov.Reg(asm.R2, length),
		asm.Sub.Imm(asm.R2, ethernetLen),
		asm.FnXdpAdjustTail.Call(),
		asm.JNE.Imm(asm.R0, 0, "drop"),
		asm.Mov.Reg(asm.R1, context),
		asm.Mov.Imm(asm.R2, 0),
		asm.Mov.Reg(asm.R3, slot),
		asm.Add.Imm(asm.R3, slotPacket),
		asm.Mov.Reg(asm.R4, length),
		asm.FnXdpStoreBytes.Call(),
		asm.JNE.Imm(asm.R0, 0, "drop"),
		asm.LoadMapPtr(asm.R1, b.by.FD()),
		asm.Mov.Imm(asm.R2, 0),
		asm.Mov.Imm(asm.R3, xdpDrop), // where there is no interface any more
		asm.FnRedirectMap.Call(),
		asm.Return(),
		asm.Mov.Imm(asm.R0, xdpDrop).WithSymbol("drop"),
		asm.Return(),
	)
}

// send sends packets over a way, and says how many of them the kernel has: the first, or
// none. What then becomes of them nobody is told, as with a packet on a cable.
func (b *burst) send(w *way, pkts []rawgre.Packet) int {
	n := min(len(pkts), rawgre.BatchSize)
	for i := range n {
		slot := b.memory[(1+i)*slotSize : (2+i)*slotSize]
		length := w.write(slot[slotPacket:], pkts[i].Bytes())
		*(*uint32)(unsafe.Pointer(&slot[0])) = uint32(length)
	}
	taken := (*uint32)(unsafe.Pointer(&b.memory[0]))
	*taken = 0
	b.run.dataIn, b.run.repeat = uint64(uintptr(unsafe.Pointer(&b.empty[0]))), uint32(n)
	_, _, errno := unix.RawSyscall(unix.SYS_BPF, progRun, uintptr(unsafe.Pointer(&b.run)), unsafe.Sizeof(b.run))
	runtime.KeepAlive(b)
	if errno == 0 {
		return n
	}
	if errno != unix.ENOMEM { // a kernel that cannot do it, or does not let us
		b.refused.Store(true)
	}
	return int(*taken)
}
