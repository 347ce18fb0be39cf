package tree

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

const monitorTraffic = "monitor-traffic"

// bitRate is a number of bits in a second: 1296.6kbps.
type bitRate struct{ menu.Int }

// Text gives it with its unit.
func (bitRate) Text(s string) string {
	n, err := strconv.ParseUint(s, 10, 64)
	switch {
	case err != nil:
		return s
	case n >= 1e6:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + "Mbps"
	case n >= 1e3:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + "kbps"
	}
	return s + "bps"
}

// trafficMenu is what monitor-traffic shows.
func trafficMenu() *menu.Menu {
	m := &menu.Menu{Name: monitorTraffic, Singleton: true, Properties: []menu.Property{
		{Name: "name", Type: menu.Words(), Optional: true, ReadOnly: true},
	}}
	for _, name := range []string{
		"rx-packets", "rx-bits", "fp-rx-packets", "fp-rx-bits", "rx-drops", "rx-errors",
		"tx-packets", "tx-bits", "fp-tx-packets", "fp-tx-bits", "tx-drops", "tx-queue-drops", "tx-errors",
	} {
		p := menu.Property{Name: name + "-per-second", Type: counter, Default: "0", ReadOnly: true}
		if strings.HasSuffix(name, "bits") {
			p.Type = bitRate{counter}
		}
		m.Properties = append(m.Properties, p)
	}
	return m.Standalone()
}

// A traffic is one run of monitor-traffic: it shows what changed from one look to
// the next.
type traffic struct {
	*interfacesMenu
	last map[menu.ID]look
}

// A look is an interface's counters at a time.
type look struct {
	at  time.Time
	row *menu.Row
}

// status gives the rates of an interface since the last look at it.
func (f traffic) status(output *menu.Menu, r *menu.Row) *menu.Row {
	now := look{time.Now(), r}
	before, seen := f.last[r.ID]
	f.last[r.ID] = now
	out := output.Defaults(r.ID)
	out.Put("name", r.Get("name"))
	elapsed := now.at.Sub(before.at).Seconds()
	if !seen || elapsed <= 0 {
		return out
	}
	rate := func(name, counter string, times float64) {
		was, _ := strconv.ParseUint(before.row.Get(counter), 10, 64)
		is, _ := strconv.ParseUint(r.Get(counter), 10, 64)
		if is > was { // less is another session's
			out.Put(name, strconv.FormatUint(uint64(float64(is-was)*times/elapsed+0.5), 10))
		}
	}
	for _, way := range []string{"rx", "tx"} {
		rate(way+"-packets-per-second", way+"-packet", 1)
		rate(way+"-bits-per-second", way+"-byte", 8)
		rate(way+"-drops-per-second", way+"-drop", 1)
	}
	return out
}

// traffic shows the rates of interfaces. The first are of the time until then.
func (m *interfacesMenu) traffic(ctx context.Context, u User, r *menu.Request, emit Emit) error {
	list, given := r.Args["interface"]
	if !given {
		return menu.Missing("interface")
	}
	q := *r
	q.Items = strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ';' })
	f := traffic{interfacesMenu: m, last: map[menu.ID]look{}}
	for _, text := range q.Items {
		row, err := m.item(text)
		if err != nil {
			return err
		}
		f.status(r.Command.Output, row)
	}
	timer := time.NewTimer(intervalOf(r))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return menu.Errorf(menu.Interrupted, "interrupted")
	}
	return m.tree.monitor(ctx, u, f, &q, emit)
}
