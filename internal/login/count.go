package login

import (
	"errors"
	"maps"
	"slices"
)

// An Outcome is what became of an attempt to come in.
type Outcome uint8

// The outcomes.
const (
	Admitted  Outcome = iota
	Denied            // a wrong name, password, key, place or door
	Throttled         // not even looked at: too many attempts from there have failed
	NumOutcomes
)

// String gives the outcome's name.
func (o Outcome) String() string { return [NumOutcomes]string{"admitted", "denied", "throttled"}[o] }

// Doors gives all doors, by name.
func Doors() []Door { return slices.Sorted(maps.Keys(doorPolicy)) }

// Count is how many attempts at a door had an outcome. Those for whom the kernel
// vouches are no attempts.
func (g *Gate) Count(d Door, o Outcome) uint64 {
	n := g.counts[d]
	if n == nil {
		return 0
	}
	return n[o].Load()
}

// count notes an attempt; one that its client gave up has no outcome.
func (g *Gate) count(d Door, o Outcome, err error) {
	switch {
	case err == nil:
		o = Admitted
	case !errors.Is(err, ErrDenied):
		return
	}
	if n := g.counts[d]; n != nil {
		n[o].Add(1)
	}
}
