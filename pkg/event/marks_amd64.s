#include "textflag.h"

// One byte compare finds quotes, one backslashes, and an unsigned minimum finds what is below 0x20.
#define MARK(x, a, b, r) \
	VPCMPEQB x, Y0, a  \
	VPCMPEQB x, Y1, b  \
	VPOR     a, b, a   \
	VPMINUB  x, Y2, b  \
	VPCMPEQB x, b, b   \
	VPOR     a, b, a   \
	VPMOVMSKB a, r

// func markBlocks(dst *byte, s *byte, blocks int) (high uint32)
TEXT ·markBlocks(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ s+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVL $0x22222222, AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	MOVL $0x5c5c5c5c, AX
	VMOVD AX, X1
	VPBROADCASTD X1, Y1
	MOVL $0x1f1f1f1f, AX
	VMOVD AX, X2
	VPBROADCASTD X2, Y2
	VPXOR Y3, Y3, Y3

block:
	VMOVDQU (SI), Y4
	VMOVDQU 32(SI), Y5
	VPOR Y4, Y3, Y3
	VPOR Y5, Y3, Y3
	MARK(Y4, Y6, Y7, R8)
	MARK(Y5, Y8, Y9, R9)
	SHLQ $32, R9
	ORQ R8, R9
	MOVQ R9, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ block

	VPMOVMSKB Y3, AX
	MOVL AX, high+24(FP)
	VZEROUPPER
	RET
