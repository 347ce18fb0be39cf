package export_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/console"
	"gopptp/internal/export"
	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/progress"
	"gopptp/internal/tree"
)

// TestGolden runs the lines of each file in testdata and compares what they
// print, after what they say themselves. A line with ! in front is for the test:
//
//	!guest      somebody else sits down, who may see no password
//	!file NAME  shows a file of the system
func TestGolden(t *testing.T) {
	golden.Play(t, "*.txt", func(t *testing.T, input string) string {
		w := golden.NewWorld(t)
		s := console.NewSession(w.Tree, tree.Admin())
		var out bytes.Buffer
		for line := range strings.Lines(input) {
			line = strings.TrimSuffix(line, "\n")
			fmt.Fprintf(&out, "> %s\n", line)
			if line == "!guest" {
				s = console.NewSession(w.Tree, tree.User{Name: "guest", Policies: menu.Read})
				continue
			}
			if name, ok := strings.CutPrefix(line, "!file "); ok {
				b, err := w.Files.ReadFile(name)
				if err != nil {
					t.Error(err)
				}
				out.Write(b)
				continue
			}
			if err := s.Run(t.Context(), line, &out); err != nil {
				fmt.Fprintln(&out, err)
			}
		}
		return out.String()
	})
}

// TestHeader checks what programs look for, community.routeros among them.
func TestHeader(t *testing.T) {
	got := export.Header(time.Date(2026, 6, 14, 5, 25, 7, 0, time.UTC), "7.19 (gopptp)")
	want := []string{"# 2026-06-14 05:25:07 by RouterOS 7.19 (gopptp)", "# software id = ", "#"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !regexp.MustCompile(`^# [a-z0-9/-][a-z0-9/-]* [0-9:]* by RouterOS`).MatchString(got[0]) {
		t.Error("facts would not cut the date off")
	}
}

// TestProgress checks that a long export tells how far it is, and a short one nothing.
func TestProgress(t *testing.T) {
	root := newTree(t).Root()
	m := root.At("ppp/secret")
	for n, want := range map[int]string{10: "", 1000: "export: 256 items, export: 512 items, export: 768 items"} {
		var source rows
		for i := range n {
			r := m.Defaults(menu.ID(i + 1))
			r.Put("name", fmt.Sprint("user", i))
			source = append(source, r)
		}
		var told []string
		export.Lines(root, root, source, export.Options{Progress: func(s progress.Step) { told = append(told, s.String()) }})
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("%d items: %s", n, got)
		}
	}
}
