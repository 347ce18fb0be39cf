package query

import (
	"slices"
	"strings"

	"gopptp/internal/menu"
)

// A stack of truths has no bottom: below what was pushed everything is true. It
// has room for a push by each step, so that a row costs no allocation.
type stack struct {
	truths [maxSteps]bool
	depth  int
}

func (s *stack) push(b bool) {
	s.truths[s.depth] = b
	s.depth++
}

// at gives the truth at an index; the top has the index 0.
func (s *stack) at(index int) bool {
	return index >= s.depth || s.truths[s.depth-1-index]
}

func (s *stack) pop() bool {
	top := s.at(0)
	s.depth = max(s.depth-1, 0)
	return top
}

// holds reports whether no false is left.
func (s *stack) holds() bool { return !slices.Contains(s.truths[:s.depth], false) }

// An op is what a step does.
type op uint8

// The ops, with the character that asks for them.
const (
	push   op = iota // what a test finds
	not              // !
	and              // &
	or               // |
	double           // .
	copied           // an index before another character
	only             // an index at the end of the word
)

// run carries out a step for a row.
func (s *stack) run(p *step, r *menu.Row) {
	switch p.op {
	case push:
		s.push(p.test.holds(r))
	case not:
		s.push(!s.pop())
	case and:
		a, b := s.pop(), s.pop()
		s.push(a && b)
	case or:
		a, b := s.pop(), s.pop()
		s.push(a || b)
	case double:
		s.push(s.at(0))
	case copied:
		s.push(s.at(p.index))
	case only:
		b := s.at(p.index)
		s.depth = 0
		s.push(b)
	}
}

// opOf are the ops that a character asks for.
var opOf = map[byte]op{'!': not, '&': and, '|': or, '.': double}

// operations reads the word after #, from left to right: ! negates the top, &
// and | replace the two uppermost by what they make of them. An index followed by
// a character pushes a copy of what it points to, and at the end of the word
// makes that the only truth. A dot after an index only ends it; after anything
// else it pushes a copy of the top.
func operations(ops string) ([]step, error) {
	var steps []step
	for ops != "" {
		if rest := strings.TrimLeft(ops, "0123456789"); rest != ops {
			i := index(ops[:len(ops)-len(rest)])
			if rest == "" {
				return append(steps, step{op: only, index: i}), nil
			}
			steps = append(steps, step{op: copied, index: i})
			ops = strings.TrimPrefix(rest, ".")
		} else {
			o, ok := opOf[ops[0]]
			if !ok {
				return nil, errInvalid()
			}
			steps = append(steps, step{op: o})
			ops = ops[1:]
		}
		if len(steps) > maxSteps {
			break // Compile says so
		}
	}
	return steps, nil
}

// index reads digits. No stack is deeper than maxSteps, and all is true below.
func index(digits string) int {
	n := 0
	for _, c := range []byte(digits) {
		n = min(10*n+int(c-'0'), maxSteps)
	}
	return n
}
