package script

import (
	"encoding/json"
	"strings"
	"testing"
)

// readJSON reads a value as :deserialize does with json.no-string-conversion.
func readJSON(text string) (Value, error) {
	d := jsonReader{Decoder: json.NewDecoder(strings.NewReader(text)), plain: true}
	d.UseNumber()
	return d.value(0)
}

// writeJSON writes a value as :serialize does with json.no-string-conversion.
func writeJSON(v Value) string {
	w := jsonWriter{plain: true}
	w.value(v, 0)
	return w.String()
}

// TestJSONBounds checks that a small text makes no large value.
func TestJSONBounds(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 100) + strings.Repeat("]", 100), "[" + strings.Repeat("1,", 1_000_000) + "1]",
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	} {
		if _, err := readJSON(text); err == nil || err.Error() != "value is too large" {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

// TestJSONPrefixes checks that no beginning of a document is one.
func TestJSONPrefixes(t *testing.T) {
	const text = `{"a":[1,"b",null,true,{"c":-2}]}`
	for i := range text {
		if v, err := readJSON(text[:i]); err == nil {
			t.Errorf("%s is %v", text[:i], v)
		}
	}
	if v, err := readJSON(text); err != nil || writeJSON(v) != text {
		t.Errorf("%v, %v", writeJSON(v), err)
	}
}

// FuzzJSON reads texts; what can be read stays the same when it is written and
// read again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"b",null,true,{"c":-2}]}`, `"\ud800"`, "[1e5,2.50]", `{"a":1,"a":2}`, "[[],{}]", "null", "[}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := readJSON(text)
		if err != nil {
			return
		}
		once := writeJSON(v)
		again, err := readJSON(once)
		if err != nil || writeJSON(again) != once {
			t.Errorf("%q is written as %q and then %q, %v", text, once, writeJSON(again), err)
		}
	})
}
