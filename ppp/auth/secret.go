package auth

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopptp/ppp"
)

// A Secret is a password. It prints and marshals as the word "(secret)"; convert
// it to string to use it.
type Secret string

const hidden = "(secret)"

// Format hides the secret under every verb.
func (Secret) Format(s fmt.State, _ rune) { io.WriteString(s, hidden) }

// MarshalText hides the secret from encoders, those of log/slog among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// maxQuoted bounds the octets of the other end's text in an error or a log: a
// line's worth.
const maxQuoted = 128

// cut shortens hostile text. It may split a character, which quoting then shows.
func cut(s string, n int) string { return strings.Clone(s[:min(len(s), n)]) }

// quote makes hostile text fit for an error or a log.
func quote(s string) string { return strconv.Quote(cut(s, maxQuoted)) }

// The types below hold secrets. Their String says what is fit to be seen; Format
// and MarshalText keep every other verb and encoder to it, since fmt and JSON
// would otherwise print the fields, and the keys behind pointers as well.

// String says what the packet is but not what is in it: PAP has a password
// there.
func (f Frame) String() string {
	var p ppp.Packet
	if err := p.Parse(f.Packet); err != nil {
		return fmt.Sprintf("%v, %v", f.Protocol, err)
	}
	return fmt.Sprintf("%v code %d id %d, %d octets", f.Protocol, p.Code, p.ID, len(f.Packet))
}

// Format prints String under every verb.
func (f Frame) Format(s fmt.State, _ rune) { io.WriteString(s, f.String()) }

// MarshalText gives String.
func (f Frame) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// String says who asks and how, but not with what: a response can be searched
// for its password.
func (r Request) String() string { return fmt.Sprintf("%v request of %s", r.Method, quote(r.Name)) }

// Format prints String under every verb.
func (r Request) Format(s fmt.State, _ rune) { io.WriteString(s, r.String()) }

// MarshalText gives String.
func (r Request) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String says what the answer is, without the keys.
func (r Result) String() string {
	return fmt.Sprintf("ok %v, code %d, keys %v, message %s", r.OK, r.Code, r.Keys != nil, quote(r.Message))
}

// Format prints String under every verb.
func (r Result) Format(s fmt.State, _ rune) { io.WriteString(s, r.String()) }

// MarshalText gives String.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String says how it ended, without the keys.
func (d Done) String() string {
	if d.Err != nil {
		return d.Err.Error()
	}
	return fmt.Sprintf("ok, keys %v, message %s", d.Keys != nil, quote(d.Message))
}

// Format prints String under every verb.
func (d Done) Format(s fmt.State, _ rune) { io.WriteString(s, d.String()) }

// MarshalText gives String.
func (d Done) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
