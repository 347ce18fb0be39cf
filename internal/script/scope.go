package script

import (
	"maps"
	"slices"
	"sync"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// maxMemory bounds the variables of a script in octets, and those of Globals.
const maxMemory = 64 << 20

// errMemory says that variables take too much.
func errMemory() error { return menu.Errorf(menu.Refused, "variables take too much memory") }

// Globals are the variables that scripts share and that last. They are safe for
// concurrent use.
type Globals struct {
	mu   sync.Mutex
	last uint64
	vars map[string]shared
	used int
}

// A shared variable has an id and belongs to the user whose script made it.
type shared struct {
	id    uint64
	user  string
	value Value
}

// NewGlobals makes an empty set.
func NewGlobals() *Globals { return &Globals{vars: map[string]shared{}} }

func (g *Globals) get(name string) (Value, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok := g.vars[name]
	return v.value, ok
}

// set gives a variable a value; one that is not there is made for user.
func (g *Globals) set(user, name string, v Value) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	more := len(name) + v.size()
	s, there := g.vars[name]
	if there {
		more -= len(name) + s.value.size()
	}
	if g.used+more > maxMemory {
		return errMemory()
	}
	if !there {
		g.last++
		s.id, s.user = g.last, user
	}
	s.value = v
	g.used += more
	g.vars[name] = s
	return nil
}

// remove takes a variable away, and reports whether there was one.
func (g *Globals) remove(id uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, s := range g.vars {
		if s.id == id {
			g.used -= len(name) + s.value.size()
			delete(g.vars, name)
			return true
		}
	}
	return false
}

// list gives the variables by name.
func (g *Globals) list() []tree.Variable {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]tree.Variable, 0, len(g.vars))
	for _, name := range slices.Sorted(maps.Keys(g.vars)) {
		s := g.vars[name]
		out = append(out, tree.Variable{ID: s.id, Name: name, Value: s.value.String(), User: s.user})
	}
	return out
}

// A scope holds the variables between two braces. A variable that was declared
// :global is a name for the one in Globals.
type scope struct {
	parent *scope
	top    bool // of the whole script, which sees all globals
	vars   map[string]*local
	used   int
}

type local struct {
	value  Value
	global bool
}

func newScope(parent *scope, top bool) *scope { return &scope{parent: parent, top: top} }

func (s *scope) outermost() bool { return s.top }

// find gives the innermost variable with a name, or nil. open reports that
// globals are seen without a declaration.
func (s *scope) find(name string) (l *local, owner *scope, open bool) {
	for ; s != nil; s = s.parent {
		if l := s.vars[name]; l != nil {
			return l, s, false
		}
		open = s.top
	}
	return nil, nil, open
}

// lookup gives the value of a variable; one that was never set is nothing.
func (r run) lookup(name string) Value {
	l, _, open := r.scope.find(name)
	if l != nil && !l.global {
		return l.value
	}
	if l == nil && !open {
		return Value{}
	}
	v, _ := r.env.Globals.get(name)
	return v
}

// declare makes a local variable in the innermost scope.
func (r run) declare(name string, v Value) error {
	if r.scope.vars == nil {
		r.scope.vars = map[string]*local{}
	}
	l := r.scope.vars[name]
	if l == nil {
		l = &local{}
		r.scope.vars[name] = l
		r.charge(r.scope, len(name)+overhead)
	}
	l.global = false
	return r.store(l, r.scope, v)
}

// declareGlobal makes name mean the global variable.
func (r run) declareGlobal(name string) error {
	if err := r.declare(name, Value{}); err != nil {
		return err
	}
	r.scope.vars[name].global = true
	if _, ok := r.env.Globals.get(name); !ok {
		return r.env.Globals.set(r.env.User.Name, name, Value{})
	}
	return nil
}

// assign gives a variable that exists another value.
func (r run) assign(name string, v Value) error {
	l, owner, open := r.scope.find(name)
	if l != nil && !l.global {
		return r.store(l, owner, v)
	}
	if l == nil {
		if _, ok := r.env.Globals.get(name); !ok || !open {
			return menu.Errorf(menu.BadArgument, "no such variable %s", name)
		}
	}
	return r.env.Globals.set(r.env.User.Name, name, v)
}

// store puts a value into a local variable.
func (r run) store(l *local, owner *scope, v Value) error {
	more := v.size() - l.value.size()
	if r.used+more > maxMemory {
		return errMemory()
	}
	r.charge(owner, more)
	l.value = v
	return nil
}

func (r run) charge(s *scope, n int) {
	s.used += n
	r.used += n
}

// leave gives back what the innermost scope used.
func (r run) leave() { r.used -= r.scope.used }
