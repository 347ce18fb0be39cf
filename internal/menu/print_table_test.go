package menu

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tableMenu has a property of each kind that a table treats in its own way.
func tableMenu() *Menu {
	return (&Menu{
		Name: "thing", Layout: Table,
		Flags: []Flag{
			{Letter: 'D', Name: "dynamic", Property: "dynamic"}, {Letter: 'X', Name: "disabled", Property: "disabled"},
			{Letter: 'R', Name: "running", Property: "running", Or: true},
		},
		Columns: []Column{
			{Property: "name"}, {Property: "actual-mtu"}, {Property: "uptime", Cut: true}, {Property: "rx-byte"},
			{Property: "topics"}, {Property: "servers"}, {Property: "default-route-distance"}, {Property: "empty"},
		},
		Properties: []Property{
			{Name: "name", Type: String{}},
			{Name: "actual-mtu", Type: Int{Max: 65535}, Optional: true},
			{Name: "uptime", Type: Time{}, Optional: true, ReadOnly: true},
			{Name: "rx-byte", Type: Int{Max: 1<<64 - 1}, Optional: true, ReadOnly: true, Stat: true},
			{Name: "topics", Type: SetOf{Words: []string{"ppp", "pptp", "debug"}}, Optional: true},
			{Name: "servers", Type: Addresses{Max: 3}, Optional: true},
			{Name: "default-route-distance", Type: Int{Max: 255}, Optional: true},
			{Name: "empty", Type: String{}, Optional: true},
			{Name: Comment, Type: CommentText},
			{Name: "dynamic", Type: Bool{}, Default: False, ReadOnly: true},
			{Name: "disabled", Type: Bool{}, Default: False},
			{Name: "running", Type: Bool{}, Default: False, ReadOnly: true},
		},
	}).Standalone()
}

// things makes rows of assignments, name=value with blanks between.
func things(m *Menu, rows ...string) []*Row {
	var out []*Row
	for i, text := range rows {
		r := m.Defaults(ID(i + 1))
		for word := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(word, "=")
			r.Put(name, strings.ReplaceAll(value, "_", " "))
		}
		out = append(out, r)
	}
	return out
}

// tableAt prints rows on a terminal of the width, 0 for none, with a bar at the
// end of each line.
func tableAt(t *testing.T, width int, rows []*Row) string {
	t.Helper()
	var b bytes.Buffer
	if err := (Printer{Width: width}).Print(&b, tableMenu(), rows); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\n", "|\n")
}

// TestTableRules holds the table to the rules that were recovered from samples of
// RouterOS, each on a terminal of 80 columns and without one.
func TestTableRules(t *testing.T) {
	m := tableMenu()
	var ten []string
	for range 11 {
		ten = append(ten, "name=x")
	}
	for _, tt := range []struct {
		name   string
		rows   []*Row
		at80   string
		noTerm string // empty for the same
	}{
		{
			name: "1: only flags that occur, groups by semicolons, what excludes another by commas",
			rows: things(m, "name=a disabled=true", "name=b running=true", "name=c"),
			at80: `
Flags: X - disabled, R - running|
Columns: NAME|
#      NAME|
0  X   a   |
1   R  b   |
2      c   |
`,
		},
		{
			name: "1: a comma only after the letter that is excluded",
			rows: things(m, "name=a dynamic=true running=true"),
			at80: `
Flags: D - dynamic; R - running|
Columns: NAME|
#      NAME|
0  DR  a   |
`,
		},
		{
			name: "1: no flags, no line",
			rows: things(m, "name=a"),
			at80: `
Columns: NAME|
#  NAME|
0  a   |
`,
		},
		{
			name: "2: numbers to the right, # above the last digit",
			rows: things(m, ten...),
			at80: `
Columns: NAME|
 #  NAME|
 0  x   |
 1  x   |
 2  x   |
 3  x   |
 4  x   |
 5  x   |
 6  x   |
 7  x   |
 8  x   |
 9  x   |
10  x   |
`,
		},
		{
			name: "3: text to the left, numbers to the right, as wide as the widest",
			rows: things(m, "name=longer-than-it actual-mtu=1450", "name=b actual-mtu=512"),
			at80: `
Columns: NAME, ACTUAL-MTU|
#  NAME            ACTUAL-MTU|
0  longer-than-it        1450|
1  b                      512|
`,
		},
		{
			name: "3: counters in groups of three digits",
			rows: things(m, "name=a rx-byte=1296625", "name=b rx-byte=999", "name=c rx-byte=1000"),
			at80: `
Columns: NAME, RX-BYTE|
#  NAME    RX-BYTE|
0  a     1 296 625|
1  b           999|
2  c         1 000|
`,
		},
		{
			name: "4: a short column cuts its header, and the line of columns does not",
			rows: things(m, "name=a uptime=44m8s"),
			at80: `
Columns: NAME, UPTIME|
#  NAME  UPTIM|
0  a     44m8s|
`,
		},
		{
			name: "4: too wide: headers are cut to the data, and what is cut off is in small letters",
			rows: things(m, "name="+strings.Repeat("n", 52)+" actual-mtu=1450 default-route-distance=1"),
			at80: `
Columns: NAME, ACTUal-mtu, Default-route-distance|
#  NAME                                                  ACTU  D|
0  ` + strings.Repeat("n", 52) + `  1450  1|
`,
			noTerm: `
Columns: NAME, ACTUAL-MTU, DEFAULT-ROUTE-DISTANCE|
#  NAME                                                  ACTUAL-MTU  DEFAULT-ROUTE-DISTANCE|
0  ` + strings.Repeat("n", 52) + `        1450                       1|
`,
		},
		{
			name: "4: still too wide: the last columns are left out",
			rows: things(m, "name="+strings.Repeat("n", 72)+" actual-mtu=1450 uptime=1w"),
			at80: `
Columns: NAME|
#  NAME                                                                    |
0  ` + strings.Repeat("n", 72) + `|
`,
			noTerm: `
Columns: NAME, ACTUAL-MTU, UPTIME|
#  NAME                                                                      ACTUAL-MTU  UP|
0  ` + strings.Repeat("n", 72) + `        1450  1w|
`,
		},
		{
			name: "5: one element of a list a line, other cells blank",
			rows: things(m, "name=a topics=ppp,pptp,debug servers=10.0.0.1,10.0.0.2 disabled=true default-route-distance=1", "name=b"),
			at80: `
Flags: X - disabled|
Columns: NAME, TOPICS, SERVERS, DEFAULT-ROUTE-DISTANCE|
#     NAME  TOPICS  SERVERS   DEFAULT-ROUTE-DISTANCE|
0  X  a     ppp     10.0.0.1                       1|
            pptp    10.0.0.2                        |
            debug                                   |
1     b                                             |
`,
		},
		{
			name: "6: a comment on a line of its own before the row",
			rows: things(m, "name=a", "name=b comment=the_second", "name=c"),
			at80: `
Columns: NAME|
#  NAME|
0  a   |
;;; the second|
1  b   |
2  c   |
`,
		},
		{name: "no rows, no table", at80: "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.noTerm == "" {
				tt.noTerm = tt.at80
			}
			if diff := cmp.Diff(tt.at80, "\n"+tableAt(t, 80, tt.rows)); diff != "" {
				t.Errorf("80 columns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.noTerm, "\n"+tableAt(t, 0, tt.rows)); diff != "" {
				t.Errorf("no terminal (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTableKeepsNamedColumns checks that columns the reader asked for stay,
// however narrow the terminal is.
func TestTableKeepsNamedColumns(t *testing.T) {
	m := tableMenu()
	rows := things(m, "name="+strings.Repeat("n", 72)+" actual-mtu=1450 uptime=1w")
	var b bytes.Buffer
	if err := (Printer{Width: 80, Proplist: []string{"uptime", "name", "actual-mtu"}}).Print(&b, m, rows); err != nil {
		t.Fatal(err)
	}
	if want := "Columns: UPtime, NAME, ACTUal-mtu\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("%s", &b)
	}
}

// TestTableNeverWiderThanTerminal prints at every width in which the first column
// has room.
func TestTableNeverWiderThanTerminal(t *testing.T) {
	m := tableMenu()
	rows := things(m, "name=office actual-mtu=1450 uptime=1w2d rx-byte=123456789 topics=ppp,debug servers=10.0.0.1 disabled=true")
	for width := 16; width < 100; width++ {
		for i, line := range strings.Split(tableAt(t, width, rows), "\n") {
			if i > 1 && len(line) > width+len("|") {
				t.Errorf("width %d, line %d is %q", width, i, line)
			}
		}
	}
}

// TestSheet checks that later rows stand under the columns of earlier ones with
// their own numbers, and that headers are repeated only when columns change.
func TestSheet(t *testing.T) {
	m := tableMenu()
	rows := things(m, "name=first", "name=2", "name=a-name-that-is-longer")
	sheet := &Sheet{Rows: rows[:2], Numbers: map[ID]int{1: 0, 2: 1, 3: 2}}
	p := Printer{Sheet: sheet, Width: 80}
	var b bytes.Buffer
	print := func(rows ...*Row) {
		if err := p.Print(&b, m, rows); err != nil {
			t.Fatal(err)
		}
	}
	print(rows[:2]...)
	print(rows[1])
	sheet.Rows = rows
	print(rows[2])
	print(rows[0])
	want := `Columns: NAME
#  NAME 
0  first
1  2    
1  2    
Columns: NAME
#  NAME                  
2  a-name-that-is-longer
0  first                
`
	want = strings.Replace(want, "#  NAME                  \n", "#  NAME                 \n", 1)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkTable prints a thousand rows.
func BenchmarkTable(b *testing.B) {
	m := tableMenu()
	var rows []*Row
	for range 1000 {
		rows = append(rows, things(m, "name=office actual-mtu=1450 rx-byte=123456789 topics=ppp,debug servers=10.0.0.1")...)
	}
	p := Printer{Width: 80}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Print(io.Discard, m, rows); err != nil {
			b.Fatal(err)
		}
	}
}
