package wire

import "testing"

func TestStopControlConnectionRequest(t *testing.T) {
	checkMessage(t, &StopControlConnectionRequest{Reason: StopLocalShutdown},
		vector(t, `0010 0001 1a2b3c4d 0003 0000 03 00 0000`), 13, 14, 15)
}
