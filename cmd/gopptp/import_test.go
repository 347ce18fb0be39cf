package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImport runs gopptp import on files, and on such as are not there.
func TestImport(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pptpd := file("pptpd.conf", "localip 10.0.0.1\nremoteip 10.0.0.10-20\n")
	options := file("options", "name vpn\nrequire-mschap-v2\nrequire-mppe\nproxyarp\n")
	secrets := file("chap-secrets", "ann vpn pass-word *\n")
	accel := file("accel-ppp.conf", "[modules]\npptp\nauth_mschap_v2\nchap-secrets\n[ip-pool]\ngw-ip-address=10.0.0.1\n10.0.0.10-20\n")
	for _, c := range []struct {
		args       []string
		out, errs  string // parts of what is printed
		wantsError bool
	}{
		{[]string{"pptpd", "--options", options, "--chap-secrets", secrets, pptpd},
			`add name="ann" password="pass-word" service="pptp" profile="pptpd"`, "users: 1, pools: 1, RADIUS servers: 0; not carried over: 1 ", false},
		{[]string{"accel-ppp", "--chap-secrets", secrets, accel},
			`add name="ann" password="pass-word" service="pptp" profile="accel-ppp"`, "users: 1, pools: 1, RADIUS servers: 0; not carried over: 0 ", false},
		{[]string{"pptpd", filepath.Join(dir, "none")}, "", "", true},
		{[]string{"accel-ppp", filepath.Join(dir, "none")}, "", "", true},
		{[]string{"pptpd", pptpd, accel}, "", "", true}, // one at a time
	} {
		var out, errs bytes.Buffer
		root := newCommand()
		root.SetOut(&out)
		root.SetErr(&errs)
		root.SetArgs(append([]string{"import"}, c.args...))
		err := root.ExecuteContext(t.Context())
		if (err != nil) != c.wantsError || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) {
			t.Errorf("import %v: %v\n%s%s", c.args, err, out.String(), errs.String())
		}
		if strings.Contains(errs.String(), "pass-word") {
			t.Errorf("import %v: a password is on standard error", c.args)
		}
	}
}
