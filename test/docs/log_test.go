package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// outside are texts of lines of the log that do not come from this program but from the
// kernel or the libraries below it.
var outside = []string{
	"i/o timeout", "connection refused", "no such file or directory", "address already in use",
	"operation not permitted", "operation not supported", "network is unreachable", "no such host", "no route to host",
	"dial tcp4", "dial tcp4 .+", "lookup .+", "listen tcp4? .+", "listen ip4:47 0.0.0.0", "open /[a-z/.]+", "read-only file system", "permission denied",
}

// A source is the texts of the program.
type source struct {
	lines    []*regexp.Regexp // whole entries of the log, their topics before them
	segments []*regexp.Regexp // parts of texts, between colons and dashes
}

// verb is a verb of package fmt.
var verb = regexp.MustCompile(`%[-+# 0-9.*]*[a-zA-Z]`)

// pattern is a format as an expression for what it makes.
func pattern(format string) string {
	var out strings.Builder
	for {
		at := verb.FindStringIndex(format)
		if at == nil {
			return out.String() + regexp.QuoteMeta(strings.ReplaceAll(format, "%%", "%"))
		}
		out.WriteString(regexp.QuoteMeta(format[:at[0]]) + ".*")
		format = format[at[1]:]
	}
}

// separator divides texts into segments.
var separator = regexp.MustCompile(`: | - |; `)

// words reports whether a format says enough by itself to tell anything by it.
func words(format string) bool {
	letters := 0
	for _, r := range verb.ReplaceAllString(format, "") {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters >= 5
}

// sources reads the program.
func sources(t *testing.T) source {
	t.Helper()
	var s source
	files := 0
	var called []*ast.CallExpr
	constants := map[string]string{}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "test" || d.Name() == ".git" || d.Name() == "bench"):
			return fs.SkipDir
		case d.IsDir(), filepath.Ext(path) != ".go", strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit, *ast.BinaryExpr:
				for _, segment := range separator.Split(joined(n.(ast.Expr)), -1) {
					if words(segment) {
						s.segments = append(s.segments, regexp.MustCompile("^"+pattern(segment)+"$"))
					}
				}
			case *ast.CallExpr:
				called = append(called, n)
			case *ast.ValueSpec:
				for i, value := range n.Values {
					if text, ok := literal(value); ok {
						constants[n.Names[i].Name] = text
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range called {
		if line := entry(call, constants); line != "" {
			s.lines = append(s.lines, regexp.MustCompile("^"+pattern(line)+"$"))
		}
	}
	if files < 100 || len(s.lines) < 50 {
		t.Fatalf("only %d files with %d entries of the log: the test is blind", files, len(s.lines))
	}
	return s
}

// literal gives the text of a literal string.
func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// joined gives the text of a literal, or of a sum with literals in it, where what is
// known only when the program runs is a verb.
func joined(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := literal(e)
		return text
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return joined(e.X) + joined(e.Y)
		}
	}
	return "%v"
}

// entry gives the format of an entry that a call writes to the log, with its topics
// before it; nothing for other calls. Sessions and clients put their names before
// theirs. A format may be a constant.
func entry(call *ast.CallExpr, constants map[string]string) string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	texts := make([]string, len(call.Args))
	for i, arg := range call.Args {
		texts[i], _ = literal(arg)
		if name, ok := arg.(*ast.Ident); ok {
			texts[i] = constants[name.Name]
		}
	}
	switch {
	case method.Sel.Name == "Addf" && len(texts) >= 2 && texts[0] != "" && texts[1] != "":
		return texts[0] + " " + texts[1]
	case (method.Sel.Name == "info" || method.Sel.Name == "say") && len(texts) >= 1 && words(texts[0]):
		return "pptp,ppp,info %s: " + texts[0]
	}
	return ""
}

// TestLogLines: the lines in the blocks marked "log" are what the program writes.
func TestLogLines(t *testing.T) {
	s := sources(t)
	seen := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "log" {
				continue
			}
			for i, line := range b.lines {
				seen++
				if wrong := s.foreign(line); wrong != "" {
					t.Errorf("%s, line %d: %s", p.name, b.line+i+1, wrong)
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d lines of the log were seen: the test is blind", seen)
	}
	for _, line := range []string{
		"pptp,ppp,info <pptp-ann>: terminating... - no such reason",
		"pptp,ppp,error <17>: user ann gets no address: pool is full of holes",
		"pptp,ppp,info <pptp-ann>: conected",
		"pptp,info TCP connection lost from 192.0.2.7",
	} {
		if s.foreign(line) == "" {
			t.Errorf("%q is taken for a line of the log", line)
		}
	}
}

// foreign says what of a line is not the program's. What the program prints rather than
// logs begins with its name.
func (s source) foreign(line string) string {
	message, printed := strings.CutPrefix(line, "gopptp: ")
	if !printed {
		known := false
		for _, l := range s.lines {
			known = known || l.MatchString(line)
		}
		if !known {
			return "no entry of the log is as " + strconv.Quote(line)
		}
		_, message, _ = strings.Cut(line, " ")
	}
	for _, segment := range separator.Split(message, -1) {
		if !strings.Contains(strings.TrimSpace(segment), " ") {
			continue // a name, or part of an address
		}
		if !s.says(segment) {
			return "nothing in the program says " + strconv.Quote(segment)
		}
	}
	return ""
}

// says reports whether a text is one of the program's, or of what is below it.
func (s source) says(segment string) bool {
	for _, known := range s.segments {
		if known.MatchString(segment) {
			return true
		}
	}
	for _, known := range outside {
		if regexp.MustCompile("^" + known + "$").MatchString(segment) {
			return true
		}
	}
	return false
}
