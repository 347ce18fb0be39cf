package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gopptp/test/lab"
)

const (
	// memoryLimit is what a session may cost the daemon, in KB.
	memoryLimit = 40
	// sessionsLimit is for a whole run of gopptp bench sessions.
	sessionsLimit = 10 * time.Minute
	// spareFiles are the descriptors of the daemon beside those of sessions.
	spareFiles = 100
	// maxCalls is how many sessions a control connection can have.
	maxCalls = 64
	// shortHold is how long sessions are held where it is not for their idle CPU.
	shortHold = 2 * time.Second
	// clientAddresses are those of the clients.
	clientAddresses = "10.99.0.0/16"
	// profiles is where a server has its profiles, on a loopback of its own.
	profiles = "127.0.0.1:6060"
)

// A sessionRun is what gopptp bench sessions has measured.
type sessionRun struct {
	count int
	value map[string]float64 // by the names of its rows
	alone float64            // Mbit/s of one session that sends alone; of all, value has
}

// A sessionRound is few sessions on a server and many on another one.
type sessionRound struct{ few, many sessionRun }

// sessions holds many sessions on a server, and few on another one, by turns. Only the
// first round holds them for long: nothing but idle CPU needs that.
func (b *bench) sessions(ctx context.Context) (err error) {
	if b.calls, err = room(b.manySessions); err != nil {
		return err
	}
	near, far, err := sessionLabs(ctx)
	if err != nil {
		return err
	}
	defer near.Close()
	defer far.Close()
	var all []sessionRound
	for i := range b.sessionRounds {
		held := b.held
		if i > 0 {
			held = min(held, shortHold)
		}
		var r sessionRound
		if r.few, err = b.holdSessions(ctx, near, far, b.fewSessions, 0, held); err != nil {
			return err
		}
		if r.many, err = b.holdSessions(ctx, near, far, b.manySessions, 0, held); err != nil {
			return err
		}
		all = append(all, r)
	}
	// Not with the others, since traffic leaves memory and garbage behind.
	var active []sessionRun
	for range b.sessionRounds {
		r, err := b.holdSessions(ctx, near, far, b.fewSessions, b.fewSessions, time.Second)
		if err != nil {
			return err
		}
		active = append(active, r)
	}
	for _, r := range sessionRows(all, active, b.brief) {
		if b.calls > 1 {
			r.note += fmt.Sprintf(", %d a connection", b.calls)
		}
		b.add(r)
	}
	return nil
}

// sessionRows compares what each of many costs with what each of few does. What a
// session costs is the one of memory, set-up and idle CPU that grows most. After a
// brief run it is the set-up: memory is a good deal of what comes with the first session,
// and all others took too short a time to tell; they are only shown.
func sessionRows(all []sessionRound, active []sessionRun, brief bool) []row {
	note, other := fmt.Sprintf("each of %d", all[0].many.count), fmt.Sprintf("each of %d", all[0].few.count)
	var rows []row
	for _, r := range []struct {
		name string
		unit unit
		of   []sessionRound
		cost func(sessionRun) float64
	}{
		{"sessions memory", kilobytes, all, sessionRun.memory},
		{"sessions set-up", nanoseconds, all, func(s sessionRun) float64 { return 1e9 / s.value["set-up"] }},
		{"sessions idle, CPU in a second", nanoseconds, all[:1], func(s sessionRun) float64 { return 1000 * s.value["idle"] }},
		{"sessions print", nanoseconds, all, func(s sessionRun) float64 { return 1e9 * s.value["print"] / float64(s.count) }},
		{"sessions disconnect", nanoseconds, all, func(s sessionRun) float64 { return 1e9 * s.value["disconnect"] / float64(s.count) }},
	} {
		var turns rounds
		for _, round := range r.of {
			turns.add(r.cost(round.many), r.cost(round.few))
		}
		rows = append(rows, turns.row(r.name, other, r.unit, note))
	}
	dearest := rows[1]
	for _, r := range rows[:3] {
		if !brief && r.ratio < dearest.ratio {
			dearest = r
		}
	}
	for i := range rows {
		rows[i].shown = brief && i != 1
	}
	dearest.note = "the worst: " + strings.TrimPrefix(dearest.name, "sessions ")
	dearest.name = "sessions cost"
	var limit, together rounds
	for _, r := range all {
		limit.add(r.many.memory(), memoryLimit)
	}
	for _, r := range active {
		together.add(r.value["traffic"], r.alone)
	}
	beside := limit.row("sessions memory, beside the limit", "the most it may be", kilobytes, note)
	beside.shown = brief
	return append(rows, dearest, beside,
		together.row("sessions throughput", "1 that sends alone", megabits, fmt.Sprintf("%d that send", active[0].count)))
}

// memory is what a session has made the daemon grow by, in KB, from what it had before
// the first one and after it had given back what only its start needed: few sessions would
// fit into that, and many would not.
func (s sessionRun) memory() float64 { return s.value["memory"] }

// room raises the limit of descriptors of this process, and so of those that it
// starts, for n sessions, and gives how many must share a control connection: one alone
// has its own, unless the machine forbids so many descriptors.
func room(n int) (calls int, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	// By syscall: what it sets, os/exec does not undo for the processes that it starts.
	need := files(n, 1)
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: need, Max: max(need, limit.Max)}) == nil {
		return 1, nil
	}
	if calls = sharing(n, limit.Max); calls == 0 {
		return 0, fmt.Errorf("%d sessions need %d descriptors, and there may be %d: raise the limit (ulimit -Hn)", n, files(n, maxCalls), limit.Max)
	}
	limit.Cur = limit.Max
	return calls, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// files are the descriptors of a daemon with n sessions, of which calls share a control
// connection.
func files(n, calls int) uint64 { return uint64(n + (n+calls-1)/calls + spareFiles) }

// sharing is how many of n sessions must share a control connection for so many
// descriptors; 0 if that does not suffice.
func sharing(n int, limit uint64) int {
	for calls := 1; calls <= maxCalls; calls++ {
		if files(n, calls) <= limit {
			return calls
		}
	}
	return 0
}

// sessionLabs are a machine for servers and one for clients with many addresses.
func sessionLabs(ctx context.Context) (near, far *lab.Lab, err error) {
	near, err = lab.New(ctx, labSource, "bench-many", serverAddress+"/24")
	if err != nil {
		return nil, nil, err
	}
	far, err = lab.New(ctx, labSource, "bench-load", "192.168.61.2/24")
	if err != nil {
		near.Close()
		return nil, nil, err
	}
	err = errors.Join(
		near.Link(ctx, far, nearWAN+"/24", farWAN+"/24"),
		near.IP(ctx, "route add "+clientAddresses+" via "+farWAN),
		far.IP(ctx, "route add local "+clientAddresses+" dev lo"))
	if err != nil {
		far.Close()
		near.Close()
		return nil, nil, err
	}
	return near, far, nil
}

// holdSessions runs a server and puts a load on it.
func (b *bench) holdSessions(ctx context.Context, near, far *lab.Lab, count, active int, held time.Duration) (sessionRun, error) {
	b.servers++
	name := fmt.Sprintf("server-%d", b.servers) // with a directory of its own
	server, err := near.Start(ctx, b.binary, name, "--pprof", profiles)
	if err != nil {
		return sessionRun{}, err
	}
	defer server.Stop()
	_, err = server.Exec(ctx, "/ip/pool/add name=load ranges=10.100.0.1-10.100.127.254",
		"/ppp/profile/set default-encryption local-address=10.101.0.1 remote-address=load only-one=no",
		"/ppp/secret/add name=load password=load service=pptp profile=default-encryption",
		"/interface/pptp-server/server/set enabled=yes")
	if err != nil {
		return sessionRun{}, err
	}
	password := filepath.Join(far.Dir, "password")
	if err := os.WriteFile(password, []byte("load\n"), 0o600); err != nil {
		return sessionRun{}, err
	}
	args := []string{b.binary, "bench", "sessions", "--netns", far.Name, "--target", nearWAN, "--from", clientAddresses,
		"--user", "load", "--password-file", password, "--console", filepath.Join(near.Dir, name, "socket"), "--pprof", profiles,
		"--count", strconv.Itoa(count), "--calls", strconv.Itoa(b.calls), "--hold", held.String(), "--json"}
	if active > 0 {
		args = append(args, "--active", strconv.Itoa(active), "--active-time", (time.Duration(b.seconds) * time.Second).String())
	}
	out, err := run(ctx, far, sessionsLimit, args...)
	if err != nil {
		return sessionRun{}, fmt.Errorf("%w\n%.4000s", err, server.Transcript())
	}
	return parseSessions(out)
}

// parseSessions reads the report of gopptp bench sessions, which names what must not
// be.
func parseSessions(b []byte) (sessionRun, error) {
	var report struct {
		Count int
		Rows  []struct {
			Name   string
			Value  float64
			Detail string
		}
		Problems []string
	}
	if err := json.Unmarshal(b, &report); err != nil {
		return sessionRun{}, fmt.Errorf("gopptp bench sessions: %w in %.300q", err, b)
	}
	if len(report.Problems) > 0 {
		return sessionRun{}, fmt.Errorf("%d sessions: %s", report.Count, strings.Join(report.Problems, "; "))
	}
	s := sessionRun{count: report.Count, value: map[string]float64{}}
	for _, r := range report.Rows {
		s.value[r.Name] = r.Value
		if _, rest, ok := strings.Cut(r.Detail, "one alone "); ok {
			if _, err := fmt.Sscanf(rest, "%g Mbit/s", &s.alone); err != nil {
				return sessionRun{}, fmt.Errorf("gopptp bench sessions: %w in %.300q", err, r.Detail)
			}
		}
	}
	for _, name := range []string{"set-up", "memory", "idle", "print", "disconnect"} {
		if _, ok := s.value[name]; !ok {
			return sessionRun{}, fmt.Errorf("gopptp bench sessions: no row %s in %.300q", name, b)
		}
	}
	return s, nil
}
