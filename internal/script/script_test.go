package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// newEnv makes an environment over an empty tree.
func newEnv(t testing.TB, out io.Writer) Env {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	j := journal.New(nil, false)
	runner := NewRunner(j)
	t.Cleanup(runner.Close)
	menus, err := tree.Config{Store: db, Engine: &treetest.Engine{}, Journal: j, Interpreter: runner}.New()
	if err != nil {
		t.Fatal(err)
	}
	return Env{Tree: menus, User: tree.Admin(), Out: out}
}

// TestVars checks what a script on a tunnel's up or down is given.
func TestVars(t *testing.T) {
	var out bytes.Buffer
	env := newEnv(t, &out)
	env.Vars = map[string]Value{"user": Text("anna"), "local-address": infer("10.0.0.1"), "bytes": Number(5)}
	err := Run(t.Context(), env, `:put "$user from $("local" . "-address") $($bytes + 1)"; :put $"local-address"; :put [:typeof $"local-address"]`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "anna from local-address 6\n10.0.0.1\nip\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestGlobalsLast checks that global variables outlive a script, and local ones do
// not.
func TestGlobalsLast(t *testing.T) {
	var out bytes.Buffer
	env := newEnv(t, &out)
	env.Globals = NewGlobals()
	for _, source := range []string{":global count 1; :local own 2", ":set count ($count + 1)", ":put \"$count,$own,\""} {
		if err := Run(t.Context(), env, source); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "2,,\n" {
		t.Errorf("%q", out.String())
	}
}

// TestEndless checks that no script outlives its context, however it is busy, and
// that it cannot catch the end.
func TestEndless(t *testing.T) {
	for _, source := range []string{
		":while (true) do={}", ":do {} while=(true)", ":for i from=1 to=9000000000000 do={}",
		":while (true) do={:do {:error x} on-error={}}", ":delay 1d", ":do {:delay 1d} on-error={:delay 1d}",
		":onerror e in={:delay 1d} do={:delay 1d}", ":local a; :while (true) do={:set a ($a, 1, 2, 3, 4, 5, 6, 7, 8); :if ([:len $a]>1000) do={:set a}}",
		":put [:execute \":while (true) do={}\" as-string]", ":retry command={:error x} max=1000000 delay=1ms", "/log/print follow", "/ppp/secret/print interval=20ms",
		":global f do={:while (true) do={}}; $f",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		err := Run(ctx, newEnv(t, io.Discard), source)
		var e *menu.Error
		if !errors.As(err, &e) || e.Kind != menu.Interrupted {
			t.Errorf("%s: %v", source, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", source, took)
		}
		cancel()
	}
}

// TestBounds checks that values, memory and depth are bounded.
func TestBounds(t *testing.T) {
	for source, want := range map[string]string{
		":local s 0123456789; :while (true) do={:set s ($s . $s)}":                                "value is too large",
		":local s 0123456789; :while (true) do={:set s \"$s$s\"}":                                 "value is too large",
		":local a {1}; :while (true) do={:set a ($a, $a)}":                                        "value is too large",
		":local a {1}; :while (true) do={:set a {$a}}":                                            "value is too large",
		":local a {1}; :while (true) do={:set ($a->0) $a}":                                        "value is too large",
		":global f do={:global f; $f}; $f":                                                        "functions call too deep",
		":global f do={:global f; :put [$f]}; $f":                                                 "functions call too deep",
		":global f do={:global f; :local s x; :for i from=1 to=21 do={:set s ($s . $s)}; $f}; $f": "variables take too much memory",
		":put (" + strings.Repeat("1+", 100000) + "1)":                                            "",
		":put (" + strings.Repeat("true and ", 20000) + "true)":                                   "",
		":put (" + strings.Repeat("!", 50) + "true)":                                              "syntax error",
		":put " + strings.Repeat("{", 50):                                                         "syntax error",
		strings.Repeat(":if (true) do={", 50):                                                     "syntax error",
	} {
		err := Run(t.Context(), newEnv(t, io.Discard), source)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%.80s: %.200v, want %q", source, err, want)
		}
	}
}

// TestMemoryIsGivenBack checks that what a scope used can be used again.
func TestMemoryIsGivenBack(t *testing.T) {
	source := ":local s x; :for i from=1 to=21 do={:set s ($s . $s)}; :for i from=1 to=200 do={:local own $s; {:local more $s}}"
	if err := Run(t.Context(), newEnv(t, io.Discard), source); err != nil {
		t.Error(err)
	}
}

// TestOutFails checks that a reader who is gone ends the script, whatever it
// catches.
func TestOutFails(t *testing.T) {
	gone := errors.New("gone")
	env := newEnv(t, writer(func([]byte) (int, error) { return 0, gone }))
	if err := Run(t.Context(), env, ":do {:put x} on-error={}; :error never"); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// TestTrace checks that each outermost command is told with its line.
func TestTrace(t *testing.T) {
	env := newEnv(t, io.Discard)
	var got []string
	env.Trace = func(line int, command string) { got = append(got, fmt.Sprintf("%d %s", line, command)) }
	if err := Run(t.Context(), env, "# first\n:put a; :put b\n/ppp secret\n:if (true) do={\n  :put c\n}\n# last\n"); err != nil {
		t.Fatal(err)
	}
	want := []string{"2 :put a", "2 :put b", "3 /ppp secret", "4 :if (true) do={\n  :put c\n}"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPager checks where a print stops to ask, and what the answers do.
func TestPager(t *testing.T) {
	for _, tt := range []struct {
		answers []Answer
		asked   int
		lines   int
		args    string
		width   int
	}{
		{[]Answer{Quit}, 1, 4, "terse", 0},
		{[]Answer{Down, Quit}, 2, 8, "terse", 0},
		{[]Answer{Dump}, 1, 10, "terse", 0},
		{[]Answer{Down, Down}, 2, 10, "terse", 0},
		{nil, 0, 10, "terse without-paging", 0},
		{[]Answer{Quit}, 1, 2, "terse", 100}, // each line takes two of the terminal
	} {
		var out bytes.Buffer
		env := newEnv(t, &out)
		if err := Run(t.Context(), env, ":for i from=10 to=19 do={/ppp/secret/add name=(\"u\" . $i)}"); err != nil {
			t.Fatal(err)
		}
		asked := 0
		env.Width = tt.width
		env.Pager = Pager{Height: 5, More: func(context.Context) (Answer, error) {
			asked++
			return tt.answers[asked-1], nil
		}}
		if err := Run(t.Context(), env, "/ppp/secret/print "+tt.args); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\n"); n != tt.lines || asked != tt.asked {
			t.Errorf("%v %s: %d lines and %d questions, want %d and %d", tt.answers, tt.args, n, asked, tt.lines, tt.asked)
		}
	}
}

// FuzzRun runs whatever parses, for a moment and with a small output.
func FuzzRun(f *testing.F) {
	for _, s := range []string{
		":local a {1;b=2}; :foreach k,v in=$a do={:put \"$k $v $($v+1) $[:len $k]\"}", ":global f do={:return ($1*2)}; :put [$f 3]",
		":put (10.0.0.1+1 . \"x\" , {1}->0 in 10.0.0.0/8 and !(1<2))", ":do {:error x} on-error={:put [:pick abc 1 2]}",
		"/ppp/secret\n:local id [add name=x]; :put [get $id]; print terse where name~\"x\"; remove $id", ":set ($a->1->\"k\") [:parse \":put 1\"]",
		":for i from=1 to=3 step=-1 do={}", ":while (1=2) do={}", ":put [:totime [:toip [:tonum [:toarray \"a,b\"]]]]", ":put (~10.0.0.1 << 3 >> -1)",
		":put ((-9223372036854775807-1)/-1)", ":onerror e in={:put ({}->1)} do={:put $e}", "put \"\\\"$[:put \"$(1)\"]\"", ":execute {:put [:typeof 1h]}",
	} {
		f.Add(s)
	}
	env := newEnv(f, nil)
	f.Fuzz(func(t *testing.T, source string) {
		if strings.Contains(source, "resolve") {
			return // no look-ups
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		left := 1 << 16
		env := env
		env.Out = writer(func(b []byte) (int, error) {
			if left -= len(b); left < 0 {
				return 0, io.ErrShortWrite
			}
			return len(b), nil
		})
		began := time.Now()
		err := Run(ctx, env, source)
		for _, j := range runnerOf(env.Tree).Jobs() {
			runnerOf(env.Tree).StopJob(j.ID)
		}
		var e *menu.Error
		if err != nil && !errors.As(err, &e) && !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%q: %#v", source, err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%q took %v", source, took)
		}
	})
}

func BenchmarkLoop(b *testing.B) {
	env := newEnv(b, io.Discard)
	for b.Loop() {
		if err := Run(b.Context(), env, ":local n 0; :for i from=1 to=1000 do={:set n ($n + $i)}"); err != nil {
			b.Fatal(err)
		}
	}
}
