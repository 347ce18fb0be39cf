package tree_test

import (
	"net/netip"
	"testing"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// A visit is somebody who is in over the API.
type visit struct {
	b     *bench
	user  tree.User
	ended int
	leave func()
}

func (b *bench) visit(name string) *visit {
	b.t.Helper()
	v := &visit{b: b}
	u, leave, err := b.Gate().Login(b.t.Context(), login.Attempt{
		Door: login.DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: name, Password: "p", End: func() { v.ended++ },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	v.user, v.leave = tree.Visitor(u), leave
	return v
}

// want checks what a command of the visitor gives, and whether the session is over.
func (v *visit) want(when, command, want string, ended int) {
	v.b.t.Helper()
	got := ""
	if _, err := v.b.do(v.user, command, nil); err != nil {
		got = err.Error()
	}
	if got != want || v.ended != ended {
		v.b.t.Errorf("%s: %s gives %q, and %d ends; want %q and %d", when, command, got, v.ended, want, ended)
	}
}

// TestVisitors checks that changes to users reach those who are in.
func TestVisitors(t *testing.T) {
	const find, denied, out = "/ppp/secret/find", "not enough permissions (9)", "not logged in"
	for name, c := range map[string]struct {
		command string
		items   []string
		values  []string
		over    bool
	}{
		"remove":          {"/user/remove", items("u"), nil, true},
		"disable":         {"/user/disable", items("u"), nil, true},
		"group":           {"/user/set", items("u"), []string{"group=shut"}, true},
		"group's door":    {"/user/group/set", items("ops"), []string{"policy=read,ssh"}, true},
		"address":         {"/user/set", items("u"), []string{"address=10.0.0.0/8"}, true},
		"request-logout":  {"/user/active/request-logout", items("u"), nil, true},
		"password":        {"/user/set", items("u"), []string{"password=q"}, false},
		"name":            {"/user/set", items("u"), []string{"name=x"}, false},
		"another user":    {"/user/remove", items("v"), nil, false},
		"name of a group": {"/user/group/set", items("ops"), []string{"name=team"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.must("/user/add", nil, "name=chief", "group=full", "password=p")
			b.must("/user/group/add", nil, "name=ops", "policy=api,read,write,policy")
			b.must("/user/group/add", nil, "name=shut", "policy=read")
			b.must("/user/add", nil, "name=u", "group=ops", "password=p")
			b.must("/user/add", nil, "name=v", "group=ops", "password=p")
			v := b.visit("u")
			v.want("at first", find, "", 0)
			b.must(c.command, c.items, c.values...)
			if !c.over {
				v.want("afterwards", find, "", 0)
				v.leave()
			} else {
				v.want("afterwards", find, out, 1)
			}
			v.want("in the end", find, out, v.ended)
			if _, err := b.Item(v.user, b.Root().At("/user"), "admin"); err == nil || err.Error() != out {
				t.Errorf("Item: %v", err)
			}
			if n := len(b.must("/user/active/find", nil)); n != 0 {
				t.Errorf("%d are in", n)
			}
			v.leave()
		})
	}
	t.Run("policies", func(t *testing.T) {
		b := newBench(t)
		b.must("/user/add", nil, "name=chief", "group=full", "password=p")
		b.must("/user/group/add", nil, "name=ops", "policy=api,read,write")
		b.must("/user/add", nil, "name=u", "group=ops", "password=p")
		v := b.visit("u")
		if _, err := b.do(v.user, "/ppp/secret/add", nil, "name=a"); err != nil {
			t.Error(err)
		}
		b.must("/user/group/set", items("ops"), "policy=api,read")
		if _, err := b.do(v.user, "/ppp/secret/add", nil, "name=b"); err == nil || err.Error() != denied {
			t.Errorf("without write: %v", err)
		}
		b.must("/user/set", items("u"), "group=full")
		if _, err := b.do(v.user, "/ppp/secret/add", nil, "name=b"); err != nil {
			t.Errorf("with write again: %v", err)
		}
		if _, err := b.do(v.user, "/user/remove", items("u")); err != nil || v.ended != 1 {
			t.Errorf("removing oneself: %v, %d ends", err, v.ended)
		}
		v.want("as nobody", find, out, 1)
	})
	t.Run("monitor", func(t *testing.T) {
		b := newBench(t)
		b.must("/user/add", nil, "name=chief", "group=full", "password=p")
		b.must("/user/add", nil, "name=u", "group=full", "password=p")
		b.must("/interface/pptp-client/add", nil, "connect-to=a", "user=u")
		v := b.visit("u")
		m := b.Root().At("/interface/pptp-client")
		q := &menu.Request{Menu: m, Command: m.Command("monitor"), Items: items("*1"), Args: map[string]string{"interval": "20ms"}}
		seen := 0
		started := time.Now()
		_, err := b.Execute(t.Context(), v.user, q, func([]*menu.Row) error {
			if seen++; seen == 1 {
				b.must("/user/remove", items("u"))
			}
			return nil
		})
		if err == nil || seen != 1 || time.Since(started) > 5*time.Second {
			t.Errorf("after %d looks: %v", seen, err)
		}
	})
	t.Run("alone", func(t *testing.T) {
		b := newBench(t)
		b.must("/user/add", nil, "name=chief", "group=full", "password=p")
		b.must("/user/group/add", nil, "name=ops", "policy=api,read,write")
		b.must("/user/add", nil, "name=u", "group=ops", "password=p")
		v := b.visit("u")
		alone, err := b.Alone(v.user)
		if err != nil {
			t.Fatal(err)
		}
		v.leave()
		if _, err := b.do(alone, "/ppp/secret/add", nil, "name=a"); err != nil {
			t.Errorf("after they left: %v", err)
		}
		b.must("/user/group/set", items("ops"), "policy=read")
		if _, err := b.do(alone, "/ppp/secret/add", nil, "name=b"); err == nil || err.Error() != denied {
			t.Errorf("without write: %v", err)
		}
		if _, err := b.do(alone, find, nil); err != nil {
			t.Errorf("with read: %v", err)
		}
		b.must("/user/disable", items("u"))
		if _, err := b.do(alone, find, nil); err == nil || err.Error() != out {
			t.Errorf("disabled: %v", err)
		}
		if _, err := b.Alone(v.user); err == nil {
			t.Error("a script begins for somebody who left")
		}
	})
	t.Run("request-logout needs policy", func(t *testing.T) {
		b := newBench(t)
		b.must("/user/add", nil, "name=chief", "group=full", "password=p")
		b.must("/user/add", nil, "name=u", "group=write", "password=p")
		v := b.visit("u")
		if _, err := b.do(v.user, "/user/active/request-logout", items("u")); err == nil || err.Error() != denied {
			t.Error(err)
		}
		if _, err := b.do(tree.Admin(), "/user/active/request-logout", items("nobody")); err == nil || err.Error() != "no such item" {
			t.Error(err)
		}
	})
}
