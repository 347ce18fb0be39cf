package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchSessionsRefuses(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("hidden-word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := []string{"--target", "127.0.0.1", "--user", "u", "--password-file", password}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, `required flag(s) "password-file", "target", "user" not set`},
		{append(good, "x"), "unknown command"},
		{append(good, "--target", "server.example"), `--target: not an IPv4 address: "server.example"`},
		{append(good, "--target", "::1"), `--target: not an IPv4 address: "::1"`},
		{append(good, "--count", "0"), "--count: must be between 1 and 60000"},
		{append(good, "--count", "60001"), "--count: must be between 1 and 60000"},
		{append(good, "--parallel", "0"), "--parallel: must be at least 1"},
		{append(good, "--count", "5", "--active", "6"), "--active: must be between 0 and --count"},
		{append(good, "--active", "1", "--active-time", "0s"), "--active-time: must be positive"},
		{append(good, "--hold", "-1s"), "--hold: must not be negative"},
		{append(good, "--keepalive", "-1s"), "--keepalive: must not be negative"},
		{append(good, "--daemon-pid", "-1"), "--daemon-pid: must be positive"},
		{append(good, "--pprof", "127.0.0.1:6060"), "--pprof: say whose profiles"},
		{append(good, "--pprof", "localhost", "--daemon-pid", "1"), `--pprof: not an address and a port, such as 127.0.0.1:6060: "localhost"`},
		{append(good, "--from", "here"), `--from: not a network: "here"`},
		{append(good, "--from", "127.0.0.1/32"), "--from: no address is left in 127.0.0.1/32"},
		{append(good, "--netns", "gopptp-no-such"), `no network namespace "gopptp-no-such"`},
		{append(good, "--netns", "../x"), "invalid name of a network namespace"},
		{append(good, "--password-file", password+"x"), "--password-file: "},
		{append(good, "--console", password), "--console: "},
		{append(good, "--daemon-pid", "1073741824"), "the limits of the daemon, process 1073741824"},
	} {
		root := newCommand()
		root.SetArgs(append([]string{"bench", "sessions"}, test.args...))
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		err := root.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.args, err, test.want)
		}
		if err != nil && strings.Contains(err.Error()+out.String(), "hidden-word") {
			t.Errorf("%q: the password is shown", test.args)
		}
	}
}
