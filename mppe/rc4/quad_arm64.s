//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// R0 is the quad and the table of the first stream, R1 to R3 those of the
// others; R4 i; R5 to R8 j of the streams; R9 to R12 S[i], then the index of the
// key stream, then the key stream; R13 to R16 S[j]; R19 to R22 eight octets of the
// key stream, the first of them lowest. R23 to R26 are for all else. i, j and the
// index are cut to an octet, so every address is inside the table.

#define TABLES \
	MOVD q+0(FP), R0 \
	ADD  $1024, R0, R1 \
	ADD  $2048, R0, R2 \
	ADD  $3072, R0, R3

#define INCI \
	ADD $1, R4 \
	AND $0xff, R4

// J adds S[i] to j.
#define J(T, A, j) \
	MOVWU (T)(R4<<2), A \
	ADD   A, j \
	AND   $0xff, j

// KEYJ adds S[i] and octet n of key m to j. B is free.
#define KEYJ(T, A, j, B, m, n) \
	MOVBU (quad_key+16*(m)+(n))(R0), B \
	MOVWU (T)(R4<<2), A \
	ADD   A, B \
	ADD   B, j \
	AND   $0xff, j

#define FETCH(T, j, B) \
	MOVWU (T)(j<<2), B

#define PUT(T, A, j, B) \
	MOVW B, (T)(R4<<2) \
	MOVW A, (T)(j<<2)

#define SUM(A, B) \
	ADD B, A \
	AND $0xff, A

// SHIFT puts the octet of the key stream at the index in A on top of W.
#define SHIFT(T, A, W) \
	MOVWU (T)(A<<2), A \
	LSL   $56, A \
	ORR   W>>8, A, W

#define STREAM4 \
	INCI \
	J(R0, R9, R5) \
	J(R1, R10, R6) \
	J(R2, R11, R7) \
	J(R3, R12, R8) \
	FETCH(R0, R5, R13) \
	FETCH(R1, R6, R14) \
	FETCH(R2, R7, R15) \
	FETCH(R3, R8, R16) \
	PUT(R0, R9, R5, R13) \
	PUT(R1, R10, R6, R14) \
	PUT(R2, R11, R7, R15) \
	PUT(R3, R12, R8, R16) \
	SUM(R9, R13) \
	SUM(R10, R14) \
	SUM(R11, R15) \
	SUM(R12, R16) \
	SHIFT(R0, R9, R19) \
	SHIFT(R1, R10, R20) \
	SHIFT(R2, R11, R21) \
	SHIFT(R3, R12, R22)

#define STREAM2 \
	INCI \
	J(R0, R9, R5) \
	J(R1, R10, R6) \
	FETCH(R0, R5, R13) \
	FETCH(R1, R6, R14) \
	PUT(R0, R9, R5, R13) \
	PUT(R1, R10, R6, R14) \
	SUM(R9, R13) \
	SUM(R10, R14) \
	SHIFT(R0, R9, R19) \
	SHIFT(R1, R10, R20)

#define SCHEDULE4(n) \
	KEYJ(R0, R9, R5, R13, 0, n) \
	KEYJ(R1, R10, R6, R14, 1, n) \
	KEYJ(R2, R11, R7, R15, 2, n) \
	KEYJ(R3, R12, R8, R16, 3, n) \
	FETCH(R0, R5, R13) \
	FETCH(R1, R6, R14) \
	FETCH(R2, R7, R15) \
	FETCH(R3, R8, R16) \
	PUT(R0, R9, R5, R13) \
	PUT(R1, R10, R6, R14) \
	PUT(R2, R11, R7, R15) \
	PUT(R3, R12, R8, R16) \
	INCI

#define SCHEDULE2(n) \
	KEYJ(R0, R9, R5, R13, 0, n) \
	KEYJ(R1, R10, R6, R14, 1, n) \
	FETCH(R0, R5, R13) \
	FETCH(R1, R6, R14) \
	PUT(R0, R9, R5, R13) \
	PUT(R1, R10, R6, R14) \
	INCI

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

// XOR8 runs eight octets of stream m through W. R23 is the place.
#define XOR8(m, W) \
	MOVD (quad_data+8*(m))(R0), R24 \
	MOVD (R24)(R23), R25 \
	EOR  W, R25 \
	MOVD R25, (R24)(R23)

// func schedule4(q *quad)
TEXT ·schedule4(SB), NOSPLIT, $0-8
	TABLES
	MOVD $0, R4

identity:
	MOVW R4, (R0)(R4<<2)
	MOVW R4, (R1)(R4<<2)
	MOVW R4, (R2)(R4<<2)
	MOVW R4, (R3)(R4<<2)
	ADD  $1, R4
	CMP  $256, R4
	BNE  identity
	MOVD $0, R4
	MOVD $0, R5
	MOVD $0, R6
	MOVD $0, R7
	MOVD $0, R8

step:
	SIXTEEN(SCHEDULE4)
	CBNZ R4, step
	MOVD R4, quad_i(R0)
	MOVD R4, (quad_j+0)(R0)
	MOVD R4, (quad_j+8)(R0)
	MOVD R4, (quad_j+16)(R0)
	MOVD R4, (quad_j+24)(R0)
	RET

// func schedule2(q *quad)
TEXT ·schedule2(SB), NOSPLIT, $0-8
	TABLES
	MOVD $0, R4

identity:
	MOVW R4, (R0)(R4<<2)
	MOVW R4, (R1)(R4<<2)
	ADD  $1, R4
	CMP  $256, R4
	BNE  identity
	MOVD $0, R4
	MOVD $0, R5
	MOVD $0, R6

step:
	SIXTEEN(SCHEDULE2)
	CBNZ R4, step
	MOVD R4, quad_i(R0)
	MOVD R4, (quad_j+0)(R0)
	MOVD R4, (quad_j+8)(R0)
	RET

// func stream4(q *quad)
TEXT ·stream4(SB), NOSPLIT, $0-8
	TABLES
	MOVD quad_i(R0), R4
	MOVD (quad_j+0)(R0), R5
	MOVD (quad_j+8)(R0), R6
	MOVD (quad_j+16)(R0), R7
	MOVD (quad_j+24)(R0), R8
	MOVD quad_pos(R0), R23
	MOVD quad_blocks(R0), R26
	LSL  $1, R26

half: // a block, to which everything else refers, is two of these
	STREAM4
	STREAM4
	STREAM4
	STREAM4
	STREAM4
	STREAM4
	STREAM4
	STREAM4
	XOR8(0, R19)
	XOR8(1, R20)
	XOR8(2, R21)
	XOR8(3, R22)
	ADD  $8, R23
	SUB  $1, R26
	CBNZ R26, half
	MOVD R4, quad_i(R0)
	MOVD R5, (quad_j+0)(R0)
	MOVD R6, (quad_j+8)(R0)
	MOVD R7, (quad_j+16)(R0)
	MOVD R8, (quad_j+24)(R0)
	MOVD R23, quad_pos(R0)
	RET

// func stream2(q *quad)
TEXT ·stream2(SB), NOSPLIT, $0-8
	TABLES
	MOVD quad_i(R0), R4
	MOVD (quad_j+0)(R0), R5
	MOVD (quad_j+8)(R0), R6
	MOVD quad_pos(R0), R23
	MOVD quad_blocks(R0), R26
	LSL  $1, R26

half:
	STREAM2
	STREAM2
	STREAM2
	STREAM2
	STREAM2
	STREAM2
	STREAM2
	STREAM2
	XOR8(0, R19)
	XOR8(1, R20)
	ADD  $8, R23
	SUB  $1, R26
	CBNZ R26, half
	MOVD R4, quad_i(R0)
	MOVD R5, (quad_j+0)(R0)
	MOVD R6, (quad_j+8)(R0)
	MOVD R23, quad_pos(R0)
	RET

// func stream1(q *quad, stream int, p *byte, n int)
TEXT ·stream1(SB), NOSPLIT, $0-32
	MOVD q+0(FP), R0
	MOVD stream+8(FP), R1
	MOVD p+16(FP), R24
	MOVD n+24(FP), R26
	MOVD quad_i(R0), R4
	ADD  $quad_j, R0, R2
	MOVD (R2)(R1<<3), R5
	LSL  $10, R1
	ADD  R1, R0

octet:
	INCI
	J(R0, R9, R5)
	FETCH(R0, R5, R13)
	PUT(R0, R9, R5, R13)
	SUM(R9, R13)
	MOVWU (R0)(R9<<2), R9
	MOVBU (R24), R25
	EOR   R9, R25
	MOVB  R25, (R24)
	ADD   $1, R24
	SUB   $1, R26
	CBNZ  R26, octet
	RET
