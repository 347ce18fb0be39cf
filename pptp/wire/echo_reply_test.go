package wire

import "testing"

func TestEchoReply(t *testing.T) {
	checkMessage(t, &EchoReply{Identifier: 0xfedcba98, Result: EchoOK, Error: ErrorNone},
		vector(t, `0014 0001 1a2b3c4d 0006 0000 fedcba98 01 00 0000`), 18, 19)
}
