package tree_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"gopptp/internal/console"
	"gopptp/internal/golden"
	"gopptp/internal/records"
	"gopptp/internal/tree"
)

// TestRecords checks that /ppp/records sets what is kept of calls, from the start, and
// shows what was.
func TestRecords(t *testing.T) {
	k := records.New(t.TempDir(), func(err error) { t.Error(err) })
	defer k.Close()
	w := golden.NewWorld(t, func(c *tree.Config) { c.Records = k })
	run := func(commands ...string) string {
		t.Helper()
		s := console.NewSession(w.Tree, tree.Admin())
		var out bytes.Buffer
		for _, c := range commands {
			if err := s.Run(t.Context(), c, &out); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		}
		return out.String()
	}
	call := func() { k.Add(records.Record{Kind: records.Session, Reason: strings.Repeat("x", 250)}) }
	call()
	out := run("/ppp/records/print")
	for _, want := range []string{"enabled: yes", "max-size: 10240", "max-files: 5", "file: " + k.Path(), "refused-file: " + k.RefusedPath(), "written: 1", "omitted: 0", "lost: 0"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	run("/ppp/records/set max-size=64 max-files=1")
	for range 300 {
		call()
	}
	if info, err := os.Stat(k.Path()); err != nil || info.Size() > 64<<10 {
		t.Errorf("the file has %d octets, %v", info.Size(), err)
	}
	run("/ppp/records/set enabled=no")
	before := k.Counters()
	if call(); k.Counters() != before {
		t.Error("disabled, it keeps records")
	}
}
