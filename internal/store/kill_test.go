package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"gopptp/internal/menu"
)

// writerEnv makes the test binary the child of TestKill: it names the database.
const writerEnv = "GOPPTP_TEST_WRITER"

func TestMain(m *testing.M) {
	for env, write := range map[string]func(string) error{writerEnv: writeForever, stagerEnv: stageForever} {
		if path := os.Getenv(env); path != "" {
			if err := write(path); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForever adds a row before all others, says so, and removes it again if its
// number is even; until it is killed.
func writeForever(path string) error {
	s, _, err := Open(path)
	if err != nil {
		return err
	}
	m := things()
	order, _, err := s.Order(m)
	if err != nil {
		return err
	}
	for {
		r := m.Defaults(s.Next(m.IDs()))
		r.Put("name", strconv.FormatUint(uint64(r.ID), 10))
		order = slices.Insert(order, 0, r.ID)
		if err := s.Commit([]Change{{m, r.ID, r}}, Order{m, order}); err != nil {
			return err
		}
		fmt.Println("+", uint64(r.ID))
		if r.ID%2 == 0 {
			order = order[1:]
			if err := s.Commit([]Change{{m, r.ID, nil}}, Order{m, order}); err != nil {
				return err
			}
			fmt.Println("-", uint64(r.ID))
		}
	}
}

// TestKill kills a writer with SIGKILL again and again, and finds everything
// that it said it had done, and at most one change more.
func TestKill(t *testing.T) {
	const kills = 20
	path := filepath.Join(t.TempDir(), "db")
	want := map[uint64]bool{}
	last := uint64(0)
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		timer := time.AfterFunc(time.Hour, func() {})
		said := 0
		for lines.Scan() {
			if said++; said == 1 { // it has begun: kill it in the middle of something
				timer = time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { cmd.Process.Kill() })
			}
			var verb string
			var id uint64
			if n, _ := fmt.Sscan(lines.Text(), &verb, &id); n != 2 {
				continue // the line that was being written
			}
			if verb == "+" {
				if id <= last {
					t.Fatalf("id %d was given out twice", id)
				}
				want[id] = true
				last = id
			} else {
				delete(want, id)
			}
		}
		timer.Stop()
		_ = cmd.Wait() // killed
		if said == 0 {
			t.Fatal("the writer said nothing")
		}

		s := open(t, path)
		rows, warnings, err := s.Load(things())
		order, told, orderErr := s.Order(things())
		s.Close()
		if err != nil || orderErr != nil || warnings != nil || told != nil {
			t.Fatalf("after a kill: %v, %v, %v, %v", warnings, err, told, orderErr)
		}
		// The order is of the same change as the rows: the newest first.
		slices.Reverse(order)
		if !slices.EqualFunc(order, rows, func(id menu.ID, r *menu.Row) bool { return id == r.ID }) {
			t.Fatalf("after a kill the order is %v, which is not that of the rows", order)
		}
		got := map[uint64]bool{}
		for _, r := range rows {
			got[uint64(r.ID)] = true
			if r.Get("name") != strconv.FormatUint(uint64(r.ID), 10) {
				t.Errorf("row %v is called %q", r.ID, r.Get("name"))
			}
		}
		differ := difference(want, got)
		// The change that was not acknowledged may have been made: the row after the
		// last one, or the removal of the last one.
		if len(differ) > 1 || len(differ) == 1 && differ[0] < last {
			t.Fatalf("after a kill the database differs in rows %v, the last one being %d", differ, last)
		}
		want = got
		for id := range got {
			last = max(last, id)
		}
	}
	t.Logf("%d kills, %d rows", kills, len(want))
}

// difference gives what is in one set only.
func difference(a, b map[uint64]bool) []uint64 {
	var out []uint64
	for id := range a {
		if !b[id] {
			out = append(out, id)
		}
	}
	for id := range b {
		if !a[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
