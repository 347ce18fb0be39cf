package radius

import (
	"crypto/md5"
	"fmt"
)

// unhide undoes the chain of RFC 2865, section 5.2, which RFC 2548 uses as well:
// each block of 16 octets is masked with a hash of the secret and the block
// before it, the first with one of seed. The size of b is a multiple of 16.
func unhide(b, secret []byte, seed ...[]byte) []byte {
	plain := make([]byte, 0, len(b))
	for i := 0; i < len(b); i += md5.Size {
		h := md5.New()
		h.Write(secret)
		if i == 0 {
			for _, s := range seed {
				h.Write(s)
			}
		} else {
			h.Write(b[i-md5.Size : i])
		}
		plain = h.Sum(plain)
		for j, c := range b[i : i+md5.Size] {
			plain[i+j] ^= c
		}
	}
	return plain
}

// mppeKeyLen is the size of a key in MS-MPPE-Send-Key and MS-MPPE-Recv-Key that
// MS-CHAPv2 gives (RFC 3079, section 3).
const mppeKeyLen = 16

// saltedKey reads the value of MS-MPPE-Send-Key or MS-MPPE-Recv-Key (RFC 2548,
// sections 2.4.2 and 2.4.3).
func saltedKey(v, secret []byte, authenticator [16]byte) (key [mppeKeyLen]byte, err error) {
	// "The leftmost bit of the Salt field MUST be 1."
	if len(v) < 2+md5.Size || (len(v)-2)%md5.Size != 0 || v[0]&0x80 == 0 {
		return key, fmt.Errorf("%w: MPPE key of %d octets", errAttribute, len(v))
	}
	plain := unhide(v[2:], secret, authenticator[:], v[:2])
	// 32 octets are what EAP-TLS gives, which is not spoken here; a key of another
	// size would be a session that its own client cannot read.
	if int(plain[0]) != mppeKeyLen || len(plain) <= mppeKeyLen {
		return key, fmt.Errorf("%w: MPPE key of another size", errAttribute)
	}
	return [mppeKeyLen]byte(plain[1:]), nil
}

// The parts of MS-CHAP-MPPE-Keys (RFC 2548, section 2.4.1).
const (
	lmKeyLen       = 8
	ntKeyLen       = 16
	chapMPPEKeyLen = 32 // with eight octets of padding
)

// chapKeys reads the value of MS-CHAP-MPPE-Keys.
func chapKeys(v, secret []byte, authenticator [16]byte) (k [lmKeyLen + ntKeyLen]byte, err error) {
	if len(v) != chapMPPEKeyLen {
		return k, fmt.Errorf("%w: MS-CHAP-MPPE-Keys of %d octets", errAttribute, len(v))
	}
	copy(k[:], unhide(v, secret, authenticator[:]))
	return k, nil
}
