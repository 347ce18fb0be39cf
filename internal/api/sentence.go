package api

import "strings"

// A sentence is what a client sent, taken apart.
type sentence struct {
	command    string // /ppp/secret/print
	attributes []attribute
	queries    []string
	tag        string
	tagged     bool
	size       int // octets of memory, for what is waiting
}

// An attribute is a word =name=value.
type attribute struct {
	name, value string
}

const (
	// wordCost is what a word takes in memory beside its octets.
	wordCost = 32
	// commandCost is what a command takes that waits, beside its words.
	commandCost = 512
)

// parse takes the words of a sentence apart. It is false for a word of no known
// kind; the sentence's tag holds all the same, for the answer to carry.
func parse(words []string) (s sentence, ok bool) {
	ok = true
	s.command, s.size = words[0], commandCost
	for i, word := range words {
		s.size += len(word) + wordCost
		if i == 0 {
			continue
		}
		switch word[0] { // no word is empty: that would be the end of the sentence
		case '=':
			name, value, _ := strings.Cut(word[1:], "=")
			s.attributes = append(s.attributes, attribute{name, value})
		case '?':
			s.queries = append(s.queries, word)
		case '.':
			// Other attributes of the protocol than the tag are for others.
			if tag, is := strings.CutPrefix(word, ".tag="); is {
				s.tag, s.tagged = tag, true
			}
		default:
			ok = false
		}
	}
	return s, ok
}

// attribute gives the last value of an attribute.
func (s *sentence) attribute(name string) (value string, given bool) {
	for _, a := range s.attributes {
		if a.name == name {
			value, given = a.value, true
		}
	}
	return value, given
}
