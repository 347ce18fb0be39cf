// Package golden is for tests only: it plays the files of testdata, whose first
// part is what a person or program says and whose second what comes back, and it
// makes the world that they are played in. What a line means belongs to the door
// that is tested.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// separator stands between the two parts of a file.
const separator = "----------\n"

// Play plays each file of testdata that the pattern names, as a subtest in a
// bubble of synctest, and compares what play gives with the second part; with
// -update it writes that part.
func Play(t *testing.T, pattern string, play func(t *testing.T, input string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			input, want := Read(t, file)
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, input) })
			if *update {
				if err := os.WriteFile(file, []byte(input+separator+got), 0o644); err != nil {
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

// Read gives the parts of a golden file.
func Read(t *testing.T, file string) (input, want string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	input, want, _ = strings.Cut(string(b), separator)
	return input, want
}
