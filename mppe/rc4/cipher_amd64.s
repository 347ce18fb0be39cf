//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// One stream's entries 0 to 3, and the step to the next four.
DATA fours<>+0(SB)/8, $0x0000000100000000
DATA fours<>+8(SB)/8, $0x0000000300000002
DATA fours<>+16(SB)/8, $0x0000000400000004
DATA fours<>+24(SB)/8, $0x0000000400000004
GLOBL fours<>(SB), RODATA|NOPTR, $32

// One stream. BX is i, BP its negative, DX is j, SI the table and DI the key or
// the data. R8 to R15 are eight entries ahead of their steps, R8 that of the
// first.

// AHEAD loads entry n of the 16 from i on. AX is i, by a detour over j: the load
// must not be made before the stores of the steps before, which it would then
// be made again for.
#define AHEAD(n, R) \
	MOVBLZX (4*(n))(SI)(AX*4), R

// FIRST starts the eight entries from n on.
#define FIRST(n) \
	MOVL DX, AX \
	SHRL $8, AX \
	ADDL BX, AX \
	AHEAD(n+0, R8) \
	AHEAD(n+1, R9) \
	AHEAD(n+2, R10) \
	AHEAD(n+3, R11) \
	AHEAD(n+4, R12) \
	AHEAD(n+5, R13) \
	AHEAD(n+6, R14) \
	AHEAD(n+7, R15)

// STEP is step n of 16 of the schedule; its entry is in R.
#define STEP(n, R) \
	MOVBLZX (n)(DI), AX \
	ADDB    R, AX \
	ADDB    AX, DX \
	MOVBLZX (SI)(DX*4), CX \
	MOVB    CX, (4*(n))(SI)(BX*4) \
	MOVB    R, (SI)(DX*4)

// HIT jumps to label when step n has stored to one of the left entries that are
// loaded and still to come.
#define HIT(n, left, label) \
	LEAL (-((n)+1))(DX)(BP*1), AX \
	CMPB AX, $left \
	JCS  label

// AGAIN loads entry n once more.
#define AGAIN(n, R) \
	MOVBLZX (4*(n))(SI)(BX*4), R

// The loops over a stream begin at a line of the cache: elsewhere they are up to 7
// percent slower, and where the linker puts them changes with every change of the
// program.

// func scheduleFast(s *[256]uint32, key *[KeyLen]byte)
TEXT ·scheduleFast(SB), NOSPLIT, $8-16
	MOVQ  s+0(FP), SI
	MOVQ  key+8(FP), DI
	MOVOU fours<>+0(SB), X0
	MOVOU fours<>+16(SB), X1
	XORQ  AX, AX

identity:
	MOVOU X0, (SI)(AX*1)
	PADDD X1, X0
	ADDQ  $16, AX
	CMPQ  AX, $1024
	JB    identity
	XORL  DX, DX
	XORL  BX, BX
	XORL  BP, BP
	PCALIGN $64

sixteen:
	FIRST(0)
	STEP(0, R8)
	HIT(0, 7, hit0)
back0:
	STEP(1, R9)
	HIT(1, 6, hit1)
back1:
	STEP(2, R10)
	HIT(2, 5, hit2)
back2:
	STEP(3, R11)
	HIT(3, 4, hit3)
back3:
	STEP(4, R12)
	HIT(4, 3, hit4)
back4:
	STEP(5, R13)
	HIT(5, 2, hit5)
back5:
	STEP(6, R14)
	HIT(6, 1, hit6)
back6:
	STEP(7, R15)
	FIRST(8)
	STEP(8, R8)
	HIT(8, 7, hit8)
back8:
	STEP(9, R9)
	HIT(9, 6, hit9)
back9:
	STEP(10, R10)
	HIT(10, 5, hit10)
back10:
	STEP(11, R11)
	HIT(11, 4, hit11)
back11:
	STEP(12, R12)
	HIT(12, 3, hit12)
back12:
	STEP(13, R13)
	HIT(13, 2, hit13)
back13:
	STEP(14, R14)
	HIT(14, 1, hit14)
back14:
	STEP(15, R15)
	ADDL $16, BX
	SUBL $16, BP
	CMPL BX, $256
	JB   sixteen
	RET

hit0:
	AGAIN(1, R9)
	AGAIN(2, R10)
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back0
hit1:
	AGAIN(2, R10)
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back1
hit2:
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back2
hit3:
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back3
hit4:
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back4
hit5:
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back5
hit6:
	AGAIN(7, R15)
	JMP back6
hit8:
	AGAIN(9, R9)
	AGAIN(10, R10)
	AGAIN(11, R11)
	AGAIN(12, R12)
	AGAIN(13, R13)
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back8
hit9:
	AGAIN(10, R10)
	AGAIN(11, R11)
	AGAIN(12, R12)
	AGAIN(13, R13)
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back9
hit10:
	AGAIN(11, R11)
	AGAIN(12, R12)
	AGAIN(13, R13)
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back10
hit11:
	AGAIN(12, R12)
	AGAIN(13, R13)
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back11
hit12:
	AGAIN(13, R13)
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back12
hit13:
	AGAIN(14, R14)
	AGAIN(15, R15)
	JMP back13
hit14:
	AGAIN(15, R15)
	JMP back14

// STREAM is step n of eight of the key stream, which gather in X0.
#define STREAM(n, R) \
	ADDB    R, DX \
	MOVBLZX (SI)(DX*4), CX \
	MOVB    CX, (4*(n))(SI)(BX*4) \
	MOVB    R, (SI)(DX*4) \
	ADDB    R, CX \
	PINSRB  $n, (SI)(CX*4), X0

// func streamFast(c *Cipher, p *byte, n int)
TEXT ·streamFast(SB), NOSPLIT, $8-24
	MOVQ    c+0(FP), SI
	MOVQ    p+8(FP), DI
	MOVBLZX Cipher_i(SI), BX
	MOVBLZX Cipher_j(SI), DX
	INCB    BX
	PCALIGN $64

eight:
	MOVL BX, BP
	NEGL BP
	PXOR X0, X0
	FIRST(0)
	STREAM(0, R8)
	HIT(0, 7, hit0)
back0:
	STREAM(1, R9)
	HIT(1, 6, hit1)
back1:
	STREAM(2, R10)
	HIT(2, 5, hit2)
back2:
	STREAM(3, R11)
	HIT(3, 4, hit3)
back3:
	STREAM(4, R12)
	HIT(4, 3, hit4)
back4:
	STREAM(5, R13)
	HIT(5, 2, hit5)
back5:
	STREAM(6, R14)
	HIT(6, 1, hit6)
back6:
	STREAM(7, R15)
	MOVQ (DI), X1
	PXOR X1, X0
	MOVQ X0, (DI)
	ADDQ $8, DI
	ADDB $8, BX
	DECQ n+16(FP)
	JNZ  eight
	DECB BX
	MOVQ c+0(FP), SI
	MOVB BX, Cipher_i(SI)
	MOVB DX, Cipher_j(SI)
	RET

hit0:
	AGAIN(1, R9)
	AGAIN(2, R10)
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back0
hit1:
	AGAIN(2, R10)
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back1
hit2:
	AGAIN(3, R11)
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back2
hit3:
	AGAIN(4, R12)
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back3
hit4:
	AGAIN(5, R13)
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back4
hit5:
	AGAIN(6, R14)
	AGAIN(7, R15)
	JMP back5
hit6:
	AGAIN(7, R15)
	JMP back6
