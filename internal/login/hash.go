package login

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Passwords are hashed with argon2id (RFC 9106): it costs an attacker memory as
// well as time, and unlike bcrypt it does not cut a password at 72 octets. The
// cost is small enough that a login is not felt, and that two at once take less
// than 40 MiB. It stands in every hash, so that it can be raised later.
const (
	hashMemory  = 19 * 1024 // KiB
	hashTime    = 2
	hashThreads = 1
	saltSize    = 16
	keySize     = 32
)

// The largest cost that a stored hash may ask for: the store is ours, but a
// damaged row must not take all the memory of the machine.
const (
	maxHashMemory = 256 * 1024 // KiB
	maxHashTime   = 16
)

// hashForm is the usual text form of an argon2id hash, up to the salt.
const hashForm = "$argon2id$v=%d$m=%d,t=%d,p=%d$"

// noHash is checked in the place of the hash of a user who does not exist, so
// that the time of the answer does not tell which names do. Its key belongs to
// no password.
var noHash = fmt.Sprintf(hashForm, argon2.Version, hashMemory, hashTime, hashThreads) +
	encode(make([]byte, saltSize)) + "$" + encode(make([]byte, keySize))

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// Hash gives what is stored of a password. An empty password has an empty hash,
// which nobody can log in with.
func Hash(password string) string {
	if password == "" {
		return ""
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, keySize)
	return fmt.Sprintf(hashForm, argon2.Version, hashMemory, hashTime, hashThreads) + encode(salt) + "$" + encode(key)
}

// matches reports whether hash is that of password.
func matches(hash, password string) bool {
	var version, memory, time int
	var threads uint8
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return false
	}
	_, err := fmt.Sscanf(strings.Join(parts[:4], "$")+"$", hashForm, &version, &memory, &time, &threads)
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	want, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || saltErr != nil || keyErr != nil || version != argon2.Version || len(want) != keySize ||
		memory < 1 || memory > maxHashMemory || time < 1 || time > maxHashTime || threads < 1 {
		return false
	}
	key := argon2.IDKey([]byte(password), salt, uint32(time), uint32(memory), threads, keySize)
	return subtle.ConstantTimeCompare(key, want) == 1
}
