package logging

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// A message is what parse finds in a syslog packet.
type message struct {
	priority                 int
	time                     time.Time
	host, app, process, kind string
	data                     map[string]map[string]string
	text                     string
}

// header is HEADER of RFC 5424, section 6, with its bounds.
var header = regexp.MustCompile(`^<(0|[1-9]\d{0,2})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) `)

// stamp is TIMESTAMP of section 6.2.3.
var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$`)

// parse reads a packet by the grammar of RFC 5424, section 6, and by nothing else.
func parse(b []byte) (m message, err error) {
	h := header.FindSubmatch(b)
	if h == nil {
		return m, errors.New("no header")
	}
	if m.priority, _ = strconv.Atoi(string(h[1])); m.priority > 191 {
		return m, errors.New("no such priority")
	}
	if !stamp.Match(h[2]) {
		return m, fmt.Errorf("no time: %s", h[2])
	}
	if m.time, err = time.Parse(time.RFC3339Nano, string(h[2])); err != nil {
		return m, err
	}
	m.host, m.app, m.process, m.kind = string(h[3]), string(h[4]), string(h[5]), string(h[6])
	b = b[len(h[0]):]
	if m.data, b, err = parseData(b); err != nil {
		return m, err
	}
	if len(b) == 0 {
		return m, nil
	}
	if b[0] != ' ' {
		return m, errors.New("no space before the message")
	}
	text, isUTF8 := bytes.CutPrefix(b[1:], []byte("\xef\xbb\xbf"))
	if isUTF8 && !utf8.Valid(text) {
		return m, errors.New("it says that it is UTF-8")
	}
	if !isUTF8 && bytes.ContainsFunc(text, func(r rune) bool { return r > 0x7e }) {
		return m, errors.New("it is not said what text it is")
	}
	m.text = string(text)
	return m, nil
}

// parseData reads STRUCTURED-DATA.
func parseData(b []byte) (data map[string]map[string]string, rest []byte, err error) {
	if rest, ok := bytes.CutPrefix(b, []byte("-")); ok {
		return nil, rest, nil
	}
	data = map[string]map[string]string{}
	name := func(ends string) string {
		i := bytes.IndexAny(b, ends)
		if i < 1 || i > 32 || bytes.ContainsAny(b[:i], `= ]"`) {
			err = errors.New("no name in the data")
			return ""
		}
		n := string(b[:i])
		b = b[i:]
		return n
	}
	for len(b) > 0 && b[0] == '[' {
		b = b[1:]
		id := name(" ]")
		if err != nil || data[id] != nil {
			return nil, nil, errors.Join(err, errors.New("no id, or the same again"))
		}
		data[id] = map[string]string{}
		for len(b) > 0 && b[0] == ' ' {
			b = b[1:]
			param := name("=")
			if err != nil || !bytes.HasPrefix(b, []byte(`="`)) {
				return nil, nil, errors.Join(err, errors.New("no value"))
			}
			b = b[2:]
			var value []byte
			for len(b) > 0 && b[0] != '"' {
				if b[0] == ']' {
					return nil, nil, errors.New("a bracket that is not escaped")
				}
				if b[0] == '\\' && len(b) > 1 {
					b = b[1:]
				}
				value = append(value, b[0])
				b = b[1:]
			}
			if len(b) == 0 {
				return nil, nil, errors.New("a value without an end")
			}
			b = b[1:]
			data[id][param] = string(value)
		}
		if len(b) == 0 || b[0] != ']' {
			return nil, nil, errors.New("data without an end")
		}
		b = b[1:]
	}
	if len(data) == 0 {
		return nil, nil, errors.New("no data")
	}
	return data, b, nil
}
