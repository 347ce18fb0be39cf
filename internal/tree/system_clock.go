package tree

import (
	"time"
	_ "time/tzdata" // a machine may be without

	"gopptp/internal/menu"
)

// zone is the name of a time zone: Europe/Riga.
type zone struct{ menu.String }

// Parse accepts the zones of the database of time zones. manual, which is RouterOS's
// word for none of them, is the machine's own.
func (zone) Parse(name, text string, _ menu.Resolver) (string, error) {
	if text == "manual" {
		return "", nil
	}
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		return "", menu.Errorf(menu.BadArgument, "input does not match any value of %s", name)
	}
	return text, nil
}

// Text gives the name.
func (zone) Text(s string) string { return s }

// newClock declares /system/clock. The clock is the machine's, which nothing here
// sets.
func (t *Tree) newClock() *table {
	m := &menu.Menu{
		Name: "clock", Help: "The machine's clock, as a time zone sees it", Singleton: true, Noun: "clock",
		Properties: []menu.Property{
			readOnly("time", menu.Clock{}, "Time of day"),
			readOnly("date", menu.Words(), "Date"),
			{Name: "time-zone-autodetect", Type: menu.Bool{}, Default: menu.False, Kept: true, Help: "Whether the time zone is detected"},
			{Name: "time-zone-name", Type: zone{menu.String{Max: maxName, Line: true}}, Optional: true,
				Help: "Time zone of what this menu shows; the machine's own if it is manual. Log and exports keep to the machine's"},
			readOnly("gmt-offset", menu.Words(), "How far the time zone is ahead of UTC"),
			readOnly("dst-active", menu.Bool{}, "Whether it is summer time"),
		},
		Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
	}
	return &table{menu: m, put: keepOnly, ticks: true, live: func(rows []*menu.Row) []*menu.Row {
		for _, r := range rows {
			now := time.Now()
			if name, set := r.Lookup("time-zone-name"); set {
				if there, err := time.LoadLocation(name); err == nil {
					now = now.In(there)
				}
			}
			r.Put("time", now.Format(time.TimeOnly))
			r.Put("date", now.Format(time.DateOnly))
			name := now.Location().String()
			if name == "Local" {
				name, _ = now.Zone()
			}
			r.Put("time-zone-name", name)
			r.Put("gmt-offset", now.Format("-07:00"))
			r.PutBool("dst-active", now.IsDST())
		}
		return rows
	}}
}
