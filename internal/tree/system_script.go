package tree

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// scriptPolicies are the policies that a script can have, in RouterOS's order.
var scriptPolicies = policyList{menu.SetOf{Words: []string{
	"ftp", "reboot", "read", "write", "policy", "test", "password", "sniff", "sensitive", "romon",
}}}

// A policyList is a list of policies that may be empty.
type policyList struct{ menu.SetOf }

// Parse accepts what SetOf does, and nothing.
func (p policyList) Parse(name, text string, refs menu.Resolver) (string, error) {
	if text == "" {
		return "", nil
	}
	return p.SetOf.Parse(name, text, refs)
}

// runs is how often a script ran since the program started, and when last.
type runs struct {
	count int
	last  time.Time
}

// scriptRuns counts the runs of the scripts.
type scriptRuns struct {
	mu   sync.Mutex
	runs map[menu.ID]runs
}

// newScripts declares /system/script.
func (t *Tree) newScripts() *table {
	ran := &t.ran
	ran.runs = map[menu.ID]runs{}
	b := &table{
		menu: &menu.Menu{
			Name: "script", Help: "Scripts", NameKey: "name", Noun: "script", Layout: menu.Detail,
			Flags: []menu.Flag{{Letter: 'I', Name: "invalid", Property: "invalid"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Min: 1, Max: maxName, Line: true}, Help: "Name of the script"},
				{Name: "owner", Type: userName, Optional: true, Help: "User who made the script"},
				{Name: "policy", Type: scriptPolicies, Default: strings.Join(scriptPolicies.Words, ","), Help: "Policies that the script has when it runs"},
				{Name: "dont-require-permissions", Type: menu.Bool{}, Default: menu.False, Help: "Whether users run the script who have not all of its policies"},
				readOnly("last-started", menu.DateTime{}, "When the script was started last, since the system was"),
				readOnly("run-count", counter, "How often the script was started since the system was"),
				{Name: "source", Type: script, Help: "The script"},
				comment,
				{Name: "invalid", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the script cannot be understood"},
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(),
				menu.Reset(false), menu.Run(), menu.Set(false),
			},
		},
		clash: "failure: script with the same name already exists",
		auto:  "script",
		key:   func(r *menu.Row) string { return r.Get("name") },
		put:   keepOnly,
		drop: func(id menu.ID) {
			ran.mu.Lock()
			defer ran.mu.Unlock()
			delete(ran.runs, id)
		},
		// A script acts with its policies, so that nobody may write one that may do
		// more than its writer.
		prepare: func(u User, old, r *menu.Row) error {
			for _, row := range []*menu.Row{old, r} {
				if row != nil && !u.May(policiesOf(row)) {
					return menu.Errorf(menu.Forbidden, "not enough permissions (9)")
				}
			}
			if _, owned := r.Lookup("owner"); !owned {
				r.Put("owner", u.Name)
			}
			return nil
		},
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		ran.mu.Lock()
		defer ran.mu.Unlock()
		for _, r := range rows {
			_, err := menu.Parse(r.Get("source"), t.root, t.root)
			r.PutBool("invalid", err != nil)
			n := ran.runs[r.ID]
			r.Put("run-count", strconv.Itoa(n.count))
			if n.count > 0 {
				r.Put("last-started", menu.FormatDateTime(n.last))
			}
		}
		return rows
	}
	return b
}

// policiesOf gives what a script may do.
func policiesOf(r *menu.Row) menu.Policy {
	return login.Operations(strings.Split(r.Get("policy"), ","))
}

// Alone gives the user as they are now, for a script that goes on when they leave.
func (t *Tree) Alone(u User) (User, error) {
	u, err := t.present(u)
	u.session = 0
	return u, err
}

// started counts a run.
func (s *scriptRuns) started(id menu.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.runs[id]
	n.count++
	n.last = time.Now()
	s.runs[id] = n
}

// runScripts runs scripts, one after the other, with their policies.
func (t *Tree) runScripts(ctx context.Context, u User, b binding, items []string) error {
	if t.interpret == nil {
		return errNoScripts()
	}
	for _, item := range items {
		r, err := b.item(item)
		if err != nil {
			return err
		}
		as := User{Name: u.Name, Policies: policiesOf(r), via: u.via, from: u.from}.Running(r.Get("name"))
		if !r.Is("dont-require-permissions") && !u.May(as.Policies) {
			return menu.Errorf(menu.Forbidden, "not enough permissions (9)")
		}
		t.ran.started(r.ID)
		if err := t.interpret.Run(ctx, as, Script{Name: r.Get("name"), Source: r.Get("source")}); err != nil {
			return err
		}
	}
	return nil
}
