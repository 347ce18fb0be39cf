package menu

import (
	"io"
	"testing"
)

// TestGrowthOfPrint holds the work of every layout to the number of rows, by what it
// allocates: twice as many rows, twice as much.
func TestGrowthOfPrint(t *testing.T) {
	m := (&Menu{Name: "m", NameKey: "name", Properties: []Property{{Name: "name", Type: String{}}, {Name: "disabled", Type: Bool{}}},
		Flags: []Flag{{Letter: 'X', Name: "DISABLED", Property: "disabled"}}}).Standalone()
	cost := func(p Printer, n int) float64 {
		rows := make([]*Row, n)
		numbers := map[ID]int{}
		for i := range rows {
			rows[i] = m.Defaults(ID(i + 1))
			rows[i].Put("name", "somebody")
			numbers[rows[i].ID] = i
		}
		if p.Sheet != nil {
			p.Sheet = &Sheet{Rows: rows, Numbers: numbers}
		}
		return testing.AllocsPerRun(1, func() {
			if err := p.Print(io.Discard, m, rows); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, layout := range []Layout{Table, Detail, Terse, Lines} {
		for _, p := range []Printer{{Layout: layout}, {Layout: layout, ShowIDs: true}, {Layout: layout, Sheet: &Sheet{}}} {
			few, many := cost(p, 1000), cost(p, 2000)
			if many > 2.5*few+100 {
				t.Errorf("layout %v, ids %v, sheet %v: %v allocations for 1000 rows, %v for 2000", layout, p.ShowIDs, p.Sheet != nil, few, many)
			}
		}
	}
}
