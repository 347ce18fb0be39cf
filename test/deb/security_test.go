package deb

import (
	"regexp"
	"strconv"
	"testing"

	"gopptp/test/rig"
)

// maxExposure is what systemd may say of the unit, of 10.
const maxExposure = 3.0

// TestUnitIsConfined asks systemd how far the unit is from having nothing.
func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	rig.Need(t, "systemd-analyze")
	out := command(t, nil, "systemd-analyze", "security", "--offline=true", "--no-pager", project+"/packaging/gopptp.service")
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
}
