package wire

import "testing"

func TestWANErrorNotify(t *testing.T) {
	checkMessage(t, &WANErrorNotify{
		PeerCallID: 0x1234, CRCErrors: 1, FramingErrors: 2, HardwareOverruns: 3,
		BufferOverruns: 4, TimeoutErrors: 5, AlignmentErrors: 6,
	}, vector(t, `0028 0001 1a2b3c4d 000e 0000
		1234 0000 00000001 00000002 00000003 00000004 00000005 00000006`), 14, 15)
}
