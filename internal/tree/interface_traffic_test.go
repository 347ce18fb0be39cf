package tree_test

import (
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// TestMonitorTraffic looks at an interface each second while its counters grow, and
// begin again.
func TestMonitorTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.must("/interface/pptp-client/add", nil, "name=out", "connect-to=a", "user=u")
		counters := []session.Traffic{
			{RxBytes: 1000, TxBytes: 500, RxPackets: 10, TxPackets: 5},
			{RxBytes: 3000, TxBytes: 500, RxPackets: 30, TxPackets: 5, RxDrops: 4},
			{RxBytes: 7, TxBytes: 1000, RxPackets: 1, TxPackets: 6, RxDrops: 4, TxDrops: 2},
		}
		want := []map[string]string{
			{"rx-bits-per-second": "0", "rx-packets-per-second": "0"},
			{"rx-bits-per-second": "8000", "tx-bits-per-second": "0", "rx-packets-per-second": "10", "rx-drops-per-second": "2"},
			{"rx-bits-per-second": "0", "tx-bits-per-second": "2000", "tx-packets-per-second": "1", "tx-drops-per-second": "1", "rx-drops-per-second": "0"},
		}
		b.engine.SetClient(1, session.Status{Running: true, Traffic: counters[0]})
		m := b.Root().At("/interface")
		q := &menu.Request{Menu: m, Command: m.Command("monitor-traffic"), Args: map[string]string{"interface": "out", "interval": "2s", "duration": "5s"}}
		seen := 0
		started := time.Now()
		_, err := b.Execute(t.Context(), tree.Admin(), q, func(rows []*menu.Row) error {
			if len(rows) != 1 || rows[0].Get("name") != "out" {
				t.Errorf("look %d: %d rows", seen, len(rows))
			}
			for name, value := range want[seen] {
				if got := rows[0].Get(name); got != value {
					t.Errorf("look %d: %s is %s, want %s", seen, name, got, value)
				}
			}
			seen++
			if seen < len(counters) {
				b.engine.SetClient(1, session.Status{Running: true, Traffic: counters[seen]})
			}
			return nil
		})
		if err != nil || seen != len(counters) || time.Since(started) != 7*time.Second {
			t.Errorf("%d looks in %v: %v", seen, time.Since(started), err)
		}
	})
}
