package export_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/console"
	"gopptp/internal/export"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden runs the lines of each file in testdata and compares what they
// print, but for the date.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	date := regexp.MustCompile(`(?m)^# \S+ \S+ by RouterOS.*$`)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(b), "----------\n")
			menus := newTree(t)
			s := console.NewSession(menus, tree.Admin())
			var out bytes.Buffer
			for line := range strings.Lines(input) {
				if line == "!guest\n" { // somebody else sits down, who may see no password
					s = console.NewSession(menus, tree.User{Name: "guest", Policies: menu.Read})
					continue
				}
				if err := s.Run(t.Context(), line, &out); err != nil {
					out.WriteString(err.Error() + "\n")
				}
			}
			got := date.ReplaceAllString(out.String(), "# DATE by RouterOS VERSION")
			if *update {
				if err := os.WriteFile(file, []byte(input+"----------\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
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
