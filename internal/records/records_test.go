package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keeper makes a Keeper whose failures are the test's.
func keeper(t testing.TB, dir string, s Settings) *Keeper {
	t.Helper()
	k := New(dir, func(err error) { t.Errorf("a record was lost: %v", err) })
	k.Set(s)
	t.Cleanup(func() { k.Close() })
	return k
}

// read gives the records of a file. Each line must be whole and JSON.
func read(t testing.TB, path string) (out []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Errorf("%s ends in the middle of a line", path)
	}
	for line := range bytes.Lines(text) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %q: %v", path, line, err)
		}
		out = append(out, r)
	}
	return out
}

var most = Settings{Enabled: true, Size: 1 << 20, Files: 5}

func TestSession(t *testing.T) {
	k := keeper(t, filepath.Join(t.TempDir(), "records"), most)
	zone := time.FixedZone("", 2*60*60)
	began := time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, zone)
	k.Add(Record{
		Kind: Session, Side: "server", Service: "pptp", Session: "81a00000", Interface: "<pptp-ben>", User: "ben", Authority: "secret",
		Method: "mschap2", CallerID: "192.0.2.7", CalledID: "192.0.2.1", Outer: netip.MustParseAddr("192.0.2.7"),
		Local: netip.MustParseAddr("10.0.0.1"), Remote: netip.MustParseAddr("10.0.0.5"), Encoding: "MPPE128 stateless", MTU: 1450, MRU: 1450,
		Began: began, Authenticated: began.Add(20 * time.Millisecond), Up: began.Add(40 * time.Millisecond), Ended: began.Add(time.Minute),
		Traffic: &Traffic{RxBytes: 1 << 60, TxPackets: 3}, Reason: "hungup", Cause: "peer-request",
	})
	text, err := os.ReadFile(k.Path())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"record":"session","side":"server","service":"pptp","session-id":"81a00000","interface":"<pptp-ben>","user":"ben",` +
		`"authority":"secret","authentication":"mschap2","caller-id":"192.0.2.7","called-id":"192.0.2.1","outer-address":"192.0.2.7",` +
		`"local-address":"10.0.0.1","remote-address":"10.0.0.5","encoding":"MPPE128 stateless","mtu":1450,"mru":1450,` +
		`"began":"2026-03-01T12:00:00.123+02:00","authenticated":"2026-03-01T12:00:00.143+02:00","up":"2026-03-01T12:00:00.163+02:00",` +
		`"ended":"2026-03-01T12:01:00.123+02:00","seconds":60,"traffic":{"rx-bytes":1152921504606846976,"tx-bytes":0,"rx-packets":0,` +
		`"tx-packets":3,"rx-drops":0,"tx-drops":0},"reason":"hungup","cause":"peer-request"}` + "\n"
	if string(text) != want {
		t.Errorf("got  %swant %s", text, want)
	}
	for path, want := range map[string]os.FileMode{k.Path(): 0o600, filepath.Dir(k.Path()): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
}

// TestHostile gives a name that is long, no UTF-8 and full of what JSON and terminals
// mean something by: it stays one line that can be read.
func TestHostile(t *testing.T) {
	k := keeper(t, t.TempDir(), most)
	name := "\"\\\n\x00\x1b[2J\xff\u2028" + strings.Repeat("é", 4000)
	k.Add(Record{Kind: Refused, User: name, Why: name, Reason: name})
	text, err := os.ReadFile(k.RefusedPath())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(text, []byte("\n")) != 1 || bytes.ContainsAny(text, "\x00\x1b\u2028") || len(text) > 6*3*maxText+200 {
		t.Errorf("%d octets: %q", len(text), text)
	}
	if got := read(t, k.RefusedPath())[0]["user"].(string); !strings.HasPrefix(got, "\"\\\n\x00\x1b[2J\ufffd\u2028éé") || !strings.HasSuffix(got, "é") {
		t.Errorf("%q", got)
	}
}

func TestRotation(t *testing.T) {
	k := keeper(t, t.TempDir(), Settings{Enabled: true, Size: 200, Files: 3})
	for i := range 40 {
		k.Add(Record{Kind: Session, User: fmt.Sprint("user", i), Reason: strings.Repeat("x", 60)})
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(k.Path()), "sessions*"))
	if len(files) != 3 {
		t.Errorf("%d files: %v", len(files), files)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > 200 {
			t.Errorf("%s: %v octets, %v", f, info.Size(), err)
		}
	}
	newest := read(t, k.Path())
	older := read(t, filepath.Join(filepath.Dir(k.Path()), "sessions.1.jsonl"))
	if newest[len(newest)-1]["user"] != "user39" || older[0]["user"].(string) >= newest[0]["user"].(string) {
		t.Errorf("newest %v, older %v", newest, older)
	}

	// Fewer files, one of which has a record that is larger than a file may be.
	k.Set(Settings{Enabled: true, Size: 100, Files: 1})
	k.Add(Record{Kind: Session, User: "last", Reason: strings.Repeat("x", 200)})
	if files, _ = filepath.Glob(filepath.Join(filepath.Dir(k.Path()), "sessions*")); len(files) != 1 {
		t.Errorf("%v are left", files)
	}
	if got := read(t, k.Path()); len(got) != 1 || got[0]["user"] != "last" {
		t.Errorf("%v", got)
	}
	k.Set(Settings{Size: 100, Files: 1})
	k.Add(Record{Kind: Session, User: "none"})
	if got := read(t, k.Path()); len(got) != 1 {
		t.Errorf("disabled, it kept %v", got)
	}
}

// TestHalfALine begins with files whose last line was not written to its end.
func TestHalfALine(t *testing.T) {
	whole := `{"record":"session","seconds":0}` + "\n"
	for _, left := range []string{"", "{", `{"record":`, strings.Repeat("x", 3*mendPart), strings.Repeat("x", mendPart-len(whole)), strings.Repeat("x", mendPart)} {
		for _, before := range []string{"", whole, strings.Repeat(whole, 300)} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, sessionsName+suffix), []byte(before+left), 0o600); err != nil {
				t.Fatal(err)
			}
			k := keeper(t, dir, most)
			k.Add(Record{Kind: Session})
			text, err := os.ReadFile(k.Path())
			if err != nil || string(text) != before+whole {
				t.Errorf("%d octets of half a line after %d: %.80q, %v", len(left), len(before), text, err)
			}
		}
	}
}

// TestFlood has many strangers call: few records, and a count of the others. Sessions
// are all there.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeper(t, t.TempDir(), most)
		const each, seconds = 1000, 3
		for range seconds {
			for range each {
				k.Add(Record{Kind: Refused, User: "guess"})
			}
			k.Add(Record{Kind: Session, User: "ben"})
			time.Sleep(1100 * time.Millisecond)
		}
		var written, omitted int
		for _, r := range read(t, k.RefusedPath()) {
			if r["record"] == string(Omitted) {
				omitted += int(r["count"].(float64))
			} else {
				written++
			}
		}
		if written != seconds*perSecond || written+omitted != seconds*each {
			t.Errorf("%d written, %d omitted", written, omitted)
		}
		if got := len(read(t, k.Path())); got != seconds {
			t.Errorf("%d sessions", got)
		}
		if c := k.Counters(); c != (Counters{Written: seconds*perSecond + seconds + seconds, Omitted: uint64(omitted)}) {
			t.Errorf("counters %+v", c)
		}

		// What is left out in the last second is told at the end.
		for range perSecond + 5 {
			k.Add(Record{Kind: Failed})
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		all := read(t, k.RefusedPath())
		if last := all[len(all)-1]; last["record"] != string(Omitted) || last["count"] != 5.0 {
			t.Errorf("the last is %v", last)
		}
		k.Add(Record{Kind: Session})
		if got := len(read(t, k.Path())); got != seconds {
			t.Errorf("%d sessions after the end", got)
		}
	})
}

// TestMoved takes the file away, as logrotate does.
func TestMoved(t *testing.T) {
	k := keeper(t, t.TempDir(), most)
	k.Add(Record{Kind: Session, User: "one"})
	away := k.Path() + ".away"
	if err := os.Rename(k.Path(), away); err != nil {
		t.Fatal(err)
	}
	k.Add(Record{Kind: Session, User: "two"})
	if one, two := read(t, away), read(t, k.Path()); len(one) != 1 || len(two) != 1 || two[0]["user"] != "two" {
		t.Errorf("%v, %v", one, two)
	}
	if err := os.Truncate(k.Path(), 0); err != nil {
		t.Fatal(err)
	}
	k.Add(Record{Kind: Session, User: "three"})
	if got := read(t, k.Path()); len(got) != 1 || got[0]["user"] != "three" {
		t.Errorf("%v", got)
	}
}

// TestNoDisk checks that a record that cannot be kept is told of once, and that the
// next one is tried again.
func TestNoDisk(t *testing.T) {
	var told []error
	k := New(filepath.Join(t.TempDir(), "records"), func(err error) { told = append(told, err) })
	if err := os.MkdirAll(k.Path(), 0o700); err != nil { // what no file can replace
		t.Fatal(err)
	}
	k.Set(most)
	if len(told) != 1 {
		t.Errorf("at the start told %v", told)
	}
	k.Add(Record{Kind: Session})
	k.Add(Record{Kind: Session})
	if len(told) != 1 {
		t.Errorf("told %v", told)
	}
	if err := os.Remove(k.Path()); err != nil {
		t.Fatal(err)
	}
	k.Add(Record{Kind: Session})
	if got := read(t, k.Path()); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if c := k.Counters(); c != (Counters{Written: 1, Lost: 2}) {
		t.Errorf("counters %+v", c)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// killedVariable makes the test's program one that keeps records until it is killed.
const killedVariable = "GOPPTP_RECORDS_KILLED"

// TestKill ends a program that keeps records, in the middle of it: what it said was
// kept is there, and who goes on finds whole lines.
func TestKill(t *testing.T) {
	small := Settings{Enabled: true, Size: 4096, Files: MaxFiles}
	if dir := os.Getenv(killedVariable); dir != "" {
		k := keeper(t, dir, small)
		for i := 0; ; i++ {
			k.Add(Record{Kind: Session, User: fmt.Sprint(i)})
			fmt.Println(i)
		}
	}
	dir := t.TempDir()
	program := exec.Command(os.Args[0], "-test.run=^TestKill$")
	program.Env = append(os.Environ(), killedVariable+"="+dir)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = lines.Text()
		if said == "500" {
			if err := program.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = program.Wait() // it was killed
	k := keeper(t, dir, small)
	k.Add(Record{Kind: Session, User: "after"})
	found := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(dir, "sessions*"))
	for _, f := range files {
		for _, r := range read(t, f) {
			found[r["user"].(string)] = true
		}
	}
	var last int
	if _, err := fmt.Sscan(said, &last); err != nil || last < 500 {
		t.Fatalf("it last said %q", said)
	}
	for i := range last + 1 {
		if !found[fmt.Sprint(i)] {
			t.Fatalf("of %d, record %d is not there", last, i)
		}
	}
	if !found["after"] {
		t.Error("nothing was added afterwards")
	}
}

func BenchmarkAdd(b *testing.B) {
	k := keeper(b, b.TempDir(), most)
	now := time.Now()
	for b.Loop() {
		k.Add(Record{Kind: Session, User: "ben", Began: now, Ended: now.Add(time.Minute), Traffic: &Traffic{}})
	}
}
