package wire

import "testing"

func TestStopControlConnectionReply(t *testing.T) {
	checkMessage(t, &StopControlConnectionReply{Result: StopGeneralError, Error: ErrorPACError},
		vector(t, `0010 0001 1a2b3c4d 0004 0000 02 06 0000`), 14, 15)
}
