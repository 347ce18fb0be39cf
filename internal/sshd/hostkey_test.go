package sshd

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

func writeKey(t *testing.T, path string, key crypto.PrivateKey) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadOrMakeHostKeys(t *testing.T) {
	dir := t.TempDir()
	made, err := LoadOrMakeHostKeys(dir)
	if err != nil || len(made) != 2 {
		t.Fatal(made, err)
	}
	loaded, err := LoadOrMakeHostKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range made {
		if !bytes.Equal(made[i].PublicKey().Marshal(), loaded[i].PublicKey().Marshal()) {
			t.Errorf("key %d changed", i)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	// A broken file is not replaced.
	broken := filepath.Join(dir, "ssh_host_ecdsa_key")
	if err := os.WriteFile(broken, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrMakeHostKeys(dir); err == nil {
		t.Error("a broken key was taken")
	}
	if b, _ := os.ReadFile(broken); string(b) != "x" {
		t.Error("a broken key was replaced")
	}
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string]struct {
		name string
		p    parameters
	}{
		"admin":           {"admin", parameters{}},
		"admin+ct80w":     {"admin", parameters{noColours: true, columns: 80}},
		"admin+cet":       {"admin", parameters{noColours: true, dumb: true}},
		"admin+ct511w40h": {"admin", parameters{noColours: true, columns: 511, rows: 40}},
		"a+b+e":           {"a+b", parameters{dumb: true}},
		"a+b":             {"a+b", parameters{}},
		"a+":              {"a+", parameters{}},
		"a+80":            {"a+80", parameters{}},
		"a+w":             {"a+w", parameters{}},
		"a+99999999999w":  {"a+99999999999w", parameters{}},
		"a+8c":            {"a+8c", parameters{}},
		"+c":              {"", parameters{noColours: true}},
	} {
		if name, p := splitName(in); name != want.name || p != want.p {
			t.Errorf("%q: %q, %+v", in, name, p)
		}
	}
}
