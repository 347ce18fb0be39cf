package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"testing"

	"gopptp/internal/menu"
)

// walk calls fn for a menu and all below it.
func walk(m *menuSchema, fn func(*menuSchema)) {
	fn(m)
	for i := range m.Children {
		walk(&m.Children[i], fn)
	}
}

// TestMenus checks that the page can make a form of every menu.
func TestMenus(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("admin")
	var root menuSchema
	in.read("/web/api/menus", &root)
	all := map[string]*menuSchema{}
	walk(&root, func(m *menuSchema) { all[m.Path] = m })
	if len(all) < 40 {
		t.Errorf("only %d menus", len(all))
	}
	kinds := map[menu.FormKind]int{}
	check := func(where string, d typeSchema) {
		kinds[d.Kind]++
		if d.Kind == "" || d.Describe == "" {
			t.Errorf("%s: %+v", where, d)
		}
		if (d.Kind == menu.FormEnum || d.Kind == menu.FormSet) && len(d.Choices) == 0 {
			t.Errorf("%s: nothing to choose from", where)
		}
		if d.Min != nil && d.Max != nil && *d.Min > *d.Max {
			t.Errorf("%s: %v to %v", where, *d.Min, *d.Max)
		}
		if d.Kind == menu.FormReference {
			if target := all[d.Menu]; target == nil || target.NameKey == "" {
				t.Errorf("%s leads to %q", where, d.Menu)
			}
		}
	}
	for path, m := range all {
		names := map[string]bool{}
		for _, p := range m.Properties {
			check(path+" "+p.Name, p.Type)
			names[p.Name] = true
			if p.Help == "" {
				t.Errorf("%s %s has no help", path, p.Name)
			}
			if len(p.Default) > 1 && p.Type.Kind == menu.FormReference && p.Default[0] == '*' {
				t.Errorf("%s %s: the default is %s", path, p.Name, p.Default)
			}
		}
		for _, name := range append(m.Columns, m.NameKey) {
			if name != "" && !names[name] {
				t.Errorf("%s has no %s", path, name)
			}
		}
		for _, f := range m.Flags {
			if len(f.Letter) != 1 || f.Name == "" || f.Help == "" {
				t.Errorf("%s has the flag %+v", path, f)
			}
		}
		for _, c := range m.Commands {
			if c.Help == "" || c.Kind == "" || !c.Allowed {
				t.Errorf("%s/%s: %+v", path, c.Name, c)
			}
			for _, a := range c.Args {
				if a.Type != nil {
					check(path+"/"+c.Name+" "+a.Name, *a.Type)
				}
			}
		}
	}
	for _, kind := range []menu.FormKind{
		menu.FormText, menu.FormScript, menu.FormNumber, menu.FormBool, menu.FormEnum, menu.FormSet, menu.FormList, menu.FormTime, menu.FormDate,
		menu.FormAddress, menu.FormPrefix, menu.FormHost, menu.FormReference, menu.FormFile,
	} {
		if kinds[kind] == 0 {
			t.Errorf("nothing is a %s", kind)
		}
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Errorf("unknown kinds: %v", kinds)
	}
}

// TestMenusAreSmall checks that they are compressed for who wants that.
func TestMenusAreSmall(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("admin")
	plain := in.send("GET", "/web/api/menus", "")
	in.header.Set("Accept-Encoding", "gzip")
	packed := in.send("GET", "/web/api/menus", "")
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	size := packed.Body.Len()
	text, err := io.ReadAll(r)
	if err != nil || string(text) != plain.Body.String() || packed.Header().Get("Content-Encoding") != "gzip" || size > len(text)/5 {
		t.Errorf("%d octets of %d, %v, %v", size, len(text), packed.Header(), err)
	}
}

// TestMenuDetails looks at a few places as the page sees them.
func TestMenuDetails(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("eye")
	var root menuSchema
	in.read("/web/api/menus", &root)
	property := func(path, name string) (found propertySchema) {
		walk(&root, func(m *menuSchema) {
			for _, p := range m.Properties {
				if m.Path == path && p.Name == name {
					found = p
				}
			}
		})
		return found
	}
	bounds := func(d typeSchema) string {
		s := string(d.Kind) + fmt.Sprint(d.Choices)
		if d.Min != nil {
			s += fmt.Sprint(" from ", *d.Min)
		}
		if d.Max != nil {
			s += fmt.Sprint(" to ", *d.Max)
		}
		return s + " " + d.Menu
	}
	for _, c := range []struct{ path, name, want, initial string }{
		{"/interface/pptp-client", "mrru", "number[disabled] from 512 to 65535 ", "disabled"},
		{"/interface/pptp-client", "keepalive-timeout", "time[disabled] from 1 to 4.294967295e+09 ", "60"},
		{"/interface/pptp-client", "profile", "reference[] /ppp/profile", "default-encryption"},
		{"/interface/pptp-client", "allow", "set[pap chap mschap1 mschap2] ", "pap,chap,mschap1,mschap2"},
		{"/interface/pptp-client", "connect-to", "host[] ", ""},
		{"/interface/pptp-client", "name", "text[] from 1 to 63 ", ""},
		{"/interface/pptp-client", "disabled", "bool[] ", "true"},
		{"/interface/pptp-client", "use-peer-dns", "enum[no yes exclusively] ", "no"},
		{"/interface", "rx-byte", "number[] ", "0"},
		{"/ip/pool", "next-pool", "reference[none] /ip/pool", ""},
		{"/ppp/profile", "on-up", "script[] from 0 to 65535 ", ""},
		{"/ppp/profile", "dns-server", "list[] ", ""},
		{"/radius", "timeout", "time[] from 0.01 to 60 ", "300ms"},
		{"/user", "inactivity-timeout", "time[] from 60 to 86400 ", "10m"},
		{"/log", "time", "date[] ", ""},
	} {
		p := property(c.path, c.name)
		if got := bounds(p.Type); got != c.want || p.Default != c.initial {
			t.Errorf("%s %s: %q, default %q; want %q and %q", c.path, c.name, got, p.Default, c.want, c.initial)
		}
	}
	if p := property("/ppp/secret", "password"); !p.Sensitive || p.ReadOnly {
		t.Errorf("a password is %+v", p)
	}
	if p := property("/interface", "rx-byte"); !p.Stat || !p.ReadOnly {
		t.Errorf("a counter is %+v", p)
	}
	got := map[string]string{}
	walk(&root, func(m *menuSchema) {
		for _, c := range m.Commands {
			s := fmt.Sprint(c.Kind, " ", c.Allowed)
			for _, a := range c.Args {
				if a.Required {
					s += " " + a.Name
				}
			}
			got[m.Path+"/"+c.Name] = s
		}
	})
	for command, want := range map[string]string{
		"/ppp/secret/print": "show true", "/ppp/secret/add": "edit false", "/ppp/secret/remove": "edit false numbers", "/ppp/secret/get": "show true numbers",
		"/ppp/secret/comment": "edit false numbers comment", "/radius/move": "edit false numbers", "/radius/monitor": "monitor true numbers",
		"/interface/monitor-traffic": "monitor true interface", "/user/active/request-logout": "act false numbers", "/log/info": "act false message",
		"/radius/incoming/reset-counters": "act false", "/ppp/export": "console true", "//import": "console false file-name", "/system/script/run": "act true numbers",
	} {
		if got[command] != want {
			t.Errorf("%s: %q, want %q", command, got[command], want)
		}
	}
}
