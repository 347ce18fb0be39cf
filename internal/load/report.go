package load

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// A Report is what a run has measured.
type Report struct {
	Count    int      `json:"count"` // sessions that were asked for
	Rows     []Row    `json:"rows"`
	Problems []string `json:"problems"` // what must not be; empty after a good run
}

// A Row is one figure.
type Row struct {
	Name   string  `json:"name"` // without the word sessions before it
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Detail string  `json:"detail"`
}

func (r *Report) add(row Row) { r.Rows = append(r.Rows, row) }

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// WriteTable writes the rows for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range r.Rows {
		fmt.Fprintf(t, "sessions %s\t%s\t%s\n", row.Name, row.figure(), row.Detail)
	}
	return t.Flush()
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// figure is the value with its unit, in three digits.
func (r Row) figure() string {
	format := "%.3g"
	if r.Value >= 100 || r.Value == float64(int(r.Value)) {
		format = "%.0f"
	}
	figure := fmt.Sprintf(format, r.Value)
	switch {
	case r.Unit == "":
	case r.Unit[0] == '/':
		figure += r.Unit
	default:
		figure += " " + r.Unit
	}
	return figure
}
