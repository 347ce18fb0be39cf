// Package manual writes the manual pages of a program from its commands, in the
// language of man(7).
//
// It decides nothing about where they are installed, and says nothing that the
// commands do not say of themselves.
package manual

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Section is that of programs (man-pages(7)).
const Section = 1

// A Page is the manual page of a command.
type Page struct {
	Name string // of its file: gopptp-run.1
	Text []byte
}

// Pages writes the pages of a command and of all below it that are not hidden. The
// version and the date stand at their feet.
func Pages(root *cobra.Command, version string, date time.Time) []Page {
	var all []Page
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c != root && !shown(c) {
			return
		}
		all = append(all, Page{fmt.Sprintf("%s.%d", name(c), Section), page(c, version, date)})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return all
}

// name is that of a command's page.
func name(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func page(c *cobra.Command, version string, date time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s %d %s %s %s\n", quote(strings.ToUpper(name(c))), Section, quote(date.UTC().Format(time.DateOnly)),
		quote(c.Root().Name()+" "+version), quote("User Commands"))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name(c)), escape(strings.TrimSuffix(c.Short, ".")))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.nf\n")
	if c.Runnable() {
		fmt.Fprintf(&b, "\\fB%s\\fR%s\n", escape(c.CommandPath()), escape(strings.TrimPrefix(c.UseLine(), c.CommandPath())))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\\fB%s\\fR \\fIcommand\\fR\n", escape(c.CommandPath()))
	}
	b.WriteString(".fi\n.SH DESCRIPTION\n")
	text(&b, cmp.Or(c.Long, c.Short+"."))
	commands(&b, c)
	options(&b, "OPTIONS", c.NonInheritedFlags())
	options(&b, "OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	if c.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		text(&b, c.Example)
	}
	seeAlso(&b, c)
	return b.Bytes()
}

// commands lists those below a command.
func commands(b *bytes.Buffer, c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	b.WriteString(".SH COMMANDS\n")
	for _, sub := range c.Commands() {
		if shown(sub) {
			fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s; see %s.\n", escape(sub.Name()), escape(strings.TrimSuffix(sub.Short, ".")), reference(name(sub), Section))
		}
	}
}

// options lists flags with what they are when they are not given.
func options(b *bytes.Buffer, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n")
		if f.Shorthand != "" && f.ShorthandDeprecated == "" {
			fmt.Fprintf(b, "\\fB%s\\fR, ", escape("-"+f.Shorthand))
		}
		fmt.Fprintf(b, "\\fB%s\\fR", escape("--"+f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", escape(value))
		}
		fmt.Fprintf(b, "\n%s", escape(usage))
		if !slices.Contains(unset, f.DefValue) {
			fmt.Fprintf(b, " (default %s)", escape(f.DefValue))
		}
		b.WriteString("\n")
	})
}

// unset has the defaults that say nothing.
var unset = []string{"", "false", "0", "0s", "[]"}

// seeAlso names the page of the whole, the pages beside this one, and the one of
// the system's part.
func seeAlso(b *bytes.Buffer, c *cobra.Command) {
	root := c.Root()
	names := []string{reference(root.Name(), Section)}
	for _, sub := range root.Commands() {
		if shown(sub) {
			names = append(names, reference(name(sub), Section))
		}
	}
	own := reference(name(c), Section)
	names = slices.DeleteFunc(names, func(s string) bool { return s == own })
	names = append(names, reference(root.Name(), adminSection))
	fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", strings.Join(names, ",\n"))
}

// adminSection has the page about the daemon as a part of the system.
const adminSection = 8

// reference names another page.
func reference(name string, section int) string {
	return fmt.Sprintf("\\fB%s\\fR(%d)", escape(name), section)
}

// text writes paragraphs; lines that are indented stand as they are.
func text(b *bytes.Buffer, s string) {
	literal := false
	blank := false
	for i, line := range strings.Split(strings.Trim(s, "\n"), "\n") {
		if strings.TrimSpace(line) == "" {
			blank = true
			continue
		}
		indented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		switch {
		case indented && !literal:
			b.WriteString(".PP\n.RS 4\n.nf\n")
		case !indented && literal:
			b.WriteString(".fi\n.RE\n.PP\n")
		case blank && indented:
			b.WriteString("\n")
		case blank || i == 0:
			b.WriteString(".PP\n")
		}
		literal, blank = indented, false
		if indented {
			line = strings.TrimPrefix(line, "  ")
		}
		b.WriteString(escape(line) + "\n")
	}
	if literal {
		b.WriteString(".fi\n.RE\n")
	}
}

// escape makes a line of text stand for itself.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, `^`, `\(ha`, `~`, `\(ti`, "`", `\(ga`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quote makes one argument of a request of it.
func quote(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, `\(dq`) + `"` }

// shown reports whether a command has a page: what is hidden has none, and help has
// nothing to say that the pages do not.
func shown(c *cobra.Command) bool { return c.IsAvailableCommand() && c.Name() != "help" }
