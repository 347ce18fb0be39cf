package daemon

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"gopptp/internal/journal"
)

// levels from least to most severe, as topics name them.
var levels = [...]string{"debug", "info", "warning", "error"}

// logSink prints entries of at least the given level as
// "15:04:05 topics message".
func logSink(w io.Writer, level string) (func(journal.Entry), error) {
	least := slices.Index(levels[:], level)
	if least < 0 {
		return nil, fmt.Errorf("unknown log level %q: it is one of %s", level, strings.Join(levels[:], ", "))
	}
	return func(e journal.Entry) {
		if severity(e) >= least {
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
