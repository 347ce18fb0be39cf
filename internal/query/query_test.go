package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gopptp/internal/menu"
)

// routes is a menu with a value of each kind that compares in its own way.
func routes() []*menu.Row {
	m := (&menu.Menu{
		Name: "route",
		Properties: []menu.Property{
			{Name: "name", Type: menu.String{}},
			{Name: "type", Type: menu.Words("ether", "vlan", "pptp")},
			{Name: "distance", Type: menu.Int{Max: 255}},
			{Name: "gateway", Type: menu.Address{}, Optional: true},
			{Name: "timeout", Type: menu.Time{}},
			{Name: "disabled", Type: menu.Bool{}},
			{Name: "comment", Type: menu.CommentText},
		},
	}).Standalone()
	row := func(id menu.ID, values ...string) *menu.Row {
		r := m.Defaults(id)
		for _, v := range values {
			name, value, _ := strings.Cut(v, "=")
			r.Put(name, value)
		}
		return r
	}
	return []*menu.Row{
		row(1, "name=a", "type=ether", "distance=1", "gateway=172.16.1.1", "timeout=1m", "disabled=false"),
		row(2, "name=b=c", "type=vlan", "distance=9", "gateway=172.16.1.1", "timeout=1h", "disabled=true", "comment=x"),
		row(0x1A, "name=c", "type=pptp", "distance=10", "timeout=59s", "disabled=false"),
	}
}

// passing gives the ids of the rows that a query wants.
func passing(t *testing.T, words ...string) string {
	t.Helper()
	f, err := Compile(words)
	if err != nil {
		t.Fatalf("Compile(%q): %v", words, err)
	}
	var ids []string
	for _, r := range routes() {
		if f == nil || f(r) {
			ids = append(ids, r.ID.String())
		}
	}
	return strings.Join(ids, " ")
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct{ words, want string }{
		{"", "*1 *2 *1A"},
		// The examples of RouterOS's manual.
		{"?type=ether ?type=vlan ?#|", "*1 *2"},
		{"?>distance=1 ?gateway=172.16.1.1 ?#&!", "*1 *1A"},
		{"?>comment=", "*2"},
		// Having a value.
		{"?gateway", "*1 *2"}, {"?-gateway", "*1A"}, {"?comment", "*2"}, {"?-comment", "*1 *1A"},
		{"?disabled", "*1 *2 *1A"}, {"?.id", "*1 *2 *1A"}, {"?nothing", ""}, {"?-nothing", "*1 *2 *1A"},
		// Comparing.
		{"?name=b=c", "*2"}, {"?=name=b=c", "*2"}, {"name=a", "*1"}, {"?name=", ""}, {"?gateway=", "*1A"}, {"?comment=", "*1 *1A"},
		{"?.id=*1A", "*1A"}, {"?.id=*1a", "*1A"}, {"?.id=*7", ""}, {"?.id=1A", ""}, {"?.id=*x", ""}, {"?>.id=*9", "*1A"}, {"?<.id=*2", "*1"},
		{"?<distance=10", "*1 *2"}, {"?>distance=9", "*1A"}, {"?>timeout=59s", "*1 *2"}, {"?timeout=60", "*1"}, {"?<gateway=172.16.1.2", "*1 *2"},
		{"?disabled=true", "*2"}, {"?disabled=yes", "*2"}, {"?disabled=no", "*1 *1A"}, {"?distance=0x0a", "*1A"}, {"?type=ppt", ""},
		{"?nothing=x", ""}, {"?>nothing=x", ""}, {"?nothing=", "*1 *2 *1A"},
		// Words without an operation must all hold.
		{"?type=vlan ?disabled=yes", "*2"}, {"?type=vlan ?disabled=no", ""},
		// Operations; below the stack everything is true.
		{"?type=vlan ?#!", "*1 *1A"}, {"?type=vlan ?#!!", "*2"}, {"?#!", ""}, {"?#&", "*1 *2 *1A"}, {"?#", "*1 *2 *1A"},
		{"?type=vlan ?type=ether ?type=pptp ?#||", "*1 *2 *1A"}, {"?type=vlan ?#|", "*1 *2 *1A"}, {"?type=vlan ?#&", "*2"},
		{"?type=vlan ?#.", "*2"}, {"?type=vlan ?#!.|", "*1 *1A"},
		{"?type=vlan ?type=ether ?#1", "*2"}, {"?type=vlan ?type=ether ?#0", "*1"}, {"?type=vlan ?type=ether ?#7", "*1 *2 *1A"},
		{"?type=vlan ?type=ether ?#1.&!", "*2"}, {"?type=vlan ?type=ether ?#1|1!0", "*1 *1A"},
		{"?type=vlan ?#99999999999999999999", "*1 *2 *1A"}, {"?type=vlan ?#0!|", "*1 *2 *1A"}, {"?type=vlan ?#0..||", "*2"},
	} {
		if got := passing(t, strings.Fields(tt.words)...); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.words, got, tt.want)
		}
	}
}

func TestBadQuery(t *testing.T) {
	long := slices.Repeat([]string{"?name=a"}, maxSteps+1)
	for _, words := range [][]string{
		{""}, {"?"}, {"?="}, {"?=x"}, {"?<"}, {"?>x"}, {"?<=x"}, {"?-"}, {"?#x"}, {"?#!1x"}, {"?#-1"}, {"?=="},
		long, {"?#" + strings.Repeat("!", maxSteps+1)}, {"?#" + strings.Repeat("0.", maxSteps+1)},
	} {
		if f, err := Compile(words); err == nil || f != nil {
			t.Errorf("Compile(%.40q) found no error", words)
		}
	}
	if _, err := Compile(long[1:]); err != nil {
		t.Errorf("the longest query: %v", err)
	}
}

func TestSingletonHasNoID(t *testing.T) {
	m := (&menu.Menu{Name: "aaa", Singleton: true}).Standalone()
	f, err := Compile([]string{"?.id"})
	if err != nil || f(m.NewRow(0)) {
		t.Errorf("a singleton has an id: %v", err)
	}
}

func TestFilterDoesNotAllocate(t *testing.T) {
	f, err := Compile([]string{"?type=ether", "?disabled=no", "?>distance=3", "?#&!|"})
	if err != nil {
		t.Fatal(err)
	}
	row := routes()[0]
	f(row) // learns the menu
	if n := testing.AllocsPerRun(1000, func() { f(row) }); n != 0 {
		t.Errorf("%v allocations for a row", n)
	}
}

// FuzzCompile checks that no query panics, and that a negated one wants the
// other rows.
func FuzzCompile(f *testing.F) {
	f.Add("?type=ether\n?type=vlan\n?#|")
	f.Add("?>distance=1\n?#0.!&1")
	f.Add("?-comment\n.id=*1\n#..")
	rows := routes()
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, "\n")
		filter, err := Compile(words)
		if err != nil || filter == nil {
			return
		}
		// All that may be on the stack is brought together, then negated.
		negated, err := Compile(append(words, "#"+strings.Repeat("&", len(text)+1)+"!"))
		if err != nil {
			return // too long by now
		}
		for _, r := range rows {
			if filter(r) == negated(r) {
				t.Errorf("%q and its negation agree on %s", words, r.ID)
			}
		}
	})
}

func ExampleCompile() {
	filter, err := Compile([]string{"?type=ether", "?type=vlan", "?#|"})
	if err != nil {
		panic(err)
	}
	for _, r := range routes() {
		if filter(r) {
			fmt.Println(r.Get("name"))
		}
	}
	// Output:
	// a
	// b=c
}
