package daemon

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gopptp/internal/journal"
)

func TestLogSink(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	entries := []journal.Entry{
		{Time: at, Topics: "pptp,debug", Message: "quiet"},
		{Time: at, Topics: "pptp,info", Message: `<pptp-ben>: "x"`},
		{Time: at, Topics: "system,error,critical", Message: "loud"},
	}
	for _, c := range []struct{ level, format, want string }{
		{"info", "text", "12:00:00 pptp,info <pptp-ben>: \"x\"\n12:00:00 system,error,critical loud\n"},
		{"error", "text", "12:00:00 system,error,critical loud\n"},
		{"error", "json", `{"time":"2026-03-01T12:00:00.000000Z","severity":"critical","topics":["system","error","critical"],"message":"loud"}` + "\n"},
	} {
		var out bytes.Buffer
		sink, err := logSink(&out, c.level, c.format)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			sink(e)
		}
		if out.String() != c.want {
			t.Errorf("%s, %s: %q", c.level, c.format, &out)
		}
	}
	var out bytes.Buffer
	sink, err := logSink(&out, "debug", "json")
	if err != nil {
		t.Fatal(err)
	}
	sink(journal.Entry{Time: at, Topics: "x", Message: "\xff\x00\n\"\\"})
	if !json.Valid(out.Bytes()) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q", &out)
	}
	for _, c := range [][2]string{{"loud", "text"}, {"info", "xml"}, {"info", ""}} {
		if _, err := logSink(&out, c[0], c[1]); err == nil {
			t.Errorf("%q are taken", c)
		}
	}
	out.Reset()
	if _, err := messages(&out, "json").Write([]byte("one \"x\"\ntwo\n")); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.HasSuffix(out.String(), `"message":"two"}`+"\n") {
		t.Errorf("%q, %v", &out, err)
	}
}
