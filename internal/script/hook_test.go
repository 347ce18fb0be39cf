package script_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/script"
	"gopptp/internal/tree"
)

// TestHookTime checks that a hook which does not end is ended, so that the next
// one of its session runs.
func TestHookTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		s.runner.Hook(script.Hook{Session: "1", Name: "profile x on-up", Source: ":delay 1d"})
		s.runner.Hook(script.Hook{Session: "1", Name: "profile x on-down", Source: ":log info down"})
		time.Sleep(5*time.Minute - time.Second)
		synctest.Wait()
		if got := s.logged(); len(got) != 0 {
			t.Errorf("before its time: %q", got)
		}
		s.want(`:foreach j in=[/system/script/job/print as-value] do={:put (($j->"type") . " " . ($j->"script") . " " . ($j->"owner"))}`, "script profile x on-up *sys\n")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		const want = "script,error executing script from profile x on-up failed, please check it manually (interrupted)|script,info down"
		if got := strings.Join(s.logged(), "|"); got != want {
			t.Errorf("the log has %q", got)
		}
	})
}

// TestHookNumber checks that hooks are bounded in number, and that Close waits for
// them only for a while.
func TestHookNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		const busy, waiting = 50, 20_000
		for i := range busy + waiting {
			s.runner.Hook(script.Hook{Session: fmt.Sprint(i), Name: "x", Source: ":delay 4m"})
		}
		if got := s.logged(); len(got) != 0 {
			t.Fatalf("the log has %q", got)
		}
		s.runner.Hook(script.Hook{Session: "one more", Name: "x", Source: ":delay 4m"})
		if got := s.logged(); len(got) != 1 || !strings.HasSuffix(got[0], "(too many scripts are running)") {
			t.Fatalf("the log has %q", got)
		}
		if n := len(s.runner.Jobs()); n != busy {
			t.Errorf("%d hooks run", n)
		}
		if got := s.as(tree.Admin(), `:put [:typeof [:execute {:put 1}]]`); got != "id\n" {
			t.Errorf("hooks keep scripts from running: %q", got)
		}
		began := time.Now()
		s.runner.Close()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %v to end", took)
		}
	})
}

// TestHooksOfOneSession checks that a tunnel which goes up and down all the time
// takes no place from others, and that its last hooks run.
func TestHooksOfOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		s.runner.Hook(script.Hook{Session: "1", Name: "x", Source: ":delay 1m"})
		for i := range 30_000 {
			s.runner.Hook(script.Hook{Session: "1", Name: "up", Source: fmt.Sprintf(":log info up%d", i)})
			s.runner.Hook(script.Hook{Session: "1", Name: "down", Source: fmt.Sprintf(":log info down%d", i)})
		}
		s.runner.Hook(script.Hook{Session: "2", Name: "x", Source: ":log info other"})
		synctest.Wait()
		if got := strings.Join(s.logged(), "|"); got != "script,info other" {
			t.Errorf("the log has %q", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := s.logged()
		if n := len(got); n < 3 || n > 20 || got[n-2] != "script,info up29999" || got[n-1] != "script,info down29999" {
			t.Errorf("the log has %q", got)
		}
		for i := 2; i < len(got); i += 2 {
			if !strings.HasPrefix(got[i-1], "script,info up") {
				t.Errorf("entry %d is %q", i-1, got[i-1])
			}
		}
	})
}
