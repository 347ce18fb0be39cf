package wire

import "testing"

func TestIncomingCallReply(t *testing.T) {
	checkMessage(t, &IncomingCallReply{
		CallID: 0x1234, PeerCallID: 0x5678, Result: IncomingConnect, Error: ErrorNone, Window: 64, ProcessingDelay: 2,
	}, vector(t, `0018 0001 1a2b3c4d 000a 0000
		1234 5678 01 00 0040 0002 0000`), 22, 23)
}
