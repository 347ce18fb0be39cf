package main

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestParseIperf(t *testing.T) {
	tcp, err := parseIperf([]byte(`{"end":{"sum_sent":{"retransmits":3},"sum_received":{"bits_per_second":2e9}}}`), false)
	if err != nil || tcp.megabits != 2000 {
		t.Errorf("TCP: %+v, %v", tcp, err)
	}
	udp, err := parseIperf([]byte(`{"end":{"sum":{"seconds":2,"bytes":1000000,"packets":1000,"lost_packets":250}}}`), true)
	if err != nil || udp.packets != 375 || udp.loss != 0.25 {
		t.Errorf("UDP: %+v, %v", udp, err)
	}
	for text, want := range map[string]error{
		`{"error":"error - the server is busy running a test. try again later"}`:  errNotReady,
		`{"error":"error - unable to connect to server: Connection refused"}`:     errNotReady,
		`{"error":"unable to receive control message: Connection reset by peer"}`: errBroken,
		`{"error":"error - unable to connect to server: Connection timed out"}`:   nil,
		`{"end":{"sum_received":{"bits_per_second":0}}}`:                          nil,
		`iperf3: parameter error`: nil,
	} {
		_, err := parseIperf([]byte(text), false)
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && errors.Is(err, errNotReady) {
			t.Errorf("%s gives %v", text, err)
		}
	}
}

func TestParsePings(t *testing.T) {
	all, err := parsePings("PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.\n" +
		"64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.125 ms\n64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=12 ms\n")
	if err != nil || !slices.Equal(all, []float64{125_000, 12_000_000}) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := parsePings("PING 10.0.0.1\n"); err == nil {
		t.Error("no error without an answer")
	}
}

const sessionReport = `{"count":300,"rows":[
	{"name":"set-up","value":500,"unit":"/s"},{"name":"memory","value":20,"unit":"KiB"},{"name":"idle","value":40,"unit":"µs/s"},
	{"name":"print","value":0.03,"unit":"s"},{"name":"disconnect","value":3,"unit":"s"},
	{"name":"traffic","value":300,"unit":"Mbit/s","detail":"each way, 100 sessions with packets of 1000 octets; one alone 400 Mbit/s, 0.75x"}],"problems":[]}`

func TestSessions(t *testing.T) {
	many, err := parseSessions([]byte(sessionReport))
	if err != nil || many.alone != 400 {
		t.Fatalf("%+v, %v", many, err)
	}
	few := many
	few.value = map[string]float64{"set-up": 400, "memory": 15, "idle": 4, "print": 0.03, "disconnect": 3, "traffic": 300}
	for _, c := range []struct {
		brief bool
		cost  float64
	}{{true, 1.25}, {false, 0.1}} { // set-up, and idle CPU where it counts
		got := map[string]float64{}
		for _, r := range sessionRows([]sessionRound{{few, many}}, []sessionRun{many}, c.brief) {
			got[r.name] = r.ratio
		}
		if got["sessions cost"] != c.cost || got["sessions memory, beside the limit"] != 2 || got["sessions throughput"] != 0.75 {
			t.Errorf("%v", got)
		}
	}
	for _, text := range []string{
		`{"count":3,"rows":[],"problems":["1 lost"]}`,
		`{"count":3,"rows":[{"name":"set-up","value":1}],"problems":[]}`,
		`gopptp: no`,
	} {
		if _, err := parseSessions([]byte(text)); err == nil {
			t.Errorf("no error for %s", text)
		}
	}
}

func TestSharing(t *testing.T) {
	for limit, want := range map[uint64]int{20_100: 1, 20_000: 2, 15_100: 2, 15_099: 3, 10_257: 64, 10_256: 0, 100: 0} {
		if got := sharing(10_000, limit); got != want {
			t.Errorf("with %d descriptors %d sessions share a connection, want %d", limit, got, want)
		}
	}
}

// A line of 1 Mbit/s takes a millisecond for 125 octets, and loses what would wait
// too long.
func TestLineRate(t *testing.T) {
	r := &relay{lanes: [2]*lane{{}, {}}}
	r.set(trouble{rate: 1_000_000})
	s, now := r.lanes[0].state.Load(), time.Unix(0, 0)
	lost := 0
	for i := range 20 {
		due, ok := s.enter(now, 125)
		if !ok {
			lost++
			continue
		}
		if want := now.Add(time.Duration(i+1)*time.Millisecond + relayDelay); !due.Equal(want) {
			t.Errorf("packet %d leaves at %v, want %v", i, due, want)
		}
	}
	if want := 20 - int(relayBuffer/time.Millisecond) - 1; lost != want {
		t.Errorf("%d lost, want %d", lost, want)
	}
}

func TestLineLoses(t *testing.T) {
	r := &relay{lanes: [2]*lane{{}, {}}}
	count := func() (lost int) {
		r.set(trouble{lose: 0.01})
		for range 100_000 {
			if _, ok := r.lanes[1].state.Load().enter(time.Now(), 100); !ok {
				lost++
			}
		}
		return lost
	}
	if a, b := count(), count(); a != b || a < 900 || a > 1100 {
		t.Errorf("%d and %d of 100000 are lost, want 1 %% and the same", a, b)
	}
}

func TestHeld(t *testing.T) {
	a, b := new(packet), new(packet)
	late := held{{a, 2}}
	var order []*packet
	for i := range 4 {
		if i == 1 {
			late = append(late, heldPacket{b, 2})
		}
		var free []*packet
		late, free = late.overtaken()
		order = append(order, free...)
		if i == 1 && (len(free) != 1 || free[0] != a) {
			t.Errorf("after two: %v", free)
		}
	}
	if !slices.Equal(order, []*packet{a, b}) || len(late) != 0 {
		t.Errorf("%v, %v left", order, late)
	}
}
