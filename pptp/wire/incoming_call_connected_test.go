package wire

import "testing"

func TestIncomingCallConnected(t *testing.T) {
	checkMessage(t, &IncomingCallConnected{
		PeerCallID: 0x5678, ConnectSpeed: 64000, Window: 64, ProcessingDelay: 2, Framing: FramingSync,
	}, vector(t, `001c 0001 1a2b3c4d 000b 0000
		5678 0000 0000fa00 0040 0002 00000002`), 14, 15)
}
