package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gopptp/internal/menu"
)

// A Printer shows findings for people, each when it is there. It is a Reporter.
type Printer struct {
	To io.Writer
	// Terminal says that To is one: then there are colours, and a line that says what
	// is waited for gives way to the finding.
	Terminal bool
}

// The widths of the columns of states and of names.
const (
	stateWidth = 8
	checkWidth = 17
)

// colours are those of the states: green, yellow, red and grey.
var colours = map[State]string{OK: "\x1b[32m", Warning: "\x1b[33m", Problem: "\x1b[31m", Skipped: "\x1b[90m"}

// Begin says what is waited for.
func (p Printer) Begin(check, what string, limit time.Duration) {
	end := "\n"
	if p.Terminal {
		end = ""
	}
	fmt.Fprintf(p.To, "%-*s %-*s waiting for %s, at most %v%s", stateWidth, "…", checkWidth, check, what, limit, end)
}

// Finish prints a finding.
func (p Printer) Finish(f Finding) {
	colour, plain := "", ""
	if p.Terminal {
		colour, plain = colours[f.State], "\x1b[0m"
		fmt.Fprint(p.To, "\r\x1b[K")
	}
	fmt.Fprintf(p.To, "%s%-*s%s %-*s %s\n", colour, stateWidth, f.State, plain, checkWidth, f.Check, menu.Clean(f.Seen))
	for _, d := range f.Do {
		fmt.Fprintf(p.To, "%*s → %s\n", stateWidth+checkWidth, "", menu.Clean(d))
	}
}

// Summary prints how many findings there are of each kind that matters.
func (p Printer) Summary(all []Finding) {
	problems, warnings := Count(all, Problem), Count(all, Warning)
	switch {
	case problems == 0 && warnings == 0:
		fmt.Fprintf(p.To, "\nAll is well.\n")
	default:
		fmt.Fprintf(p.To, "\n%s, %s.\n", number(problems, "problem"), number(warnings, "warning"))
	}
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Quiet is a Reporter that shows nothing.
type Quiet struct{}

// Begin does nothing.
func (Quiet) Begin(string, string, time.Duration) {}

// Finish does nothing.
func (Quiet) Finish(Finding) {}

// WriteJSON writes all findings as JSON.
func WriteJSON(to io.Writer, all []Finding) error {
	enc := json.NewEncoder(to)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Problems int       `json:"problems"`
		Warnings int       `json:"warnings"`
		Findings []Finding `json:"findings"`
	}{Count(all, Problem), Count(all, Warning), all})
}
