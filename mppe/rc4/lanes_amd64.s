//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The registers of all functions but flush:
//
//	SI       the lanes
//	R8, R13  the tables of the two groups
//	R9, R10  where row i and row i+1 begin in them
//	Z0, Z1   j of the groups
//	Z2, Z3   S[i+1], loaded before the stores of step i and corrected by hand:
//	         its load would wait for them. In every other step Z12, Z13.
//	Z4, Z5   places of S[j]
//	Z6, Z7   S[j], then the key stream
//	Z8, Z9   places of the key stream
//	Z10, Z11 four octets of the key stream, the first of them lowest
//	Z27      0xff000000
//	Z28      places of S[i+1]
//	Z29      16
//	Z30      0xff0
//	Z31      the number of the lane
//
// The order of a step is all loads of both groups, then all stores, then the key
// stream, so that nothing waits for what has just begun.

DATA numbers<>+0(SB)/4, $0
DATA numbers<>+4(SB)/4, $1
DATA numbers<>+8(SB)/4, $2
DATA numbers<>+12(SB)/4, $3
DATA numbers<>+16(SB)/4, $4
DATA numbers<>+20(SB)/4, $5
DATA numbers<>+24(SB)/4, $6
DATA numbers<>+28(SB)/4, $7
DATA numbers<>+32(SB)/4, $8
DATA numbers<>+36(SB)/4, $9
DATA numbers<>+40(SB)/4, $10
DATA numbers<>+44(SB)/4, $11
DATA numbers<>+48(SB)/4, $12
DATA numbers<>+52(SB)/4, $13
DATA numbers<>+56(SB)/4, $14
DATA numbers<>+60(SB)/4, $15
GLOBL numbers<>(SB), RODATA|NOPTR, $64

DATA top<>+0(SB)/4, $0xff000000
GLOBL top<>(SB), RODATA|NOPTR, $4
DATA sixteen<>+0(SB)/4, $16
GLOBL sixteen<>(SB), RODATA|NOPTR, $4
DATA row<>+0(SB)/4, $0xff0
GLOBL row<>(SB), RODATA|NOPTR, $4
DATA entry<>+0(SB)/4, $0x01000010
GLOBL entry<>(SB), RODATA|NOPTR, $4

#define CONSTANTS \
	VPBROADCASTD top<>(SB), Z27 \
	VPBROADCASTD sixteen<>(SB), Z29 \
	VPBROADCASTD row<>(SB), Z30 \
	VMOVDQU32 numbers<>(SB), Z31

// PLACE makes a sum of entries the place of a word: and 0xff0, or the lane.
#define PLACE(Z) VPTERNLOGD $0xEA, Z31, Z30, Z

// NEXT goes on to the next i.
#define NEXT \
	MOVQ R10, R9 \
	ADDQ $64, R10 \
	ANDQ $0x3fc0, R10 \
	VPADDD Z29, Z28, Z28 \
	PLACE(Z28)

// J adds S[i] in A to j and makes the place of S[j] in P; N becomes S[i+1], which
// is S[i] if the step stores that there.
#define J(T, A, N, j, P, K) \
	VPADDD A, j, j \
	VMOVDQA32 j, P \
	PLACE(P) \
	VMOVDQU32 (T)(R10*1), N \
	VPCMPEQD Z28, P, K \
	VMOVDQA32 A, K, N

#define GATHER(T, P, K, B) \
	KXNORW K0, K0, K \
	VPXORD B, B, B \
	VPGATHERDD (T)(P*4), K, B

#define STORE(T, A, B, P, K) \
	VMOVDQU32 B, (T)(R9*1) \
	KXNORW K0, K0, K \
	VPSCATTERDD A, K, (T)(P*4)

#define SUM(A, B, P) \
	VPADDD A, B, P \
	PLACE(P)

// SHIFT puts the octet on top of X into the word of the key stream.
#define SHIFT(X, W) \
	VPSRLD $8, W, W \
	VPTERNLOGD $0xF8, Z27, X, W

#define STEP1(A, N) \
	NEXT \
	J(R8, A, N, Z0, Z4, K1) \
	GATHER(R8, Z4, K1, Z6) \
	SUM(A, Z6, Z8) \
	STORE(R8, A, Z6, Z4, K1) \
	GATHER(R8, Z8, K1, Z6) \
	SHIFT(Z6, Z10)

#define STEP2(A, N, C, M) \
	NEXT \
	J(R8, A, N, Z0, Z4, K1) \
	J(R13, C, M, Z1, Z5, K2) \
	GATHER(R8, Z4, K1, Z6) \
	GATHER(R13, Z5, K2, Z7) \
	SUM(A, Z6, Z8) \
	SUM(C, Z7, Z9) \
	STORE(R8, A, Z6, Z4, K1) \
	STORE(R13, C, Z7, Z5, K2) \
	GATHER(R8, Z8, K1, Z6) \
	GATHER(R13, Z9, K2, Z7) \
	SHIFT(Z6, Z10) \
	SHIFT(Z7, Z11)

// The steps of the key schedule. R11 is the row of the key.
#define KEYROW \
	MOVQ R9, R11 \
	ANDQ $0x3c0, R11

#define SCHEDULE1(A, N) \
	NEXT \
	KEYROW \
	VPADDD lanes_key(SI)(R11*1), Z0, Z0 \
	J(R8, A, N, Z0, Z4, K1) \
	GATHER(R8, Z4, K1, Z6) \
	STORE(R8, A, Z6, Z4, K1)

#define SCHEDULE2(A, N, C, M) \
	NEXT \
	KEYROW \
	VPADDD lanes_key(SI)(R11*1), Z0, Z0 \
	VPADDD (lanes_key+1024)(SI)(R11*1), Z1, Z1 \
	J(R8, A, N, Z0, Z4, K1) \
	J(R13, C, M, Z1, Z5, K2) \
	GATHER(R8, Z4, K1, Z6) \
	GATHER(R13, Z5, K2, Z7) \
	STORE(R8, A, Z6, Z4, K1) \
	STORE(R13, C, Z7, Z5, K2)

// func scheduleLanes1(l *lanes)
TEXT ·scheduleLanes1(SB), NOSPLIT, $0-8
	MOVQ l+0(FP), SI
	LEAQ lanes_s(SI), R8
	CONSTANTS
	VPXORD Z2, Z2, Z2
	VPBROADCASTD entry<>(SB), Z3
	XORQ AX, AX

identity:
	VMOVDQU32 Z2, (R8)(AX*1)
	VPADDD Z3, Z2, Z2
	ADDQ $64, AX
	CMPQ AX, $16384
	JB identity

	VPXORD Z0, Z0, Z0
	VPXORD Z2, Z2, Z2 // entry 0
	VMOVDQA32 Z31, Z28
	XORQ R10, R10
	MOVQ $128, CX

step:
	SCHEDULE1(Z2, Z12)
	SCHEDULE1(Z12, Z2)
	DECQ CX
	JNZ step
	VPXORD Z0, Z0, Z0
	VMOVDQU32 Z0, lanes_j(SI)
	VZEROUPPER
	RET

// func scheduleLanes2(l *lanes)
TEXT ·scheduleLanes2(SB), NOSPLIT, $0-8
	MOVQ l+0(FP), SI
	LEAQ lanes_s(SI), R8
	LEAQ 16384(R8), R13
	CONSTANTS
	VPXORD Z2, Z2, Z2
	VPBROADCASTD entry<>(SB), Z3
	XORQ AX, AX

identity:
	VMOVDQU32 Z2, (R8)(AX*1)
	VMOVDQU32 Z2, (R13)(AX*1)
	VPADDD Z3, Z2, Z2
	ADDQ $64, AX
	CMPQ AX, $16384
	JB identity

	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2 // entry 0
	VPXORD Z3, Z3, Z3
	VMOVDQA32 Z31, Z28
	XORQ R10, R10
	MOVQ $128, CX

step:
	SCHEDULE2(Z2, Z12, Z3, Z13)
	SCHEDULE2(Z12, Z2, Z13, Z3)
	DECQ CX
	JNZ step
	VPXORD Z0, Z0, Z0
	VMOVDQU32 Z0, lanes_j(SI)
	VMOVDQU32 Z0, (lanes_j+64)(SI)
	VZEROUPPER
	RET

// BLOCK sets all up for the block at BX: row i+1 from the table, where every
// store has arrived. CX becomes the number of words to run, DX is what is left.
#define BLOCK \
	MOVQ BX, R10 \
	INCQ R10 \
	ANDQ $0xff, R10 \
	MOVQ R10, AX \
	SHLQ $6, R10 \
	SHLQ $4, AX \
	VPBROADCASTD AX, Z28 \
	CONSTANTS \
	PLACE(Z28) \
	MOVQ DX, CX \
	ADDQ $3, CX \
	SHRQ $2, CX \
	MOVQ $16, AX \
	CMPQ CX, AX \
	CMOVQGT AX, CX

// func streamLanes1(l *lanes, pos, end int)
TEXT ·streamLanes1(SB), NOSPLIT, $0-24
	MOVQ l+0(FP), SI
	MOVQ pos+8(FP), BX
	MOVQ end+16(FP), DX
	SUBQ BX, DX

block:
	LEAQ lanes_s(SI), R8
	BLOCK
	VMOVDQU32 lanes_j(SI), Z0
	VMOVDQU32 (R8)(R10*1), Z2
	LEAQ lanes_stream(SI), R11

word:
	STEP1(Z2, Z12)
	STEP1(Z12, Z2)
	STEP1(Z2, Z12)
	STEP1(Z12, Z2)
	VMOVDQU32 Z10, (R11)
	ADDQ $64, R11
	DECQ CX
	JNZ word
	VMOVDQU32 Z0, lanes_j(SI)
	XORQ R9, R9
	CALL flush<>(SB)
	ADDQ $64, BX
	SUBQ $64, DX
	JG block
	VZEROUPPER
	RET

// func streamLanes2(l *lanes, pos, end int)
TEXT ·streamLanes2(SB), NOSPLIT, $0-24
	MOVQ l+0(FP), SI
	MOVQ pos+8(FP), BX
	MOVQ end+16(FP), DX
	SUBQ BX, DX

block:
	LEAQ lanes_s(SI), R8
	LEAQ 16384(R8), R13
	BLOCK
	VMOVDQU32 lanes_j(SI), Z0
	VMOVDQU32 (lanes_j+64)(SI), Z1
	VMOVDQU32 (R8)(R10*1), Z2
	VMOVDQU32 (R13)(R10*1), Z3
	LEAQ lanes_stream(SI), R11

word:
	STEP2(Z2, Z12, Z3, Z13)
	STEP2(Z12, Z2, Z13, Z3)
	STEP2(Z2, Z12, Z3, Z13)
	STEP2(Z12, Z2, Z13, Z3)
	VMOVDQU32 Z10, (R11)
	VMOVDQU32 Z11, 1024(R11)
	ADDQ $64, R11
	DECQ CX
	JNZ word
	VMOVDQU32 Z0, lanes_j(SI)
	VMOVDQU32 Z1, (lanes_j+64)(SI)
	XORQ R9, R9
	CALL flush<>(SB)
	MOVQ $1, R9
	CALL flush<>(SB)
	ADDQ $64, BX
	SUBQ $64, DX
	JG block
	VZEROUPPER
	RET

// LOW and HIGH interleave the words of two rows, LOW2 and HIGH2 pairs of words.
#define WORDS(A, B, L, H) \
	VPUNPCKLDQ B, A, L \
	VPUNPCKHDQ B, A, H

#define PAIRS(A, B, L, H) \
	VPUNPCKLQDQ B, A, L \
	VPUNPCKHQDQ B, A, H

// QUARTERS takes the even quarters of two registers into L, the odd into H.
#define QUARTERS(A, B, L, H) \
	VSHUFI32X4 $0x88, B, A, L \
	VSHUFI32X4 $0xdd, B, A, H

// WHOLE runs the block of a lane that has 64 octets through the key stream in Z.
#define WHOLE(n, Z) \
	MOVQ (8*n)(R12), AX \
	VPXORD (AX)(BX*1), Z, Z \
	VMOVDQU32 Z, (AX)(BX*1)

// PART does so for a lane that may have fewer, or none, which is over.
#define PART(n, K, over) \
	MOVQ (8*n)(R14), CX \
	SUBQ BX, CX \
	JLE over \
	CMPQ CX, R15 \
	CMOVQGT R15, CX \
	MOVQ $-1, AX \
	BZHIQ CX, AX, AX \
	KMOVQ AX, K1 \
	MOVQ (8*n)(R12), AX \
	VMOVDQU8.Z (AX)(BX*1), K1, Z16 \
	VPXORD Z16, K, K \
	VMOVDQU8 K, K1, (AX)(BX*1)

// flush turns the words of group R9 into one register for each lane and runs the
// data at BX through them. It leaves BX, DX, SI alone.
TEXT flush<>(SB), NOSPLIT, $0-0
	MOVQ R9, AX
	SHLQ $10, AX
	LEAQ lanes_stream(SI)(AX*1), R11
	MOVQ R9, AX
	SHLQ $7, AX
	LEAQ lanes_data(SI)(AX*1), R12
	LEAQ lanes_left(SI)(AX*1), R14
	MOVQ lanes_least(SI)(R9*8), CX
	SUBQ BX, CX

	VMOVDQU32 (R11), Z0
	VMOVDQU32 64(R11), Z1
	VMOVDQU32 128(R11), Z2
	VMOVDQU32 192(R11), Z3
	VMOVDQU32 256(R11), Z4
	VMOVDQU32 320(R11), Z5
	VMOVDQU32 384(R11), Z6
	VMOVDQU32 448(R11), Z7
	VMOVDQU32 512(R11), Z8
	VMOVDQU32 576(R11), Z9
	VMOVDQU32 640(R11), Z10
	VMOVDQU32 704(R11), Z11
	VMOVDQU32 768(R11), Z12
	VMOVDQU32 832(R11), Z13
	VMOVDQU32 896(R11), Z14
	VMOVDQU32 960(R11), Z15
	WORDS(Z0, Z1, Z16, Z17)
	WORDS(Z2, Z3, Z18, Z19)
	WORDS(Z4, Z5, Z20, Z21)
	WORDS(Z6, Z7, Z22, Z23)
	WORDS(Z8, Z9, Z24, Z25)
	WORDS(Z10, Z11, Z26, Z27)
	WORDS(Z12, Z13, Z28, Z29)
	WORDS(Z14, Z15, Z30, Z31)
	PAIRS(Z16, Z18, Z0, Z1)
	PAIRS(Z17, Z19, Z2, Z3)
	PAIRS(Z20, Z22, Z4, Z5)
	PAIRS(Z21, Z23, Z6, Z7)
	PAIRS(Z24, Z26, Z8, Z9)
	PAIRS(Z25, Z27, Z10, Z11)
	PAIRS(Z28, Z30, Z12, Z13)
	PAIRS(Z29, Z31, Z14, Z15)

	// Register n of four has word n of lanes n, n+4, n+8, n+12 in its quarters.
	QUARTERS(Z0, Z4, Z16, Z17)
	QUARTERS(Z8, Z12, Z18, Z19)
	QUARTERS(Z1, Z5, Z20, Z21)
	QUARTERS(Z9, Z13, Z22, Z23)
	QUARTERS(Z2, Z6, Z24, Z25)
	QUARTERS(Z10, Z14, Z26, Z27)
	QUARTERS(Z3, Z7, Z28, Z29)
	QUARTERS(Z11, Z15, Z30, Z31)
	QUARTERS(Z16, Z18, Z0, Z8)
	QUARTERS(Z17, Z19, Z4, Z12)
	QUARTERS(Z20, Z22, Z1, Z9)
	QUARTERS(Z21, Z23, Z5, Z13)
	QUARTERS(Z24, Z26, Z2, Z10)
	QUARTERS(Z25, Z27, Z6, Z14)
	QUARTERS(Z28, Z30, Z3, Z11)
	QUARTERS(Z29, Z31, Z7, Z15)

	CMPQ CX, $64
	JLT parts
	WHOLE(0, Z0)
	WHOLE(1, Z1)
	WHOLE(2, Z2)
	WHOLE(3, Z3)
	WHOLE(4, Z4)
	WHOLE(5, Z5)
	WHOLE(6, Z6)
	WHOLE(7, Z7)
	WHOLE(8, Z8)
	WHOLE(9, Z9)
	WHOLE(10, Z10)
	WHOLE(11, Z11)
	WHOLE(12, Z12)
	WHOLE(13, Z13)
	WHOLE(14, Z14)
	WHOLE(15, Z15)
	RET

parts: // the longest comes first, so after one that has nothing left all are done
	MOVQ $64, R15
	PART(0, Z0, done)
	PART(1, Z1, done)
	PART(2, Z2, done)
	PART(3, Z3, done)
	PART(4, Z4, done)
	PART(5, Z5, done)
	PART(6, Z6, done)
	PART(7, Z7, done)
	PART(8, Z8, done)
	PART(9, Z9, done)
	PART(10, Z10, done)
	PART(11, Z11, done)
	PART(12, Z12, done)
	PART(13, Z13, done)
	PART(14, Z14, done)
	PART(15, Z15, done)
done:
	RET
