package wire

import "testing"

func TestEchoRequest(t *testing.T) {
	checkMessage(t, &EchoRequest{Identifier: 0xfedcba98},
		vector(t, `0010 0001 1a2b3c4d 0005 0000 fedcba98`))
}
