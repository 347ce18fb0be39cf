package menu

import (
	"fmt"
	"strings"
	"testing"
)

// showValue writes the expressions of the language that showExpr does not.
func showValue(e Expr) string {
	switch e := e.(type) {
	case *Variable:
		return "$" + e.Name
	case *Joined:
		var parts []string
		for _, p := range e.Parts {
			parts = append(parts, showValue(p))
		}
		return "<" + strings.Join(parts, " ") + ">"
	case *Binary:
		return "(" + showValue(e.Left) + e.Op + showValue(e.Right) + ")"
	case *Unary:
		return e.Op + showValue(e.X)
	case *Compare:
		return "(" + showValue(e.Left) + " " + e.Op + " " + showValue(e.Right) + ")"
	case *Not:
		return "!" + showValue(e.X)
	case *Logic:
		op := " and "
		if e.Or {
			op = " or "
		}
		var terms []string
		for _, t := range e.Terms {
			terms = append(terms, showValue(t))
		}
		return "(" + strings.Join(terms, op) + ")"
	case *Array:
		var elements []string
		for _, x := range e.Elements {
			text := showValue(x.Value)
			if x.Key != nil {
				text = showValue(x.Key) + "=" + text
			}
			elements = append(elements, text)
		}
		return "{" + strings.Join(elements, ";") + "}"
	case *Block:
		return fmt.Sprintf("{code of %d}", len(e.Script.Calls))
	case *Substitution:
		return fmt.Sprintf("[%d]", len(e.Script.Calls))
	}
	return showExpr(e)
}

// TestValues checks how values are read: which operator binds tighter, and where
// a word ends.
func TestValues(t *testing.T) {
	root := example()
	for src, want := range map[string]string{
		"$a":                            "$a",
		"$\"a-b\"":                      "$a-b",
		"(1+2*3)":                       "(1+(2*3))",
		"(1-2-3)":                       "((1-2)-3)",
		"(-$a+1)":                       "(-$a+1)",
		"($a-1)":                        "($a-1)",
		"($a . \"x\" . 1+2)":            "(($a.\"x\").(1+2))",
		"(1,2 , $b)":                    "((1,2),$b)",
		"($a=1 and $b!=2 or not $c)":    "((($a = 1) and ($b != 2)) or !$c)",
		"(1<2&&3>=4||!$x)":              "(((1 < 2) and (3 >= 4)) or !$x)",
		"(1 | 2 ^ 3 & 4 << 5)":          "(1|(2^(3&(4<<5))))",
		"($a->\"k\"->0)":                "(($a->\"k\")->0)",
		"($a->$k . \"x\")":              "(($a->$k).\"x\")",
		"(10.0.0.1/8 in $n)":            "(10.0.0.1/8 in $n)",
		"(10/2)":                        "(10/2)",
		"(1d2h+00:10:00)":               "(1d2h+00:10:00)",
		"(*1A = $id)":                   "(*1A = $id)",
		"(<pptp-x> = $n)":               "(<pptp-x> = $n)",
		"(ether1-local)":                "ether1-local",
		"($a\n  + 1)":                   "($a+1)",
		"\"a $b c$(1+2)$[:len x].\"":    "<\"a \" $b \" c\" (1+2) [1] \".\">",
		"\"$[:put \"in \\\"$x\\\"\"]\"": "<[1]>",
		"\"^a$\"":                       "\"^a\\$\"",
		"\"5$ or $-\"":                  "\"5\\$ or \\$-\"",
		"{1;2;\"a\"=3;b={4;5}}":         "{1;2;\"a\"=3;b={4;5}}",
		"{\n  1;\n  # two\n  2\n}":      "{1;2}",
		"{}":                            "{}",
		"({1}->0)":                      "({1}->0)",
		"[$f 1 b=2]":                    "[1]",
	} {
		s, err := Parse(":put "+src, root, root)
		if err != nil {
			t.Errorf("Parse(%q): %v", src, err)
			continue
		}
		if got := showValue(s.Calls[0].Args[0].Value); got != want {
			t.Errorf("%q is %s, want %s", src, got, want)
		}
	}
}

// TestCalls checks the forms of a command that are no menu's.
func TestCalls(t *testing.T) {
	root := example()
	for src, want := range map[string]string{
		":if ($a) do={:put 1; :put 2} else={:put 3}": "if condition=$a do={code of 2} else={code of 1}",
		":foreach k,v in=$a do={}":                   "foreach variable=\"k,v\" in=$a do={code of 0}",
		":for i from=1 to=($n-1) do={}":              "for name=\"i\" from=1 to=($n-1) do={code of 0}",
		":do {:put 1} while=($i<3) on-error={}":      "do command={code of 1} while=($i < 3) on-error={code of 0}",
		":global f do={:return 1}":                   "global name=\"f\" do={code of 1}",
		":local \"a b\" {1;2}":                       "local name=\"a b\" value={1;2}",
		":set ($a->\"x\"->1) 5":                      "set name=(($a->\"x\")->1) value=5",
		"put x":                                      "put message=x",
		"$f 1 \"two\" three=3 [:put 4]":              "call 1=1 2=\"two\" three=3 3=[1]",
		"($a->\"f\") x":                              "call 1=x",
		"{:put 1; :put 2}":                           "block of 2",
		"/things/thing/add name={:put \"}\"; # }\n}": "add name=\":put \\\"}\\\"; # }\\n\"",
		"/things/thing/set {a;b} size=1":             "set numbers={a;b} size=1",
		"/things/thing/remove $x":                    "remove numbers=$x",
		"/things/thing/find name=$n size=($a+1)":     "find where (@name=*menu.Variable)&(@size=*menu.Binary)",
	} {
		s, err := Parse(src, root, root)
		if err != nil {
			t.Errorf("Parse(%q): %v", src, err)
			continue
		}
		c := s.Calls[0]
		var got string
		switch {
		case c.Callee != nil:
			got = "call"
		case c.Block != nil:
			got = fmt.Sprintf("block of %d", len(c.Block.Calls))
		default:
			got = c.Command.Name
		}
		for _, a := range c.Args {
			got += " " + a.Name + "=" + showValue(a.Value)
		}
		if c.Where != nil {
			got += " where " + strings.Trim(showExpr(c.Where), "()")
			got = strings.Replace(got, "where @", "where (@", 1) + ")"
		}
		if got != want {
			t.Errorf("%q is %s, want %s", src, got, want)
		}
	}
}

// TestLanguageErrors checks the places of errors in scripts.
func TestLanguageErrors(t *testing.T) {
	root := example()
	for src, want := range map[string]string{
		":if (true) do={\n  :put 1\n  :foo\n}": "bad command name foo (line 3 column 4)",
		":local f do={\n/things/foo\n}":        "bad command name foo (line 2 column 9)",
		":put \"a $(1 +)\"":                    "syntax error (line 1 column 14)",
		":put \"a $[foo]\"":                    "bad command name foo (line 1 column 11)",
		"{:put 1":                              "syntax error (line 1 column 8)",
		":set ($a+1) 2":                        "syntax error (line 1 column 6)",
		":set (1) 2":                           "syntax error (line 1 column 6)",
		":local $a 1":                          "syntax error (line 1 column 8)",
		"$f a=1 a=2":                           "expected end of command (line 1 column 8)",
		"$f a= b":                              "expected end of command (line 1 column 4)",
		"/things/thing/add name={ \"":          "syntax error (line 1 column 27)",
		"/things/thing/add name={ {}":          "syntax error (line 1 column 28)",
		":put ($a->)":                          "syntax error (line 1 column 11)",
		":put (1 = 2 = 3)":                     "syntax error (line 1 column 13)",
		"$f" + strings.Repeat(" x", 300):       "expected end of command (line 1 column 516)",
		":put $\"\"":                           "syntax error (line 1 column 7)",
	} {
		_, err := Parse(src, root, root)
		if got := fmt.Sprint(err); got != want {
			t.Errorf("Parse(%q): %s, want %s", src, got, want)
		}
	}
}
