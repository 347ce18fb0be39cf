//go:build !purego

#include "textflag.h"

// SHA-1 (FIPS 180-4, section 6.1.2) of the 112 octets of GetNewKeyFromSHA, which
// with the end that belongs to them are two blocks. All of it is in registers: only
// the keys change.

// The initial state of SHA-1, A to D from the top down, and E on top.
DATA state<>+0(SB)/8, $0x98badcfe10325476
DATA state<>+8(SB)/8, $0x67452301efcdab89
DATA state<>+16(SB)/8, $0x0000000000000000
DATA state<>+24(SB)/8, $0xc3d2e1f000000000
GLOBL state<>(SB), RODATA|NOPTR, $32

// What does not change of the message: SHApad2, and the end, which is a bit and the
// length of 896 bits.
DATA fixed<>+0(SB)/8, $0xf2f2f2f2f2f2f2f2
DATA fixed<>+8(SB)/8, $0xf2f2f2f2f2f2f2f2
DATA fixed<>+16(SB)/8, $0x0000000000000380
DATA fixed<>+24(SB)/8, $0x8000000000000000
GLOBL fixed<>(SB), RODATA|NOPTR, $32

// The order of the octets of a register turned round.
DATA turned<>+0(SB)/8, $0x08090a0b0c0d0e0f
DATA turned<>+8(SB)/8, $0x0001020304050607
GLOBL turned<>(SB), RODATA|NOPTR, $16

// X0 is A to D. X1 and X2 are E by turns. X3 to X6 are the words of four times four
// rounds, the first on top.

// ROUNDS is four rounds with the words in W and the constant and function n; the
// next four's E gets ready in NEXT.
#define ROUNDS(n, E, NEXT, W) \
	SHA1NEXTE W, E \
	MOVO      X0, NEXT \
	SHA1RNDS4 $n, E, X0

// WORDS replaces the words in W with those of 16 rounds later; those of the rounds
// between are in W1, W2 and W3.
#define WORDS(W, W1, W2, W3) \
	SHA1MSG1 W1, W \
	PXOR     W2, W \
	SHA1MSG2 W3, W

// MORE is both.
#define MORE(n, E, NEXT, W, W1, W2, W3) \
	ROUNDS(n, E, NEXT, W) \
	WORDS(W, W1, W2, W3)

// BLOCK is the 80 rounds but for the first four's E.
#define BLOCK \
	MOVO      X0, X2 \
	SHA1RNDS4 $0, X1, X0 \
	WORDS(X3, X4, X5, X6) \
	MORE(0, X2, X1, X4, X5, X6, X3) \
	MORE(0, X1, X2, X5, X6, X3, X4) \
	MORE(0, X2, X1, X6, X3, X4, X5) \
	MORE(0, X1, X2, X3, X4, X5, X6) \
	MORE(1, X2, X1, X4, X5, X6, X3) \
	MORE(1, X1, X2, X5, X6, X3, X4) \
	MORE(1, X2, X1, X6, X3, X4, X5) \
	MORE(1, X1, X2, X3, X4, X5, X6) \
	MORE(1, X2, X1, X4, X5, X6, X3) \
	MORE(2, X1, X2, X5, X6, X3, X4) \
	MORE(2, X2, X1, X6, X3, X4, X5) \
	MORE(2, X1, X2, X3, X4, X5, X6) \
	MORE(2, X2, X1, X4, X5, X6, X3) \
	MORE(2, X1, X2, X5, X6, X3, X4) \
	MORE(3, X2, X1, X6, X3, X4, X5) \
	ROUNDS(3, X1, X2, X3) \
	ROUNDS(3, X2, X1, X4) \
	ROUNDS(3, X1, X2, X5) \
	ROUNDS(3, X2, X1, X6)

// func hashFast(key, start *[keyLen]byte)
TEXT ·hashFast(SB), NOSPLIT, $0-16
	MOVQ   key+0(FP), DI
	MOVQ   start+8(FP), SI
	MOVOU  turned<>+0(SB), X7
	MOVQ   (DI), AX
	MOVQ   8(DI), BX
	BSWAPQ AX
	BSWAPQ BX

	// The start key, SHApad1 and the first half of the key.
	MOVOU  state<>+0(SB), X0
	MOVOU  state<>+16(SB), X1
	MOVOU  (SI), X3
	PSHUFB X7, X3
	PXOR   X4, X4
	PXOR   X5, X5
	MOVQ   AX, X6
	MOVO   X0, X8
	MOVO   X1, X9
	PADDD  X3, X1
	BLOCK
	PADDD X8, X0

	// The other half of the key, SHApad2 and the end.
	MOVOU      fixed<>+0(SB), X4
	MOVO       X4, X3
	MOVQ       BX, X5
	PUNPCKLQDQ X5, X3
	MOVO       X4, X5
	MOVOU      fixed<>+16(SB), X6
	MOVO       X0, X8
	SHA1NEXTE  X9, X1
	PADDD      X3, X1
	BLOCK
	PADDD  X8, X0
	PSHUFB X7, X0
	MOVOU  X0, (DI)
	RET

// func features() (ebx uint32)
TEXT ·features(SB), NOSPLIT, $0-4
	XORL AX, AX
	CPUID
	XORL BX, BX
	CMPL AX, $7
	JB   none
	MOVL $7, AX
	XORL CX, CX
	CPUID

none:
	MOVL BX, ebx+0(FP)
	RET
