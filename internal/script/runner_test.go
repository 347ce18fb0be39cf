package script_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// A system is a tree with a runner.
type system struct {
	t      *testing.T
	menus  *tree.Tree
	runner *script.Runner
	log    *journal.Journal
}

func newSystem(t *testing.T) system {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := journal.New(nil, false)
	runner := newRunner(t, log)
	menus, err := tree.Config{Store: db, Engine: &treetest.Engine{}, Journal: log, Interpreter: runner}.New()
	if err != nil {
		t.Fatal(err)
	}
	return system{t, menus, runner, log}
}

// as runs a script of a user and gives what it prints, with the error at the end.
func (s system) as(u tree.User, source string) string {
	s.t.Helper()
	var out strings.Builder
	if err := script.Run(s.t.Context(), script.Env{Tree: s.menus, User: u, Out: &out}, source); err != nil {
		fmt.Fprintln(&out, err)
	}
	return out.String()
}

// want runs a script of the administrator and compares what it prints.
func (s system) want(source, want string) {
	s.t.Helper()
	if got := s.as(tree.Admin(), source); got != want {
		s.t.Errorf("%s\nprints %q, want %q", source, got, want)
	}
}

// until runs a script until it prints what is wanted.
func (s system) until(source, want string) {
	s.t.Helper()
	got := ""
	for range 2000 {
		if got = s.as(tree.Admin(), source); got == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("%s\nprints %q, want %q", source, got, want)
}

// logged gives the entries of the log with the topic script.
func (s system) logged() (out []string) {
	for _, e := range s.log.Entries() {
		if e.Has("script") {
			out = append(out, e.Topics+" "+e.Message)
		}
	}
	return out
}

// TestScriptMenu goes through /system/script.
func TestScriptMenu(t *testing.T) {
	s := newSystem(t)
	s.want(`/system/script/add name=hello source={:put "hello from $[:jobname]"; :log info "it ran"}`, "")
	s.want(`:put [/system/script/add source=":put 2"]; :put [/system/script get script1 owner]`, "*2\nadmin\n")
	s.want(`/system/script/run hello; /system/script run hello,script1`, "hello from hello\nhello from hello\n2\n")
	s.want(`/system/script {:put [get hello run-count]; :put [get hello policy]; :put [:typeof [get hello last-started]]}`,
		"2\nftp,reboot,read,write,policy,test,password,sniff,sensitive,romon\nstr\n")
	s.want(`/system/script/add name=hello`, "failure: script with the same name already exists\n")
	s.want(`/system/script/run nosuch`, "no such item\n")
	s.want(`/system/script/run`, "missing value(s) of argument(s) numbers\n")
	s.want(`/system/script/add name=x policy=read,fly`, "input does not match any value of policy\n")
	s.want(`/system/script/add name=bad source=":put (1"; :put [/system/script/find where invalid]; /system/script/run bad`, "*4\nsyntax error (line 1 column 8)\n")
	s.want(`/system/script/add name=fails source="/ppp secret\nremove nosuch"; /system/script/run fails`, "Script Error: no such item (/ppp/secret/remove; line 2)\n")
	s.want(`/system/script/add name=calls source="\n/system/script/run fails"; /system/script/run calls`, "Script Error: no such item (/ppp/secret/remove; line 2)\n")
	s.want(`/system/script/add name=again source="/system/script/run again"; :do {/system/script/run again} on-error={:put deep}`, "deep\n")
	s.want(`/system/script/remove script1; :put [:len [/system/script/find]]`, "5\n")
	if got := s.logged(); len(got) != 2 || got[0] != "script,info it ran" {
		t.Errorf("the log has %q", got)
	}
}

// TestScriptPolicies checks that a script does not give its writer or its runner
// more rights than they have.
func TestScriptPolicies(t *testing.T) {
	s := newSystem(t)
	const denied = "not enough permissions (9)\n"
	writer := tree.User{Name: "writer", Policies: menu.Read | menu.Write | menu.Test | menu.Sensitive}
	reader := tree.User{Name: "reader", Policies: menu.Read}
	for _, step := range []struct {
		who          tree.User
		source, want string
	}{
		{writer, `/system/script/add name=a source=":put 1"`, denied}, // all policies, policy among them
		{writer, `/system/script/add name=a policy=read,policy dont-require-permissions=yes`, denied},
		{writer, `/system/script/add name=a policy=read,write source=":put 1"`, ""},
		{writer, `:put [/system/script/get a owner]`, "writer\n"},
		{writer, `/system/script/set a policy=policy`, denied},
		{reader, `/system/script/set a source=x`, denied},
		{reader, `/system/script/run a`, denied},
		{tree.Admin(), `/system/script/add name=b policy=read,write,policy dont-require-permissions=yes source="/user/group/add name=g policy=read"`, ""},
		{writer, `/system/script/set b source=":put mine"`, denied},
		{writer, `/system/script/set b policy=read`, denied},
		{reader, `/system/script/run b`, ""},
		{tree.Admin(), `:put [:len [/user/group/find name=g]]`, "1\n"},
		{tree.Admin(), `/system/script/add name=c policy=read source="/ppp/secret/add name=x"`, ""},
		{tree.Admin(), `/system/script/run c`, "Script Error: not enough permissions (9) (/ppp/secret/add; line 1)\n"},
		{tree.Admin(), `/system/script/add name=d policy="" source=":put [/ppp/secret/find]"`, ""},
		{reader, `/system/script/run d`, "Script Error: not enough permissions (9) (/ppp/secret/find; line 1)\n"},
	} {
		if got := s.as(step.who, step.source); got != step.want {
			t.Errorf("%s: %s\nprints %q, want %q", step.who.Name, step.source, got, step.want)
		}
	}
}

// TestJobs starts scripts on their own, lists them and ends them.
func TestJobs(t *testing.T) {
	s := newSystem(t)
	s.want(`:global n 0; :execute {:global n; :set n 7; :put nowhere; :delay 1h}`, "")
	s.until(`:global n; :put $n`, "7\n")
	s.want(`/system/script/job; :put [get 0 owner]; :put [get 0 type]; :put [:len [print as-value]]; remove 0`, "admin\nscript\n1\n")
	s.until(`:put [:len [/system/script/job/find]]`, "0\n")
	s.want(`:local id [:execute "/ppp secret remove nosuch"]; :put [:typeof $id]`, "id\n")
	for range 1000 {
		if len(s.logged()) > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got := s.logged(); len(got) != 1 ||
		got[0] != "script,error executing script failed, please check it manually (Script Error: no such item (/ppp/secret/remove; line 1))" {
		t.Errorf("the log has %q", got)
	}
	s.want(`:do {:for i from=1 to=1000 do={:execute {:delay 1h}}} on-error={:put "no more"}; :put [:len [/system/script/job/find]]`, "no more\n100\n")
	s.want(`/system/script/job/remove [find]`, "")
	s.until(`:put [:len [/system/script/job/find]]`, "0\n")
}

// TestNamedJob ends a script that somebody waits for.
func TestNamedJob(t *testing.T) {
	s := newSystem(t)
	s.want(`/system/script/add name=long source=":delay 1h"`, "")
	var all sync.WaitGroup
	all.Go(func() { s.want(`/system/script/run long`, "interrupted\n") })
	s.until(`:put [/system/script/job/find where script=long type=command]`, "*1\n")
	s.want(`/system/script/job/remove [find script=long]`, "")
	all.Wait()
}

// TestGlobalsAreShared checks that the variables of one session are those of all,
// with the user who made them.
func TestGlobalsAreShared(t *testing.T) {
	s := newSystem(t)
	other := tree.User{Name: "other", Policies: menu.AllPolicies}
	s.want(`:global a 1; :global b {1;2}`, "")
	if got := s.as(other, `:global a; :global c "\$x"; :put $a; :set a 2`); got != "1\n" {
		t.Errorf("%q", got)
	}
	s.want(`:put $a; /system/script/environment; :foreach e in=[print as-value] do={:put (($e->"name") . " " . ($e->"user") . " " . ($e->"value"))}`,
		"2\na admin 2\nb admin 1;2\nc other $x\n")
	s.want(`/system/script/environment/remove a; :put [:typeof $a]; :put [:len [/system/script/environment/find]]`, "nothing\n2\n")
	s.want(`/system/script/environment/remove [find]; :put [:len [/system/script/environment/find]]`, "0\n")
}

// TestHooks checks the variables, the rights, the order and the errors of hooks.
func TestHooks(t *testing.T) {
	s := newSystem(t)
	const count = 40
	s.want(`:global told`, "")
	for i := range count {
		session := fmt.Sprint(i)
		vars := map[string]string{"user": "u" + session}
		s.runner.Hook(script.Hook{Session: session, Name: "ppp profile default on-up", Vars: vars,
			Source: fmt.Sprintf(":delay 2ms; :global seen%d $user", i)})
		s.runner.Hook(script.Hook{Session: session, Name: "ppp profile default on-down", Vars: vars,
			Source: fmt.Sprintf(`:global seen%d; :set seen%d ($seen%d . " is gone")`, i, i, i)})
	}
	s.runner.Hook(script.Hook{Session: "last", Name: "x", Source: `:global told ($user . [:typeof $user] . $"local-address" . [:typeof $"local-address"] . [:typeof $interface] . [:typeof $"caller-id"])`,
		Vars: map[string]string{"user": "123", "local-address": "10.0.0.1", "interface": "*F00001", "caller-id": "modem"}})
	s.until(`:put $told`, "123str10.0.0.1ipidstr\n")
	s.runner.Hook(script.Hook{Session: "none", Name: "nothing"})
	s.runner.Hook(script.Hook{Session: "bad", Name: "ppp profile default on-up", Source: "/user/group/add name=evil"})
	s.runner.Hook(script.Hook{Session: "worse", Name: "ppp profile default on-up", Source: ":put (1"})
	s.runner.Close() // what waits is done before
	for i := range count {
		s.want(fmt.Sprintf(":put $seen%d", i), fmt.Sprintf("u%d is gone\n", i))
	}
	got := strings.Join(s.logged(), "\n")
	for _, want := range []string{
		"script,error executing script from ppp profile default on-up failed, please check it manually (Script Error: not enough permissions (9) (/user/group/add; line 1))",
		"script,error executing script from ppp profile default on-up failed, please check it manually (syntax error (line 1 column 8))",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the log has %q, not %q", got, want)
		}
	}
	s.runner.Hook(script.Hook{Session: "late", Name: "late", Source: ":put 1"})
	if got := s.logged(); !strings.Contains(got[len(got)-1], "late failed") {
		t.Errorf("a hook ran after the end: %q", got)
	}
}

// TestClose checks that the end of the system ends what runs.
func TestClose(t *testing.T) {
	s := newSystem(t)
	s.want(`/system/script/add name=long source=":delay 1h"; :execute {:delay 1h}; :execute {:while (true) do={}}`, "")
	var all sync.WaitGroup
	all.Go(func() { s.want(`/system/script/run long`, "interrupted\n") })
	s.until(`:put [:len [/system/script/job/find]]`, "3\n")
	began := time.Now()
	s.runner.Close()
	all.Wait()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	s.want(`:execute {:put 1}`, "interrupted\n")
	s.want(`/system/script/run long`, "interrupted\n")
	s.runner.Close()
}

// TestOutputWaitsForTheDisk checks that a script prints nothing about a change
// which a kill could take back: another process would find it.
func TestOutputWaitsForTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, _, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	menus, err := tree.New(db, &treetest.Engine{}, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	out := writerFunc(func(b []byte) (int, error) {
		rows, _, err := db.Load(menus.Root().At("/ppp/secret")) // reads the disk's pages
		found = append(found, len(rows))
		return len(b), err
	})
	source := ":for i from=1 to=3 do={/ppp/secret/add name=(\"u\" . $i); /ppp/secret/add name=(\"v\" . $i); :put x}"
	if err := script.Run(context.Background(), script.Env{Tree: menus, User: tree.Admin(), Out: out}, source); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(found) != "[2 4 6]" {
		t.Errorf("the disk had %v rows", found)
	}
	// Without an output it has all of them at the end, also of one that fails.
	_ = script.Run(context.Background(), script.Env{Tree: menus, User: tree.Admin(), Out: io.Discard}, "/ppp secret\nadd name=a\nadd name=b\nadd name=a")
	if rows, _, err := db.Load(menus.Root().At("/ppp/secret")); err != nil || len(rows) != 8 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }
