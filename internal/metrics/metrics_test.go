package metrics

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"gopptp/internal/aaa"
	"gopptp/internal/login"
	"gopptp/internal/nas"
	"gopptp/internal/radius"
	"gopptp/internal/rawgre"
	"gopptp/ppp/auth"
)

// A sample is a line of what is shown.
type sample struct {
	name   string // of a histogram with what is added to it
	labels [][2]string
	value  float64
}

// line is one of them, pair a label in it.
var (
	line = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)$`)
	pair = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// scrape reads what a registry shows: the types of families, and what is in them.
func scrape(t testing.TB, r *prometheus.Registry) (text string, types map[string]string, samples []sample) {
	t.Helper()
	answer := httptest.NewRecorder()
	Page(r).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text = answer.Body.String()
	if answer.Code != http.StatusOK {
		t.Fatal(text)
	}
	types = map[string]string{}
	for l := range strings.Lines(text) {
		if words := strings.Fields(l); words[0] == "#" {
			if words[1] == "TYPE" {
				types[words[2]] = words[3]
			}
			continue
		}
		m := line.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m == nil {
			t.Fatalf("what is %q?", l)
		}
		v := sample{name: m[1]}
		for _, p := range pair.FindAllStringSubmatch(m[2], -1) {
			value, err := strconv.Unquote(`"` + p[2] + `"`)
			if err != nil {
				t.Fatalf("%q: %v", l, err)
			}
			v.labels = append(v.labels, [2]string{p[1], value})
		}
		var err error
		if v.value, err = strconv.ParseFloat(m[3], 64); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		samples = append(samples, v)
	}
	return text, types, samples
}

// own is a registry of the daemon's own families, which checks them more strictly.
func own(s Sources) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(collector(families(s)))
	return r
}

// values gives the metrics, each by its name and labels.
func values(t testing.TB, s Sources) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	_, _, samples := scrape(t, own(s))
	for _, v := range samples {
		var labels []string
		for _, l := range v.labels {
			labels = append(labels, l[0]+"="+l[1])
		}
		out[strings.TrimPrefix(v.name, "gopptp_")+"{"+strings.Join(labels, ",")+"}"] = v.value
	}
	return out
}

// expect checks values, and with a * before a name that there is any but zero.
func expect(t *testing.T, when string, got map[string]float64, want map[string]float64) {
	t.Helper()
	for name, n := range want {
		if rest, some := strings.CutPrefix(name, "*"); some {
			if got[rest] == 0 {
				t.Errorf("%s: %s is zero", when, rest)
			}
		} else if v, there := got[name]; !there || v != n {
			t.Errorf("%s: %s is %v (%v), want %v", when, name, v, there, n)
		}
	}
}

// TestFamilies checks each family by what it shows of real sessions.
func TestFamilies(t *testing.T) {
	w := newWorld(t)
	w.server.PerSession, w.client.PerSession = true, true
	expect(t, "at first", values(t, w.server), map[string]float64{
		"server_enabled{}": 0, "server_listening{}": 0, "sessions{side=server,state=connected}": 0, "clients{state=connected}": 0,
		"build_info{goversion=" + runtime.Version() + ",version=1.2.3}": 1, "*start_time_seconds{}": 0, "sessions_without_series{}": 0,
	})
	w.serves(auth.MSCHAPv2)
	w.until("the server listens", func() bool { _, listening, _ := w.server.Sessions.Serving(); return listening })
	w.server.Sessions.PutPool(1, aaa.Pool{Name: "p", Ranges: []aaa.Range{{First: netip.MustParseAddr("10.0.0.1"), Last: netip.MustParseAddr("10.0.0.100")}}})
	w.server.Access.SetServers([]radius.Server{w.silence()})
	w.server.Access.SetAAA(nas.Settings{UseRADIUS: true, Accounting: true})
	w.dials(1, "MT-User", "StrongPass")
	a, b := w.device(w.client, "out-MT-User"), w.device(w.server, "<pptp-MT-User>")
	w.until("it is up", func() bool {
		return values(t, w.server)["connected_sessions{encryption=mppe128,method=mschap2,side=server}"] == 1
	})
	packet := make([]byte, 100)
	packet[0], packet[3], packet[8] = 0x45, 100, 64
	for range 3 {
		if err := a.Send(t.Context(), bytes.Clone(packet)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.until("they are counted", func() bool { return values(t, w.server)["traffic_packets_total{direction=receive}"] == 3 })
	stray := []byte{0x30, 0x01, 0x88, 0x0b, 0, 0, 0xff, 0xff, 0, 0, 0, 0}
	if _, err := w.gre.Listen(netip.MustParseAddr("192.0.2.66")).WriteBatch([]rawgre.Packet{{Buf: stray, N: len(stray), Peer: serverAddr}}); err != nil {
		t.Fatal(err)
	}
	w.server.Gate.PutAccount(login.Account{ID: 1, Name: "admin"})
	_, _, _ = w.server.Gate.Login(t.Context(), login.Attempt{Door: login.DoorSSH, From: clientAddr, Name: "admin", Password: "x"})
	w.dials(2, "nobody", "x") // RADIUS is asked about
	w.until("RADIUS was asked", func() bool {
		return values(t, w.server)["radius_requests_total{kind=authentication,result=timeout,server=127.0.0.1}"] > 0
	})
	w.until("the stray packet came", func() bool { return w.server.Road.Drops(1) > 0 })
	w.until("nobody is refused", func() bool {
		return values(t, w.server)["authentications_total{method=mschap2,result=failure,side=server}"] > 0
	})
	w.until("nobody is gone", func() bool { return values(t, w.server)["sessions_ended_total{cause=nas-error,side=server}"] > 0 })
	w.client.Sessions.RemoveClient(2) // before it dials again

	got := values(t, w.server)
	expect(t, "server", got, map[string]float64{
		"server_enabled{}": 1, "server_listening{}": 1, "*control_connections{}": 0, "*control_connections_accepted_total{}": 0,
		"sessions{side=server,state=connected}": 1, "sessions{side=client,state=connected}": 0,
		"connected_sessions{encryption=none,method=mschap2,side=server}": 0,
		"session_setup_seconds_count{method=mschap2,side=server}":        1, "session_setup_seconds_count{method=pap,side=server}": 0,
		"authentications_total{method=mschap2,result=success,side=server}": 1,
		"traffic_bytes_total{direction=receive}":                           300, "traffic_bytes_total{direction=transmit}": 0,
		"traffic_dropped_packets_total{direction=transmit}": 0, "*dropped_packets_total{reason=no-call}": 0, "dropped_packets_total{reason=clear}": 0,
		"gre_socket_errors_total{direction=receive,reason=overflow}": 1, "gre_socket_errors_total{direction=transmit,reason=refused}": 10,
		"session_bytes_total{direction=receive,interface=<pptp-MT-User>,side=server}":    300,
		"session_packets_total{direction=receive,interface=<pptp-MT-User>,side=server}":  3,
		"session_packets_total{direction=transmit,interface=<pptp-MT-User>,side=server}": 0,
		"pool_addresses{pool=p}": 100, "pool_used_addresses{pool=p}": 1,
		"radius_server_up{kind=authentication,server=127.0.0.1}": 0, "*radius_resends_total{server=127.0.0.1}": 0, "radius_bad_replies_total{server=127.0.0.1}": 0,
		"radius_accounting_queue_records{}": 1, "radius_accounting_lost_records_total{}": 0, "radius_incoming_requests_total{result=ack}": 0,
		"radius_request_seconds_count{kind=authentication,server=127.0.0.1}": 0,
		"logins_total{door=ssh,result=denied}":                               1, "logins_total{door=ssh,result=admitted}": 0,
		"log_entries_total{severity=critical}": 1, "*log_entries_total{severity=info}": 0, "*log_entries_total{severity=error}": 0,
		"refusals_total{reason=unauthenticated}": 0, "control_errors_total{reason=malformed}": 0,
	})
	expect(t, "client", values(t, w.client), map[string]float64{
		"server_enabled{}": 0, "clients{state=connected}": 1, "sessions{side=client,state=connected}": 1,
		"connected_sessions{encryption=mppe128,method=mschap2,side=client}": 1, "session_setup_seconds_count{method=mschap2,side=client}": 1,
		"traffic_bytes_total{direction=transmit}":                                   300,
		"session_bytes_total{direction=transmit,interface=out-MT-User,side=client}": 300,
		"*authentications_total{method=mschap2,result=failure,side=client}":         0,
		"control_connections_accepted_total{}":                                      0,
	})

	// None of the server's counters goes back when the session ends.
	w.client.Sessions.RemoveClient(1)
	w.until("it is gone", func() bool { return values(t, w.server)["sessions{side=server,state=connected}"] == 0 })
	w.until("nobody is left", func() bool { return values(t, w.server)["control_connections{}"] == 0 })
	after := values(t, w.server)
	expect(t, "after the end", after, map[string]float64{
		"traffic_bytes_total{direction=receive}": 300, "pool_used_addresses{pool=p}": 0, "session_setup_seconds_count{method=mschap2,side=server}": 1,
		"sessions_ended_total{cause=peer-request,side=server}": 1,
	})
	if _, there := after["session_bytes_total{direction=receive,interface=<pptp-MT-User>,side=server}"]; there {
		t.Error("a session that has ended has series")
	}
	for name, n := range got {
		if strings.Contains(name, "_total{") && !strings.HasPrefix(name, "session_") && after[name] < n {
			t.Errorf("%s was %v and is %v", name, n, after[name])
		}
	}
}

// TestLabels: no label has a value that is not declared, and no family is missing.
func TestLabels(t *testing.T) {
	w := newWorld(t)
	everything(&w.server)
	w.server.Access.SetServers([]radius.Server{w.silence()})
	w.server.Sessions.PutPool(1, aaa.Pool{Name: "p"})
	w.serves(auth.MSCHAPv2)
	w.dials(1, "MT-User", "StrongPass")
	w.device(w.server, "<pptp-MT-User>")
	w.until("it is up", func() bool { return values(t, w.server)["sessions{side=server,state=connected}"] == 1 })
	declared, shown := map[string]*family{}, map[string]bool{}
	for _, p := range families(w.server) {
		for _, f := range p.families {
			declared[f.name] = f
		}
	}
	_, types, samples := scrape(t, own(w.server))
	for name, kind := range types {
		if f := declared[name]; f == nil || f.kind.String() != kind {
			t.Errorf("%s is a %s", name, kind)
		}
	}
	for _, v := range samples {
		f := declared[v.name]
		if f == nil {
			f = declared[v.name[:strings.LastIndexByte(v.name, '_')]] // of a histogram
		}
		shown[f.name] = true
		for _, l := range v.labels {
			if l[0] == "le" {
				continue
			}
			i := slices.IndexFunc(f.labels, func(d label) bool { return d.name == l[0] })
			if d := f.labels[i]; (d.values == nil) == (d.from == "") || d.values != nil && !slices.Contains(d.values, l[1]) {
				t.Errorf("%s: %s=%q is not of %v", f.name, l[0], l[1], d)
			}
		}
	}
	for name := range declared {
		if !shown[name] {
			t.Errorf("%s is not shown", name)
		}
	}
}

// TestFastPath: it is shown where there is one, and nowhere else.
func TestFastPath(t *testing.T) {
	w := newWorld(t)
	everything(&w.server)
	expect(t, "with a fast path", values(t, w.server), map[string]float64{
		"fast_path_packets_total{direction=receive}": 11, "fast_path_packets_total{direction=transmit}": 12,
		"fast_path_errors_total{direction=receive,reason=malformed}": 13, "fast_path_errors_total{direction=receive,reason=overflow}": 14,
		"fast_path_errors_total{direction=transmit,reason=no-buffer}": 15,
	})
	for name := range values(t, w.client) {
		if strings.Contains(name, "fast_path") {
			t.Errorf("without one there is %s", name)
		}
	}
}

// TestLint checks names and helps by Prometheus's own rules.
func TestLint(t *testing.T) {
	w := newWorld(t)
	everything(&w.server)
	text, types, _ := scrape(t, New(w.server))
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err != nil || len(types) < 50 {
		t.Errorf("%d families, %v", len(types), err)
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes", "process_open_fds"} {
		if types[name] != "gauge" {
			t.Errorf("there is no %s", name)
		}
	}
}

// TestHostileNames: whatever text there is in names, a scrape succeeds.
func TestHostileNames(t *testing.T) {
	w := newWorld(t)
	everything(&w.server)
	long := strings.Repeat("x", 2*maxText)
	for i, name := range []string{"\xff", "\xfe", "\xfea", long + "1", long + "2", "a\nb\"c"} {
		w.server.Sessions.PutPool(uint64(i+1), aaa.Pool{Name: name})
	}
	got := values(t, w.server)
	expect(t, "pools", got, map[string]float64{"pool_addresses{pool=\uFFFD}": 0, "pool_addresses{pool=\uFFFDa}": 0, "pool_addresses{pool=" + long[:maxText] + "}": 0, "pool_addresses{pool=a\nb\"c}": 0})
}

// TestTwoRowsOfOneServer: what cannot be told apart is one series.
func TestTwoRowsOfOneServer(t *testing.T) {
	w := newWorld(t)
	one := w.silence()
	two := one
	two.ID, two.Domain = 2, "x"
	w.server.Access.SetServers([]radius.Server{one, two, {ID: 3, Services: []string{"ppp"}}})
	n := 0
	for name := range values(t, w.server) {
		if strings.HasPrefix(name, "radius_server_up{") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d series", n)
	}
}

// BenchmarkScrape is what a scrape costs beside ten thousand calls.
func BenchmarkScrape(b *testing.B) {
	for _, calls := range []int{0, 10_000} {
		b.Run(fmt.Sprint(calls), func(b *testing.B) {
			w := newWorld(b)
			for range calls {
				c, err := w.server.Road.NewCall(serverAddr, clientAddr)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
			}
			page := Page(New(w.server))
			for b.Loop() {
				page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
			}
		})
	}
}
