package menu

import (
	"fmt"
	"testing"
)

func TestFilter(t *testing.T) {
	root := example()
	m := root.At("/things/thing")
	r := m.Defaults(0x1A)
	r.Put("name", "alpha")
	r.Put("size", "10")
	r.Put("age", "1h30m")
	r.PutBool("running", true)
	for src, want := range map[string]bool{
		"name=alpha": true, "name=\"alpha\"": true, "name=alp": false, "name!=alpha": false, "na=alpha": true,
		"size=10": true, "size=0xA": true, "size>9": true, "size<9": false, "size>=10": true, "size<=10": true, "size>10": false,
		"age=90m": true, "age>59m": true, "age<01:30:00": false, "age<=1h30m": true,
		"running": true, "running=yes": true, "running=true": true, "!running": false, "disabled": false, "disabled=no": true,
		"name": true, "comment": false, "comment=\"\"": true, "site": false, "site=10.0.0.1": false, "site!=10.0.0.1": true,
		"site<10.0.0.1": false, "site in 10.0.0.0/8": false, "site~\".\"": false,
		"name~\"^al.ha\\$\"": true, "name~\"b\"": false, "name in alpha,beta": true, "name in beta": false,
		".id=*1A": true, ".id=*1B": false,
		"name=alpha size=10": true, "name=alpha size=11": false, "name=x or size=10": true, "name=x or size=11": false,
		"name=x or name=alpha and size=11": false, "(name=x or name=alpha) and size=10": true,
		"!(name=x)": true, "not (name=alpha)": false, "!!running": true,
		"name=[:put x]": false, "(\"a\" = a)": true, "\"9\" < 10": true,
	} {
		s, err := Parse("/things/thing/find "+src, root, root)
		if err != nil {
			t.Errorf("Parse(%q): %v", src, err)
			continue
		}
		filter, err := Compile(m, s.Calls[0].Where, func(e Expr) (string, error) {
			if l, ok := e.(*Literal); ok {
				return l.Text, nil
			}
			return "value", nil
		})
		if err != nil {
			t.Errorf("Compile(%q): %v", src, err)
			continue
		}
		if got := filter(r); got != want {
			t.Errorf("%s is %v, want %v", src, got, want)
		}
	}
}

// TestFilterErrors checks that what cannot be evaluated is an error and no
// filter.
func TestFilterErrors(t *testing.T) {
	root := example()
	m := root.At("/things/thing")
	for _, src := range []string{"name~\"(\"", "name=[:put x]", "!(name=[:put x])", "name=a or name=[:put x]", "[:put x]", "[:put x]=a"} {
		s, err := Parse("/things/thing/find "+src, root, root)
		if err != nil {
			t.Fatalf("Parse(%q): %v", src, err)
		}
		_, err = Compile(m, s.Calls[0].Where, func(e Expr) (string, error) {
			if l, ok := e.(*Literal); ok {
				return l.Text, nil
			}
			return "", fmt.Errorf("no value")
		})
		if err == nil {
			t.Errorf("Compile(%q) has no error", src)
		}
	}
}
