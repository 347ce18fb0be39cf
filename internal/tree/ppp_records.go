package tree

import (
	"strconv"

	"gopptp/internal/menu"
	"gopptp/internal/records"
)

// newRecords declares /ppp/records, which RouterOS does not have.
func (t *Tree) newRecords() *table {
	const kib = 1024
	text := menu.Words()
	return &table{
		menu: &menu.Menu{
			Name: "records", Help: "What became of each call, as lines of JSON in files", Singleton: true, Noun: "ppp records",
			Properties: []menu.Property{
				{Name: "enabled", Type: menu.Bool{}, Default: menu.True, Help: "Whether calls that are over are recorded"},
				{Name: "max-size", Type: menu.Int{Min: 64, Max: 1 << 20}, Default: "10240", Help: "Largest size of a file in KiB; then it becomes an older one"},
				{Name: "max-files", Type: menu.Int{Min: 1, Max: records.MaxFiles}, Default: "5", Help: "Files of each sort that are kept"},
				readOnly("file", text, "File of the sessions"),
				readOnly("refused-file", text, "File of the calls that came to nothing"),
				readOnly("written", counter, "Records written since the start"),
				readOnly("omitted", counter, "Calls that came to nothing, and were only counted because there were too many in a second"),
				readOnly("lost", counter, "Records that could not be written"),
			},
			Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
		},
		put: func(r *menu.Row) {
			if t.records != nil {
				t.records.Set(records.Settings{Enabled: r.Is("enabled"), Size: int64(number(r, "max-size")) * kib, Files: number(r, "max-files")})
			}
		},
		live: func(rows []*menu.Row) []*menu.Row {
			if t.records == nil {
				return rows
			}
			c := t.records.Counters()
			for _, r := range rows {
				r.Put("file", t.records.Path())
				r.Put("refused-file", t.records.RefusedPath())
				r.Put("written", strconv.FormatUint(c.Written, 10))
				r.Put("omitted", strconv.FormatUint(c.Omitted, 10))
				r.Put("lost", strconv.FormatUint(c.Lost, 10))
			}
			return rows
		},
		ticks: true,
	}
}
