package menu

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// example is a small tree for the tests of the parser and the printer.
func example() *Menu {
	return Root(nil, &Menu{
		Name: "things",
		Children: []*Menu{{
			Name: "thing", NameKey: "name", Layout: Detail,
			Flags: []Flag{{Letter: 'X', Name: "disabled", Property: "disabled"}},
			Properties: []Property{
				{Name: "name", Type: String{Min: 1}, Required: true},
				{Name: "size", Type: Int{Max: 9999}, Default: "1"},
				{Name: "site", Type: Address{}, Optional: true},
				{Name: "age", Type: Time{}, Default: "0s"},
				{Name: "running", Type: Bool{}, Default: False, ReadOnly: true},
				{Name: Comment, Type: CommentText},
				{Name: "disabled", Type: Bool{}, Default: False},
			},
			Commands: []*Command{Add(), Set(false), Remove(), Find(), Get(false), Print(false, false), SetComment(), Unset()},
		}},
	})
}

// show writes a script with every name resolved.
func show(s *Script) string {
	var b strings.Builder
	for i, c := range s.Calls {
		if i > 0 {
			b.WriteString("; ")
		}
		switch {
		case c.Global:
			b.WriteString(":" + c.Command.Name)
		case c.Command == nil:
			b.WriteString(c.Menu.Path())
		default:
			b.WriteString(c.Menu.Path() + "/" + c.Command.Name)
		}
		for _, a := range c.Args {
			switch {
			case a.Unset:
				b.WriteString(" !" + a.Name)
			case a.Value == nil:
				b.WriteString(" " + a.Name)
			default:
				b.WriteString(" " + a.Name + "=" + showExpr(a.Value))
			}
		}
		if c.Where != nil {
			b.WriteString(" where " + showExpr(c.Where))
		}
	}
	return b.String()
}

func showExpr(e Expr) string {
	switch e := e.(type) {
	case *Literal:
		if e.Quoted {
			return Quote(e.Text)
		}
		return e.Text
	case *Field:
		return "@" + e.Name
	case *Substitution:
		return "[" + show(e.Script) + "]"
	case *Compare:
		return "(" + showExpr(e.Left) + e.Op + showExpr(e.Right) + ")"
	case *Not:
		return "!" + showExpr(e.X)
	case *Logic:
		op := "&"
		if e.Or {
			op = "|"
		}
		var terms []string
		for _, t := range e.Terms {
			terms = append(terms, showExpr(t))
		}
		return "(" + strings.Join(terms, op) + ")"
	}
	return fmt.Sprintf("%T", e)
}

func TestParse(t *testing.T) {
	root := example()
	for _, tt := range []struct{ at, src, want string }{
		{"/", "/things/thing/add name=x", "/things/thing/add name=x"},
		{"/", "/things thing add name=x", "/things/thing/add name=x"},
		{"/", "things/thing add name=x", "/things/thing/add name=x"},
		{"/", "th th a na=x", "/things/thing/add name=x"},
		{"/things/thing", "add name=x", "/things/thing/add name=x"},
		{"/things/thing", "..", "/things"},
		{"/things/thing", "../..", "/"},
		{"/things/thing", "/", "/"},
		{"/things", ".. things thing", "/things/thing"},
		{"/things", "/things; thing; add name=x; print", "/things; /things/thing; /things/thing/add name=x; /things/thing/print"},
		{"/things/thing", "add name=x\nadd name=y\r\n  # remark; add\nprint", "/things/thing/add name=x; /things/thing/add name=y; /things/thing/print"},
		{"/things/thing", "add \\\n   name=\\\n    \"x \\\n    y\"", `/things/thing/add name="x y"`},
		{"/things/thing", `add name="a=b;c[d]" size=3`, `/things/thing/add name="a=b;c[d]" size=3`},
		{"/things/thing", "add name=a=b,c/d:e#f<g>", "/things/thing/add name=a=b,c/d:e#f<g>"},
		{"/things/thing", `add name="\"\\\n\r\t\$\?\_\a\b\f\v\41"`, `/things/thing/add name="\"\\\n\r\t\$? \07\08\0C\0BA"`},
		{"/things/thing", "set 0 !site", "/things/thing/set numbers=0 !site"},
		{"/things/thing", "set numbers=0,1 size=2", "/things/thing/set numbers=0,1 size=2"},
		{"/things/thing", "set [find name=x] size=2", "/things/thing/set numbers=[/things/thing/find where (@name=x)] size=2"},
		{"/", "/things/thing/set [find] size=2", "/things/thing/set numbers=[/things/thing/find] size=2"},
		{"/", ":put [/things/thing/get x size]", ":put message=[/things/thing/get numbers=x value-name=size]"},
		{"/things/thing", "comment x \"a b\"", `/things/thing/comment numbers=x comment="a b"`},
		{"/things/thing", "print det", "/things/thing/print detail"},
		{"/things/thing", "print detail without-paging where disabled", "/things/thing/print detail without-paging where @disabled"},
		{"/things/thing", "print where name=a size>=5 or !running", "/things/thing/print where (((@name=a)&(@size>=5))|!@running)"},
		{"/things/thing", "print where !(name=a || name~\"^b\") && age<1h", `/things/thing/print where (!((@name=a)|(@name~"^b"))&(@age<1h))`},
		{"/things/thing", "print where not name=a and size!=1", "/things/thing/print where (!(@name=a)&(@size!=1))"},
		{"/things/thing", "print where site in 10.0.0.0/8", "/things/thing/print where (@sitein10.0.0.0/8)"},
		{"/things/thing", "find where name=<pptp-x>", "/things/thing/find where (@name=<pptp-x>)"},
		{"/things/thing", "find .id=*1A", "/things/thing/find where (@.id=*1A)"},
		{"/things/thing", "find name=[:put x]", "/things/thing/find where (@name=[:put message=x])"},
		{"/", ":put (1 < 2)", ":put message=(1<2)"},
		{"/", ";;;\n;", ""},
		{"/", "", ""},
	} {
		at := root
		if tt.at != "/" {
			at = root.At(tt.at)
		}
		s, err := Parse(tt.src, root, at)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.src, err)
			continue
		}
		if got := show(s); got != tt.want {
			t.Errorf("Parse(%q)\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

// TestParseErrors checks places that a console line alone does not reach: the
// line number, and columns after characters of several octets. The texts are in
// the console's golden files.
func TestParseErrors(t *testing.T) {
	root := example()
	for src, want := range map[string]string{
		"/things\n/things/foo":                 "bad command name foo (line 2 column 9)",
		"/things/thing/add name=\"é\" foo=1":   "expected end of command (line 1 column 28)",
		"/things/thing/print;\n\n  things/bar": "bad command name bar (line 3 column 10)",
		"/things /thing":                       "bad command name /thing (line 1 column 9)",
		"/things/thing/add =x":                 "syntax error (line 1 column 19)",
		"/things/thing/add name=x\\y":          "syntax error (line 1 column 25)",
		"/things/thing/print where name & x":   "syntax error (line 1 column 32)",
		"/things/thing/print where name = = x": "syntax error (line 1 column 34)",
		"/things/thing/set [find]x":            "syntax error (line 1 column 25)",
		"/things/thing/set [find]] ":           "syntax error (line 1 column 25)",
		"/things/thing/set x)":                 "syntax error (line 1 column 20)",
		"/things/thing/s x":                    "", // set alone begins with s
		"}":                                    "syntax error (line 1 column 1)",
		":put " + strings.Repeat("(", 99):      "syntax error (line 1 column 38)",
		"/" + strings.Repeat("x", 99):          "bad command name " + strings.Repeat("x", 64) + " (line 1 column 2)",
		"/\x1b[2J":                             "bad command name \\1B (line 1 column 2)",
	} {
		_, err := Parse(src, root, root)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Parse(%q): %q, want %q", src, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/things/thing/add name=\"a\\41\\n\" size=3 !site", "print where !(name=a or size<3) and site in 10.0.0.0/8",
		":put [/things/thing/get [find name=x] size]; .. # x\nset \\\n 0,1 comment=\"\"", "find name=<x> age>1h", "th th a na=x",
		strings.Repeat("[(!", 40), ":if ($a->1 = {1;b=2}) do={:put \"$x $(1+2) $[:len y]\"} else={$f 1 a=2}", "{:local f do={:return (-$1 . ~2 << 3)}; [$f]}",
		":set ($a->\"b\") 3; :foreach k,v in=[find] do={}", "/things/thing/add name={a \"}\" # }\n}", strings.Repeat(":do {", 40),
	} {
		f.Add(s)
	}
	root := example()
	f.Fuzz(func(t *testing.T, src string) {
		for _, at := range []*Menu{root, root.At("/things/thing")} {
			s, err := Parse(src, root, at)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Line == 0 {
					t.Fatalf("Parse(%q): %#v has no place", src, err)
				}
				continue
			}
			for _, c := range s.Calls {
				if c.Where == nil {
					continue
				}
				filter, err := Compile(c.Menu, c.Where, func(Expr) (string, error) { return "x", nil })
				if err == nil {
					filter(c.Menu.Defaults(1))
				}
			}
		}
	})
}

// FuzzQuote checks that the console reads back what it prints in quotes.
func FuzzQuote(f *testing.F) {
	f.Add("a \"b\" $c \\ \n\x00\xff é \u202e")
	root := example()
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(":put "+Quote(text), root, root)
		if err != nil {
			t.Fatalf("Parse(%s): %v", Quote(text), err)
		}
		if got := s.Calls[0].Args[0].Value.(*Literal).Text; got != text {
			t.Errorf("%q is printed %s and read %q", text, Quote(text), got)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	root := example()
	for b.Loop() {
		if _, err := Parse("/things/thing/set [find where name=x and size>3] comment=\"a b\" size=7", root, root); err != nil {
			b.Fatal(err)
		}
	}
}
