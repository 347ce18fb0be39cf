package wire

import "testing"

func TestStartControlConnectionReply(t *testing.T) {
	checkMessage(t, &StartControlConnectionReply{
		ProtocolVersion: Version1, Result: StartBadVersion, Error: ErrorBadValue, Framing: FramingSync, Bearer: BearerDigital,
		MaxChannels: 2, FirmwareRevision: 3, HostName: "h", VendorName: "MikroTik",
	}, vector(t, `009c 0001 1a2b3c4d 0002 0000
		0100 05 03 00000002 00000002 0002 0003 "h"64 "MikroTik"64`))
}
