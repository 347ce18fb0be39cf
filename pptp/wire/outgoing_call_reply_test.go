package wire

import "testing"

func TestOutgoingCallReply(t *testing.T) {
	checkMessage(t, &OutgoingCallReply{
		CallID: 0x1234, PeerCallID: 0x5678, Result: OutgoingGeneralError, Error: ErrorNoResource, Cause: 0x9abc,
		ConnectSpeed: 10000000, Window: 64, ProcessingDelay: 1, PhysicalChannel: 7,
	}, vector(t, `0020 0001 1a2b3c4d 0008 0000
		1234 5678 02 04 9abc 00989680 0040 0001 00000007`))
}
