//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// In stream4 and stream2: SI the quad; DI i; AX, BX, CX, DX j of the streams;
// R8 to R11 S[i] and then the index of the key stream; R12 to R15 S[j]. Only the
// low octet of i and j counts, and only it is added to: the others stay zero, so
// every address is inside the table.

#define S0(i) 0(SI)(i*8)
#define T0(d) (8*(d)+0)(SI)(DI*8)
#define T1(d) (8*(d)+2)(SI)(DI*8)
#define T2(d) (8*(d)+4)(SI)(DI*8)
#define T3(d) (8*(d)+6)(SI)(DI*8)
#define S1(i) 2(SI)(i*8)
#define S2(i) 4(SI)(i*8)
#define S3(i) 6(SI)(i*8)

// FETCH loads S[j] and stores S[i] there; if i is j that is the same. PUT stores
// the former S[j] to S[i].
#define FETCH4 \
	MOVBLZX S0(AX), R12 \
	MOVBLZX S1(BX), R13 \
	MOVBLZX S2(CX), R14 \
	MOVBLZX S3(DX), R15 \
	MOVB R8, S0(AX) \
	MOVB R9, S1(BX) \
	MOVB R10, S2(CX) \
	MOVB R11, S3(DX)

#define PUT4(d) \
	MOVB R12, T0(d) \
	MOVB R13, T1(d) \
	MOVB R14, T2(d) \
	MOVB R15, T3(d)

#define FETCH2 \
	MOVBLZX S0(AX), R12 \
	MOVBLZX S1(BX), R13 \
	MOVB R8, S0(AX) \
	MOVB R9, S1(BX)

#define PUT2(d) \
	MOVB R12, T0(d) \
	MOVB R13, T1(d)

#define LOAD4(d) \
	MOVBLZX T0(d), R8 \
	MOVBLZX T1(d), R9 \
	MOVBLZX T2(d), R10 \
	MOVBLZX T3(d), R11

#define LOAD2(d) \
	MOVBLZX T0(d), R8 \
	MOVBLZX T1(d), R9

// One step of the key stream; n is its place in the block of 16.
#define STREAM4(n, d) \
	LOAD4(d) \
	ADDB R8, AX \
	ADDB R9, BX \
	ADDB R10, CX \
	ADDB R11, DX \
	FETCH4 \
	ADDB R12, R8 \
	ADDB R13, R9 \
	ADDB R14, R10 \
	ADDB R15, R11 \
	PUT4(d) \
	PINSRB $n, S0(R8), X0 \
	PINSRB $n, S1(R9), X1 \
	PINSRB $n, S2(R10), X2 \
	PINSRB $n, S3(R11), X3

#define STREAM2(n, d) \
	LOAD2(d) \
	ADDB R8, AX \
	ADDB R9, BX \
	FETCH2 \
	ADDB R12, R8 \
	ADDB R13, R9 \
	PUT2(d) \
	PINSRB $n, S0(R8), X0 \
	PINSRB $n, S1(R9), X1

// One step of the key schedule; n is the octet of the key.
#define SCHEDULE4(n) \
	LOAD4(n) \
	MOVBLZX (quad_key+n)(SI), R12 \
	MOVBLZX (quad_key+16+n)(SI), R13 \
	MOVBLZX (quad_key+32+n)(SI), R14 \
	MOVBLZX (quad_key+48+n)(SI), R15 \
	ADDB R8, R12 \
	ADDB R9, R13 \
	ADDB R10, R14 \
	ADDB R11, R15 \
	ADDB R12, AX \
	ADDB R13, BX \
	ADDB R14, CX \
	ADDB R15, DX \
	FETCH4 \
	PUT4(n)

#define SCHEDULE2(n) \
	LOAD2(n) \
	MOVBLZX (quad_key+n)(SI), R12 \
	MOVBLZX (quad_key+16+n)(SI), R13 \
	ADDB R8, R12 \
	ADDB R9, R13 \
	ADDB R12, AX \
	ADDB R13, BX \
	FETCH2 \
	PUT2(n)

#define STREAM16(STEP) \
	STEP(0, 1) \
	STEP(1, 2) \
	STEP(2, 3) \
	STEP(3, 4) \
	STEP(4, 5) \
	STEP(5, 6) \
	STEP(6, 7) \
	STEP(7, 8) \
	STEP(8, 9) \
	STEP(9, 10) \
	STEP(10, 11) \
	STEP(11, 12) \
	STEP(12, 13) \
	STEP(13, 14) \
	STEP(14, 15) \
	ADDB $16, DI \
	STEP(15, 0)

#define SIXTEEN(STEP) \
	STEP(0) \
	STEP(1) \
	STEP(2) \
	STEP(3) \
	STEP(4) \
	STEP(5) \
	STEP(6) \
	STEP(7) \
	STEP(8) \
	STEP(9) \
	STEP(10) \
	STEP(11) \
	STEP(12) \
	STEP(13) \
	STEP(14) \
	STEP(15)

// The table before the schedule: rows 0 and 1, and the step to the next two.
DATA rows<>+0(SB)/8, $0x0000000000000000
DATA rows<>+8(SB)/8, $0x0001000100010001
DATA rows<>+16(SB)/8, $0x0002000200020002
DATA rows<>+24(SB)/8, $0x0002000200020002
GLOBL rows<>(SB), RODATA|NOPTR, $32

// func schedule4(q *quad)
TEXT ·schedule4(SB), NOSPLIT, $0-8
	MOVQ  q+0(FP), SI
	MOVOU rows<>+0(SB), X0
	MOVOU rows<>+16(SB), X1
	XORQ  AX, AX

identity:
	MOVOU X0, (SI)(AX*1)
	PADDD X1, X0
	ADDQ  $16, AX
	CMPQ  AX, $2048
	JB    identity
	XORQ  AX, AX
	XORQ  BX, BX
	XORQ  CX, CX
	XORQ  DX, DX
	XORQ  DI, DI
	PCALIGN $64

step:
	SIXTEEN(SCHEDULE4)
	ADDB $16, DI
	JNZ   step
	MOVQ  DI, quad_i(SI)
	MOVQ  DI, (quad_j+0)(SI)
	MOVQ  DI, (quad_j+8)(SI)
	MOVQ  DI, (quad_j+16)(SI)
	MOVQ  DI, (quad_j+24)(SI)
	RET

// func schedule2(q *quad)
TEXT ·schedule2(SB), NOSPLIT, $0-8
	MOVQ  q+0(FP), SI
	MOVOU rows<>+0(SB), X0
	MOVOU rows<>+16(SB), X1
	XORQ  AX, AX

identity:
	MOVOU X0, (SI)(AX*1)
	PADDD X1, X0
	ADDQ  $16, AX
	CMPQ  AX, $2048
	JB    identity
	XORQ  AX, AX
	XORQ  BX, BX
	XORQ  DI, DI
	PCALIGN $64

step:
	SIXTEEN(SCHEDULE2)
	ADDB $16, DI
	JNZ   step
	MOVQ  DI, quad_i(SI)
	MOVQ  DI, (quad_j+0)(SI)
	MOVQ  DI, (quad_j+8)(SI)
	RET

// XOR16 runs one block of a stream's data through the key stream in X. R8 is
// the place.
#define XOR16(n, X) \
	MOVQ  (quad_data+8*n)(SI), R9 \
	MOVOU (R9)(R8*1), X4 \
	PXOR  X, X4 \
	MOVOU X4, (R9)(R8*1)

// func stream4(q *quad)
TEXT ·stream4(SB), NOSPLIT, $0-8
	MOVQ q+0(FP), SI
	MOVQ (quad_j+0)(SI), AX
	MOVQ (quad_j+8)(SI), BX
	MOVQ (quad_j+16)(SI), CX
	MOVQ (quad_j+24)(SI), DX
	MOVQ quad_i(SI), DI
	PCALIGN $64

block:
	PXOR X0, X0
	PXOR X1, X1
	PXOR X2, X2
	PXOR X3, X3
	STREAM16(STREAM4)
	MOVQ quad_pos(SI), R8
	XOR16(0, X0)
	XOR16(1, X1)
	XOR16(2, X2)
	XOR16(3, X3)
	ADDQ $16, R8
	MOVQ R8, quad_pos(SI)
	DECQ quad_blocks(SI)
	JNZ  block
	MOVQ AX, (quad_j+0)(SI)
	MOVQ BX, (quad_j+8)(SI)
	MOVQ CX, (quad_j+16)(SI)
	MOVQ DX, (quad_j+24)(SI)
	MOVQ DI, quad_i(SI)
	RET

// func stream2(q *quad)
TEXT ·stream2(SB), NOSPLIT, $0-8
	MOVQ q+0(FP), SI
	MOVQ (quad_j+0)(SI), AX
	MOVQ (quad_j+8)(SI), BX
	MOVQ quad_i(SI), DI
	PCALIGN $64

block:
	PXOR X0, X0
	PXOR X1, X1
	STREAM16(STREAM2)
	MOVQ quad_pos(SI), R8
	XOR16(0, X0)
	XOR16(1, X1)
	ADDQ $16, R8
	MOVQ R8, quad_pos(SI)
	DECQ quad_blocks(SI)
	JNZ  block
	MOVQ AX, (quad_j+0)(SI)
	MOVQ BX, (quad_j+8)(SI)
	MOVQ DI, quad_i(SI)
	RET

// func stream1(q *quad, stream int, p *byte, n int)
TEXT ·stream1(SB), NOSPLIT, $0-32
	MOVQ q+0(FP), SI
	MOVQ stream+8(FP), R10
	MOVQ p+16(FP), BX
	MOVQ n+24(FP), CX
	MOVQ quad_i(SI), DI
	MOVQ quad_j(SI)(R10*8), AX

	LEAQ (SI)(R10*2), SI // the stream's first entry

octet:
	INCB    DI
	MOVBLZX S0(DI), R8
	ADDB    R8, AX
	MOVBLZX S0(AX), R12
	MOVB    R12, S0(DI)
	MOVB    R8, S0(AX)
	ADDB    R12, R8
	MOVBLZX S0(R8), R9
	XORB    R9, (BX)
	INCQ    BX
	DECQ    CX
	JNZ     octet
	RET
