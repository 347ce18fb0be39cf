package shape

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Rate is what one direction may carry. Rates are in bits per second of IP
// packets.
type Rate struct {
	Max int64 // 0 is no limit

	// A burst: while the average over BurstTime is below Threshold, the stream may
	// reach Burst. Burst is 0 for none.
	Burst, Threshold int64
	BurstTime        time.Duration

	Min int64 // what a queue under a parent is guaranteed
}

// A Limit is a rate-limit, from the router's view: Rx is what it receives from
// the client.
type Limit struct {
	Rx, Tx   Rate
	Priority int // 1 to 8, 1 is the highest
}

// The defaults and bounds of a rate-limit are RouterOS's.
const (
	defaultPriority  = 8
	maxPriority      = 8
	defaultBurstTime = time.Second
	maxBurstTime     = 24 * time.Hour
)

// ErrSyntax says that a text is no rate-limit.
var ErrSyntax = errors.New("shape: not a rate-limit, which is rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority [rx-min[/tx-min]]]]]]")

// Unlimited reports that the limit holds nothing back.
func (l Limit) Unlimited() bool { return l.Rx.Max == 0 && l.Tx.Max == 0 }

// Parse reads the rate-limit of /ppp/profile, which is also Mikrotik-Rate-Limit:
//
//	rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority [rx-min[/tx-min]]]]]]
//
// The value for tx is that for rx if it is left out. An empty text is no limit.
func Parse(text string) (Limit, error) {
	l := Limit{Priority: defaultPriority}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return l, nil
	}
	if len(fields) > 6 {
		return Limit{}, ErrSyntax
	}
	fields = append(fields, make([]string, 6-len(fields))...)
	err := errors.Join(
		pair(fields[0], bits, &l.Rx.Max, &l.Tx.Max),
		pair(fields[1], bits, &l.Rx.Burst, &l.Tx.Burst),
		pair(fields[2], bits, &l.Rx.Threshold, &l.Tx.Threshold),
		pair(fields[3], seconds, &l.Rx.BurstTime, &l.Tx.BurstTime),
		pair(fields[5], bits, &l.Rx.Min, &l.Tx.Min),
	)
	if fields[4] != "" {
		n, e := strconv.Atoi(fields[4])
		if e != nil || n < 1 || n > maxPriority {
			err = ErrSyntax
		}
		l.Priority = n
	}
	if err != nil {
		return Limit{}, ErrSyntax
	}
	for _, r := range []*Rate{&l.Rx, &l.Tx} {
		if err := r.complete(); err != nil {
			return Limit{}, err
		}
	}
	return l, nil
}

// complete gives what was left out its default.
func (r *Rate) complete() error {
	if r.Max == 0 || r.Burst == 0 {
		r.Burst, r.Threshold, r.BurstTime = 0, 0, 0
	} else {
		if r.Threshold == 0 {
			r.Threshold = r.Max
		}
		if r.BurstTime == 0 {
			r.BurstTime = defaultBurstTime
		}
	}
	if r.Min == 0 {
		r.Min = r.Max
	}
	if r.Max != 0 && r.Min > r.Max {
		return fmt.Errorf("shape: the minimum rate %d is above the rate %d", r.Min, r.Max)
	}
	return nil
}

// pair reads a or a/b into two values; an empty text leaves them.
func pair[T any](text string, read func(string) (T, error), rx, tx *T) error {
	if text == "" {
		return nil
	}
	first, second, both := strings.Cut(text, "/")
	var err error
	if *rx, err = read(first); err != nil {
		return err
	}
	if *tx = *rx; both {
		*tx, err = read(second)
	}
	return err
}

// bits reads a rate: a number, and perhaps k, M or G.
func bits(text string) (int64, error) {
	unit := int64(1)
	if n := len(text) - 1; n > 0 {
		switch text[n] {
		case 'k', 'K':
			unit = 1000
		case 'm', 'M':
			unit = 1000_000
		case 'g', 'G':
			unit = 1000_000_000
		}
		if unit > 1 {
			text = text[:n]
		}
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, ErrSyntax
	}
	return int64(n) * unit, nil
}

// seconds reads a time: a number of seconds, or one with a unit, as 10s.
func seconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		text = strconv.FormatUint(n, 10) + "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxBurstTime {
		return 0, ErrSyntax
	}
	return d, nil
}
