package console

import (
	"context"
	"fmt"
	"io"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/progress"
	"gopptp/internal/script"
	"gopptp/internal/tree"
)

// A Session is one person at a console, or one program. It is not safe for
// concurrent use.
type Session struct {
	Width int          // of the terminal in characters; 0 if there is none
	Pager script.Pager // holds back what print shows; the zero value for nothing

	tree    *tree.Tree
	user    tree.User
	at      *menu.Menu              // where commands are looked for
	numbers map[*menu.Menu][]string // ids by their number in the last print of the menu
	globals *script.Globals

	person   *script.Person // who types; nil for nobody
	safeMode *tree.SafeMode // nil if the session never had it
}

// NewSession makes a session at the root of the tree.
func NewSession(t *tree.Tree, u tree.User) *Session {
	return &Session{tree: t, user: u, at: t.Root(), numbers: map[*menu.Menu][]string{}, globals: script.GlobalsOf(t)}
}

// Prompt gives what to write before the next line is read.
func (s *Session) Prompt() string {
	path := s.at.Path()
	if path == "/" {
		path = ""
	}
	mark := ""
	if s.safe() {
		mark = "<SAFE> "
	}
	return fmt.Sprintf("[%s@%s] %s%s> ", s.user.Name, menu.Clean(s.tree.Identity()), mark, path)
}

// Run carries out the commands of a line or of a script, one after the other, up
// to the first that fails. What they print goes to out. How far a script is is told to
// who is to be told by ctx.
func (s *Session) Run(ctx context.Context, line string, out io.Writer) error {
	var trace func(int, string)
	if lines := strings.Count(line, "\n"); lines > 1 {
		if tell := progress.Of(ctx); tell != nil {
			trace = func(n int, _ string) { tell(progress.Step{What: "script", Unit: "lines", Done: n - 1, Total: lines}) }
		}
	}
	return script.Run(ctx, script.Env{
		Trace: trace,
		Tree:  s.tree, User: s.user, Out: out, Globals: s.globals, At: s.at,
		Enter:   func(m *menu.Menu) { s.at = m },
		Numbers: s.numbers, Width: s.Width, Pager: s.Pager, Person: s.person,
	}, line)
}

// Complete gives what the word that ends at pos of a line may become, and where
// it starts.
func (s *Session) Complete(line string, pos int) ([]menu.Completion, int) {
	return menu.Complete(line, pos, s.tree.Root(), s.at, s.names)
}

// HelpAt gives what can stand at pos of a line.
func (s *Session) HelpAt(line string, pos int) []menu.Completion {
	return menu.HelpAt(line, pos, s.tree.Root(), s.at, s.names)
}

// names gives the names of the items of a menu, as far as the user may see them.
func (s *Session) names(path string) []string {
	m := s.tree.Root().At(path)
	if m == nil || m.NameKey == "" || m.Command("print") == nil {
		return nil
	}
	var names []string
	q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
	_, err := s.tree.Execute(context.Background(), s.user, q, func(rows []*menu.Row) error {
		for _, r := range rows {
			names = append(names, r.Get(m.NameKey))
		}
		return nil
	})
	if err != nil {
		return nil // one who may not read sees no names
	}
	return names
}
