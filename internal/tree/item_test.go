package tree_test

import (
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

func TestItemIsExact(t *testing.T) {
	b := newBench(t)
	for _, values := range [][]string{{"name=bob", "password=p"}, {"name=bobby"}, {"name=twin", "service=pptp"}, {"name=twin", "service=l2tp"}} {
		b.must("/ppp/secret/add", nil, values...)
	}
	secrets, active := b.Root().At("/ppp/secret"), b.Root().At("/ppp/active")
	for _, tt := range []struct {
		menu            *menu.Menu
		text, want, err string
	}{
		{secrets, "*1", "*1", ""}, {secrets, "bob", "*1", ""}, {secrets, "bobby", "*2", ""}, {secrets, "*4", "*4", ""},
		{secrets, "bobb", "", "no such item"}, {secrets, "bo", "", "no such item"}, {secrets, "", "", "no such item"},
		{secrets, "*9", "", "no such item"}, {secrets, "*z", "", "no such item"}, {secrets, "*", "", "no such item"},
		{secrets, "twin", "", "ambiguous value of numbers, more than one possible value matches input"}, {secrets, "twi", "", "no such item"},
		{active, "bob", "", "no such item"}, {b.Root().At("/system/identity"), "*0", "", "no such item"}, {b.Root().At("/ppp"), "x", "", "no such item"},
	} {
		id, err := b.Identify(tt.menu, tt.text)
		row, rowErr := b.Item(tree.Admin(), tt.menu, tt.text)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err || rowErr == nil || rowErr.Error() != tt.err {
				t.Errorf("%s %q: %v and %v, want %s", tt.menu.Path(), tt.text, err, rowErr, tt.err)
			}
			continue
		}
		if err != nil || rowErr != nil || id.String() != tt.want || row.ID != id {
			t.Errorf("%s %q: %v, %v, %v", tt.menu.Path(), tt.text, id, err, rowErr)
		}
	}
	if row, err := b.Item(tree.User{Policies: menu.Read}, secrets, "bob"); err != nil || row.Get("password") == "p" {
		t.Errorf("the password is shown: %v", err)
	}
	if _, err := b.Item(tree.User{Policies: menu.Write}, secrets, "bob"); err == nil || err.Error() != "not enough permissions (9)" {
		t.Errorf("without the policy read: %v", err)
	}
}
