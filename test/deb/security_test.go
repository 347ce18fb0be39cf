package deb

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// maxExposure is what systemd may say of the unit, of 10.
const maxExposure = 3.0

// TestUnitIsConfined asks systemd how far the unit is from having nothing.
func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	out := security(t, "")
	for _, not := range fastPathNeeds {
		if !marked(out, "✓", not) {
			t.Errorf("the unit allows %s:\n%s", not, out)
		}
	}
}

// fastPathNeeds is what systemd frowns upon and the fast path needs: of the privileged
// calls bpf, of the other address families AF_XDP.
var fastPathNeeds = []string{"=~CAP_BPF", "=~@privileged", "RestrictAddressFamilies=~…"}

// TestFastPathDropIn: systemd reads the drop-in of docs/fast-path.md as it is meant, and
// what it allows is no more than that.
func TestFastPathDropIn(t *testing.T) {
	t.Parallel()
	out := security(t, fastPathDropIn(t))
	for _, now := range fastPathNeeds {
		if !marked(out, "✗", now) {
			t.Errorf("the drop-in does not allow %s:\n%s", now, out)
		}
	}
}

// marked reports whether a line of what systemd says begins with a mark and has a word.
func marked(out, mark, word string) bool {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, mark) && strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// security is what systemd says of the unit with a drop-in, which must be good enough.
func security(t *testing.T, dropIn string) string {
	t.Helper()
	rig.Need(t, "systemd-analyze")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "gopptp.service.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string]string{"gopptp.service": text(t, "packaging/gopptp.service"), "gopptp.service.d/fast-path.conf": dropIn} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := command(t, []string{"LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0"}, "systemd-analyze", "security", "--offline=true", "--no-pager", filepath.Join(dir, "gopptp.service"))
	found := regexp.MustCompile(`Overall exposure level for gopptp\.service: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("systemd says\n%s", out)
	}
	exposure, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	if exposure >= maxExposure {
		t.Errorf("the exposure is %v, want less than %v:\n%s", exposure, maxExposure, out)
	}
	return out
}
