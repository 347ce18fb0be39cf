package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"gopptp/internal/radius"
	"gopptp/internal/session"
	"gopptp/internal/web"
)

// site is a place with a tunnel to the office.
type site struct {
	user, outer, inner, profile, comment string
	rate                                 float64 // in bits per second, as a mean
	up                                   time.Duration
}

var sites = []site{
	{"plant-lyon", "198.51.100.14", "10.20.0.11", "plants", "gateway of hall 2", 3.1e6, 52*time.Hour + 14*time.Minute},
	{"plant-porto", "198.51.100.77", "10.20.0.12", "plants", "gateway at the gate", 1.4e6, 26*time.Hour + 3*time.Minute},
	{"press-shop-1", "203.0.113.8", "10.20.0.13", "plants", "controllers of line 1", 6.8e6, 9*24*time.Hour + 5*time.Hour},
	{"press-shop-2", "203.0.113.8", "10.20.0.14", "plants", "controllers of line 2", 4.2e6, 9*24*time.Hour + 5*time.Hour},
	{"paint-line", "203.0.113.41", "10.20.0.15", "plants", "ovens and robots", 920e3, 3*24*time.Hour + 7*time.Hour},
	{"cold-store-kiel", "198.51.100.130", "10.20.0.16", "plants", "temperatures", 85e3, 31*24*time.Hour + 2*time.Hour},
	{"water-works", "192.0.2.66", "10.20.0.17", "plants", "pumps 1 to 6", 140e3, 12*24*time.Hour + 19*time.Hour},
	{"depot-gdansk", "192.0.2.91", "10.20.0.18", "plants", "gateway of the depot", 2.2e6, 5*time.Hour + 41*time.Minute},
	{"wind-farm-7", "198.51.100.201", "10.20.0.19", "plants", "turbines 41 to 52", 310e3, 8*24*time.Hour + 11*time.Hour},
	{"service-van-03", "203.0.113.150", "10.20.1.3", "vans", "M. Okafor", 450e3, 47 * time.Minute},
	{"service-van-07", "203.0.113.162", "10.20.1.7", "vans", "L. Haddad", 180e3, 2*time.Hour + 8*time.Minute},
	{"service-van-12", "203.0.113.9", "10.20.1.12", "vans", "", 75e3, 12 * time.Minute},
	{"lab-bench", "192.0.2.30", "10.20.0.40", "default-encryption", "test bench", 60e3, 19 * time.Minute},
	{"archive-scanner", "192.0.2.31", "10.20.0.41", "default-encryption", "", 1.1e6, 4*time.Hour + 26*time.Minute},
}

// wave is a rate at a time, which goes up and down as traffic does.
func wave(mean, at float64, phase int) float64 {
	f := float64(phase)
	return mean * (1 + 0.35*math.Sin(at/7+f) + 0.2*math.Sin(at/2.3+2*f) + 0.1*math.Sin(at/0.9+3*f))
}

// volume is what has passed of a wave after a time, in octets.
func volume(mean, at float64, phase int) uint64 {
	f := float64(phase)
	part := func(amplitude, period, shift float64) float64 {
		return amplitude * period * (math.Cos(shift) - math.Cos(at/period+shift))
	}
	return uint64(mean / 8 * (at + part(0.35, 7, f) + part(0.2, 2.3, 2*f) + part(0.1, 0.9, 3*f)))
}

// newOffice is a server with the tunnels of the sites.
func newOffice(t *testing.T) *stage {
	t.Helper()
	began := time.Now()
	live := func() []session.Status {
		at := time.Since(began).Seconds()
		all := make([]session.Status, len(sites))
		for i, s := range sites {
			before := s.up.Seconds()
			all[i] = session.Status{
				ID: uint64(i + 1), Interface: "<pptp-" + s.user + ">", State: "connected", Running: true, User: s.user, CallerID: s.outer, OuterAddress: netip.MustParseAddr(s.outer),
				CalledID: "192.0.2.10", LocalAddress: netip.MustParseAddr("10.20.0.1"), RemoteAddress: netip.MustParseAddr(s.inner), MTU: 1450, MRU: 1450,
				Encoding: "MPPE128 stateless", SessionID: 0x81A00000 + uint32(i), ConnectedAt: began.Add(-s.up), Radius: s.profile == "vans",
				Traffic: session.Traffic{
					RxBytes: uint64(before*s.rate/40) + volume(s.rate, at, i), TxBytes: uint64(before*s.rate/90) + volume(s.rate*0.4, at, i+5),
				},
			}
		}
		return all
	}
	var s *stage
	s = newStage(t, func(cfg *web.Config) {
		cfg.Sessions = live
		cfg.Totals = func() (rx, tx uint64) {
			for _, one := range live() {
				rx, tx = rx+one.Traffic.RxBytes, tx+one.Traffic.TxBytes
			}
			return rx, tx
		}
		cfg.Radius = func(id uint64) (radius.Counters, bool) {
			if id == 1 {
				return radius.Counters{Requests: 1841, Accepts: 1816, Rejects: 25, LastRTT: 3400 * time.Microsecond}, false
			}
			return radius.Counters{Requests: 14, Timeouts: 14}, true
		}
	}, asIfLong)
	s.Engine.SetSessions(live()...)
	s.do("/system/identity", "set", "name", "vpn-hamburg")
	s.do("/interface/pptp-server/server", "set", "enabled", "yes")
	s.do("/ppp/profile", "add", "name", "plants", "use-encryption", "required", "local-address", "10.20.0.1")
	s.do("/ppp/profile", "add", "name", "vans", "use-encryption", "required", "local-address", "10.20.0.1", "rate-limit", "10M/10M")
	for i, one := range sites {
		s.do("/ppp/secret", "add", "name", one.user, "password", "secret "+strconv.Itoa(i), "service", "pptp", "profile", one.profile, "remote-address", one.inner, "comment", one.comment)
	}
	s.do("/ppp/secret", "add", "name", "service-van-05", "password", "gone", "service", "pptp", "profile", "vans", "comment", "sold in May", "disabled", "yes")
	s.do("/interface/pptp-client", "add", "name", "to-berlin", "connect-to", "vpn.berlin.example", "user", "vpn-hamburg", "password", "p", "disabled", "no")
	s.do("/interface/pptp-client", "add", "name", "to-supplier", "connect-to", "192.0.2.200", "user", "guest-17", "password", "p", "comment", "only while orders are exchanged")
	s.Engine.SetClient(1, session.Status{Client: 1, Interface: "to-berlin", State: "connected", Running: true, ConnectedAt: began.Add(-31 * time.Hour), Encoding: "MPPE128 stateless", MTU: 1450, MRU: 1450})
	s.do("/radius", "add", "address", "10.10.0.20", "secret", "s", "service", "ppp", "comment", "Hamburg")
	s.do("/radius", "add", "address", "10.10.0.21", "secret", "s", "service", "ppp", "comment", "Berlin")
	s.do("/ppp/aaa", "set", "use-radius", "yes")
	pause := time.Duration(0)
	if picturesTo() != "" {
		pause = 600 * time.Millisecond // so that the times of the log differ
	}
	s.all.Go(func() { s.history(pause) })
	return s
}

// history fills the log with what such a server logs, in some time.
func (s *stage) history(pause time.Duration) {
	log := func(topics, format string, args ...any) {
		s.Journal.Addf(topics, format, args...)
		select {
		case <-time.After(pause):
		case <-s.over:
		}
	}
	log("system,error,critical", "login failure for user root from 203.0.113.250 via web")
	for _, one := range sites {
		log("pptp,info", "TCP connection established from %s", one.outer)
		log("pptp,ppp,info,account", "%s logged in, %s from %s", one.user, one.inner, one.outer)
		log("pptp,ppp,info", "<pptp-%s>: authenticated", one.user)
		log("pptp,ppp,info", "<pptp-%s>: using encoding - MPPE128 stateless", one.user)
		log("pptp,ppp,info", "<pptp-%s>: connected", one.user)
	}
	log("pptp,ppp,error", "<pptp-0>: user service-van-09 authentication failed")
	log("radius,warning", "server 10.10.0.21:1812 does not answer")
	log("pptp,ppp,info", "<pptp-service-van-05>: terminating... - peer is not responding")
	log("pptp,ppp,info,account", "service-van-05 logged out, 5021 18330211 92110432 61201 80977 from 203.0.113.155")
	log("pptp,ppp,info", "<pptp-service-van-05>: disconnected")
}

// noise is between -1 and 1, and the same for the same number.
func noise(n float64) float64 {
	_, part := math.Modf(math.Sin(n*12.9898) * 43758.5453)
	return part
}

// asIfLong answers for the page what it would know if the server had run for weeks
// and the page for an hour, for which a test has no time. The rest is as it is.
func asIfLong(page http.Handler) http.Handler {
	total := 0.0
	for _, s := range sites {
		total += s.rate
	}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.HandleFunc("GET /web/api/history", func(w http.ResponseWriter, r *http.Request) {
		since, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		const step = 5000
		now := time.Now().UnixMilli() / step * step
		points := [][4]int64{}
		for at := max(now-719*step, since+1); at <= now; at += step {
			at = (at + step - 1) / step * step
			age := float64(now-at) / 1000 // what is now is as the overview says it is
			rx := wave(total, -age/35, 0) * (1 + 0.06*noise(age))
			tx := wave(total*0.4, age/28, 0) * (1 + 0.06*noise(age+1))
			n := len(sites) - int(1.9*(1-math.Cos(age/600)))
			points = append(points, [4]int64{at, int64(rx), int64(tx), int64(n)})
		}
		reply(w, map[string]any{"step": step, "points": points})
	})
	mux.HandleFunc("GET /web/api/overview", func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		page.ServeHTTP(answer, r)
		overview := map[string]any{}
		if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &overview) != nil {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes()) // a page that is gone needs none
			return
		}
		overview["uptime"] = overview["uptime"].(float64) + (38*24*time.Hour + 7*time.Hour).Seconds()
		reply(w, overview)
	})
	return mux
}

// reply answers with JSON.
func reply(w http.ResponseWriter, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("web: what was JSON is none: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // a page that is gone needs none
}
