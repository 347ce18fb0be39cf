package wire

import "testing"

func TestSetLinkInfo(t *testing.T) {
	checkMessage(t, &SetLinkInfo{PeerCallID: 0x1234, SendACCM: 0xffffffff, ReceiveACCM: 0x000a0000},
		vector(t, `0018 0001 1a2b3c4d 000f 0000 1234 0000 ffffffff 000a0000`), 14, 15)
}
