package export

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/menu"
)

// TestWrap has lines as RouterOS breaks them.
func TestWrap(t *testing.T) {
	arg := func(name, text string) word { return word{name: name, value: bare(text), assign: true} }
	for name, test := range map[string]struct {
		words []word
		want  []string
	}{
		"short": {
			[]word{{name: "set"}, {name: "*0"}, arg("name", "x"), {name: "!bridge"}, arg("comment", "")},
			[]string{`set *0 name=x !bridge comment=""`},
		},
		"after the =": {
			[]word{{name: "add"}, arg("action", "accept"), arg("chain", "input"),
				arg("comment", "defconf: accept established,related,untracked"), arg("connection-state", "established,related,untracked")},
			[]string{
				`add action=accept chain=input comment=\`,
				`    "defconf: accept established,related,untracked" connection-state=\`,
				`    established,related,untracked`,
			},
		},
		"before a name": {
			[]word{{name: "add"}, arg("action", "accept"), arg("chain", "forward"),
				arg("comment", "defconf: accept in ipsec policy"), arg("ipsec-policy", "in,ipsec")},
			[]string{
				`add action=accept chain=forward comment="defconf: accept in ipsec policy" \`,
				`    ipsec-policy=in,ipsec`,
			},
		},
		"within quotes": {
			[]word{{name: "add"}, arg("comment", strings.Repeat("x", 61)+" "+strings.Repeat("y", 20))},
			[]string{
				`add comment="` + strings.Repeat("x", 61) + ` yyy\`,
				`    ` + strings.Repeat("y", 17) + `"`,
			},
		},
		"before a blank": {
			[]word{{name: "add"}, arg("comment", strings.Repeat("x", 65)+" "+strings.Repeat("y", 20))},
			[]string{
				`add comment="` + strings.Repeat("x", 65) + `\`,
				`    \_` + strings.Repeat("y", 20) + `"`,
			},
		},
	} {
		if diff := cmp.Diff(test.want, wrap(test.words)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBare(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "a": "a", "10.0.0.1/8,x": "10.0.0.1/8,x", "user@x": "user@x", "a b": `"a b"`, "$": `"\$"`, "-": `"-"`, ":put": `":put"`,
		"/x": `"/x"`, "a=b": `"a=b"`, "ü": `"ü"`, "*1": `"*1"`, "!x": `"!x"`, "<pptp-u>": `"<pptp-u>"`, "a\nb": `"a\nb"`,
	} {
		if got := bare(text); got != want {
			t.Errorf("bare(%q) = %s, want %s", text, got, want)
		}
	}
}

// FuzzWrap checks that any text comes back from the script that it was written
// into, and that lines are as short as they are to be.
func FuzzWrap(f *testing.F) {
	f.Add("x", "two words", uint8(3))
	f.Add(`\`, `"$\`, uint8(70))
	f.Add("ü\n\t\r\x00\u00a0", "    ", uint8(100))
	f.Add(strings.Repeat(`\ `, 100), strings.Repeat("€", 100), uint8(200))
	root := menu.Root(nil, &menu.Menu{
		Name: "thing", Properties: []menu.Property{{Name: "a", Type: menu.String{}}, {Name: "b", Type: menu.String{}}, {Name: "c", Type: menu.String{}}},
		Commands: []*menu.Command{menu.Add()},
	})
	f.Fuzz(func(t *testing.T, a, b string, blanks uint8) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		want := []string{a, strings.Repeat(" ", int(blanks)) + b, b + a}
		words := []word{{name: "/thing"}, {name: "add"}}
		for i, text := range want {
			words = append(words, word{name: string(rune('a' + i)), value: bare(text), assign: true})
		}
		lines := wrap(words)
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > columns && strings.Contains(line, `"`) {
				t.Errorf("%d characters in %s", n, line)
			}
		}
		for _, text := range []string{strings.Join(lines, "\n"), strings.Join(lines, "\r\n"), join(words)} {
			got, err := values(text, root)
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%s", diff, text)
			}
		}
	})
}

// values gives the literal arguments of the only command of a script.
func values(text string, root *menu.Menu) ([]string, error) {
	script, err := menu.Parse(text, root, root)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, a := range script.Calls[0].Args {
		out = append(out, a.Value.(*menu.Literal).Text)
	}
	return out, nil
}
