package script

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

// serialize writes a value as JSON.
func (r run) serialize(c *menu.Call) (Value, error) {
	v, err := r.value(c, "value")
	if err != nil {
		return Value{}, err
	}
	to, err := r.word(c, "to", "")
	if err != nil {
		return Value{}, err
	}
	if to == "" {
		return Value{}, menu.Missing("to")
	}
	options, err := r.word(c, "options", "")
	if err != nil {
		return Value{}, err
	}
	w := jsonWriter{plain: strings.Contains(options, menu.JSONPlain), pretty: strings.Contains(options, menu.JSONPretty)}
	w.value(v, 0)
	v, err = bounded(w.String())
	return v, r.at(c.Pos, err)
}

// A jsonWriter writes values as JSON.
type jsonWriter struct {
	strings.Builder
	plain  bool // texts that are numbers stay texts
	pretty bool
}

func (w *jsonWriter) value(v Value, depth int) {
	switch v.kind {
	case Nothing, Nil:
		w.WriteString("null")
	case Bool, Num:
		w.WriteString(v.String())
	case Array:
		w.elements(v.array, depth)
	case Str:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil && !w.plain && strconv.FormatInt(n, 10) == v.text {
			w.WriteString(v.text)
			return
		}
		w.text(v.text)
	default:
		w.text(v.String())
	}
}

// elements writes a list, or an object if any element has a key.
func (w *jsonWriter) elements(a *array, depth int) {
	open, closing := "[", "]"
	if len(a.dict) > 0 {
		open, closing = "{", "}"
	}
	w.WriteString(open)
	for i, e := range a.all() {
		if i > 0 {
			w.WriteByte(',')
		}
		w.line(depth + 1)
		if len(a.dict) > 0 {
			w.text(e.key)
			w.WriteByte(':')
			if w.pretty {
				w.WriteByte(' ')
			}
		}
		w.value(e.value, depth+1)
	}
	if len(a.list)+len(a.dict) > 0 {
		w.line(depth)
	}
	w.WriteString(closing)
}

// line begins a line, where lines are wanted.
func (w *jsonWriter) line(depth int) {
	if w.pretty {
		w.WriteString("\n" + strings.Repeat("    ", depth))
	}
}

// text writes a string. What is not UTF-8 cannot be one of JSON's.
func (w *jsonWriter) text(s string) {
	var line strings.Builder
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(strings.ToValidUTF8(s, string(utf8.RuneError))) // no string is an error
	w.WriteString(strings.TrimSuffix(line.String(), "\n"))
}

// deserialize reads JSON.
func (r run) deserialize(c *menu.Call) (Value, error) {
	v, err := r.value(c, "value")
	if err != nil {
		return Value{}, err
	}
	from, err := r.word(c, "from", "")
	if err != nil {
		return Value{}, err
	}
	if from == "" {
		return Value{}, menu.Missing("from")
	}
	options, err := r.word(c, "options", "")
	if err != nil {
		return Value{}, err
	}
	d := jsonReader{Decoder: json.NewDecoder(strings.NewReader(v.String())), plain: options != ""}
	d.UseNumber()
	out, err := d.value(0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errJSON
		}
	}
	var known *menu.Error
	if err != nil && !errors.As(err, &known) {
		err = menu.Errorf(menu.BadArgument, "failure: JSON parse error")
	}
	return out, r.at(c.Pos, err)
}

// errJSON is the error of text that is not JSON.
var errJSON = errors.New("script: not JSON")

// A jsonReader reads values from JSON, piece by piece so that the whole is never
// larger than a value may be.
type jsonReader struct {
	*json.Decoder
	plain bool // texts stay texts
	size  int  // of all values up to now
}

// value reads a value in depth others.
func (d *jsonReader) value(depth int) (Value, error) {
	if d.size += overhead; d.size > maxValue || depth > maxDeep {
		return Value{}, errTooLarge()
	}
	t, err := d.Token()
	if err != nil {
		return Value{}, err
	}
	switch t := t.(type) {
	case bool:
		return Truth(t), nil
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return Number(n), nil
		}
		return Text(t.String()), nil
	case string:
		if d.plain {
			return Text(t), nil
		}
		return infer(t), nil
	case json.Delim:
		switch t {
		case '[':
			return d.list(depth)
		case '{':
			return d.object(depth)
		}
		return Value{}, errJSON
	}
	return none, nil // null
}

// list reads the elements of a list.
func (d *jsonReader) list(depth int) (Value, error) {
	var list []Value
	for d.More() {
		v, err := d.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		list = append(list, v)
	}
	if _, err := d.Token(); err != nil {
		return Value{}, err
	}
	return newArray(list, nil)
}

// object reads the members of an object.
func (d *jsonReader) object(depth int) (Value, error) {
	var dict []pair
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Value{}, err
		}
		name, ok := key.(string)
		if !ok {
			return Value{}, errJSON
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		dict = append(dict, pair{name, v})
	}
	if _, err := d.Token(); err != nil {
		return Value{}, err
	}
	return newArray(nil, dict)
}
