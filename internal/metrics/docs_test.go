package metrics

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of families in docs/metrics.md")

const (
	page      = "../../docs/metrics.md"
	tableHead = "<!-- families: written by go test ./internal/metrics -run TestDocumentation -update -->\n"
	tableEnd  = "<!-- end -->\n"
	deploy    = "../../deploy/"
)

// table describes all families.
func table(s Sources) string {
	var b strings.Builder
	b.WriteString("| family | type | labels | tells |\n|---|---|---|---|\n")
	for _, p := range families(s) {
		for _, f := range p.families {
			var labels []string
			for _, l := range f.labels {
				text := l.from
				if l.values != nil {
					text = strings.Join(l.values, ", ")
				}
				labels = append(labels, fmt.Sprintf("`%s`: %s", l.name, text))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(labels, "; "), f.help)
		}
	}
	return b.String()
}

// TestDocumentation: the page has every family, as it is, and explains every reason.
func TestDocumentation(t *testing.T) {
	w := newWorld(t)
	everything(&w.server)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableHead)
	had, after, also := strings.Cut(rest, tableEnd)
	if !ok || !also {
		t.Fatalf("%s has no place for the families", page)
	}
	want := table(w.server)
	if *update {
		if err := os.WriteFile(page, []byte(before+tableHead+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		had = want
	}
	if had != want {
		t.Errorf("%s is stale: go test ./internal/metrics -run TestDocumentation -update", page)
	}
	for _, p := range families(w.server) {
		for _, f := range p.families {
			for _, l := range f.labels {
				for _, v := range l.values {
					if l.name == "reason" && !strings.Contains(after, "\n| `"+v+"` | ") {
						t.Errorf("%s does not explain the reason %s of %s", page, v, f.name)
					}
				}
			}
		}
	}
}

// name finds names of metrics in an expression.
var name = regexp.MustCompile(`\b(gopptp|go|process)_[a-z_]+`)

// known checks that an expression names only metrics that there are, and at least one.
func known(t *testing.T, where, expr string, types map[string]string) {
	t.Helper()
	found := name.FindAllString(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s: %q names no metric", where, expr)
	}
	for _, n := range found {
		if i := strings.LastIndexByte(n, '_'); types[n[:i]] == "histogram" && slices.Contains([]string{"_bucket", "_sum", "_count"}, n[i:]) {
			continue
		}
		if kind := types[n]; kind == "" || kind == "histogram" {
			t.Errorf("%s names %s, which is not shown", where, n)
		}
	}
}

// shown gives the types of all that a daemon shows that has something of everything.
func shown(t *testing.T) map[string]string {
	t.Helper()
	w := newWorld(t)
	everything(&w.server)
	_, types, _ := scrape(t, New(w.server))
	for _, p := range families(w.server) { // those of servers, pools and sessions too, of which there is none now
		for _, f := range p.families {
			types[f.name] = f.kind.String()
		}
	}
	return types
}

// TestDashboard: the dashboard is sound JSON and shows what there is.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(deploy + "grafana/gopptp.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	all := shown(t)
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	expr := func(where, e string) {
		known(t, where, e, all)
		e = strings.NewReplacer("$__rate_interval", "1m", "$job", "gopptp", "$instance", ".+").Replace(e)
		fmt.Fprintf(&rules, "  - record: panel%d\n    expr: %s\n", strings.Count(rules.String(), "record"), must(json.Marshal(e)))
	}
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	count := 0
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" || at[0] >= 24 {
					t.Fatalf("%q lies over %q", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
		for _, target := range p.Targets {
			expr(p.Title, target.Expr)
			count++
		}
	}
	for _, a := range board.Annotations.List {
		expr("an annotation", a.Expr)
	}
	for _, v := range board.Templating.List {
		if v.Definition != "" {
			known(t, v.Name, v.Definition, all)
		}
	}
	if count < 30 || board.Title != "gopptp" {
		t.Errorf("%q has %d expressions", board.Title, count)
	}
	// Is all that there is to see on it?
	w := newWorld(t)
	everything(&w.server)
	for _, p := range families(w.server) {
		for _, f := range p.families {
			if !strings.Contains(string(text), f.name) && !slices.Contains([]string{"gopptp_session_packets_total", "gopptp_sessions_without_series"}, f.name) {
				t.Errorf("%s is not on the dashboard", f.name)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", file)
}

// TestAlerts: the rules are sound, name what there is, and each is shown to fire.
func TestAlerts(t *testing.T) {
	rules, err := os.ReadFile(deploy + "prometheus/gopptp.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(deploy + "prometheus/gopptp.rules.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	all := shown(t)
	known(t, "the rules", string(rules), all)
	known(t, "their tests", string(tests), all)
	alerts := regexp.MustCompile(`- alert: (\w+)\n`).FindAllStringSubmatch(string(rules), -1)
	for _, a := range alerts {
		if !strings.Contains(string(tests), "alertname: "+a[1]+"\n        exp_alerts:\n          - exp_labels") {
			t.Errorf("no test shows that %s fires", a[1])
		}
	}
	if len(alerts) < 10 {
		t.Errorf("only %d alerts", len(alerts))
	}
	promtool(t, "check", "rules", deploy+"prometheus/gopptp.rules.yml")
	promtool(t, "test", "rules", deploy+"prometheus/gopptp.rules.test.yml")
	promtool(t, "check", "config", deploy+"prometheus/prometheus.yml")
}

// promtool runs it and wants it to find nothing wrong.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skipf("%v; make setup installs it", err)
	}
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %q: %v\n%s", args, err, out)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
