package login

import (
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// TestVector checks the hash against the reference implementation's test of
// version 1.3 with 2 passes over 64 MiB.
func TestVector(t *testing.T) {
	key := argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 64*1024, 1, 32)
	if got := hex.EncodeToString(key); got != "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7" {
		t.Errorf("argon2id is %s", got)
	}
	encoded := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" + encode(key)
	if !matches(encoded, "password") || matches(encoded, "passwore") {
		t.Error("the hash of the reference does not match")
	}
}

func TestHash(t *testing.T) {
	hash := Hash("pässword")
	if !matches(hash, "pässword") || matches(hash, "passwort") || matches(hash, "") {
		t.Error("wrong answer")
	}
	if hash == Hash("pässword") {
		t.Error("there is no salt")
	}
	if Hash("") != "" {
		t.Error("an empty password has a hash")
	}
	long := strings.Repeat("x", 72)
	if matches(Hash(long+"a"), long+"b") {
		t.Error("a long password is cut")
	}
}

// TestBadHash checks that a damaged row lets nobody in and costs nothing.
func TestBadHash(t *testing.T) {
	good := Hash("x")
	for i := range good {
		if matches(good[:i], "x") {
			t.Errorf("%q matches", good[:i])
		}
	}
	for _, hash := range []string{
		noHash,
		strings.Replace(good, "m=19456", "m=999999999", 1),
		strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "t=2", "t=99999", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=999", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		good + "$", "$$$$$", "x",
	} {
		if matches(hash, "x") {
			t.Errorf("%q matches", hash)
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add(Hash("x"))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, hash string) {
		if matches(hash, "no password has this") {
			t.Error("a password came out of nowhere")
		}
	})
}
