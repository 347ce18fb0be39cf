package script_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// newImporter makes a tree with a directory for files.
func newImporter(t *testing.T) (menus *tree.Tree, directory string) {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	directory = t.TempDir()
	files, err := os.OpenRoot(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	j := journal.New(nil, false)
	menus, err = tree.Config{
		Store: db, Engine: &treetest.Engine{}, Journal: j, Files: files, Interpreter: newRunner(t, j),
	}.New()
	if err != nil {
		t.Fatal(err)
	}
	return menus, directory
}

// newRunner makes a runner that ends with the test.
func newRunner(t testing.TB, j *journal.Journal) *script.Runner {
	r := script.NewRunner(j)
	t.Cleanup(r.Close)
	return r
}

// run carries out a command of the root menu and gives its lines.
func run(ctx context.Context, menus *tree.Tree, u tree.User, name string, args map[string]string) (string, error) {
	var out strings.Builder
	q := &menu.Request{Menu: menus.Root(), Command: menus.Root().Command(name), Args: args}
	_, err := menus.Execute(ctx, u, q, func(rows []*menu.Row) error {
		for _, r := range rows {
			out.WriteString(r.Get("line") + "\n")
		}
		return nil
	})
	return out.String(), err
}

func secrets(menus *tree.Tree) (names []string) {
	for _, r := range menus.Configured(menus.Root().At("ppp/secret")) {
		names = append(names, r.Get("name"))
	}
	return names
}

func TestImport(t *testing.T) {
	const good = "# a remark\n/ppp secret\nadd name=a\nadd name=b \\\n    comment=x\n:put \"to be\"\n# the end\n"
	for name, test := range map[string]struct {
		source  string
		args    map[string]string
		want    string
		err     string
		secrets []string
	}{
		"plain": {
			good, nil, "Opening script file x.rsc\nto be\nScript file loaded and executed successfully\n", "", []string{"a", "b"},
		},
		"carriage returns": {
			strings.ReplaceAll(good, "\n", "\r\n"), nil, "Opening script file x.rsc\nto be\nScript file loaded and executed successfully\n", "", []string{"a", "b"},
		},
		"verbose": {
			good, map[string]string{"verbose": "yes"},
			"Opening script file x.rsc\n#line 2\n/ppp secret\n#line 3\nadd name=a\n#line 4\nadd name=b \\\n    comment=x\n" +
				"#line 6\n:put \"to be\"\nto be\nScript file loaded and executed successfully\n", "", []string{"a", "b"},
		},
		"dry run": {good, map[string]string{"dry-run": ""}, "Opening script file x.rsc\nScript file checked, nothing was changed\n", "", nil},
		"variables over lines": {
			":local n c\n/ppp/secret/add name=$n\n", map[string]string{"verbose": "yes"},
			"Opening script file x.rsc\n#line 1\n:local n c\n#line 2\n/ppp/secret/add name=$n\nScript file loaded and executed successfully\n", "", []string{"c"},
		},
		"from a line": {
			"/ppp secret add name=a\n/ppp secret add name=b\n/ppp secret add foo=x\n", map[string]string{"from-line": "2"},
			"Opening script file x.rsc\n/ppp secret add foo=x\n", "expected end of command (line 3 column 17)", nil,
		},
		"from behind the end": {"\n", map[string]string{"from-line": "9"}, "", "value of from-line out of range (1..2)", nil},
		"wrong line": {
			"/ppp secret\nadd name=a\nadd name=b profile=nope foo=x\n", nil,
			"Opening script file x.rsc\nadd name=b profile=nope foo=x\n", "expected end of command (line 3 column 25)", nil,
		},
		"wrong line in a dry run": {
			"\n/ppp secret sett\n", map[string]string{"dry-run": ""}, "Opening script file x.rsc\n/ppp secret sett\n", "bad command name sett (line 2 column 13)", nil,
		},
		"all wrong lines in a dry run": {
			"/ppp secret\nadd nme=a\nadd name=b\n/ip firewall filter\nadd chain=input\n/ppp secret\nadd name=c foo=1\n", map[string]string{"dry-run": ""},
			"Opening script file x.rsc\nadd nme=a\nexpected end of command (line 2 column 5)\n" +
				"/ip firewall filter\nbad command name firewall (line 4 column 5)\nadd name=c foo=1\n",
			"expected end of command (line 7 column 12)", nil,
		},
		"a menu that is not there": {
			"/ppp secret\nadd name=a\n/ip firewall filter\nadd chain=input\n", nil,
			"Opening script file x.rsc\n/ip firewall filter\n", "bad command name firewall (line 3 column 5)", nil,
		},
		"failure": {
			"/ppp secret\nadd name=a\nadd name=a\nadd name=c\n", nil, "Opening script file x.rsc\n",
			"Script Error: failure: secret with the same name already exists (/ppp/secret/add; line 3)", []string{"a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			menus, directory := newImporter(t)
			if err := os.WriteFile(filepath.Join(directory, "x.rsc"), []byte(test.source), 0o600); err != nil {
				t.Fatal(err)
			}
			args := map[string]string{"file-name": "x.rsc"}
			maps.Copy(args, test.args)
			got, err := run(t.Context(), menus, tree.Admin(), "import", args)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			failure := ""
			if err != nil {
				failure = err.Error()
			}
			if failure != test.err {
				t.Errorf("error %q, want %q", failure, test.err)
			}
			if diff := cmp.Diff(test.secrets, secrets(menus)); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImportIsRefused has users and files that it cannot be done with or for.
func TestImportIsRefused(t *testing.T) {
	menus, directory := newImporter(t)
	if err := os.WriteFile(filepath.Join(directory, "x"), []byte("/ppp secret add name=a"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(directory), "outside")
	if err := os.WriteFile(outside, []byte("/ppp secret add name=a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(directory, "link")); err != nil {
		t.Fatal(err)
	}
	reader := tree.User{Name: "guest", Policies: menu.Read}
	for _, test := range []struct {
		user tree.User
		args map[string]string
		want string
	}{
		{reader, map[string]string{"file-name": "x"}, "not enough permissions (9)"},
		{tree.Admin(), map[string]string{}, "missing value(s) of argument(s) file-name"},
		{tree.Admin(), map[string]string{"file-name": "y"}, "input does not match any value of file-name"},
		{tree.Admin(), map[string]string{"file-name": "../outside"}, "invalid value for argument file-name"},
		{tree.Admin(), map[string]string{"file-name": ".."}, "invalid value for argument file-name"},
		{tree.Admin(), map[string]string{"file-name": ""}, "invalid value for argument file-name"},
		{tree.Admin(), map[string]string{"file-name": "link"}, "failure: cannot read the file"},
	} {
		if _, err := run(t.Context(), menus, test.user, "import", test.args); err == nil || err.Error() != test.want {
			t.Errorf("%v: %v, want %s", test.args, err, test.want)
		}
	}
	if got := secrets(menus); got != nil {
		t.Errorf("secrets %v", got)
	}
}

// TestImportOfItself ends.
func TestImportOfItself(t *testing.T) {
	menus, directory := newImporter(t)
	if err := os.WriteFile(filepath.Join(directory, "x"), []byte("/import x\n/ppp secret add name=a"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := run(t.Context(), menus, tree.Admin(), "import", map[string]string{"file-name": "x"})
	if err == nil || !strings.Contains(err.Error(), "too deep") || secrets(menus) != nil {
		t.Errorf("%v, secrets %v", err, secrets(menus))
	}
}

// TestExportToFile takes an export through a file into an empty system.
func TestExportToFile(t *testing.T) {
	menus, directory := newImporter(t)
	if err := os.WriteFile(filepath.Join(directory, "x"), []byte("/ppp secret add name=a password=\"\\$ecret\""), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t.Context(), menus, tree.Admin(), "import", map[string]string{"file-name": "x"}); err != nil {
		t.Fatal(err)
	}
	got, err := run(t.Context(), menus, tree.Admin(), "export", map[string]string{"file": "all", "show-sensitive": ""})
	if err != nil || got != "" {
		t.Fatalf("%q, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(directory, "all.rsc"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(filepath.Join(directory, "all.rsc"))
	if err != nil || !strings.Contains(string(b), `password="\$ecret"`) {
		t.Errorf("%s, %v", b, err)
	}
	reader := tree.User{Name: "guest", Policies: menu.Read}
	if _, err := run(t.Context(), menus, reader, "export", map[string]string{"file": "mine"}); err == nil {
		t.Error("a user who may not write wrote a file")
	}
	other, directory := newImporter(t)
	if err := os.WriteFile(filepath.Join(directory, "all.rsc"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t.Context(), other, tree.Admin(), "import", map[string]string{"file-name": "all.rsc"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, secrets(other)); diff != "" {
		t.Error(diff)
	}
}

// TestImportManyLines imports more output than is kept.
func TestImportManyLines(t *testing.T) {
	menus, directory := newImporter(t)
	source := ":for i from=1 to=100 do={:put \"" + strings.Repeat("x", 60000) + "\"}\n"
	if err := os.WriteFile(filepath.Join(directory, "x"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := run(t.Context(), menus, tree.Admin(), "import", map[string]string{"file-name": "x"})
	if err != nil || len(got) > 5<<20 || !strings.HasSuffix(got, "\nScript file loaded and executed successfully\n") {
		t.Errorf("%d octets, %v", len(got), err)
	}
}
