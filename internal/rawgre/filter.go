package rawgre

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The fixed bits of an enhanced GRE header (RFC 2637, section 4.1), of its first
// two octets as one number: K is "always one" and the version is 1. The bits
// that must be zero are left to the parser of the header, which counts them.
const (
	greFixedMask  = 0x2007
	greFixedValue = 0x2001
	grePPP        = 0x880b
	greCallID     = 6 // where the Call ID stands, the lower half of the key

	maxDatagram = 1<<16 - 1 // all of any packet of IPv4
)

// filter is the classic BPF program of socket shard of shards, a power of two. It gives
// the length to keep of a packet: all of it for enhanced GRE whose Call ID is the
// socket's, none for anything else, so that the other users of GRE on the machine cost
// us neither a wake-up nor room in the receive buffer. The program sees a packet from
// its IP header on; a load beyond the end ends it with "none".
func filter(shard, shards int) []bpf.Instruction {
	const drop = 0 // until all distances to the last instruction are known
	program := []bpf.Instruction{
		bpf.LoadMemShift{Off: 0}, // X = length of the IP header
		bpf.LoadIndirect{Off: 0, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: greFixedMask},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: greFixedValue, SkipTrue: drop},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: grePPP, SkipTrue: drop},
	}
	if shards > 1 {
		program = append(program,
			bpf.LoadIndirect{Off: greCallID, Size: 2},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(shards - 1)},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(shard), SkipTrue: drop})
	}
	program = append(program, bpf.RetConstant{Val: maxDatagram}, bpf.RetConstant{Val: 0})
	for i, instruction := range program {
		if jump, ok := instruction.(bpf.JumpIf); ok {
			jump.SkipTrue = uint8(len(program) - 2 - i)
			program[i] = jump
		}
	}
	return program
}

// attachFilter gives the program to the kernel.
func attachFilter(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	prog := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		prog[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]})
}
