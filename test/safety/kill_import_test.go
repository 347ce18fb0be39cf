package safety

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRequiresRootKillImport kills the daemon in the middle of imports, whose rows
// reach the disk many at a time. After the next start the first of them are there,
// none of which is missing in between; and all of them if the import had ended.
func TestRequiresRootKillImport(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for raw sockets and a network namespace")
	}
	dir, err := os.MkdirTemp("", "kill") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "gopptp")
	if out, err := exec.Command("go", "build", "-o", binary, "gopptp/cmd/gopptp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const rows, imports = 10_000, 8
	var source strings.Builder
	source.WriteString("/ppp secret\n")
	for i := range rows {
		fmt.Fprintf(&source, "add name=u%d comment=c%d\n", i, i)
	}
	partly := 0
	for range imports {
		d := start(t, binary, dir)
		if _, err := d.run(t, "/ppp secret remove [find]"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "data", "files", "all.rsc"), []byte(source.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(50*time.Millisecond+time.Duration(rand.IntN(300))*time.Millisecond, func() { d.cmd.Process.Kill() })
		_, err := d.run(t, "/import all.rsc")
		ended := err == nil
		timer.Stop()
		d.kill()

		d = start(t, binary, dir)
		got := d.secrets(t)
		d.kill()
		for i := range len(got) {
			if got[fmt.Sprintf("u%d", i)] != fmt.Sprintf("c%d", i) {
				t.Fatalf("of %d rows, row %d is missing", len(got), i)
			}
		}
		if ended && len(got) != rows {
			t.Fatalf("the import ended, but there are %d rows", len(got))
		}
		if len(got) > 0 && len(got) < rows {
			partly++
		}
	}
	t.Logf("%d of %d imports were cut in the middle", partly, imports)
}
