package tree_test

import (
	"strings"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// TestClientPassword: the page calls a client's password sensitive, so a user
// without that policy sees a mask, whatever the way.
func TestClientPassword(t *testing.T) {
	b := newBench(t)
	b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u", "name=one", "password=hidden")
	m := b.Root().At("/interface/pptp-client")
	for _, c := range []struct {
		user     tree.User
		password string
	}{
		{tree.User{Name: "guest", Policies: menu.Read}, "*****"},
		{tree.User{Name: "keeper", Policies: menu.Read | menu.Sensitive}, "hidden"},
	} {
		for _, values := range [][]string{{"value-name=password"}, nil} {
			got, err := b.do(c.user, "/interface/pptp-client/get", items("one"), values...)
			if err != nil || len(got) != 1 || !strings.Contains(";password="+got[0]+";", "password="+c.password+";") || c.password != "hidden" && strings.Contains(got[0], "hidden") {
				t.Errorf("get %v by %s: %q, %v", values, c.user.Name, got, err)
			}
		}
		var shown []string
		_, err := b.Execute(t.Context(), c.user, &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}, func(rows []*menu.Row) error {
			for _, r := range rows {
				shown = append(shown, r.Get("password"))
			}
			return nil
		})
		if err != nil || len(shown) != 1 || shown[0] != c.password {
			t.Errorf("print by %s: %q, %v", c.user.Name, shown, err)
		}
	}
}
