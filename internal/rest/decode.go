package rest

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A field is a name of a request's object with its value.
type field struct {
	name string
	value
}

// A value is what JSON gave a name, as texts: the console has no other type.
type value struct {
	null  bool
	list  bool
	texts []string // one unless it is a list
}

// text joins a list by commas, as RouterOS writes one.
func (v value) text() string { return strings.Join(v.texts, ",") }

// maxFields bounds the names of one object, each of which is compared with the
// others. No menu has a fifth of it.
const maxFields = 256

// maxValues bounds the values of a body with those of its lists, each of which
// takes more memory than the octet it may be written in. There is room for a query
// over a thousand ids.
const maxValues = 4096

// A decoder reads the object of a request. JSON proper is not enough: RouterOS
// also takes numbers in octal (0755) and hexadecimal (0x1F), but none with an
// exponent.
type decoder struct {
	src    []byte
	off    int
	values int // so far
}

// decode reads the body of a request: an object of strings, numbers, booleans,
// null and lists of them, or nothing at all. An error is errJSON.
func decode(body []byte) ([]field, error) {
	if !utf8.Valid(body) {
		return nil, errJSON
	}
	d := decoder{src: body}
	if d.peek() == 0 && d.off == len(body) {
		return nil, nil
	}
	var fields []field
	err := d.sequence('{', '}', func() error {
		name, err := d.text()
		if err != nil {
			return err
		}
		if !d.take(':') || len(fields) == maxFields {
			return errJSON
		}
		for i := range fields {
			if fields[i].name == name {
				return errJSON // which of the two was meant?
			}
		}
		v, err := d.value()
		fields = append(fields, field{name, v})
		return err
	})
	if err != nil || d.peek() != 0 || d.off != len(body) {
		return nil, errJSON
	}
	return fields, nil
}

// peek skips white space and gives the octet after it, or 0 at the end.
func (d *decoder) peek() byte {
	for d.off < len(d.src) && strings.IndexByte(" \t\r\n", d.src[d.off]) >= 0 {
		d.off++
	}
	if d.off == len(d.src) {
		return 0
	}
	return d.src[d.off]
}

// take reads c if it comes next.
func (d *decoder) take(c byte) bool {
	if d.peek() != c || d.off == len(d.src) {
		return false
	}
	d.off++
	return true
}

// sequence reads elements between brackets, separated by commas.
func (d *decoder) sequence(opening, closing byte, element func() error) error {
	if !d.take(opening) {
		return errJSON
	}
	if d.take(closing) {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if d.take(closing) {
			return nil
		}
		if !d.take(',') {
			return errJSON
		}
	}
}

// value reads a value. Lists have no lists in them, so that nothing nests.
func (d *decoder) value() (value, error) {
	if d.peek() != '[' {
		text, null, err := d.scalar()
		return value{null: null, texts: []string{text}}, err
	}
	v := value{list: true}
	err := d.sequence('[', ']', func() error {
		text, null, err := d.scalar()
		if null {
			return errJSON
		}
		v.texts = append(v.texts, text)
		return err
	})
	return v, err
}

// scalar reads a string, a number, a boolean or null.
func (d *decoder) scalar() (text string, null bool, err error) {
	if d.values++; d.values > maxValues {
		return "", false, errJSON
	}
	if d.peek() == '"' {
		text, err = d.text()
		return text, false, err
	}
	start := d.off
	for d.off < len(d.src) && strings.IndexByte(" \t\r\n,:]}[{\"", d.src[d.off]) < 0 {
		d.off++
	}
	switch word := string(d.src[start:d.off]); word {
	case "null":
		return "", true, nil
	case "true", "false":
		return word, false, nil
	default:
		text, err = number(word)
		return text, false, err
	}
}

// text reads a string.
func (d *decoder) text() (string, error) {
	if d.peek() != '"' {
		return "", errJSON
	}
	start := d.off
	for d.off++; d.off < len(d.src); d.off++ {
		switch d.src[d.off] {
		case '\\':
			d.off++
		case '"':
			d.off++
			var s string
			if json.Unmarshal(d.src[start:d.off], &s) != nil {
				return "", errJSON
			}
			return s, nil
		}
	}
	return "", errJSON
}

// number gives the decimal form of a number.
func number(word string) (string, error) {
	digits := strings.TrimPrefix(word, "-")
	sign := word[:len(word)-len(digits)]
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0' && digits[1] != '.':
		digits, base = digits[1:], 8
	}
	if base != 10 {
		n, err := strconv.ParseUint(digits, base, 64)
		if err != nil || strings.ContainsAny(digits, "+_") {
			return "", errJSON
		}
		return sign + strconv.FormatUint(n, 10), nil
	}
	if !json.Valid([]byte(word)) || strings.ContainsAny(word, "eE") || word == "" {
		return "", errJSON
	}
	return word, nil
}
