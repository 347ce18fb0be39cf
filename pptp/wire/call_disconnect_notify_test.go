package wire

import "testing"

func TestCallDisconnectNotify(t *testing.T) {
	checkMessage(t, &CallDisconnectNotify{
		CallID: 0x1234, Result: DisconnectRequest, Error: ErrorNone, Cause: 0x5678, Statistics: "pkts=1",
	}, vector(t, `0094 0001 1a2b3c4d 000d 0000
		1234 04 00 5678 0000 "pkts=1"128`), 18, 19)
}
