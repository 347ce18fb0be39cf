package manual

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func example() *cobra.Command {
	root := &cobra.Command{
		Use: "tool", Short: "A tool", Version: "1",
		Long: "A tool that\nworks.\n\n.It is not 'quoted' \\ and has\n\n  an example\n\n  of two lines\n\nand an end.",
	}
	run := &cobra.Command{Use: "run [flags] FILE", Short: "Run a FILE", Example: "  tool run --all x", Run: func(*cobra.Command, []string) {}}
	run.Flags().StringP("out", "o", "/tmp/a-b", "where to write the `file`")
	run.Flags().Bool("all", false, "take all")
	run.Flags().Bool("secret", false, "not shown")
	if err := run.Flags().MarkHidden("secret"); err != nil {
		panic(err)
	}
	root.AddCommand(run, &cobra.Command{Use: "inner", Hidden: true, Run: func(*cobra.Command, []string) {}})
	return root
}

func TestPages(t *testing.T) {
	pages := Pages(example(), "v1-2", time.Date(2026, 5, 4, 23, 0, 0, 0, time.UTC))
	if len(pages) != 2 || pages[0].Name != "tool.1" || pages[1].Name != "tool-run.1" {
		t.Fatalf("pages %v", pages)
	}
	if got, want := string(pages[0].Text), `.TH "TOOL" 1 "2026\-05\-04" "tool v1\-2" "User Commands"
.SH NAME
tool \- A tool
.SH SYNOPSIS
.nf
\fBtool\fR \fIcommand\fR
.fi
.SH DESCRIPTION
.PP
A tool that
works.
.PP
\&.It is not \(aqquoted\(aq \e and has
.PP
.RS 4
.nf
an example

of two lines
.fi
.RE
.PP
and an end.
.SH COMMANDS
.TP
\fBrun\fR
Run a FILE; see \fBtool\-run\fR(1).
.SH SEE ALSO
\fBtool\-run\fR(1),
\fBtool\fR(8)
`; got != want {
		t.Errorf("the page of the program:\n%s\nwant\n%s", got, want)
	}
	if got, want := string(pages[1].Text), `.TH "TOOL\-RUN" 1 "2026\-05\-04" "tool v1\-2" "User Commands"
.SH NAME
tool\-run \- Run a FILE
.SH SYNOPSIS
.nf
\fBtool run\fR [flags] FILE
.fi
.SH DESCRIPTION
.PP
Run a FILE.
.SH OPTIONS
.TP
\fB\-\-all\fR
take all
.TP
\fB\-o\fR, \fB\-\-out\fR \fIfile\fR
where to write the file (default /tmp/a\-b)
.SH EXAMPLES
.PP
.RS 4
.nf
tool run \-\-all x
.fi
.RE
.SH SEE ALSO
\fBtool\fR(1),
\fBtool\fR(8)
`; got != want {
		t.Errorf("the page of a command:\n%s\nwant\n%s", got, want)
	}
}

// TestFormatters: a formatter takes the pages without a word.
func TestFormatters(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skipf("%v; make setup installs it", err)
	}
	for _, p := range Pages(example(), "1", time.Now()) {
		cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
		cmd.Stdin = strings.NewReader(string(p.Text))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", p.Name, err, out)
		}
	}
}
