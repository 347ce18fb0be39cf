package tree_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"gopptp/internal/tree"
)

// TestClock looks at the clock in two time zones. In the bubble it is midnight of
// 2000-01-01, UTC.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.must("/system/clock/set", nil, "time-zone-name=Asia/Tokyo", "time-zone-autodetect=no")
		if got := b.must("/system/clock/get", nil)[0]; !strings.Contains(got, "time=09:00:00;date=2000-01-01;time-zone-autodetect=no;time-zone-name=Asia/Tokyo;gmt-offset=+09:00;dst-active=no") &&
			!strings.Contains(got, "time=09:00:00;date=2000-01-01;time-zone-autodetect=false;time-zone-name=Asia/Tokyo;gmt-offset=+09:00;dst-active=false") {
			t.Errorf("the clock is %s", got)
		}
		for _, wrong := range []string{"Asia/Nowhere", "", "Local", "../zone"} {
			if _, err := b.do(tree.Admin(), "/system/clock/set", nil, "time-zone-name="+wrong); err == nil || err.Error() != "input does not match any value of time-zone-name" {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		b.must("/system/clock/set", nil, "time-zone-name=America/New_York")
		if got := b.must("/system/clock/get", nil, "value-name=time")[0]; got != "19:00:00" {
			t.Errorf("in New York it is %s", got)
		}
		b.must("/system/clock/set", nil, "time-zone-name=manual")
		if got := b.must("/system/clock/get", nil, "value-name=time-zone-name")[0]; got == "America/New_York" {
			t.Errorf("the zone is still %s", got)
		}
	})
}
