package ppp

import (
	"errors"
	"iter"
)

// ErrOption means that an option's Length field does not fit the list.
var ErrOption = errors.New("ppp: bad option length")

// optionHeaderLen is Type and Length.
const optionHeaderLen = 2

// MaxOptionLen bounds an option's data: its Length field has 8 bits and counts
// the header too.
const MaxOptionLen = 255 - optionHeaderLen

// An Option is one configuration option (RFC 1661, section 6), whatever its
// type: only the layer above knows what to refuse.
type Option struct {
	Type uint8
	Data []byte
}

// Parse reads the first option of b and returns what follows. o.Data is a slice
// of b. On error o is left alone.
func (o *Option) Parse(b []byte) (rest []byte, err error) {
	if len(b) < optionHeaderLen {
		return nil, ErrShort
	}
	n := int(b[1])
	if n < optionHeaderLen || n > len(b) {
		return nil, ErrOption
	}
	*o = Option{Type: b[0], Data: b[optionHeaderLen:n:n]}
	return b[n:], nil
}

// Append appends the option's wire form to b; data beyond MaxOptionLen is cut.
func (o Option) Append(b []byte) []byte {
	data := o.Data[:min(len(o.Data), MaxOptionLen)]
	b = append(b, o.Type, byte(optionHeaderLen+len(data)))
	return append(b, data...)
}

// Len is the number of octets that Append appends.
func (o Option) Len() int { return optionHeaderLen + min(len(o.Data), MaxOptionLen) }

// Options walks the option list b in order. Duplicates are given as they come.
// A malformed option ends the walk with its error.
func Options(b []byte) iter.Seq2[Option, error] {
	return func(yield func(Option, error) bool) {
		for len(b) > 0 {
			var o Option
			rest, err := o.Parse(b)
			if err != nil {
				yield(Option{}, err)
				return
			}
			if !yield(o, nil) {
				return
			}
			b = rest
		}
	}
}

// CheckOptions tells whether the whole of b is a well-formed option list.
func CheckOptions(b []byte) error {
	for _, err := range Options(b) {
		if err != nil {
			return err
		}
	}
	return nil
}
