package tree_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// take takes safe mode, and gives what its holder is told.
func (b *bench) take(hijack tree.Hijack) (*tree.SafeMode, *[]string) {
	b.t.Helper()
	told := &[]string{}
	s, err := b.TakeSafeMode(tree.Admin(), hijack, func(m string) { *told = append(*told, m) })
	if err != nil {
		b.t.Fatal(err)
	}
	return s, told
}

// everything gives all rows of all menus that can be changed.
func (b *bench) everything() []string {
	b.t.Helper()
	var out []string
	var visit func(m *menu.Menu)
	visit = func(m *menu.Menu) {
		for _, child := range m.Children {
			visit(child)
		}
		if m.Command("set") == nil {
			return
		}
		q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
		_, err := b.Execute(b.t.Context(), tree.Admin(), q, func(rows []*menu.Row) error {
			for _, r := range rows {
				if m.Path() == "/system/clock" {
					r.Put("time", "") // it goes on
				}
				out = append(out, fmt.Sprintln(m.Path(), r.ID, menu.AsValue(m, []*menu.Row{r}, nil)))
			}
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	visit(b.Root())
	return out
}

// TestSafeModeUnrolls makes changes of each kind and takes them back: on the disk,
// in the answers and in the engine.
func TestSafeModeUnrolls(t *testing.T) {
	b := newBench(t)
	b.must("/ppp/profile/add", nil, "name=p")
	b.must("/ppp/secret/add", nil, "name=anna", "profile=p")
	b.must("/interface/pptp-client/add", nil, "name=x", "connect-to=a", "user=u")
	b.must("/interface/pptp-client/add", nil, "name=z", "connect-to=a", "user=u")
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		b.must("/radius/add", nil, "address="+address, "secret=s", "service=ppp")
	}
	before := b.everything()
	s, _ := b.take(tree.NoHijack)
	b.must("/radius/move", []string{"*3"}, "destination=*1")
	b.must("/radius/add", nil, "address=192.0.2.4", "secret=s", "service=ppp", "place-before=*1")
	b.must("/radius/remove", []string{"*1"})
	b.must("/interface/pptp-client/set", []string{"x"}, "name=y")
	b.must("/interface/pptp-client/set", []string{"z"}, "name=x") // the name that is free
	b.must("/interface/pptp-client/add", nil, "name=z", "connect-to=b", "user=u")
	b.must("/ppp/profile/add", nil, "name=q")
	b.must("/ppp/secret/set", []string{"anna"}, "profile=q", "comment=one")
	b.must("/ppp/profile/remove", []string{"p"})
	b.must("/ppp/secret/remove", []string{"anna"})
	b.must("/ppp/secret/add", nil, "name=passing")
	b.must("/ppp/secret/remove", []string{"passing"})
	b.must("/system/identity/set", nil, "name=other")
	b.must("/user/group/add", nil, "name=g")
	b.must("/user/add", nil, "name=eve", "group=g", "password=secret")
	b.engine.Calls()
	if err := s.Unroll(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, b.everything()); diff != "" {
		t.Errorf("the rows (-before +after):\n%s", diff)
	}
	if broken := b.engine.Broken(); broken != nil {
		t.Error(broken)
	}
	if _, err := b.do(tree.Admin(), "/interface/pptp-client/add", nil, "name=x", "connect-to=b", "user=u"); err == nil {
		t.Error("the name is given twice")
	}
	if s.Held() || s.Unroll() != nil {
		t.Error("it is held after it was unrolled")
	}
	b.must("/system/identity/set", nil, "name=later")
	if b.Identity() != "later" {
		t.Error("what came after was taken back")
	}
}

// TestSafeModeSurvives checks that what was taken back is so on the disk, and what
// was released stays.
func TestSafeModeSurvives(t *testing.T) {
	path := t.TempDir() + "/db"
	b := start(t, path)
	s, _ := b.take(tree.NoHijack)
	b.must("/ppp/secret/add", nil, "name=kept")
	s.Release()
	s, _ = b.take(tree.NoHijack)
	b.must("/ppp/secret/add", nil, "name=gone")
	b.must("/ppp/secret/remove", []string{"kept"})
	if err := s.Unroll(); err != nil {
		t.Fatal(err)
	}
	s, _ = b.take(tree.NoHijack)
	b.must("/ppp/secret/add", nil, "name=killed") // and nobody ends safe mode
	_ = s
	before := b.everything()
	b.db.Close()
	b = start(t, path)
	defer b.db.Close()
	if diff := cmp.Diff(before, b.everything()); diff != "" {
		t.Errorf("the rows (-before +after):\n%s", diff)
	}
	names := strings.Join(b.everything(), "")
	if !strings.Contains(names, "kept") || !strings.Contains(names, "killed") || strings.Contains(names, "gone") {
		t.Errorf("there is %s", names)
	}
}

// TestSafeModeAtRandom does many things at random and takes them back.
func TestSafeModeAtRandom(t *testing.T) {
	for seed := range uint64(8) {
		b := newBench(t)
		random := rand.New(rand.NewPCG(seed, 0))
		name := func(kind string) string { return fmt.Sprintf("%s%d", kind, random.IntN(4)) }
		change := func() {
			var err error
			switch random.IntN(10) {
			case 0:
				_, err = b.do(tree.Admin(), "/ppp/profile/add", nil, "name="+name("p"))
			case 1:
				_, err = b.do(tree.Admin(), "/ppp/profile/set", []string{name("p")}, "name="+name("p"))
			case 2:
				_, err = b.do(tree.Admin(), "/ppp/profile/remove", []string{name("p")})
			case 3:
				_, err = b.do(tree.Admin(), "/ppp/secret/add", nil, "name="+name("s"), "profile="+name("p"))
			case 4:
				_, err = b.do(tree.Admin(), "/ppp/secret/set", []string{name("s")}, "profile="+name("p"))
			case 5:
				_, err = b.do(tree.Admin(), "/ppp/secret/remove", []string{name("s")})
			case 6:
				_, err = b.do(tree.Admin(), "/interface/pptp-client/add", nil, "name="+name("c"), "connect-to=a", "user=u", "profile="+name("p"))
			case 7:
				_, err = b.do(tree.Admin(), "/interface/pptp-client/set", []string{name("c")}, "name="+name("c"))
			case 8:
				_, err = b.do(tree.Admin(), "/interface/pptp-server/add", nil, "name="+name("c"))
			case 9:
				_, err = b.do(tree.Admin(), "/interface/pptp-client/remove", []string{name("c")})
			}
			_ = err // many are impossible, and change nothing
		}
		for range 20 {
			change()
		}
		before := b.everything()
		s, _ := b.take(tree.NoHijack)
		for range 60 {
			change()
		}
		if err := s.Unroll(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, b.everything()); diff != "" {
			t.Fatalf("seed %d: the rows (-before +after):\n%s", seed, diff)
		}
		if broken := b.engine.Broken(); broken != nil {
			t.Fatalf("seed %d: %v", seed, broken)
		}
		all := strings.Join(before, "")
		for n := range 4 { // names are taken as before
			name := fmt.Sprintf("name=c%d", n)
			_, err := b.do(tree.Admin(), "/interface/pptp-client/add", nil, name, "connect-to=a", "user=u")
			if taken := strings.Contains(all, name); (err != nil) != taken {
				t.Errorf("seed %d: %s is taken: %v; to add it gives %v", seed, name, taken, err)
			}
		}
	}
}

func TestSafeModeHijacked(t *testing.T) {
	b := newBench(t)
	first, told := b.take(tree.NoHijack)
	b.must("/system/identity/set", nil, "name=one")
	if s, _ := b.take(tree.NoHijack); s != nil || !first.Held() {
		t.Error("it was taken without asking")
	}
	second, toldSecond := b.take(tree.HijackRelease)
	if first.Held() || !second.Held() || b.Identity() != "one" || len(*told) != 1 || (*told)[0] != "[Safe mode released by another user]" {
		t.Errorf("held %v, %v; %s; told %q", first.Held(), second.Held(), b.Identity(), *told)
	}
	first.Release() // it is not theirs any more
	if err := first.Unroll(); err != nil || !second.Held() {
		t.Error("who lost it took it back")
	}
	b.must("/system/identity/set", nil, "name=two")
	third, _ := b.take(tree.HijackUnroll)
	if second.Held() || !third.Held() || b.Identity() != "one" || len(*toldSecond) != 1 {
		t.Errorf("held %v, %v; %s; told %q", second.Held(), third.Held(), b.Identity(), *toldSecond)
	}
	third.Release()
	if _, err := b.TakeSafeMode(tree.User{Name: "reader", Policies: menu.Read}, tree.NoHijack, nil); err == nil {
		t.Error("one who may not write took it")
	}
}

// TestSafeModeFull makes one change too many: safe mode ends, and all stay.
func TestSafeModeFull(t *testing.T) {
	b := newBench(t)
	s, told := b.take(tree.NoHijack)
	for i := range 100 {
		b.must("/system/identity/set", nil, fmt.Sprintf("name=n%d", i))
	}
	if !s.Held() || len(*told) > 0 {
		t.Error("it ended too early")
	}
	b.must("/system/identity/set", nil, "name=last")
	if s.Held() || len(*told) != 1 {
		t.Errorf("held %v, told %q", s.Held(), *told)
	}
	if err := s.Unroll(); err != nil || b.Identity() != "last" {
		t.Errorf("%v, %s", err, b.Identity())
	}
}
