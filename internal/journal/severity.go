package journal

import "strings"

// A Severity is how much an entry matters.
type Severity uint8

// The severities, from least to most.
const (
	Debug Severity = iota
	Info
	Warning
	Error
	Critical
	NumSeverities
)

var severities = [NumSeverities]string{"debug", "info", "warning", "error", "critical"}

// String gives the topic that says so.
func (s Severity) String() string { return severities[s] }

// severityOf is the most severe of an entry's topics; an entry without any is
// information.
func severityOf(topics string) Severity {
	most, found := Info, false
	for topic := range strings.SplitSeq(topics, ",") {
		for s, name := range severities {
			if topic == name && (!found || Severity(s) > most) {
				most, found = Severity(s), true
			}
		}
	}
	return most
}

// Count is how many entries there were of a severity, those that are forgotten by now
// too; of debugging, those that were written down.
func (j *Journal) Count(s Severity) uint64 { return j.counts[s].Load() }
