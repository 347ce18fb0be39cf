package login

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ErrKey is the error for text that is no public key that may be used.
var ErrKey = errors.New("login: not an SSH public key")

// minRSA is the smallest RSA key in bits that is taken: a shorter one can be
// broken.
const minRSA = 2048

// A Key is an SSH public key: a line as in an authorized_keys file.
type Key struct {
	ID      uint64
	Account uint64 // the id of its user
	Type    string // rsa, ed25519, ecdsa
	Bits    int
	Owner   string // the comment of the line
	Blob    string // the key in the wire form of SSH
}

// ParseKey reads a line of an authorized_keys file. Options before the key are
// refused: they would promise a limit that nobody keeps.
func ParseKey(line string) (Key, error) {
	public, owner, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || strings.TrimSpace(string(rest)) != "" {
		return Key{}, ErrKey
	}
	k := Key{Owner: owner, Blob: string(public.Marshal())}
	crypto, ok := public.(ssh.CryptoPublicKey)
	if !ok {
		return Key{}, ErrKey
	}
	switch p := crypto.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		k.Type, k.Bits = "rsa", p.N.BitLen()
		if k.Bits < minRSA {
			return Key{}, ErrKey
		}
	case *ecdsa.PublicKey:
		k.Type, k.Bits = "ecdsa", p.Curve.Params().BitSize
	case ed25519.PublicKey:
		k.Type, k.Bits = "ed25519", 8*len(p)
	default:
		return Key{}, ErrKey // a DSA key is too weak, a key on a token asks for a touch
	}
	return k, nil
}
