package menu

import "slices"

// A Row is an item of a menu with its canonical values. A row that was
// published is never changed: Clone it.
type Row struct {
	Menu   *Menu
	ID     ID
	values []value // by the property's place in Menu.Properties
}

type value struct {
	text string
	set  bool
}

// NewRow makes a row in which every property is absent.
func (m *Menu) NewRow(id ID) *Row {
	return &Row{Menu: m, ID: id, values: make([]value, len(m.Properties))}
}

// Defaults makes a row with the default of every property that has one.
func (m *Menu) Defaults(id ID) *Row {
	r := m.NewRow(id)
	for i, p := range m.Properties {
		if !p.Optional && !p.Required {
			r.values[i] = value{p.Default, true}
		}
	}
	return r
}

// Clone copies the row so that it can be changed.
func (r *Row) Clone() *Row {
	return &Row{Menu: r.Menu, ID: r.ID, values: slices.Clone(r.values)}
}

// at finds the cell of a property; a name that was not declared is our own
// broken invariant.
func (r *Row) at(name string) *value {
	i, ok := r.Menu.index[name]
	if !ok {
		panic("menu: " + r.Menu.Path() + " declares no property " + name)
	}
	return &r.values[i]
}

// Lookup gives a value and whether it is there.
func (r *Row) Lookup(name string) (string, bool) {
	v := r.at(name)
	return v.text, v.set
}

// Get gives a value, empty if it is absent.
func (r *Row) Get(name string) string { return r.at(name).text }

// Is reports whether a bool property is true.
func (r *Row) Is(name string) bool { return r.at(name).text == True }

// Changed reports whether the row differs from what it was before in more than
// properties that change by themselves all the time.
func (r *Row) Changed(before *Row) bool {
	for i := range r.values {
		if r.values[i] != before.values[i] && !r.Menu.Properties[i].Runs() {
			return true
		}
	}
	return false
}

// Put sets a value, given in its canonical form.
func (r *Row) Put(name, text string) { *r.at(name) = value{text, true} }

// PutBool sets a bool property.
func (r *Row) PutBool(name string, b bool) {
	if b {
		r.Put(name, True)
	} else {
		r.Put(name, False)
	}
}

// Drop makes a property absent.
func (r *Row) Drop(name string) { *r.at(name) = value{} }
