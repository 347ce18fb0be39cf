package menu

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// pools resolves names for the tests of references.
type pools map[string]ID

func (p pools) Resolve(_, text string) (id ID, ok, ambiguous bool) {
	var names []string
	for name := range p {
		names = append(names, name)
	}
	name, ambiguous := match(text, names)
	return p[name], name != "", ambiguous
}

func TestParseValue(t *testing.T) {
	size := Int{Min: 512, Max: 18432}
	limited := Int{Min: 1, Max: 1<<64 - 1, Word: "disabled"}
	set := SetOf{Words: []string{"pap", "chap", "mschap1", "mschap2"}}
	pool := Reference{Path: "/ip/pool", Address: true, Word: "pool"}
	const (
		invalid   = "invalid value for argument x"
		noMatch   = "input does not match any value of x"
		ambiguous = "ambiguous value of x, more than one possible value matches input"
		trailing  = "value of x contains invalid trailing characters"
		size1     = "value of x out of range (512..18432)"
	)
	for _, tt := range []struct {
		typ             Type
		text, want, err string
	}{
		{Bool{}, "yes", "true", ""},
		{Bool{}, "no", "false", ""},
		{Bool{}, "true", "true", ""},
		{Bool{}, "f", "false", ""},
		{Bool{}, "", "", noMatch},
		{Bool{}, "1", "", noMatch},
		{size, "1450", "1450", ""},
		{size, "0x600", "1536", ""},
		{size, "0001450", "1450", ""},
		{size, "512", "512", ""},
		{size, "511", "", size1},
		{size, "18432", "18432", ""},
		{size, "18433", "", size1},
		{size, "-1450", "", size1},
		{size, "99999999999999999999", "", size1},
		{size, "1450k", "", trailing},
		{size, "14 50", "", trailing},
		{size, "0x", "", invalid},
		{size, "-", "", invalid},
		{size, "k", "", invalid},
		{size, "", "", invalid},
		{Int{Max: 9}, "-0", "0", ""},
		{limited, "dis", "disabled", ""},
		{limited, "disabledx", "", invalid},
		{limited, "18446744073709551615", "18446744073709551615", ""},
		{limited, "18446744073709551616", "", "value of x out of range (1..18446744073709551615)"},
		{Seconds{limited}, "1m30s", "90", ""},
		{Seconds{limited}, "90", "90", ""},
		{Seconds{limited}, "disabled", "disabled", ""},
		{Seconds{limited}, "500ms", "", "value of x out of range (1..18446744073709551615)"},
		{Time{}, "90", "1m30s", ""},
		{Time{}, "1w2d3h4m5s", "1w2d3h4m5s", ""},
		{Time{}, "10d", "1w3d", ""},
		{Time{}, "00:10:00", "10m", ""},
		{Time{}, "1d02:03:04", "1d2h3m4s", ""},
		{Time{}, "6m26s890ms", "6m26s890ms", ""},
		{Time{}, "10us", "10us", ""},
		{Time{}, "0", "0s", ""},
		{Time{}, "1:60", "", invalid},
		{Time{}, "1:2:3:4", "", invalid},
		{Time{}, "5x", "", invalid},
		{Time{}, "-5", "", invalid},
		{Time{}, "", "", invalid},
		{Time{}, "99999999999w", "", invalid},
		{Time{}, "9000000w9000000w", "", invalid},
		{Time{Min: minInterval, Max: maxInterval}, "5s1ms", "", "value of x out of range (20ms..5s)"},
		{Words("default", "no", "yes", "required"), "require", "required", ""},
		{Words("pptp", "pppoe"), "p", "", ambiguous},
		{Words("vip", "vip2"), "vip", "vip", ""},
		{Words("a"), "", "", noMatch},
		{set, "mschap2,pap,chap,mschap1", "pap,chap,mschap1,mschap2", ""},
		{set, "pap,pa", "pap", ""},
		{set, "pap,", "", noMatch},
		{set, "ms", "", ambiguous},
		{Address{}, "10.0.0.5", "10.0.0.5", ""},
		{Address{}, "10.0.0.256", "", invalid},
		{Address{}, "::1", "", invalid},
		{Address{}, "", "", invalid},
		{Addresses{Max: 2}, "8.8.8.8,1.1.1.1", "8.8.8.8,1.1.1.1", ""},
		{Addresses{Max: 2}, "8.8.8.8,1.1.1.1,9.9.9.9", "", invalid},
		{Addresses{Max: 2}, "8.8.8.8,", "", invalid},
		{Addresses{Max: 2}, "", "", ""},
		{Prefix6{}, "2001:db8::1/64", "2001:db8::/64", ""},
		{Prefix6{}, "10.0.0.0/8", "", invalid},
		{Host{}, "vpn.example.com", "vpn.example.com", ""},
		{Host{}, "vpn.example.com.", "vpn.example.com.", ""},
		{Host{}, "192.168.62.2", "192.168.62.2", ""},
		{Host{}, "192.168.62", "", invalid},
		{Host{}, "-a.example", "", invalid},
		{Host{}, "a..b", "", invalid},
		{Host{}, "a b", "", invalid},
		{Host{}, strings.Repeat("a.", 150), "", invalid},
		{Host{}, strings.Repeat("a", 64), "", invalid},
		{Host{}, "", "", invalid},
		{String{Min: 1, Max: 3}, "abc", "abc", ""},
		{String{Min: 1, Max: 3}, "abcd", "", invalid},
		{String{Min: 1, Max: 3}, "", "", invalid},
		{String{}, "a\nb", "a\nb", ""},
		{String{Line: true}, "a\nb", "", invalid},
		{String{}, "\xff", "", invalid},
		{String{}, strings.Repeat("a", MaxText+1), "", invalid},
		{pool, "10.0.0.1", "10.0.0.1", ""},
		{pool, "lan", "*2", ""},
		{pool, "la", "", "ambiguous value of pool, more than one possible value matches input"},
		{pool, "", "", "ambiguous value of pool, more than one possible value matches input"},
		{Reference{}, "lan", "*2", ""},
		{Reference{}, "wan", "", noMatch},
		{Reference{}, "10.0.0.1", "", noMatch},
	} {
		got, err := tt.typ.Parse("x", tt.text, pools{"lan": 2, "lab": 3})
		text := ""
		if err != nil {
			text = err.Error()
			if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != BadArgument {
				t.Errorf("%T.Parse(%q): %#v is not of kind BadArgument", tt.typ, tt.text, err)
			}
		}
		if got != tt.want || text != tt.err {
			t.Errorf("%T.Parse(%q) = %q, %q, want %q, %q", tt.typ, tt.text, got, text, tt.want, tt.err)
		}
	}
}

// TestCanonicalIsStable checks that what Parse gives is read back as itself: the
// store and the API depend on it.
func TestCanonicalIsStable(t *testing.T) {
	for _, tt := range []struct {
		typ  Type
		text string
	}{
		{Bool{}, "y"}, {Int{Max: 9999}, "0x10"}, {Int{Max: 1, Word: "disabled"}, "d"}, {Seconds{Int{Max: 9999}}, "1h"},
		{Time{}, "25h61m1s5ms7us"}, {Words("yes", "no"), "y"}, {SetOf{Words: []string{"a", "b"}}, "b,a"},
		{Addresses{Max: 2}, "1.1.1.1,2.2.2.2"}, {Prefix6{}, "2001:db8::5/32"}, {Host{}, "a.b"}, {String{}, "a b"},
	} {
		once, err := tt.typ.Parse("x", tt.text, nil)
		if err != nil {
			t.Fatalf("%T.Parse(%q): %v", tt.typ, tt.text, err)
		}
		twice, err := tt.typ.Parse("x", once, nil)
		if err != nil || twice != once {
			t.Errorf("%T.Parse(%q) = %q, %v, want %q", tt.typ, once, twice, err, once)
		}
	}
}

func TestCompareValues(t *testing.T) {
	for _, tt := range []struct {
		typ        Type
		less, more string
	}{
		{Int{}, "9", "10"},
		{Int{Word: "disabled"}, "disabled", "1"},
		{Int{Max: 1<<64 - 1}, "9223372036854775808", "18446744073709551615"},
		{Time{}, "59m", "1h"},
		{Address{}, "10.0.0.9", "10.0.0.10"},
		{String{}, "a", "b"},
		{Words(), "a", "b"},
		{loose{}, "9s", "1m"},
		{loose{}, "a", "b"},
	} {
		if tt.typ.Compare(tt.less, tt.more) >= 0 || tt.typ.Compare(tt.more, tt.less) <= 0 || tt.typ.Compare(tt.less, tt.less) != 0 {
			t.Errorf("%T.Compare does not order %q before %q", tt.typ, tt.less, tt.more)
		}
	}
}

func TestFormatTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", -time.Second: "0s", 10 * time.Nanosecond: "0s", time.Second: "1s", 44*time.Minute + 8*time.Second: "44m8s",
		week + 2*day + 3*time.Hour + 4*time.Minute + 5*time.Second: "1w2d3h4m5s",
		time.Minute + 5*time.Millisecond + 6*time.Microsecond:      "1m5ms6us",
	} {
		if got := FormatTime(d); got != want {
			t.Errorf("FormatTime(%d) = %q, want %q", d, got, want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, d := range []time.Duration{0, time.Second, 44*time.Minute + 8*time.Second, week + day + time.Millisecond} {
		f.Add(FormatTime(d))
	}
	f.Add("1d02:03:04")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseTime(s)
		if err != nil {
			return
		}
		back, err := ParseTime(FormatTime(d))
		if d < 0 || err != nil || back != d.Truncate(time.Microsecond) {
			t.Errorf("ParseTime(%q) = %v, which is written %q and read %v, %v", s, d, FormatTime(d), back, err)
		}
	})
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain é": "plain é", "\x1b[2J": `\1B[2J`, "a\xffb": `a\FFb`, "\u202e": `\E2\80\AE`, "\uFFFD": "\uFFFD", "a\x00": `a\00`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}
