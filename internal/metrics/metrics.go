// Package metrics shows what the daemon does to Prometheus, and to whoever asks
// whether it lives and whether it is ready.
//
// It counts nothing: the packages that do the work keep counters of their own, and are
// read when somebody asks. Each family is declared once, with its name, help, labels
// and what it is read from. The values of labels are words of ours or come from rows of
// the configuration, so that no peer makes series; those of each session are shown only
// where that was asked for, and there is a limit to them. The package opens no port and
// knows no user: where it may be asked is up to the daemon.
package metrics

import (
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"gopptp/internal/journal"
	"gopptp/internal/latency"
	"gopptp/internal/login"
	"gopptp/internal/nas"
	"gopptp/internal/plane"
	"gopptp/internal/rawgre"
	"gopptp/internal/session"
	"gopptp/internal/xdp"
)

// Sources are what is read. All are required but FastPath and PerSession.
type Sources struct {
	Version  string
	Sessions *session.Manager
	Road     *plane.Plane
	Socket   func() rawgre.Stats // of the GRE sockets together
	Access   *nas.NAS
	Gate     *login.Gate
	Journal  *journal.Journal
	// FastPath is what has gone past the sockets; nil where nothing can.
	FastPath func() xdp.Stats
	// PerSession shows series of each session too, with the names of users.
	PerSession bool
}

// New makes a registry of its own with all there is to show.
func New(s Sources) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector(families(s)), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// families gives the parts of what is shown, in the order of the documentation.
func families(s Sources) []part {
	parts := []part{sessions(s), traffic(s), control(s), access(s), pools(s), doors(s), build(s)}
	if s.FastPath != nil {
		parts = append(parts, fastPath(s))
	}
	if s.PerSession {
		parts = append(parts, perSession(s))
	}
	return parts
}

// A part is families that are read together.
type part struct {
	families []*family
	read     func(emit)
}

// An emit takes the metrics that a part has now.
type emit chan<- prometheus.Metric

// A family is metrics that differ in their labels only.
type family struct {
	name, help string
	kind       kind
	labels     []label
	desc       *prometheus.Desc
}

// A label is one of a family's.
type label struct {
	name   string
	values []string // all there are; nil if they come from the configuration
	from   string   // where they come from then
}

// A kind is the type of a family.
type kind uint8

const (
	counter kind = iota
	gauge
	histogram
)

// String gives the type as Prometheus names it.
func (k kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

func newFamily(k kind, name, help string, labels ...label) *family {
	f := &family{name: "gopptp_" + name, help: help, kind: k, labels: labels}
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = l.name
	}
	f.desc = prometheus.NewDesc(f.name, help, names, nil)
	return f
}

// number puts out a metric of a counter or gauge.
func number[N int | int64 | uint64](e emit, f *family, n N, labels ...string) {
	t := prometheus.CounterValue
	if f.kind == gauge {
		t = prometheus.GaugeValue
	}
	e <- prometheus.MustNewConstMetric(f.desc, t, float64(n), labels...)
}

// truth puts out 1 or 0.
func truth(e emit, f *family, is bool, labels ...string) {
	n := 0
	if is {
		n = 1
	}
	number(e, f, n, labels...)
}

// times puts out a metric of a histogram.
func times(e emit, f *family, s latency.Snapshot, labels ...string) {
	buckets := make(map[float64]uint64, len(s.Buckets))
	for _, b := range s.Buckets {
		buckets[b.Most.Seconds()] = b.Count
	}
	e <- prometheus.MustNewConstHistogram(f.desc, s.Count, s.Sum.Seconds(), buckets, labels...)
}

// words gives the names of the values below an end, for a label.
func words[T interface {
	~uint8
	String() string
}](end T) []string {
	var out []string
	for v := range end {
		out = append(out, v.String())
	}
	return out
}

// maxText bounds text of a label that is not our own, in octets.
const maxText = 128

// text makes text fit for a label: that is UTF-8, or all of a scrape fails.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// A collector is parts as prometheus.Collector.
type collector []part

// Describe implements prometheus.Collector.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, p := range c {
		for _, f := range p.families {
			descs <- f.desc
		}
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	for _, p := range c {
		p.read(metrics)
	}
}

// build is what runs.
func build(s Sources) part {
	info := newFamily(gauge, "build_info", "Always 1; the labels say what runs.",
		label{name: "version", from: "the build"}, label{name: "goversion", from: "the build"})
	start := newFamily(gauge, "start_time_seconds", "When the daemon had started, in seconds since 1970.")
	began := time.Now().Unix()
	return part{[]*family{info, start}, func(e emit) {
		number(e, info, 1, text(s.Version), runtime.Version())
		number(e, start, began)
	}}
}
