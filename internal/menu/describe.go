package menu

import (
	"fmt"
	"strconv"
	"strings"
)

// A Describer is a type that can say in words what its values are, for the
// reference. All types of this package can.
type Describer interface{ Describe() string }

// Describe says what a value may be.
func (Bool) Describe() string { return "yes or no" }

// Describe says what a value may be.
func (e Enum) Describe() string {
	if len(e.Words) == 0 {
		return "word"
	}
	return "one of " + strings.Join(e.Words, ", ")
}

// Describe says what a value may be.
func (s SetOf) Describe() string { return "list of " + strings.Join(s.Words, ", ") }

// Describe says what a value may be.
func (r Reference) Describe() string {
	if r.Address {
		return "IPv4 address, or name of an item of " + r.Path
	}
	return "name of an item of " + r.Path
}

// Describe says what a value may be.
func (t String) Describe() string {
	most := t.Max
	if most == 0 {
		most = MaxText
	}
	s := fmt.Sprintf("text of at most %d octets", most)
	if t.Min > 0 {
		s = fmt.Sprintf("text of %d to %d octets", t.Min, most)
	}
	if t.Line {
		s += ", without control characters"
	}
	return s
}

// Describe says what a value may be.
func (FileName) Describe() string { return "name of a file" }

// or adds the word that may stand in a number's place.
func (t Int) or(s string) string {
	if t.Word != "" {
		s += ", or " + t.Word
	}
	return s
}

// Describe says what a value may be.
func (t Int) Describe() string {
	return t.or("number from " + strconv.FormatUint(t.Min, 10) + " to " + strconv.FormatUint(t.Max, 10))
}

// Describe says what a value may be.
func (t Seconds) Describe() string {
	return t.or("time of " + strconv.FormatUint(t.Min, 10) + " to " + strconv.FormatUint(t.Max, 10) + " seconds")
}

// Describe says what a value may be.
func (t Time) Describe() string {
	switch {
	case t.Max != 0:
		return "time from " + FormatTime(t.Min) + " to " + FormatTime(t.Max)
	case t.Min != 0:
		return "time of at least " + FormatTime(t.Min)
	}
	return "time"
}

// Describe says what a value may be.
func (DateTime) Describe() string { return "date and time" }

// Describe says what a value may be.
func (Address) Describe() string { return "IPv4 address" }

// Describe says what a value may be.
func (t Addresses) Describe() string { return fmt.Sprintf("list of at most %d IPv4 addresses", t.Max) }

// Describe says what a value may be.
func (Prefix6) Describe() string { return "IPv6 prefix" }

// Describe says what a value may be.
func (Host) Describe() string { return "IPv4 address or DNS name" }
