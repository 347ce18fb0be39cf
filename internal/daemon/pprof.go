package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime"
	"time"

	"gopptp/internal/plane"
	"gopptp/internal/rawgre"
)

const (
	// mutexRate is how many waits for a lock one is written down of, while there
	// is somebody to ask for them. It is rare enough to cost nothing.
	mutexRate = 100
	// profileEnd is how long a profile that is being taken may need to end with the
	// daemon.
	profileEnd = time.Second
)

// listenProfiles opens the door of the profiles. It has no login, and a profile
// holds the daemon up and shows what it does, so it is for this machine alone.
func listenProfiles(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--pprof %q: it is an address and a port, such as 127.0.0.1:6060", address)
	}
	if host == "localhost" {
		host = "127.0.0.1" // whatever a name server says
	}
	if !loopback(host) {
		return nil, fmt.Errorf("--pprof %q: profiles are given to whoever asks, without a login, so the address must be of the loopback, such as 127.0.0.1:6060", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("cannot listen for --pprof: %w", err)
	}
	return l, nil
}

// loopback reports whether a host is an address of this machine's loopback.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// profiles answers as net/http/pprof does, and /debug/counters. Another mux than
// its own would show them on doors that know nothing of them.
func profiles(counters func(io.Writer)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/counters", func(w http.ResponseWriter, _ *http.Request) { counters(w) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page in this machine's browser may come from a name that leads here.
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && !loopback(host) {
			http.Error(w, "ask for an address of the loopback", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serveProfiles answers until ctx ends or the listener fails, which it closes. It
// returns after the last answer; a profile that is being taken ends early. There is no
// limit on an answer: it takes as long as it was asked to.
func serveProfiles(ctx context.Context, l net.Listener, h http.Handler) error {
	before := runtime.SetMutexProfileFraction(mutexRate)
	defer runtime.SetMutexProfileFraction(before)
	return serveHTTP(ctx, l, &http.Server{Handler: h}, profileEnd)
}

// writeCounters writes how many packets were lost inside of the daemon, and why:
// by the data path, and by the raw socket before or after it.
func writeCounters(w io.Writer, road *plane.Plane, socket rawgre.Stats) {
	for d := plane.DropHeader; d <= plane.DropSend; d++ {
		fmt.Fprintf(w, "drop %s %d\n", d, road.Drops(d))
	}
	for _, c := range []struct {
		name  string
		count uint64
	}{
		{"receive overflow", socket.Overflow}, {"receive truncated", socket.Truncated},
		{"receive malformed", socket.Malformed}, {"receive errors", socket.ReceiveErrors},
		{"send invalid", socket.Invalid}, {"send no-buffer", socket.NoBuffer}, {"send denied", socket.Denied},
		{"send too-big", socket.TooBig}, {"send unreachable", socket.Unreachable}, {"send refused", socket.Refused},
	} {
		fmt.Fprintf(w, "socket %s %d\n", c.name, c.count)
	}
}
