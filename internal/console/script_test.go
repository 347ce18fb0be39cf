package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// TestEveryPrintForm prints each menu of the tree in each form that its print
// declares, with a row in it where one can be added without arguments.
func TestEveryPrintForm(t *testing.T) {
	menus, _ := newTree(t)
	s := NewSession(menus, tree.Admin())
	seen := 0
	var visit func(m *menu.Menu)
	visit = func(m *menu.Menu) {
		for _, child := range m.Children {
			visit(child)
		}
		p := m.Command("print")
		if p == nil {
			return
		}
		seen++
		path := m.Path() + "/print"
		lines := []string{path, ":put [" + path + " as-value]", ":foreach i in=[" + path + " as-value] do={:put $i}"}
		for _, a := range p.Args {
			if a.Type == nil && !strings.HasPrefix(a.Name, "follow") && a.Name != "append" {
				lines = append(lines, path+" "+a.Name)
			}
		}
		if p.Where != menu.NoWhere {
			lines = append(lines, path+" where .id=*0", path+" detail show-ids where !(.id=*0)", ":put [:len ["+m.Path()+"/find]]")
			for i := range m.Properties {
				q := &m.Properties[i]
				lines = append(lines, path+" proplist="+q.Name, path+" where "+q.Name, path+" value-list where "+q.Name+"=x")
			}
		}
		for _, line := range lines {
			var out bytes.Buffer
			if err := s.Run(t.Context(), line, &out); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			for row := range strings.Lines(out.String()) {
				if strings.ContainsAny(strings.TrimSuffix(row, "\n"), "\x1b\r\x00") {
					t.Errorf("%s prints %q", line, row)
				}
			}
		}
	}
	visit(menus.Root())
	if seen < 8 {
		t.Errorf("only %d menus print: the test is blind", seen)
	}
}

// TestSessionCompletes checks that a session knows the names of items, and that
// one who may not read is told none.
func TestSessionCompletes(t *testing.T) {
	menus, _ := newTree(t)
	admin := NewSession(menus, tree.Admin())
	if err := admin.Run(t.Context(), "/ppp/secret/add name=anna; /ppp/secret/add name=\"b c\"", io.Discard); err != nil {
		t.Fatal(err)
	}
	const line = "/ppp/secret/remove "
	for _, tt := range []struct {
		user tree.User
		want string
	}{{tree.Admin(), "[\"b c\" anna numbers]"}, {tree.User{Name: "nobody"}, "[numbers]"}} {
		var got []string
		found, start := NewSession(menus, tt.user).Complete(line, len(line))
		for _, c := range found {
			got = append(got, c.Text)
		}
		if fmt.Sprint(got) != tt.want || start != len(line) {
			t.Errorf("%s: %v from %d, want %s", tt.user.Name, got, start, tt.want)
		}
	}
	if help := admin.HelpAt("/ppp/secret/add service=", 24); len(help) == 0 || help[0].Text != "service" || help[0].Help == "" {
		t.Errorf("%+v", help)
	}
}

func TestReadScript(t *testing.T) {
	const source = ":put a\n:put b\n"
	if got, err := ReadScript(strings.NewReader(source)); err != nil || len(got) != 1 || got[0] != source {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadScript(strings.NewReader(strings.Repeat("#", MaxScript+1))); err == nil {
		t.Error("a script that is too long was read")
	}
}

// TestExecScript runs a script through the socket as one command: what is wrong
// in its last line keeps its first from running, and an error tells its line.
func TestExecScript(t *testing.T) {
	socket, menus := serve(t)
	for _, tt := range []struct{ source, out, errOut string }{
		{":local n one\n/system/identity\nset name=$n\n:put [get name]\n", "one\n", ""},
		{"/system/identity\nset name=two\nset nme=three\n", "", "expected end of command (line 3 column 5)\n"},
		{":put start\n/ppp/secret\nremove nosuch\n:put never\n", "start\n", "Script Error: no such item (/ppp/secret/remove; line 3)\n"},
	} {
		commands, err := ReadScript(strings.NewReader(tt.source))
		if err != nil {
			t.Fatal(err)
		}
		var out, errOut bytes.Buffer
		status := Exec(t.Context(), socket, commands, &out, &errOut)
		if out.String() != tt.out || errOut.String() != tt.errOut || (status == 0) != (tt.errOut == "") {
			t.Errorf("%q: status %d, %q, %q", tt.source, status, &out, &errOut)
		}
	}
	if menus.Identity() != "one" {
		t.Errorf("the identity is %s", menus.Identity())
	}
}
