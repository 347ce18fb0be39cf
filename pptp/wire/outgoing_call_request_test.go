package wire

import "testing"

func TestOutgoingCallRequest(t *testing.T) {
	checkMessage(t, &OutgoingCallRequest{
		CallID: 0x1234, SerialNumber: 0x5678, MinBPS: 2400, MaxBPS: 10000000,
		Bearer: BearerAny, Framing: FramingEither, Window: 3, ProcessingDelay: 1,
		PhoneNumber: "5551212", Subaddress: "sub",
	}, vector(t, `00a8 0001 1a2b3c4d 0007 0000
		1234 5678 00000960 00989680 00000003 00000003 0003 0001 0007 0000 "5551212"64 "sub"64`), 38, 39)
}
