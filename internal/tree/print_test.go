package tree_test

import (
	"testing"

	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// printTo asks for a print of /ppp/secret with arguments, and gives the rows that
// came.
func printTo(t *testing.T, w *golden.World, u tree.User, args map[string]string) (rows []*menu.Row, err error) {
	t.Helper()
	m := w.Tree.Root().At("/ppp/secret")
	_, err = w.Tree.Execute(t.Context(), u, &menu.Request{Menu: m, Command: m.Command("print"), Args: args}, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	return rows, err
}

// TestPrintToFile prints into files as any door may ask for it: the rows go there
// and nowhere else, with what the user may not see masked.
func TestPrintToFile(t *testing.T) {
	w := golden.NewWorld(t)
	m := w.Tree.Root().At("/ppp/secret")
	add := &menu.Request{Menu: m, Command: m.Command("add"), Args: map[string]string{}, Values: []menu.Assignment{{Name: "name", Value: "anna"}, {Name: "password", Value: "hush"}}}
	if _, err := w.Tree.Execute(t.Context(), tree.Admin(), add, nil); err != nil {
		t.Fatal(err)
	}
	writer := tree.User{Name: "w", Policies: menu.Read | menu.Write}
	for _, tt := range []struct {
		user tree.User
		args map[string]string
		file string // afterwards
		err  string
	}{
		{tree.Admin(), map[string]string{"file": "x", "proplist": "name,password", "terse": ""}, " 0   name=anna password=hush \n", ""},
		{writer, map[string]string{"file": "x.txt", "proplist": "name,password", "terse": "", "append": ""}, " 0   name=anna password=hush \n 0   name=anna password=***** \n", ""},
		{tree.User{Name: "r", Policies: menu.Read}, map[string]string{"file": "x"}, " 0   name=anna password=hush \n 0   name=anna password=***** \n", "not enough permissions (9)"},
		{tree.Admin(), map[string]string{"file": "../x"}, " 0   name=anna password=hush \n 0   name=anna password=***** \n", "invalid value for argument file"},
		{tree.Admin(), map[string]string{"file": "x", "detail": "", "brief": ""}, " 0   name=anna password=hush \n 0   name=anna password=***** \n", "only one of brief, detail, terse and value-list can be given"},
		{tree.Admin(), map[string]string{"file": "x", "count-only": ""}, "1\n", ""},
		{tree.Admin(), map[string]string{"append": ""}, "1\n", "missing value(s) of argument(s) file"},
	} {
		rows, err := printTo(t, w, tt.user, tt.args)
		if len(rows) > 0 {
			t.Errorf("%v: rows came", tt.args)
		}
		if err == nil && tt.err != "" || err != nil && err.Error() != tt.err {
			t.Errorf("%v: %v, want %q", tt.args, err, tt.err)
		}
		b, err := w.Files.ReadFile("x.txt")
		if err != nil || string(b) != tt.file {
			t.Errorf("%v: the file holds %q, %v", tt.args, b, err)
		}
	}
	info, err := w.Files.Stat("x.txt")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	if err := w.Files.Mkdir("dir.txt", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := printTo(t, w, tree.Admin(), map[string]string{"file": "dir"}); err == nil {
		t.Error("a directory was written to")
	}
	without := golden.NewWorld(t, func(c *tree.Config) { c.Files = nil })
	if _, err := printTo(t, without, tree.Admin(), map[string]string{"file": "x"}); err == nil || err.Error() != "failure: this system keeps no files" {
		t.Errorf("%v", err)
	}
}
