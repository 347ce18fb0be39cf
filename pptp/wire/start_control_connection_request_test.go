package wire

import "testing"

func TestStartControlConnectionRequest(t *testing.T) {
	checkMessage(t, &StartControlConnectionRequest{
		ProtocolVersion: Version1, Framing: FramingEither, Bearer: BearerAny,
		MaxChannels: 65535, FirmwareRevision: 1, HostName: "local", VendorName: "cananian",
	}, vector(t, `009c 0001 1a2b3c4d 0001 0000
		0100 0000 00000003 00000003 ffff 0001 "local"64 "cananian"64`), 14, 15)
}
