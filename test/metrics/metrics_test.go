// Package metrics has only tests: what the daemon shows Prometheus and others who
// watch it, of real sessions in network namespaces.
package metrics

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const at = "127.0.0.1:9180"

// machine makes one whose daemon shows metrics.
func machine(t *testing.T, name string, more ...string) *rig.Machine {
	m := rig.New(t, name, "")
	m.Args = append([]string{"--metrics", at}, more...)
	return m
}

// get asks the daemon of a machine.
func get(t *testing.T, m *rig.Machine, path string, headers ...string) (status int, body string) {
	t.Helper()
	args := []string{"--silent", "--show-error", "--max-time", "10", "--write-out", "\n%{http_code}"}
	for _, h := range headers {
		args = append(args, "--header", h)
	}
	out := m.Run("curl", append(args, "http://"+at+path)...)
	i := strings.LastIndexByte(out, '\n')
	status, err := strconv.Atoi(out[i+1:])
	if err != nil {
		t.Fatalf("%s: %q", path, out)
	}
	return status, out[:i]
}

// scrape gives the values by name and labels, as they are written.
func scrape(t *testing.T, m *rig.Machine) map[string]float64 {
	t.Helper()
	status, body := get(t, m, "/metrics")
	if status != 200 {
		t.Fatalf("%d\n%s", status, body)
	}
	values := map[string]float64{}
	for line := range strings.Lines(body) {
		i := strings.LastIndexByte(line, ' ')
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[i+1:]), 64); err == nil && line[0] != '#' {
			values[strings.TrimPrefix(line[:i], "gopptp_")] = v
		}
	}
	return values
}

// least checks that values are at least so large.
func least(t *testing.T, when string, got, want map[string]float64) {
	t.Helper()
	for name, n := range want {
		if v, there := got[name]; !there || v < n {
			t.Errorf("%s: %s is %v (%v), want %v or more", when, name, v, there, n)
		}
	}
}

// lint has Prometheus look at what a machine shows.
func lint(t *testing.T, m *rig.Machine) {
	t.Helper()
	_, body := get(t, m, "/metrics")
	if out, err := m.Feed(body, "promtool", "check", "metrics"); err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestRequiresRootMetrics(t *testing.T) {
	rig.Need(t, "curl", "promtool", "ping")
	server, client := machine(t, "server", "--metrics-sessions"), machine(t, "client")
	rig.Plug(t, server, client)
	server.Start()
	client.Start()
	for _, path := range []string{"/ready", "/health"} {
		if status, body := get(t, server, path); status != 200 || body != "ok\n" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}

	// Another PPTP server has the port.
	var taken net.Listener
	server.Do(func() {
		var err error
		if taken, err = net.Listen("tcp4", ":1723"); err != nil {
			t.Fatal(err)
		}
	})
	server.On(
		"/interface/pptp-server/server/set enabled=yes authentication=mschap2",
		"/ip/pool/add name=p ranges=10.64.0.10-10.64.0.19",
		"/ppp/profile/set default-encryption remote-address=p local-address=10.64.0.1",
		"/ppp/secret/add name=u password=StrongPass profile=default-encryption",
		"/radius/add service=ppp address=127.0.0.1 secret=x timeout=20ms", // which nobody has
		"/ppp/aaa/set use-radius=yes",
	)
	server.Until("it is not ready", func() bool { status, _ := get(t, server, "/ready"); return status == 503 })
	server.Until("it says why", func() bool {
		_, body := get(t, server, "/ready")
		return strings.Contains(body, "the server takes no calls: ") && strings.Contains(body, "address already in use")
	})
	if status, _ := get(t, server, "/health"); status != 200 {
		t.Errorf("/health is %d for a port that is in use", status)
	}
	taken.Close()
	server.Until("it is ready", func() bool { status, _ := get(t, server, "/ready"); return status == 200 })

	client.On(
		"/interface/pptp-client/add name=c connect-to="+rig.ServerAddress+" user=u password=StrongPass disabled=no",
		"/interface/pptp-client/add name=wrong connect-to="+rig.ServerAddress+" user=u password=WrongPass disabled=no",
		"/interface/pptp-client/add name=nobody connect-to="+rig.ServerAddress+" user=nobody password=x disabled=no",
		"/interface/pptp-client/add name=off connect-to="+rig.ServerAddress+" user=u disabled=yes",
	)
	client.Connected("c")
	before, beforeThere := scrape(t, server), scrape(t, client)
	const pings, size = 20, 1000
	client.Run("ping", "-n", "-q", "-c", strconv.Itoa(pings), "-i", "0.02", "-s", strconv.Itoa(size-28), "10.64.0.1")
	after, there := scrape(t, server), scrape(t, client)
	for _, direction := range []string{"receive", "transmit"} {
		for _, name := range []string{
			`traffic_bytes_total{direction="` + direction + `"}`, `session_bytes_total{direction="` + direction + `",interface="<pptp-u>",side="server"}`,
		} {
			if grown := after[name] - before[name]; grown < pings*size || grown > 2*pings*size {
				t.Errorf("server: %s grew by %v", name, grown)
			}
		}
		name := `traffic_packets_total{direction="` + direction + `"}`
		if grown := there[name] - beforeThere[name]; grown < pings || grown > 2*pings {
			t.Errorf("client: %s grew by %v", name, grown)
		}
	}

	// What is wrong is counted by its reason.
	client.Do(func() {
		raw, err := net.Dial("ip4:47", rig.ServerAddress)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		for range 3 {
			if _, err := raw.Write([]byte{0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil { // Call ID 0, which is none
				t.Fatal(err)
			}
		}
		strange, err := net.Dial("tcp4", rig.ServerAddress+":1723")
		if err != nil {
			t.Fatal(err)
		}
		defer strange.Close()
		if _, err := strange.Write([]byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	})
	server.Until("all is counted", func() bool {
		v := scrape(t, server)
		return v[`dropped_packets_total{reason="no-call"}`]-after[`dropped_packets_total{reason="no-call"}`] >= 3 && v[`control_errors_total{reason="malformed"}`] == 1 &&
			v[`authentications_total{method="mschap2",result="failure",side="server"}`] >= 2 &&
			v[`radius_requests_total{kind="authentication",result="timeout",server="127.0.0.1"}`] >= 1
	})
	least(t, "server", scrape(t, server), map[string]float64{
		`sessions{side="server",state="connected"}`:                               1,
		`connected_sessions{encryption="mppe128",method="mschap2",side="server"}`: 1,
		`session_setup_seconds_count{method="mschap2",side="server"}`:             1,
		`session_setup_seconds_bucket{method="mschap2",side="server",le="5"}`:     1,
		`authentications_total{method="mschap2",result="success",side="server"}`:  1,
		`sessions_ended_total{cause="nas-error",side="server"}`:                   1,
		`pool_addresses{pool="p"}`:                                                10, `pool_used_addresses{pool="p"}`: 1,
		`server_listening`: 1, `server_enabled`: 1, `control_connections`: 1, `control_connections_accepted_total`: 3,
		`log_entries_total{severity="error"}`: 1, `log_entries_total{severity="info"}`: 1,
		`go_goroutines`: 5, `process_resident_memory_bytes`: 1 << 20, `start_time_seconds`: 1 << 30,
	})
	least(t, "client", scrape(t, client), map[string]float64{
		`clients{state="connected"}`: 1, `clients{state="disabled"}`: 1,
		`connected_sessions{encryption="mppe128",method="mschap2",side="client"}`: 1,
		`authentications_total{method="mschap2",result="failure",side="client"}`:  1,
	})
	lint(t, server)
	lint(t, client)
	if _, body := get(t, server, "/metrics", "Accept: application/openmetrics-text"); !strings.HasSuffix(body, "# EOF\n") {
		t.Error("no OpenMetrics")
	}
	if _, body := get(t, client, "/metrics"); strings.Contains(body, "gopptp_session_bytes_total") {
		t.Error("series of sessions that nobody has asked for")
	}
	for _, m := range []*rig.Machine{server, client} {
		_, body := get(t, m, "/metrics")
		if strings.Contains(body, "StrongPass") || strings.Contains(body, rig.ClientAddress) {
			t.Errorf("%s shows too much", m.Name)
		}
	}
}
