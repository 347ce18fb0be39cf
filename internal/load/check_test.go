package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPermit(t *testing.T) {
	dir := t.TempDir()
	info := func(name string) os.FileInfo {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		i, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	own, first := info("own"), info("first")
	named := []string{filepath.Join(dir, "gone"), filepath.Join(dir, "own")}
	far := netip.MustParseAddr("192.0.2.1")
	for _, test := range []struct {
		what       string
		target     netip.Addr
		own, first os.FileInfo
		names      []string
		ok         bool
	}{
		{"the loopback", netip.MustParseAddr("127.3.2.1"), own, own, nil, true},
		{"the machine's first namespace", far, own, own, nil, false},
		{"that one with a name", far, own, own, named, false},
		{"another namespace", far, own, first, nil, true},
		{"a named one, without privileges", far, own, nil, named, true},
		{"one without a name, without privileges", far, own, nil, named[:1], false},
		{"no /proc", far, nil, nil, named, false},
	} {
		err := permit(test.target, test.own, test.first, test.names)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

func TestEnterNamespaceNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "gopptp-no-such"} {
		if err := EnterNamespace(name); err == nil {
			t.Errorf("%q was entered", name)
		}
	}
}

func TestAddresses(t *testing.T) {
	target := netip.MustParseAddr("10.0.0.2")
	for _, test := range []struct {
		network string
		n       int
		want    string
	}{
		{"10.0.0.0/29", 3, "10.0.0.1 10.0.0.3 10.0.0.4"},
		{"10.0.0.5/29", 9, "10.0.0.1 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6"},
		{"10.0.0.0/31", 9, "10.0.0.0 10.0.0.1"},
		{"10.0.0.2/32", 9, ""},
		{"255.255.255.254/31", 9, "255.255.255.254 255.255.255.255"},
		{"2001:db8::/64", 9, ""},
	} {
		got, err := Addresses(netip.MustParsePrefix(test.network), test.n, target)
		var text []string
		for _, a := range got {
			text = append(text, a.String())
		}
		if strings.Join(text, " ") != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%d of %s: %v, %v", test.n, test.network, text, err)
		}
	}
}

func TestProcess(t *testing.T) {
	self := &Process{PID: os.Getpid()}
	before, err := self.usage()
	if err != nil {
		t.Fatal(err)
	}
	if before.memory < 1<<20 || before.files < 3 {
		t.Errorf("this process has %+v", before)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if after, err := self.usage(); err != nil || after.files < before.files || after.cpu < before.cpu {
		t.Errorf("%+v and then %+v, %v", before, after, err)
	}
	if u, err := (*Process)(nil).usage(); u != (usage{}) || err != nil {
		t.Errorf("no process has %+v, %v", u, err)
	}
	if _, err := (&Process{PID: 1 << 30}).usage(); err == nil {
		t.Error("a process that does not exist was read")
	}
	if got, err := cpuOf([]byte("7 (a) b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 9 1 1")); err != nil || got != 3*time.Second {
		t.Errorf("got %v, %v", got, err)
	}
	for _, stat := range []string{"", ")", "7 (a) S 1 2 3", "7 (a) S 1 7 7 0 -1 4194560 1 0 0 0 x 50 0"} {
		if _, err := cpuOf([]byte(stat)); err == nil {
			t.Errorf("%q was read", stat)
		}
	}
	for _, status := range []string{"", "Name:\tx\n", "VmRSS:\tx kB\n"} {
		if _, err := memoryOf([]byte(status)); err == nil {
			t.Errorf("%q was read", status)
		}
	}
}

func TestListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if pid, err := Listener(path); pid != os.Getpid() || err != nil {
		t.Errorf("got %d, %v", pid, err)
	}
	if _, err := Listener(path + "x"); err == nil {
		t.Error("nobody listens, but somebody was found")
	}
}

func TestRaiseFiles(t *testing.T) {
	if err := RaiseFiles(1, 1, &Process{PID: os.Getpid()}); err != nil {
		t.Error(err)
	}
	if err := RaiseFiles(1<<31, 1, nil); err == nil || !strings.Contains(err.Error(), "ulimit") {
		t.Errorf("got %v", err)
	}
}

func TestReport(t *testing.T) {
	r := &Report{Count: 3, Rows: []Row{
		{"set-up", 1234.5, "/s", "3 of 3"},
		{"memory", 17.25, "KiB", "each"},
		{"lost", 0, "", "until the end"},
	}, Problems: []string{}}
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	want := "sessions set-up  1234/s    3 of 3\nsessions memory  17.2 KiB  each\nsessions lost    0         until the end\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !slices.Equal(back.Rows, r.Rows) {
		t.Errorf("%v: %s", err, b.String())
	}
	for took, want := range map[time.Duration]string{1234567: "1.235ms", 123456789: "123ms", 12345678901: "12.3s"} {
		if got := round(took).String(); got != want {
			t.Errorf("round(%d) is %s, want %s", took, got, want)
		}
	}
}
