package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMan: every command that is shown has a page that a formatter takes without a
// word, and nothing secret or hidden has.
func TestMan(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skipf("%v; make setup installs it", err)
	}
	dir := t.TempDir()
	root := newCommand()
	root.SetArgs([]string{"man", "--date", "1700000000", dir})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gopptp", "gopptp-run", "gopptp-exec", "gopptp-console", "gopptp-bench", "gopptp-version"} {
		if _, err := os.Stat(filepath.Join(dir, want+".1")); err != nil {
			t.Error(err)
		}
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(pages, "../../packaging/gopptp.8") {
		if strings.Contains(p, "gopptp-man") || strings.Contains(p, "__complete") {
			t.Errorf("there is %s", p)
		}
		if out, err := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z", p).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", p, err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "gopptp-run.1"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"2023\-11\-14"`) || !strings.Contains(string(text), `\fB\-\-socket\fR \fIsocket\fR`) {
		t.Errorf("the page of gopptp run:\n%s", text)
	}
}
