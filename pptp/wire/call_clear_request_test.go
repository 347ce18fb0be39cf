package wire

import "testing"

func TestCallClearRequest(t *testing.T) {
	checkMessage(t, &CallClearRequest{CallID: 0x1234},
		vector(t, `0010 0001 1a2b3c4d 000c 0000 1234 0000`), 14, 15)
}
