package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopptp/test/lab"
)

const (
	// iperfSlack is what a run of iperf3 may take beyond the time that it sends.
	iperfSlack = 15 * time.Second
	// iperfTries is how often it is asked while its server is not ready, iperfPause
	// apart.
	iperfTries = 30
	iperfPause = 100 * time.Millisecond
	// iperfBreaks is how often a run may break off, as it does when its server still
	// ends the one before.
	iperfBreaks = 3
)

// A load is a run of iperf3 from a client to a server.
type load struct {
	to      string
	streams int
	seconds int
	reverse bool   // the server sends
	udp     int    // octets of the payload, or 0 for TCP
	control string // of congestion, or empty for what the machine does
}

func (l load) args() []string {
	args := []string{"iperf3", "-J", "--connect-timeout", "5000", "-c", l.to, "-t", strconv.Itoa(l.seconds), "-P", strconv.Itoa(max(l.streams, 1))}
	if l.reverse {
		args = append(args, "-R")
	}
	if l.udp > 0 {
		args = append(args, "-u", "-b", "0", "-l", strconv.Itoa(l.udp))
	}
	if l.control != "" {
		args = append(args, "-C", l.control)
	}
	return args
}

// A carried is what a run has moved, at the receiver.
type carried struct {
	megabits float64 // per second
	packets  float64 // per second; UDP only
	loss     float64 // share of all that were sent; UDP only
}

// errNotReady is a server of iperf3 that has not begun to listen, or not ended the
// run before.
var errNotReady = errors.New("iperf3: the server is not ready")

// errBroken is a run whose control connection ended.
var errBroken = errors.New("iperf3: the run broke off")

// parseIperf reads the report of a client.
func parseIperf(b []byte, udp bool) (carried, error) {
	var report struct {
		Error string
		End   struct {
			SumReceived struct {
				BitsPerSecond float64 `json:"bits_per_second"`
			} `json:"sum_received"`
			Sum struct {
				Seconds     float64
				Packets     float64
				LostPackets float64 `json:"lost_packets"`
				Bytes       float64
			}
		}
	}
	if err := json.Unmarshal(b, &report); err != nil {
		return carried{}, fmt.Errorf("iperf3: %w in %.300q", err, b)
	}
	switch end := report.End; {
	case strings.Contains(report.Error, "busy"), strings.Contains(report.Error, "refused"):
		return carried{}, errNotReady
	case strings.Contains(report.Error, "control"):
		return carried{}, fmt.Errorf("%w: %s", errBroken, report.Error)
	case report.Error != "":
		return carried{}, fmt.Errorf("iperf3: %s", report.Error)
	case !udp && end.SumReceived.BitsPerSecond > 0:
		return carried{megabits: end.SumReceived.BitsPerSecond / 1e6}, nil
	case udp && end.Sum.Packets > 0 && end.Sum.Seconds > 0:
		got := end.Sum.Packets - end.Sum.LostPackets
		return carried{
			packets: got / end.Sum.Seconds, loss: end.Sum.LostPackets / end.Sum.Packets,
			megabits: end.Sum.Bytes * 8 / 1e6 / end.Sum.Seconds * got / end.Sum.Packets,
		}, nil
	}
	return carried{}, fmt.Errorf("iperf3: nothing was carried: %.300q", b)
}

// iperf runs a load from the namespace, where its server is on another machine.
func iperf(ctx context.Context, from *lab.Lab, l load) (carried, error) {
	breaks := 0
	for range iperfTries {
		out, err := run(ctx, from, time.Duration(l.seconds)*time.Second+iperfSlack, l.args()...)
		if err != nil {
			return carried{}, err
		}
		c, err := parseIperf(out, l.udp > 0)
		if errors.Is(err, errBroken) {
			breaks++
		}
		if !errors.Is(err, errNotReady) && (!errors.Is(err, errBroken) || breaks >= iperfBreaks) {
			if err != nil {
				err = fmt.Errorf("%s: %w", strings.Join(l.args(), " "), err)
			}
			return c, err
		}
		time.Sleep(iperfPause)
	}
	return carried{}, errNotReady
}

// iperfServer runs a server in the namespace, on all its addresses. That it may not
// listen yet is for iperf to bear.
func iperfServer(l *lab.Lab) (*process, error) { return start(l, nil, "iperf3", "-s") }
