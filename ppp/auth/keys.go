package auth

import (
	"gopptp/mppe"
	"gopptp/mschap"
)

// KeysV1 derives the MPPE start keys of MS-CHAPv1, the same at both ends (RFC
// 3079, section 2). It is for who has the hashes and not the password: RADIUS
// sends both in MS-CHAP-MPPE-Keys (RFC 2548, section 2.4.1).
func KeysV1(c mschap.Challenge, lm [8]byte, hh mschap.NtHashHash) *mppe.Keys {
	k := mppe.StartKey{Long: mschap.GetStartKey(c, hh), Short: lm}
	return &mppe.Keys{Send: k, Receive: k}
}

// KeysV2 makes the MPPE start keys of MS-CHAPv2 of the two 128-bit ones, seen
// from the end that sends with the first (RFC 3079, section 3). RADIUS has them
// as MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548, sections 2.4.2 and 2.4.3).
func KeysV2(send, receive [16]byte) *mppe.Keys {
	return &mppe.Keys{Send: startKeyV2(send), Receive: startKeyV2(receive)}
}

func startKeyV2(long [16]byte) mppe.StartKey {
	return mppe.StartKey{Long: long, Short: [8]byte(long[:8])}
}

// serverKeysV2 derives the server's keys; the client's are the same crosswise.
func serverKeysV2(hh mschap.NtHashHash, r mschap.Response) *mppe.Keys {
	m := mschap.GetMasterKey(hh, r)
	return KeysV2(mschap.GetAsymmetricStartKey(m, mschap.ToClient), mschap.GetAsymmetricStartKey(m, mschap.ToServer))
}

func clientKeysV2(hh mschap.NtHashHash, r mschap.Response) *mppe.Keys {
	k := serverKeysV2(hh, r)
	return &mppe.Keys{Send: k.Receive, Receive: k.Send}
}

func passwordKeysV1(c mschap.Challenge, password string) *mppe.Keys {
	hh := mschap.NtPasswordHashHash(mschap.NtPasswordHash(password))
	return KeysV1(c, mschap.LmStartKey(mschap.LmPasswordHash(password)), hh)
}
