package script_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopptp/internal/tree"
)

// TestImportOfManyRows checks that many rows do not wait for the disk one by one,
// with and without a trace, and that they all are there. The time is far above
// what it takes, and far below what a wait for each row or line would.
func TestImportOfManyRows(t *testing.T) {
	const rows, limit = 10_000, 20 * time.Second
	var source strings.Builder
	source.WriteString("/ppp secret\n")
	for i := range rows {
		fmt.Fprintf(&source, "add name=u%05d password=secret%d service=pptp remote-address=10.1.%d.%d\n", i, i, i>>8, i&0xff)
	}
	for _, verbose := range []string{"no", "yes"} {
		menus, directory := newImporter(t)
		if err := os.WriteFile(filepath.Join(directory, "x"), []byte(source.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := run(t.Context(), menus, tree.Admin(), "import", map[string]string{"file-name": "x", "verbose": verbose})
		took := time.Since(began)
		if n := len(secrets(menus)); err != nil || n != rows || took > limit {
			t.Errorf("verbose=%s: %d rows in %v, %v", verbose, n, took, err)
		}
		t.Logf("verbose=%s: %v", verbose, took)
	}
}
