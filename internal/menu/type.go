package menu

import (
	"cmp"
	"strings"
)

// A Type is what values a property or argument may have.
type Type interface {
	// Parse gives the canonical form of what was written for the property name.
	Parse(name, text string, refs Resolver) (string, error)
	// Text is a canonical value in the console's words.
	Text(canonical string) string
	// Compare orders two canonical values.
	Compare(a, b string) int
}

// A Resolver finds rows of other menus for types that refer to them.
type Resolver interface {
	// Resolve finds the row of the menu at path that text names: exactly or else
	// as the beginning of one name only.
	Resolve(path, text string) (id ID, ok, ambiguous bool)
}

// plain is the behaviour of a type whose values print as they are and compare
// as text.
type plain struct{}

func (plain) Text(s string) string    { return s }
func (plain) Compare(a, b string) int { return cmp.Compare(a, b) }

// The canonical values of Bool.
const (
	True  = "true"
	False = "false"
)

// Bool is yes or no.
type Bool struct{ plain }

// Parse accepts yes, no, true and false and what begins one of them.
func (Bool) Parse(name, text string, _ Resolver) (string, error) {
	switch word, _ := match(text, []string{"yes", "no", True, False}); word {
	case "yes", True:
		return True, nil
	case "no", False:
		return False, nil
	}
	return "", errMatch(name)
}

// Text gives yes or no.
func (Bool) Text(s string) string {
	if s == True {
		return "yes"
	}
	return "no"
}

// Enum is one of some words.
type Enum struct {
	plain
	Words []string
}

// Words makes an Enum.
func Words(words ...string) Enum { return Enum{Words: words} }

// Parse accepts a word or what begins one only.
func (e Enum) Parse(name, text string, _ Resolver) (string, error) {
	word, ambiguous := match(text, e.Words)
	if ambiguous {
		return "", Ambiguous(name)
	}
	if word == "" {
		return "", errMatch(name)
	}
	return word, nil
}

// List is what types of lists with commas are made of: a table has each element
// on a line of its own.
type List struct{ plain }

// list marks the types that are lists.
func (List) list() {}

// SetOf is some of some words; the canonical form has them in the order of
// Words, whatever order they were written in.
type SetOf struct {
	List
	Words []string
}

// Parse accepts a list with commas of words or what begins one only.
func (s SetOf) Parse(name, text string, _ Resolver) (string, error) {
	chosen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		word, ambiguous := match(item, s.Words)
		if ambiguous {
			return "", Ambiguous(name)
		}
		if word == "" {
			return "", errMatch(name)
		}
		chosen[word] = true
	}
	var out []string
	for _, word := range s.Words {
		if chosen[word] {
			out = append(out, word)
		}
	}
	return strings.Join(out, ","), nil
}

// Reference names a row of another menu. The canonical form is the row's id, so
// that it may be renamed; doors are given the name.
type Reference struct {
	plain
	Path string
	// Address makes an IPv4 address another possible value: the name of a pool
	// or one address.
	Address bool
	// Word is what errors call the row; empty for the property's name.
	Word string
	// None makes the word none mean that no row is referred to, for a property
	// that may be absent.
	None bool
}

// Parse accepts an exact name or what begins one only. Without a resolver the
// text stays, as expressions and the store want it.
func (r Reference) Parse(name, text string, refs Resolver) (string, error) {
	if r.Address {
		if s, err := (Address{}).Parse(name, text, nil); err == nil {
			return s, nil
		}
	}
	if r.None && text == "none" {
		return "", nil
	}
	if refs == nil {
		return text, nil
	}
	if text == "" && r.Address { // as RouterOS says it; unset takes the value away
		return "", Ambiguous(cmp.Or(r.Word, name))
	}
	if r.Word != "" {
		name = r.Word
	}
	id, ok, ambiguous := refs.Resolve(r.Path, text)
	switch {
	case ambiguous:
		return "", Ambiguous(name)
	case !ok:
		return "", errMatch(name)
	}
	return id.String(), nil
}
