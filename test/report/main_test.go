package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const (
		pass       = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
		fail       = `{"Action":"output","Package":"p","Test":"TestB","Output":"b is wrong\n"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestB"}` + "\n"
		root       = `{"Action":"pass","Package":"p","Test":"TestRequiresRootX"}` + "\n"
		rootSub    = `{"Action":"skip","Package":"p","Test":"TestRequiresRootX/sub"}` + "\n"
		rootSkip   = `{"Action":"skip","Package":"p","Test":"TestRequiresRootY"}` + "\n"
		rootPass   = `{"Action":"pass","Package":"p","Test":"TestRequiresRootY"}` + "\n"
		plainSkip  = `{"Action":"skip","Package":"p","Test":"TestX"}` + "\n"
		plainPass  = `{"Action":"pass","Package":"p","Test":"TestX"}` + "\n"
		plainSub   = `{"Action":"skip","Package":"p","Test":"TestX/sub"}` + "\n"
		helperSkip = `{"Action":"skip","Package":"gopptp/internal/tun","Test":"TestHelperHoldsInterface"}` + "\n"
		ended      = `{"Action":"pass","Package":"p","Elapsed":1.5}` + "\n"
		broken     = `{"Action":"output","Package":"p","Output":"panic: oh\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
		build      = `{"ImportPath":"p","Action":"build-output","Output":"p.go:1: no\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
	)
	for _, test := range []struct {
		name, in string
		ci       bool
		ok       bool
		says     string
	}{
		{"passed", pass + root + ended, false, true, "2 passed in 1.5 s"},
		{"passed in CI", pass + root + ended, true, true, "1 that need root ran"},
		{"failed", pass + fail, false, false, "b is wrong"},
		{"panic", broken, false, false, "panic: oh"},
		{"no build", build, false, false, "p.go:1: no"},
		{"skipped", pass + rootSkip + ended, false, true, "1 skipped"},
		{"skipped in CI", pass + root + rootSkip + ended, true, false, "FAIL: skipped: p TestRequiresRootY"},
		{"subtest skipped in CI", pass + root + rootSub + ended, true, false, "FAIL: skipped: p TestRequiresRootX/sub"},
		{"skipped in one run, passed in another", pass + rootSkip + ended + rootPass + ended, true, true, "1 that need root ran"},
		{"any skipped in CI", pass + root + plainSkip + ended, true, false, "FAIL: skipped: p TestX"},
		{"any subtest skipped in CI", pass + root + plainSub + plainPass + ended, true, false, "FAIL: skipped: p TestX/sub"},
		{"any skipped in one run, passed in another", pass + root + plainSkip + ended + plainPass + ended, true, true, "1 skipped"},
		{"any skipped elsewhere", pass + plainSkip + ended, false, true, "1 skipped"},
		{"one that may be skipped in CI", pass + root + helperSkip + ended, true, true, "1 skipped"},
		{"none in CI", pass + ended, true, false, "no test that needs root ran"},
		{"not JSON", "go: no such thing\n" + pass, false, true, "go: no such thing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := report(strings.NewReader(test.in), &out, test.ci)
			if err != nil || ok != test.ok || !strings.Contains(out.String(), test.says) {
				t.Errorf("ok %v, err %v, output:\n%s\nwant ok %v and %q", ok, err, &out, test.ok, test.says)
			}
		})
	}
}
