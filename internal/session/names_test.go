package session

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"gopptp/internal/aaa"
)

// firstFree looks at one name after the other.
func firstFree(taken map[string]bool, user string) string {
	name := "<pptp-" + user + ">"
	for n := 1; taken[name]; n++ {
		name = "<pptp-" + user + "-" + strconv.Itoa(n) + ">"
	}
	return name
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		user  string
		taken []string
		want  string
	}{
		{"u", nil, "<pptp-u>"},
		{"u", []string{"<pptp-u>"}, "<pptp-u-1>"},
		{"u", []string{"<pptp-u-1>"}, "<pptp-u>"},
		{"u", []string{"<pptp-u>", "<pptp-u-1>", "<pptp-u-3>"}, "<pptp-u-2>"},
		{"u-1", []string{"<pptp-u-1>"}, "<pptp-u-1-1>"},
		{"u", []string{"<pptp-u>", "<pptp-u-01>", "<pptp-u-+1>", "<pptp-u-1", "u-1>", "<pptp-u-0>", "<pptp-u-4294967297>"}, "<pptp-u-1>"},
		{"u", []string{"<pptp-u>", "<pptp-u-4294967295>", "<pptp-u-1>"}, "<pptp-u-2>"},
		{"", []string{"<pptp->", "<pptp--1>"}, "<pptp--2>"},
		{"-", []string{"<pptp-->", "<pptp---1>"}, "<pptp---2>"},
	} {
		n := newNames()
		for _, name := range test.taken {
			n.take(name)
		}
		if got := n.free(test.user); got != test.want {
			t.Errorf("user %q with %q: %q, want %q", test.user, test.taken, got, test.want)
		}
		for _, name := range test.taken {
			n.leave(name)
		}
		if len(n.taken) > 0 || len(n.numbers) > 0 {
			t.Errorf("user %q: after all have left there are %v and %v", test.user, n.taken, n.numbers)
		}
	}
}

// TestNamesAreTheFirst: whoever comes and goes, the name is the one that looking at
// each would have found.
func TestNamesAreTheFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	users := []string{"a", "a-1", "a-1-1", "a-12", "b", "b-", ""}
	n := newNames()
	var held []string
	for range 20_000 {
		if len(held) > 0 && random.IntN(1000) < 490 {
			i := random.IntN(len(held))
			n.leave(held[i])
			held[i] = held[len(held)-1]
			held = held[:len(held)-1]
			continue
		}
		user := users[random.IntN(len(users))]
		name := n.free(user)
		if want := firstFree(n.taken, user); name != want {
			t.Fatalf("user %q: %q, want %q", user, name, want)
		}
		n.take(name)
		held = append(held, name)
	}
	if len(held) < 200 {
		t.Fatalf("only %d names at the end", len(held))
	}
}

// TestCostOfNames: the next of a user's sessions has a name as soon as the first ones.
// Each name that is looked at is an allocation.
func TestCostOfNames(t *testing.T) {
	m := NewManager(Config{})
	cost := func() float64 { return testing.AllocsPerRun(1, func() { m.names.free("u") }) }
	claim := func(n int) {
		for range n {
			m.claimInterface(&session{m: m}, "u")
		}
	}
	claim(100)
	few := cost()
	claim(10_000)
	if many := cost(); many > few {
		t.Errorf("%v allocations with 100 names and %v with 10,100", few, many)
	}
}

// TestClaimLooksAtNobody: how many sessions the user has does not matter to one more
// where nothing bounds them.
func TestClaimLooksAtNobody(t *testing.T) {
	m := NewManager(Config{})
	grant := &aaa.Grant{OK: true, User: "u"}
	for range 50 { // the order in which they would be looked at is any
		m.users["u"] = map[*session]bool{nil: true, {}: true} // a look at nil would panic
		if rival := m.claimUser(t.Context(), &session{m: m}, grant); rival != nil {
			t.Fatal("refused")
		}
	}
}

// TestRival: the session that stands in the way is one from the same address if there
// is one, and never the session itself.
func TestRival(t *testing.T) {
	m := NewManager(Config{})
	at := func(host byte) *session { return &session{m: m, outer: netip.AddrFrom4([4]byte{192, 0, 2, host})} }
	grant := &aaa.Grant{OK: true, User: "u", Policy: aaa.Policy{PortLimit: 2}}
	first, second := at(1), at(2)
	for _, s := range []*session{first, second, first, second} { // who authenticates anew is no rival of their own
		if rival := m.claimUser(t.Context(), s, grant); rival != nil {
			t.Fatal("refused")
		}
	}
	for range 50 {
		if rival := m.claimUser(t.Context(), at(2), grant); rival != second {
			t.Fatal("the session from the same address does not make room")
		}
	}
	if rival := m.claimUser(t.Context(), at(3), grant); rival == nil {
		t.Error("a third session is let in")
	}
}

// TestBindingsOfAUser: whatever becomes of the static entries, a user's are those that
// looking at each would have found, in the order of their ids.
func TestBindingsOfAUser(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := NewManager(Config{})
	for range 5000 {
		id := 1 + random.Uint64N(20)
		if random.IntN(3) == 0 {
			m.RemoveBinding(id)
		} else {
			m.PutBinding(Binding{ID: id, Name: fmt.Sprint("in", id), User: fmt.Sprint("u", random.IntN(4))})
		}
		want := map[string][]uint64{}
		for id, b := range m.bindings {
			want[b.User] = append(want[b.User], id)
		}
		for _, ids := range want {
			slices.Sort(ids)
		}
		if fmt.Sprint(m.ofUser) != fmt.Sprint(want) {
			t.Fatalf("%v, want %v", m.ofUser, want)
		}
	}
}

func BenchmarkClaimInterface(b *testing.B) {
	for _, sessions := range []int{100, 1000, 10_000} {
		b.Run(strconv.Itoa(sessions), func(b *testing.B) {
			m := NewManager(Config{})
			for id := range uint64(sessions) {
				m.PutBinding(Binding{ID: id + 1, Name: fmt.Sprint("in", id), User: fmt.Sprint("b", id)})
				m.claimInterface(&session{m: m}, "u")
			}
			s := &session{m: m}
			for b.Loop() {
				m.claimInterface(s, "u")
			}
		})
	}
}
