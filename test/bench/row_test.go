package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		all  []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 2}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{8, 1, 2, 4}, 3}} {
		if got := median(c.all); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.all, got, c.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	var all []float64
	for i := range 200 {
		all = append(all, float64(199-i))
	}
	if got := percentile(all, 0.99); got != 198 {
		t.Errorf("99th percentile of 0 to 199 is %v, want 198", got)
	}
	if got := percentile([]float64{7}, 0.99); got != 7 {
		t.Errorf("99th percentile of one is %v", got)
	}
}

// More than 1 says that ours is better, whatever the unit.
func TestRatio(t *testing.T) {
	for _, c := range []struct {
		unit         unit
		ours, theirs float64
		want         float64
	}{
		{nanoseconds, 2, 3, 1.5}, {kilobytes, 20, 10, 0.5},
		{megabits, 3, 2, 1.5}, {perSecond, 10, 20, 0.5},
		{nanoseconds, 0, 0, 1}, {nanoseconds, 0, 1, endless}, {megabits, 0, 1, 0},
	} {
		if got := better(c.unit, c.ours, c.theirs); got != c.want {
			t.Errorf("ratio of %s beside %s is %v, want %v", c.unit.figure(c.ours), c.unit.figure(c.theirs), got, c.want)
		}
	}
}

// The ratio is the middle of the rounds' own, which is not that of the medians.
func TestRounds(t *testing.T) {
	var all rounds
	for _, round := range [][2]float64{{100, 50}, {10, 20}, {30, 10}} {
		all.add(round[0], round[1])
	}
	r := all.row("a", "b", megabits, "")
	if r.ratio != 2 || r.low != 0.5 || r.high != 3 || r.ours != 30 || r.theirs != 20 || r.rounds != 3 {
		t.Errorf("%+v", r)
	}
	sum := rounds{ours: make([]float64, 3), theirs: make([]float64, 3)}
	sum.accumulate(all, 2)
	if sum.ours[0] != 50 || sum.theirs[2] != 5 {
		t.Errorf("%+v", sum)
	}
}

func TestFigures(t *testing.T) {
	for _, c := range []struct {
		unit unit
		v    float64
		want string
	}{
		{nanoseconds, 1.234, "1.23 ns"}, {nanoseconds, 999_600, "1 ms"}, {nanoseconds, 12.3e9, "12.3 s"},
		{kilobytes, 35.01, "35 KB"}, {megabits, 812.4, "812 Mbit/s"}, {megabits, 2345, "2.35 Gbit/s"},
		{perSecond, 450, "450 /s"}, {perSecond, 45_400, "45 k/s"},
	} {
		if got := c.unit.figure(c.v); got != c.want {
			t.Errorf("%v is written %q, want %q", c.v, got, c.want)
		}
	}
}

// Whoever reads the output takes the name from the beginning of a row, and the ratio
// from its end.
func TestLine(t *testing.T) {
	line := once("tunnel plain, 1 stream", "wireguard-go", megabits, 231, 100, "a | note").line()
	if !strings.HasPrefix(line, "tunnel plain, 1 stream ") || !strings.HasSuffix(line, " 2.31x") {
		t.Errorf("%q", line)
	}
}

// hostile is a table whose texts mean something in what they are written to.
func hostile() *table {
	all := rounds{ours: []float64{3, 1, 4}, theirs: []float64{2, 2, 2}}
	t := &table{to: io.Discard}
	t.begin("g", `<a & "b">`)
	t.add(all.row("x <1 | 2>", "other|", megabits, "n & m\nline"))
	t.add(once("small", "other", nanoseconds, 100, 1, ""))
	t.begin("empty", "nothing")
	return t
}

func TestMarkdown(t *testing.T) {
	text := string(hostile().markdown())
	if want := `| x <1 \| 2> | 3 Mbit/s | other\| | 2 Mbit/s | n & m line | 3 | 0.50 | 2.00 | 1.50x |`; !strings.Contains(text, want+"\n") {
		t.Errorf("no %s in\n%s", want, text)
	}
	if strings.Contains(text, "nothing") {
		t.Errorf("a group without rows is in\n%s", text)
	}
	for line := range strings.Lines(text) {
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); cells != 0 && cells != 10 {
			t.Errorf("%d bars in %q", cells, line)
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(hostile().groups[0].plot()))
	bars := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			bars++
		}
	}
	if bars != 2 {
		t.Errorf("%d whiskers, want 2", bars)
	}
}

func TestPlotScale(t *testing.T) {
	for most, want := range map[float64]float64{0.3: 1, 1.2: 2, 2: 2, 3.5: 4, 7: 10, 15: 20} {
		if got := plotScale(most); got != want {
			t.Errorf("the scale for %v ends at %v, want %v", most, got, want)
		}
	}
}

func TestBaseline(t *testing.T) {
	before := baseline{
		"a": {"same": 2, "half": 2, "less": 2, "gone": 1, "absent": 1, "shown": 0},
		"b": {"not chosen": 1},
	}
	now := baseline{"a": {"same": 2, "half": 1, "less": 0.99, "shown": 0, "new": 0.01}}
	var got []string
	for _, s := range before.compare(now, map[string]bool{"a": true}, []string{"absent"}) {
		got = append(got, s.Error())
	}
	want := []string{"gone: not measured", "less: 0.99x is 50 % of its baseline, 2x; at least 50 % is wanted"}
	if !slices.Equal(got, want) {
		t.Errorf("compare finds %q, want %q", got, want)
	}
	if behind := before.compare(before, map[string]bool{"a": true, "b": true}, nil); len(behind) > 0 {
		t.Errorf("a baseline compared with itself: %v", behind)
	}
}

// What is written comes back, with the groups that were not measured.
func TestBaselineFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baseline.json")
	if _, err := readBaseline(path); err == nil {
		t.Error("no error without a file")
	}
	all := &table{to: io.Discard}
	all.begin("a", "")
	all.add(once("x", "", megabits, 1, 3, ""))
	hidden := once("y", "", megabits, 1, 3, "")
	hidden.shown = true
	all.add(hidden)
	if err := (baseline{"a": {"old": 1}, "b": {"z": 2}}).write(path, all.baseline()); err != nil {
		t.Fatal(err)
	}
	got, err := readBaseline(path)
	if want := (baseline{"a": {"x": 0.333, "y": 0}, "b": {"z": 2}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if got := middle([]baseline{{"a": {"x": 1}}, {"a": {"x": 9}}, {"a": {"x": 3}}}); got["a"]["x"] != 3 {
		t.Errorf("the middle is %v", got)
	}
}

func TestChosen(t *testing.T) {
	if all, err := chosen(""); err != nil || len(all) != len(groups) {
		t.Errorf("%v, %v", all, err)
	}
	if some, err := chosen("tunnel,network"); err != nil || len(some) != 2 || !some["tunnel"] || !some["network"] {
		t.Errorf("%v, %v", some, err)
	}
	if _, err := chosen("tunnel,x"); err == nil {
		t.Error("no error for a group that is none")
	}
}

func TestParseCPU(t *testing.T) {
	took, err := parseCPU("12 (a) b) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 1 2 3")
	if err != nil || took != 3*time.Second {
		t.Errorf("%v, %v, want 3s", took, err)
	}
	if _, err := parseCPU("12 (a) S 1 2"); err == nil {
		t.Error("no error for a line that is cut")
	}
}
