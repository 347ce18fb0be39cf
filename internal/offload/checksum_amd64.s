//go:build !purego

#include "textflag.h"

// 32 octets of zeros and 32 of ones. The 32 octets at r keep the last r of a vector.
DATA cut<>+0(SB)/8, $0x0000000000000000
DATA cut<>+8(SB)/8, $0x0000000000000000
DATA cut<>+16(SB)/8, $0x0000000000000000
DATA cut<>+24(SB)/8, $0x0000000000000000
DATA cut<>+32(SB)/8, $0xffffffffffffffff
DATA cut<>+40(SB)/8, $0xffffffffffffffff
DATA cut<>+48(SB)/8, $0xffffffffffffffff
DATA cut<>+56(SB)/8, $0xffffffffffffffff
GLOBL cut<>(SB), RODATA|NOPTR, $64

// ADD adds the words of the vector at d to SUM. VPMADDWD takes words as signed, so
// each has 0x8000 (Y9) taken off before it is multiplied by 1 (Y8) and added to its
// neighbour. That is the fastest of three ways on Zen 4: VPMOVZXDQ takes a third
// longer, quadwords with their upper halves added apart a sixth.
#define ADD(d, T, SUM) \
	VPXOR    d(SI), Y9, T \
	VPMADDWD T, Y8, T \
	VPADDD   T, SUM, SUM

// func sumVectors(b []byte) uint32
//
// All words together are less than 1<<31: that a lane wraps on the way does no harm.
TEXT ·sumVectors(SB), NOSPLIT, $0-28
	MOVQ b_base+0(FP), SI
	MOVQ b_len+8(FP), CX

	// An octet left over at the end is the lower one of a word.
	XORL    AX, AX
	BTRQ    $0, CX
	JCC     even
	MOVBLZX (SI)(CX*1), AX

even:
	// Of the last 32 octets those that the vectors before them do not have.
	VPCMPEQW Y9, Y9, Y9
	VPSRLW   $15, Y9, Y8
	VPSLLW   $15, Y9, Y9
	LEAQ     cut<>(SB), DX
	MOVQ     CX, BX
	ANDQ     $31, BX
	VMOVDQU  -32(SI)(CX*1), Y0
	VPAND    (DX)(BX*1), Y0, Y0
	VPXOR    Y9, Y0, Y0
	VPMADDWD Y0, Y8, Y0

	// Put back 16 times 0x8000 for each vector.
	MOVQ CX, DX
	SHRQ $5, DX
	INCQ DX
	SHLQ $19, DX
	ADDQ DX, AX

	SUBQ  $128, CX
	JCS   few
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

many:
	ADD(0, Y4, Y0)
	ADD(32, Y5, Y1)
	ADD(64, Y6, Y2)
	ADD(96, Y7, Y3)
	ADDQ   $128, SI
	SUBQ   $128, CX
	JCC    many
	VPADDD Y1, Y0, Y0
	VPADDD Y3, Y2, Y2
	VPADDD Y2, Y0, Y0

few:
	ADDQ $96, CX
	JCC  end

one:
	ADD(0, Y4, Y0)
	ADDQ $32, SI
	SUBQ $32, CX
	JCC  one

end:
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x4e, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xb1, X0, X1
	VPADDD       X1, X0, X0
	VMOVD        X0, CX
	VZEROUPPER
	ADDL         CX, AX
	MOVL         AX, ret+24(FP)
	RET
