package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"gopptp/internal/progress"
)

const (
	// pingSize is that of a plain ping, packetSize that of the packets of which
	// traffic is made: as much as a TCP segment of a usual path.
	pingSize   = 84
	packetSize = 1400

	// pingWait bounds the wait for an answer, and pings the tries: the first packets
	// of a tunnel may be lost.
	pingWait = 2 * time.Second
	pings    = 5

	// maxInFlight bounds the packets that all active sessions together have on their
	// way, so that they fit into the server's receive buffer; maxWindow those of
	// one: that is the window of PPTP clients.
	maxInFlight = 4096
	maxWindow   = 64
	// trafficLook is how often it is looked for sessions whose packets are lost, all
	// of a window: their echoes begin anew.
	trafficLook = 250 * time.Millisecond
)

// ping sends an echo through each session.
func (r *run) ping(ctx context.Context) error {
	var mu sync.Mutex
	var times []time.Duration
	r.each(ctx, "ping", len(r.sessions), func(i int) {
		if took, ok := r.sessions[i].ping(ctx); ok {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if silent := len(r.sessions) - len(times); silent > 0 {
		r.report.problem("%d of %d sessions were not answered a ping", silent, len(r.sessions))
	}
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	r.report.add(Row{
		Name: "ping", Value: times[len(times)/2].Seconds() * 1000, Unit: "ms",
		Detail: fmt.Sprintf("the median; 99th percentile %v; %d of %d answered", round(times[len(times)*99/100]), len(times), len(r.sessions)),
	})
	return nil
}

// ping sends an echo and waits for the answer.
func (s *session) ping(ctx context.Context) (took time.Duration, ok bool) {
	for range pings {
		began := time.Now()
		s.device.ask(pingSize, 1, false)
		select {
		case at := <-s.device.answer:
			return at.Sub(began), true
		case <-time.After(pingWait):
		case <-s.done:
			return 0, false
		case <-ctx.Done():
			return 0, false
		}
	}
	return 0, false
}

// traffic sends through one session, and then through all that are to be active.
func (r *run) traffic(ctx context.Context) error {
	if r.Active == 0 {
		return nil
	}
	active := r.sessions[:min(r.Active, len(r.sessions))]
	one, _ := r.send(ctx, active[:1])
	all, silent := r.send(ctx, active)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if silent > 0 {
		r.report.problem("%d of %d active sessions carried nothing", silent, len(active))
	}
	r.report.add(Row{
		Name: "traffic", Value: all / 1e6, Unit: "Mbit/s",
		Detail: fmt.Sprintf("each way, %d sessions with packets of %d octets; one alone %.0f Mbit/s, %.2fx", len(active), packetSize, one/1e6, all/one),
	})
	return nil
}

// send has the sessions send for r.Seconds, and gives the bits per second that were
// answered, and how many sessions had no answer.
func (r *run) send(ctx context.Context, active []*session) (bits float64, silent int) {
	window := min(max(maxInFlight/len(active), 1), maxWindow)
	total, last := make([]int, len(active)), make([]int, len(active)) // answers: of earlier windows, and at the last look
	for _, s := range active {
		s.device.ask(packetSize, window, true)
	}
	began := time.Now()
	tick := time.NewTicker(trafficLook)
	defer tick.Stop()
	tell := progress.Seldom(func(s progress.Step) { r.Line.Show(s.String()) })
	name := fmt.Sprintf("traffic of %d", len(active))
	for end := time.After(r.Seconds); ; {
		stop := false
		select {
		case <-tick.C:
		case <-end:
			stop = true
		case <-ctx.Done():
			stop = true
		}
		if stop {
			break
		}
		tell(progress.Step{What: name, Unit: "seconds", Done: int(time.Since(began).Seconds()), Total: int(r.Seconds.Seconds())})
		for i, s := range active {
			n := s.device.answers()
			if n == last[i] {
				total[i] += n
				n = 0
				s.device.ask(packetSize, window, true)
			}
			last[i] = n
		}
	}
	took := time.Since(began)
	sum := 0
	for i, s := range active {
		s.device.quiet()
		n := total[i] + s.device.answers()
		if n == 0 {
			silent++
		}
		sum += n
	}
	r.Line.Clear()
	fmt.Fprintf(r.Progress, "%s: %d packets answered in %v\n", name, sum, round(took))
	return float64(sum*packetSize*8) / took.Seconds(), silent
}
