package export_test

import (
	"fmt"
	"testing"

	"gopptp/internal/export"
	"gopptp/internal/menu"
)

// rows is a source of many rows of one menu.
type rows []*menu.Row

func (r rows) Configured(m *menu.Menu) []*menu.Row {
	if m == r[0].Menu {
		return r
	}
	return nil
}

func (rows) Builtin(*menu.Menu, menu.ID) *menu.Row { return nil }

// BenchmarkLines tells that the cost grows with the rows and no faster.
func BenchmarkLines(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			root := newTree(b).Root()
			m := root.At("ppp/secret")
			var source rows
			for i := range n {
				r := m.Defaults(menu.ID(i + 1))
				r.Put("name", fmt.Sprintf("user %d", i))
				r.Put("profile", "default-encryption")
				source = append(source, r)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got := export.Lines(root, root, source, export.Options{}); len(got) != n+1 {
					b.Fatalf("%d lines", len(got))
				}
			}
		})
	}
}
