package menu

import (
	"slices"
	"strings"
	"testing"
)

// TestCheck compares all that is wrong in scripts.
func TestCheck(t *testing.T) {
	root := example()
	for _, tt := range []struct {
		source string
		want   []string
	}{
		{"", nil},
		{"# a remark\n:put 1\n", nil},
		{":put (1\n:put 2\n:nosuch\n:put 3", []string{"syntax error (line 2 column 1)", "bad command name nosuch (line 3 column 2)"}},
		{":put 1 2\n:nosuch\n", []string{"expected end of command (line 1 column 8)", "bad command name nosuch (line 2 column 2)"}},
		{"/ip firewall filter\nadd chain=input\nadd chain=output \\\n    comment=x\n:put 1\n/nosuch\n", []string{
			"bad command name ip (line 1 column 2)", "bad command name nosuch (line 6 column 2)",
		}},
		{":put \"open\n:put 2\n", []string{"syntax error (line 3 column 1)"}},
		{"/", nil},
		{strings.Repeat(":nosuch\n", 2*maxWrong), slices.Repeat([]string{"bad command name nosuch"}, maxWrong)},
	} {
		var got []string
		for _, e := range Check(tt.source, root, root) {
			if len(tt.want) == maxWrong {
				got = append(got, e.Text)
			} else {
				got = append(got, e.Error())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%.100q\n%q, want %q", tt.source, got, tt.want)
		}
	}
}

// FuzzCheck checks that Check ends, that it finds nothing in what can be parsed,
// and that its first error is Parse's.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{":put (1\n/nosuch\nadd\n", ":put \"a\n\\", "/x\r\n{\n}\n:if (1) do={", "\\\n\\\n/", ":put 1;:nosuch;:put 2"} {
		f.Add(s)
	}
	root := example()
	f.Fuzz(func(t *testing.T, source string) {
		wrong := Check(source, root, root)
		_, err := Parse(source, root, root)
		switch {
		case (err == nil) != (len(wrong) == 0):
			t.Errorf("%q: %v, but %v", source, wrong, err)
		case err != nil && wrong[0].Error() != err.Error():
			t.Errorf("%q: first %v, not %v", source, wrong[0], err)
		}
	})
}
