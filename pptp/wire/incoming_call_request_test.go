package wire

import "testing"

func TestIncomingCallRequest(t *testing.T) {
	checkMessage(t, &IncomingCallRequest{
		CallID: 0x1234, SerialNumber: 0x5678, Bearer: BearerDigital, PhysicalChannel: 9,
		DialedNumber: "12", DialingNumber: "345", Subaddress: "6",
	}, vector(t, `00dc 0001 1a2b3c4d 0009 0000
		1234 5678 00000002 00000009 0002 0003 "12"64 "345"64 "6"64`))
}
