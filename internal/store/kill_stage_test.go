package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// stagerEnv makes the test binary the child of TestKillStaged.
const stagerEnv = "GOPPTP_TEST_STAGER"

// stageForever stages rows that are called by their number, some hundreds at a
// time, and says how many there are once they are synced; until it is killed.
func stageForever(path string) error {
	s, _, err := Open(path)
	if err != nil {
		return err
	}
	m := things()
	before, _, err := s.Load(m)
	if err != nil {
		return err
	}
	for n := len(before); ; {
		for range 1 + rand.IntN(2*maxStaged) {
			n++
			r := m.Defaults(s.Next(m.IDs()))
			r.Put("name", strconv.Itoa(n))
			if err := s.Stage([]Change{{m, r.ID, r}}); err != nil {
				return err
			}
		}
		if err := s.Sync(); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKillStaged kills one who stages with SIGKILL again and again, and finds all
// rows up to the last that it said it had, and of those after it the first ones
// without a gap.
func TestKillStaged(t *testing.T) {
	const kills = 8
	path := filepath.Join(t.TempDir(), "db")
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), stagerEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		said := 0
		for lines.Scan() {
			if said == 0 {
				timer := time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { cmd.Process.Kill() })
				defer timer.Stop()
			}
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				said = max(said, n)
			}
		}
		_ = cmd.Wait() // killed
		if said == 0 {
			t.Fatal("the writer said nothing")
		}
		s := open(t, path)
		rows, warnings, err := s.Load(things())
		s.Close()
		if err != nil || warnings != nil {
			t.Fatalf("after a kill: %v, %v", warnings, err)
		}
		for i, r := range rows {
			if r.Get("name") != strconv.Itoa(i+1) {
				t.Fatalf("row %d is missing", i+1)
			}
		}
		if len(rows) < said {
			t.Fatalf("%d rows, but %d were said to be there", len(rows), said)
		}
	}
}
