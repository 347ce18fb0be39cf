package menu

import "strings"

// layouts are the words of print that choose a layout.
var layouts = []struct {
	word   string
	layout Layout
}{{"brief", Table}, {"detail", Detail}, {"terse", Terse}, {"value-list", ValueList}, {"stats-detail", Detail}}

// Printer gives what shows rows in the form that a print asks for, on a terminal
// of no width.
func (q *Request) Printer() (Printer, error) {
	var p Printer
	for _, l := range layouts {
		if _, given := q.Args[l.word]; !given {
			continue
		}
		if p.Layout != Default {
			return p, Errorf(BadArgument, "only one of brief, detail, terse and value-list can be given")
		}
		p.Layout = l.layout
	}
	_, p.Stats = q.Args["stats"]
	if _, given := q.Args["stats-detail"]; given {
		p.Stats = true
	}
	_, p.ShowIDs = q.Args["show-ids"]
	if list, given := q.Args["proplist"]; given {
		return p, p.choose(q.Menu, list)
	}
	return p, nil
}

// choose reads the names of the properties to show; .id among them asks for ids.
func (p *Printer) choose(m *Menu, list string) error {
	names := []string{IDKey}
	for i := range m.Properties {
		names = append(names, m.Properties[i].Name)
	}
	for word := range strings.SplitSeq(list, ",") {
		name, err := Words(names...).Parse("proplist", word, nil)
		if err != nil {
			return err
		}
		if name == IDKey {
			p.ShowIDs = true
			continue
		}
		p.Proplist = append(p.Proplist, name)
	}
	return nil
}
