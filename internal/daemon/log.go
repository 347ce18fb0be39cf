package daemon

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/logging"
)

// levels from least to most severe, as topics name them.
var levels = [...]string{"debug", "info", "warning", "error"}

// What entries are printed as.
const (
	logText = "text" // 15:04:05 topics message
	logJSON = "json" // as a logging action with disk-log-format=json has them
)

// logSink prints entries of at least the given level.
func logSink(w io.Writer, level, format string) (func(journal.Entry), error) {
	least := slices.Index(levels[:], level)
	if least < 0 {
		return nil, fmt.Errorf("unknown log level %q: it is one of %s", level, strings.Join(levels[:], ", "))
	}
	if format != logText && format != logJSON {
		return nil, fmt.Errorf("unknown log format %q: it is %s or %s", format, logText, logJSON)
	}
	return func(e journal.Entry) {
		switch {
		case severity(e) < least:
		case format == logJSON:
			_, _ = w.Write(logging.JSONLine(e, e.Message)) // there is nobody to tell
		default:
			fmt.Fprintf(w, "%s %s %s\n", e.Time.Format("15:04:05"), e.Topics, e.Message)
		}
	}, nil
}

// severity is the place in levels of the most severe of an entry's topics; an
// entry without any is information.
func severity(e journal.Entry) int {
	for i := len(levels) - 1; i >= 0; i-- {
		if e.Has(levels[i]) || levels[i] == "error" && e.Has("critical") {
			return i
		}
	}
	return slices.Index(levels[:], "info")
}

// messages is where to write to the person who starts the daemon: to the log's output,
// in its format, but not into the log.
func messages(w io.Writer, format string) io.Writer {
	if format == logJSON {
		return jsonLines{w}
	}
	return w
}

// jsonLines writes lines of text as lines of JSON.
type jsonLines struct{ to io.Writer }

func (j jsonLines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		e := journal.Entry{Time: time.Now(), Topics: "system,warning", Message: strings.TrimSuffix(line, "\n")}
		if _, err := j.to.Write(logging.JSONLine(e, e.Message)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
