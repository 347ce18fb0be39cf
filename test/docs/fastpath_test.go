package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	said     = regexp.MustCompile("`([^`]*)`")
	ofPort   = regexp.MustCompile(`^interface "\w+":? `)
	anyCount = regexp.MustCompile(`\d+`)
)

// TestFastPathErrors: what docs/fast-path.md says of errors is about errors that there are.
func TestFastPathErrors(t *testing.T) {
	var sources strings.Builder
	names, err := filepath.Glob(top + "/internal/xdp/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(b)
	}
	ofKernel := map[string]bool{}
	for _, e := range []error{unix.EPERM, unix.ENOBUFS, unix.ENOMEM, unix.EAFNOSUPPORT, unix.EBUSY, unix.EEXIST} {
		ofKernel[e.Error()] = true
	}
	if _, err := netlink.LinkByName("gopptp-no-such"); err != nil {
		ofKernel[err.Error()] = true
	}
	b, err := os.ReadFile(top + "/docs/fast-path.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "| it says | then |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	seen := 0
	for row := range strings.Lines(table) {
		errors, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for _, m := range said.FindAllStringSubmatch(errors, -1) {
			seen++
			text := ofPort.ReplaceAllString(m[1], "")
			if !ofKernel[text] && !strings.Contains(sources.String(), anyCount.ReplaceAllString(text, "%d")) {
				t.Errorf("internal/xdp does not say %q", m[1])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d errors: the test is blind", seen)
	}
}
