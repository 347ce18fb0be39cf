package logging

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopptp/internal/journal"
)

// severities are syslog's for topics (RFC 5424, section 6.2.1), the most severe
// first.
var severities = []struct {
	topic string
	level int
}{{"critical", 2}, {"error", 3}, {"warning", 4}, {"debug", 7}}

// The severity of an entry without one.
const (
	information = 6
	info        = "info"
)

// severity gives an entry's severity, as topics name it and as syslog numbers it.
func severity(e journal.Entry) (string, int) {
	for _, s := range severities {
		if e.Has(s.topic) {
			return s.topic, s.level
		}
	}
	return info, information
}

// line is an entry in a file.
func line(a Action, e journal.Entry, message string) []byte {
	if a.Format == JSON {
		return JSONLine(e, message)
	}
	return []byte(e.Time.Format(time.DateTime) + " " + e.Topics + " " + message + "\n")
}

// JSONLine is an entry with that message as a line of JSON, which it is whatever is in
// the message: what is no UTF-8 becomes U+FFFD.
func JSONLine(e journal.Entry, message string) []byte {
	name, _ := severity(e)
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false) // people read <pptp-user> better as it is
	err := to.Encode(struct {
		Time     string   `json:"time"`
		Severity string   `json:"severity"`
		Topics   []string `json:"topics"`
		Message  string   `json:"message"`
	}{e.Time.Format(jsonTime), name, strings.Split(e.Topics, ","), message})
	if err != nil {
		panic("logging: " + err.Error()) // there is no value in it that JSON lacks
	}
	return b.Bytes()
}

// jsonTime is RFC 3339 with a fraction that is always there, so that lines can be
// sorted as text.
const jsonTime = "2006-01-02T15:04:05.000000Z07:00"

// packet is an entry for a syslog server, framed if it goes over TCP.
func packet(a Action, name string, e journal.Entry, message string, number uint32) []byte {
	_, level := severity(e)
	if a.Severity >= 0 {
		level = a.Severity
	}
	b := append(strconv.AppendInt([]byte{'<'}, int64(a.Facility*8+level), 10), '>')
	switch a.Format {
	case RFC5424:
		b = appendHeader(b, name, e, number)
	case BSD:
		layout := time.Stamp
		if a.ISOTime {
			layout = time.RFC3339
		}
		b = append(e.Time.AppendFormat(b, layout), " "+printable(name, maxHostname)+" "+e.Topics+": "...)
	default:
		b = append(b, e.Topics+" "...)
	}
	b = truncate(append(b, message...))
	switch {
	case !a.TCP:
		return b
	case a.Format == RFC5424: // octet counting (RFC 6587, section 3.4.1)
		return append(strconv.AppendInt(nil, int64(len(b)), 10), " "+string(b)...)
	}
	return append(b, '\n') // RFC 6587, section 3.4.2: there is none in the message
}

// The bounds of a syslog message (RFC 5424, section 6). A receiver should accept
// 2,048 octets, and few accept more.
const (
	maxPacket   = 2048
	maxHostname = 255
	maxMsgID    = 32
	// maxSequence is the last sequenceId; the one after it is 1 (section 7.3.1).
	maxSequence = 1<<31 - 1
)

// timestamp is that of RFC 5424, section 6.2.3: at most six digits of a second.
const timestamp = "2006-01-02T15:04:05.000000Z07:00"

// What we are called in messages. The number after the at sign is a private enterprise
// number, which this project has none of: it is the one for examples (RFC 5612), which
// nobody else gives a meaning.
const (
	appName = "gopptp"
	ownData = "gopptp@32473"
)

// bom begins a message that is UTF-8 (RFC 5424, section 6.4).
const bom = "\ufeff"

// appendHeader appends what comes between the priority and the message (RFC 5424,
// section 6.2): version, time, host, application, process, kind of message, structured
// data.
func appendHeader(b []byte, name string, e journal.Entry, number uint32) []byte {
	first, _, _ := strings.Cut(e.Topics, ",")
	b = e.Time.AppendFormat(append(b, "1 "...), timestamp)
	b = append(b, " "+printable(name, maxHostname)+" "+appName+" "...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(b, " "+printable(first, maxMsgID)+" ["+ownData+` topics="`+escapeParam(e.Topics)+`"][meta sequenceId="`...)
	b = strconv.AppendUint(b, uint64(number), 10)
	return append(b, `"] `+bom...)
}

// escapeParam escapes what ends the value of a parameter (RFC 5424, section 6.3.3).
func escapeParam(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(s)
}

// printable makes a name fit for a field: visible ASCII, not too long, and a dash if
// there is nothing (RFC 5424, section 6).
func printable(name string, most int) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '-'
		}
		return r
	}, name)
	if name == "" {
		return "-"
	}
	return name[:min(len(name), most)]
}

// truncate cuts what is too long at its end, without half a character (RFC 5424,
// section 6.1).
func truncate(b []byte) []byte {
	if len(b) <= maxPacket {
		return b
	}
	n := maxPacket
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}
