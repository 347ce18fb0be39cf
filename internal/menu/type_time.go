package menu

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Time is a length of time: 1w2d3h4m5s.
type Time struct {
	Min, Max time.Duration // both inclusive; a Max of zero is no bound
}

var errTime = errors.New("menu: not a time")

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// units are the letters of a time, from large to small. ms comes before m, and
// us before s, when a unit is read.
var units = []struct {
	name string
	unit time.Duration
}{{"w", week}, {"d", day}, {"h", time.Hour}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"m", time.Minute}, {"s", time.Second}}

// ParseTime reads 1w2d3h4m5s with ms and us, hh:mm:ss with weeks and days before
// it, or a number of seconds. Seconds may have a fraction: 0.5s.
func ParseTime(s string) (time.Duration, error) {
	var total time.Duration
	if s == "" {
		return 0, errTime
	}
	for s != "" {
		rest := strings.TrimLeft(s, "0123456789")
		n, err := strconv.ParseInt(s[:len(s)-len(rest)], 10, 64)
		if err != nil {
			return 0, errTime
		}
		if strings.HasPrefix(rest, ":") {
			clock, err := parseClock(s)
			if err != nil || total > math.MaxInt64-clock {
				return 0, errTime
			}
			return total + clock, nil
		}
		if seconds, ok := strings.CutSuffix(rest, "s"); ok && strings.HasPrefix(seconds, ".") {
			part, err := parseFraction(seconds[1:])
			if err != nil || part > math.MaxInt64-total || n > int64((math.MaxInt64-part-total)/time.Second) {
				return 0, errTime
			}
			return total + time.Duration(n)*time.Second + part, nil
		}
		unit := time.Duration(0)
		if rest == "" {
			unit = time.Second
		}
		for _, u := range units {
			if after, ok := strings.CutPrefix(rest, u.name); ok && unit == 0 {
				rest, unit = after, u.unit
			}
		}
		if unit == 0 || n > int64(math.MaxInt64/unit) || total > math.MaxInt64-time.Duration(n)*unit {
			return 0, errTime
		}
		total += time.Duration(n) * unit
		s = rest
	}
	return total, nil
}

// parseFraction reads what stands between the point and the s of seconds.
func parseFraction(digits string) (time.Duration, error) {
	const most = 9 // nanoseconds
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || len(digits) > most {
		return 0, errTime
	}
	for range most - len(digits) {
		n *= 10
	}
	return time.Duration(n), nil
}

// parseClock reads hh:mm:ss or hh:mm.
func parseClock(s string) (time.Duration, error) {
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, errTime
	}
	var total time.Duration
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || i > 0 && n > 59 {
			return 0, errTime
		}
		total += time.Duration(n) * []time.Duration{time.Hour, time.Minute, time.Second}[i]
	}
	return total, nil
}

// FormatTime writes the canonical form, without the parts that are zero.
func FormatTime(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []int{0, 1, 2, 5, 6, 3, 4} { // units by size
		if n := d / units[u].unit; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteString(units[u].name)
			d %= units[u].unit
		}
	}
	if b.Len() == 0 { // less than a microsecond
		return "0s"
	}
	return b.String()
}

// Parse accepts the forms of ParseTime.
func (t Time) Parse(name, text string, _ Resolver) (string, error) {
	d, err := ParseTime(text)
	if err != nil {
		return "", errInvalid(name)
	}
	if d < t.Min || t.Max != 0 && d > t.Max {
		return "", errRange(name, FormatTime(t.Min), FormatTime(t.Max))
	}
	return FormatTime(d), nil
}

// Text gives the canonical form.
func (Time) Text(s string) string { return s }

// Compare orders by length.
func (Time) Compare(a, b string) int {
	x, _ := ParseTime(a)
	y, _ := ParseTime(b)
	return cmp.Compare(x, y)
}

// DateTime is a point of time: 2026-06-14 05:25:07. It is only ever read.
type DateTime struct{ plain }

// dateTime is the layout of a DateTime.
const dateTime = "2006-01-02 15:04:05"

// FormatDateTime writes the canonical form.
func FormatDateTime(t time.Time) string { return t.Format(dateTime) }

// Parse leaves the text as it is, for expressions.
func (DateTime) Parse(_, text string, _ Resolver) (string, error) { return text, nil }

// short leaves out what a date has in common with now, as the log does.
func (DateTime) short(s string, now time.Time) string {
	switch today := FormatDateTime(now); {
	case len(s) < len(dateTime):
		return s
	case s[:10] == today[:10]:
		return s[11:]
	case s[:4] == today[:4]:
		return s[5:]
	}
	return s
}
