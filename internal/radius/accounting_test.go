package radius

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	wire "layeh.com/radius"

	"gopptp/internal/journal"
)

// newAccounting gives one that is open; run runs it until stop.
func newAccounting(t *testing.T, c *Client) *Accounting {
	t.Helper()
	a, err := OpenAccounting(t.TempDir(), c, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func runAccounting(t *testing.T, a *Accounting) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func drained(t *testing.T, a *Accounting) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := a.Drain(ctx); err != nil {
		t.Fatalf("%v, %d wait", err, a.Waiting())
	}
}

func record(status Status, id string) Record {
	return Record{Status: status, Session: Session{User: "u", ID: id}}
}

// sent tells what came to a server: the status and the session.
func sent(requests [][]byte) (list []string) {
	names := map[byte]string{1: "start", 2: "stop", 3: "interim", 7: "on", 8: "off"}
	for _, b := range requests {
		var status, id string
		for k, v := range attributes(b) {
			switch k {
			case attrAcctStatusType:
				status = names[v[3]]
			case attrAcctSessionID:
				id = string(v)
			}
		}
		if status == "on" || status == "off" {
			id = ""
		}
		list = append(list, strings.TrimSpace(status+" "+id))
	}
	return list
}

func TestRecordPacket(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	r := Record{
		Status: Stop, At: at, Session: Session{User: "u", ID: "8100000A", Port: 3, Calling: "c", Called: "d"}, Local: true,
		Address: netip.MustParseAddr("10.0.0.1"), Class: [][]byte{{1}, {2}}, Cause: SessionTimeout,
		Usage: Usage{Time: 90 * time.Second, InputOctets: 3<<32 + 5, OutputOctets: 4<<32 + 6, InputPackets: 1<<32 + 7, OutputPackets: 8},
	}
	p, err := r.packet([]byte("s"), nas{identity: "router", address: loopback}, at.Add(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	b, err := seal(p)
	if err != nil {
		t.Fatal(err)
	}
	if !wire.IsAuthenticRequest(b, []byte("s")) {
		t.Error("the signature is wrong")
	}
	got := map[string][]string{}
	for k, v := range attributes(b) {
		got[k.name()] = append(got[k.name()], k.show(v))
	}
	for name, want := range map[string]string{
		"Acct-Status-Type": "2", "Acct-Authentic": "2", "Framed-IP-Address": "10.0.0.1", "Class": "0x01 0x02",
		"Acct-Session-Time": "90", "Acct-Input-Octets": "5", "Acct-Input-Gigawords": "3", "Acct-Output-Octets": "6", "Acct-Output-Gigawords": "4",
		"Acct-Input-Packets": "7", "Acct-Output-Packets": "8", "Acct-Terminate-Cause": "5", "Acct-Delay-Time": "5", "Event-Timestamp": "1700000000",
		"NAS-Identifier": `"router"`, "NAS-IP-Address": "127.0.0.1", "Message-Authenticator": "",
	} {
		if g := strings.Join(got[name], " "); g != want {
			t.Errorf("%s is %s, want %s", name, g, want)
		}
	}
}

// On is before everything, Off behind it, and the records of a session come in
// their order although a network loses many.
func TestAccountingOrder(t *testing.T) {
	var mu sync.Mutex
	var taken [][]byte
	s := serveFake(t, func(n int, request []byte) [][]byte {
		if n%3 == 1 {
			return nil
		}
		mu.Lock()
		taken = append(taken, request)
		mu.Unlock()
		return accept()(n, request)
	})
	c := newClient(t, s.row(1))
	a := newAccounting(t, c)
	if err := a.On(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	const sessions = 20
	for i := range sessions {
		wg.Go(func() {
			for _, status := range []Status{Start, Interim, Interim, Stop} {
				if err := a.Add(record(status, fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runAccounting(t, a)
	wg.Wait()
	if err := a.Off(); err != nil {
		t.Fatal(err)
	}
	drained(t, a)
	mu.Lock()
	defer mu.Unlock()
	// What was acknowledged only the second time is there twice.
	list := slices.Compact(sent(taken))
	if list[0] != "on" || list[len(list)-1] != "off" {
		t.Fatalf("%d: %v", len(list), list)
	}
	for i := range sessions {
		var own []string
		for _, e := range list {
			if status, id, _ := strings.Cut(e, " "); id == fmt.Sprint(i) {
				own = append(own, status)
			}
		}
		if got := fmt.Sprint(slices.Compact(own)); got != "[start interim stop]" {
			t.Errorf("session %d: %s", i, got)
		}
	}
	if a.Lost() != 0 || a.Waiting() != 0 {
		t.Errorf("%d lost, %d wait", a.Lost(), a.Waiting())
	}
}

// The primary does not answer: the backup gets the record.
func TestAccountingBackup(t *testing.T) {
	primary, backup := serveFake(t, silent), serveFake(t, accept())
	spare := backup.row(2)
	spare.AccountingBackup = true
	c := newClient(t, spare, primary.row(1))
	a := newAccounting(t, c)
	runAccounting(t, a)
	if err := a.Add(record(Start, "1")); err != nil {
		t.Fatal(err)
	}
	drained(t, a)
	if len(primary.requests()) != transmissions || len(backup.requests()) != 1 {
		t.Errorf("%d to the primary, %d to the backup", len(primary.requests()), len(backup.requests()))
	}
	// One that is down does not hold up the records of another.
	elsewhere := serveFake(t, accept())
	row := elsewhere.row(3)
	row.Domain = "D"
	c.Configure([]Server{row, primary.row(1)})
	for range 5 {
		if err := a.Add(record(Start, "2")); err != nil {
			t.Fatal(err)
		}
	}
	r := record(Start, "3")
	r.Session.Domain = "D"
	if err := a.Add(r); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); len(elsewhere.requests()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the record for another server waits")
		}
	}
}

// What is not taken is there after a restart, and nothing else.
func TestAccountingSurvives(t *testing.T) {
	s := serveFake(t, accept())
	c := newClient(t, s.row(1))
	dir, log := t.TempDir(), journal.New(nil, false)
	a, err := OpenAccounting(dir, c, log)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for range 3 {
		ids[a.NewSessionID()] = true
	}
	for _, status := range []Status{Start, Interim, Stop} {
		if err := a.Add(record(status, "1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if a, err = OpenAccounting(dir, c, log); err != nil {
		t.Fatal(err)
	}
	if a.Waiting() != 3 {
		t.Errorf("%d wait, want 3", a.Waiting())
	}
	stop := runAccounting(t, a)
	drained(t, a)
	stop()
	for range 3 {
		if id := a.NewSessionID(); ids[id] || len(id) != 8 || !strings.HasPrefix(id, "81") {
			t.Errorf("session id %s", id)
		}
	}
	a.Close()
	if got := fmt.Sprint(sent(s.requests())); got != "[start 1 interim 1 stop 1]" {
		t.Error(got)
	}
	if a, err = OpenAccounting(dir, c, log); err != nil || a.Waiting() != 0 {
		t.Errorf("%d wait, %v", a.Waiting(), err)
	}
	a.Close()
}

func TestAccountingWithoutServer(t *testing.T) {
	a := newAccounting(t, newClient(t))
	for _, err := range []error{a.On(), a.Off(), a.Add(record(Start, "1"))} {
		if !errors.Is(err, ErrNoServer) {
			t.Error(err)
		}
	}
	if a.Waiting() != 0 {
		t.Error("something waits")
	}
}

// A record that no packet holds is dropped, with a word, and holds up nobody.
func TestAccountingUnsendable(t *testing.T) {
	s := serveFake(t, accept())
	a := newAccounting(t, newClient(t, s.row(1)))
	r := record(Start, "1")
	r.Session.User = strings.Repeat("u", 300)
	if err := errors.Join(a.Add(r), a.Add(record(Stop, "1"))); err != nil {
		t.Fatal(err)
	}
	runAccounting(t, a)
	drained(t, a)
	if got := fmt.Sprint(sent(s.requests())); got != "[stop 1]" || a.Lost() != 1 {
		t.Errorf("%s, %d lost", got, a.Lost())
	}
}

// A full queue drops the oldest interims, and a start or stop only without any.
func TestQueueIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q")
	q, err := openQueue(path, 4)
	if err != nil {
		t.Fatal(err)
	}
	var dropped []Status
	for _, status := range []Status{Start, Interim, Interim, Stop, Start, Stop, Start} {
		d, err := q.add(record(status, fmt.Sprint(len(dropped))))
		if err != nil {
			t.Fatal(err)
		}
		dropped = append(dropped, d)
	}
	if got := fmt.Sprint(dropped); got != fmt.Sprint([]Status{0, 0, 0, 0, Interim, Interim, Start}) {
		t.Error(got)
	}
	if err := q.close(); err != nil {
		t.Fatal(err)
	}
	if q, err = openQueue(path, 4); err != nil {
		t.Fatal(err)
	}
	defer q.close()
	var left []string
	for {
		r, _, ok, err := q.next(func(entry) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		left = append(left, fmt.Sprint(r.Status, " ", r.Session.ID))
	}
	if got := strings.Join(left, ", "); got != "2 3, 1 4, 2 5, 1 6" {
		t.Error(got)
	}
}

// A record that cannot be read is thrown away, counted, and keeps nothing else.
func TestUnreadableRecord(t *testing.T) {
	s := serveFake(t, accept())
	c := newClient(t, s.row(1))
	dir := t.TempDir()
	q, err := openQueue(filepath.Join(dir, acctFile), maxRecords)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := q.add(record(Start, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	err = q.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(recordBucket).Put(key(2), []byte("{")) })
	if err := errors.Join(err, q.close()); err != nil {
		t.Fatal(err)
	}
	for want := uint64(1); ; want = 0 {
		a, err := OpenAccounting(dir, c, journal.New(nil, false))
		if err != nil {
			t.Fatal(err)
		}
		if a.Waiting() != 2 || a.Lost() != want {
			t.Errorf("%d wait, %d lost, want %d", a.Waiting(), a.Lost(), want)
		}
		a.Close()
		if want == 0 {
			break
		}
	}
}

func TestNextInterim(t *testing.T) {
	for _, r := range []struct{ server, local, want time.Duration }{
		{0, 0, 0}, {time.Minute, 0, time.Minute}, {time.Minute, time.Hour, time.Minute}, {0, time.Hour, time.Hour},
	} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := NextInterim(r.server, r.local)
			if seen[d] = true; d < r.want*9/10 || d > r.want*11/10 {
				t.Errorf("%v of %v", d, r.want)
			}
		}
		if r.want > 0 && len(seen) < 10 {
			t.Error("no jitter")
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	q, err := openQueue(filepath.Join(b.TempDir(), "q"), maxRecords)
	if err != nil {
		b.Fatal(err)
	}
	defer q.close()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := q.add(record(Interim, "1")); err != nil {
				b.Error(err)
			}
		}
	})
}
