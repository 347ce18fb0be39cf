package menu

import "testing"

func TestBadDeclarationPanics(t *testing.T) {
	name := Property{Name: "name", Type: String{}}
	for what, m := range map[string]*Menu{
		"property twice":       {Properties: []Property{name, name}},
		"no type":              {Properties: []Property{{Name: "name"}}},
		"flag of nothing":      {Flags: []Flag{{Property: "x"}}},
		"column of nothing":    {Columns: []Column{{Property: "x"}}},
		"statistic of nothing": {Stats: []Column{{Property: "x"}}},
		"name of nothing":      {NameKey: "name"},
		"command twice":        {Commands: []*Command{Add(), Add()}},
		"menu like a command":  {Commands: []*Command{Add()}, Children: []*Menu{{Name: "add"}}},
	} {
		t.Run(what, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			m.Standalone()
		})
	}
}

func TestRowPanicsOnUndeclared(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	example().At("/things/thing").NewRow(1).Get("nosuch")
}

func TestParseID(t *testing.T) {
	for text, want := range map[string]ID{"*0": 0, "*1A": 0x1A, "*1a": 0x1A, "*FFFFFFFE": 0xFFFFFFFE} {
		if id, ok, err := ParseID(text); id != want || !ok || err != nil {
			t.Errorf("ParseID(%q) = %v, %v, %v", text, id, ok, err)
		}
	}
	for _, text := range []string{"*", "*x", "*-1", "*10000000000000000"} {
		if _, ok, err := ParseID(text); !ok || err == nil {
			t.Errorf("ParseID(%q) = %v, %v, want an error", text, ok, err)
		}
	}
	if _, ok, err := ParseID("1A"); ok || err != nil {
		t.Errorf("ParseID without a star = %v, %v", ok, err)
	}
}

func TestRowsDoNotShare(t *testing.T) {
	m := example().At("/things/thing")
	r := m.Defaults(1)
	c := r.Clone()
	c.Put("size", "2")
	c.Drop("age")
	if r.Get("size") != "1" || r.Get("age") != "0s" {
		t.Error("a change of the clone changed the row")
	}
	if _, there := r.Lookup("site"); there {
		t.Error("an optional property has a default")
	}
}

// TestNumberColumn checks that numbers take two places in detail, and more when
// there are more rows.
func TestNumberColumn(t *testing.T) {
	m := example().At("/things/thing")
	for n, want := range map[int]string{1: " 0   ", 101: "  0   "} {
		var rows []*Row
		for i := range n {
			rows = append(rows, m.Defaults(ID(i)))
		}
		if got := firstRow(t, m, rows); got[:len(want)] != want {
			t.Errorf("%d rows: the first is %q, want it to begin %q", n, got, want)
		}
	}
}
