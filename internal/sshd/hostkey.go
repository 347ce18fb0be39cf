package sshd

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// hostKeys are the kinds of host keys: Ed25519 first, and ECDSA for clients that
// do not have it. An RSA key would take seconds to make at the first start, for
// nobody who speaks SHA-2.
var hostKeys = []struct {
	file       string
	algorithms []string
	make       func() (crypto.PrivateKey, error)
}{
	{"ssh_host_ed25519_key", []string{ssh.KeyAlgoED25519}, func() (crypto.PrivateKey, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}},
	{"ssh_host_ecdsa_key", []string{ssh.KeyAlgoECDSA256}, func() (crypto.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}},
}

// LoadOrMakeHostKeys reads the host keys in a directory and makes those that are
// missing, readable by their owner alone. A file that holds no key is an error:
// a new key would make every client believe in an attack.
func LoadOrMakeHostKeys(dir string) ([]ssh.Signer, error) {
	var signers []ssh.Signer
	for _, kind := range hostKeys {
		path := filepath.Join(dir, kind.file)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			text, err = makeHostKey(path, kind.make)
		}
		if err != nil {
			return nil, fmt.Errorf("sshd: host key: %w", err)
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("sshd: host key %s: %w", path, err)
		}
		algorithmSigner, ok := signer.(ssh.AlgorithmSigner)
		if !ok {
			return nil, fmt.Errorf("sshd: host key %s is of an unknown kind", path)
		}
		if signer, err = ssh.NewSignerWithAlgorithms(algorithmSigner, kind.algorithms); err != nil {
			return nil, fmt.Errorf("sshd: host key %s: %w", path, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

// makeHostKey makes a key and its file, which is there whole or not at all.
func makeHostKey(path string, make func() (crypto.PrivateKey, error)) (text []byte, err error) {
	key, err := make()
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	text = pem.EncodeToMemory(block)
	f, err := os.CreateTemp(filepath.Dir(path), ".hostkey-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // if it was not renamed
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return text, os.Rename(f.Name(), path)
}
