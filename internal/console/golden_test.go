package console

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func init() { time.Local = time.UTC } // the log's times are in the golden files

// newTree makes a tree over an empty store.
func newTree(t testing.TB) (*tree.Tree, *treetest.Engine) {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	e := &treetest.Engine{}
	menus, err := tree.New(db, e, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	return menus, e
}

// TestGolden types the lines of each file in testdata and compares what the
// terminal would show. A line with ! in front changes what the engine shows or
// how the console is used:
//
//	!session ID USER [BINDING]  a session of the server side came up 44m8s ago
//	!up ID                      the client with the id came up 48m6s ago
//	!width N                    the terminal has N columns
//	!user POLICY…               another user sits down, with these policies
//	!wait TIME                  time passes
//	!for TIME COMMAND           the command is cancelled after a time
//	!log TIME TEXT              a text goes into the log after a time
//	!script                     the lines up to !end are run as one script
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(b), "----------\n")
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, input) })
			if *update {
				if err := os.WriteFile(file, []byte(input+"----------\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// play gives what a terminal shows when the lines of input are typed.
func play(t *testing.T, input string) string {
	menus, engine := newTree(t)
	s := NewSession(menus, tree.Admin())
	s.Width = menu.DefaultWidth
	var out bytes.Buffer
	var sessions []session.Status
	var script *strings.Builder // of the lines since !script; nil outside of them
	for line := range strings.Lines(input) {
		line = strings.TrimSuffix(line, "\n")
		if script != nil && line != "!end" {
			fmt.Fprintln(script, line)
			continue
		}
		directive, ok := strings.CutPrefix(line, "!")
		if !ok {
			fmt.Fprintf(&out, "%s%s\n", s.Prompt(), line)
			if err := s.Run(t.Context(), line, &out); err != nil {
				fmt.Fprintln(&out, err)
			}
			continue
		}
		words := strings.Fields(directive)
		var n, binding uint64
		switch words[0] {
		case "session":
			fmt.Sscan(words[1], &n)
			if len(words) > 3 {
				fmt.Sscan(words[3], &binding)
			}
			name := "<pptp-" + words[2] + ">"
			if binding != 0 {
				name = "pptp-in1"
			}
			sessions = append(sessions, session.Status{
				ID: n, Interface: name, Binding: binding, State: "connected", Running: true,
				User: words[2], CallerID: "192.168.51.3", OuterAddress: netip.MustParseAddr("192.168.51.3"),
				LocalAddress: netip.MustParseAddr("10.0.0.1"), RemoteAddress: netip.MustParseAddr("10.0.0.5"),
				MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless", SessionID: 0x81A00000 + uint32(n),
				ConnectedAt: time.Now().Add(-44*time.Minute - 8*time.Second),
				Traffic:     session.Traffic{RxBytes: 1000, TxBytes: 2000, RxPackets: 10, TxPackets: 20},
			})
			engine.SetSessions(sessions...)
		case "up":
			fmt.Sscan(words[1], &n)
			engine.SetClient(n, session.Status{
				ID: 90, State: "connected", Running: true, MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless",
				LocalAddress: netip.MustParseAddr("10.0.0.5"), RemoteAddress: netip.MustParseAddr("10.0.0.1"),
				ConnectedAt: time.Now().Add(-48*time.Minute - 6*time.Second),
				Traffic:     session.Traffic{RxBytes: 3000, TxBytes: 400000},
			})
		case "width":
			fmt.Sscan(words[1], &s.Width)
		case "wait":
			d, err := menu.ParseTime(words[1])
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case "for":
			d, err := menu.ParseTime(words[1])
			if err != nil {
				t.Fatal(err)
			}
			_, command, _ := strings.Cut(directive[len("for "):], " ")
			fmt.Fprintf(&out, "%s%s\n", s.Prompt(), command)
			ctx, cancel := context.WithTimeout(t.Context(), d)
			if err := s.Run(ctx, command, &out); err != nil {
				fmt.Fprintln(&out, err)
			}
			cancel()
		case "log":
			d, err := menu.ParseTime(words[1])
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(words[2:], " ")
			time.AfterFunc(d, func() {
				_ = NewSession(menus, tree.Admin()).Run(context.Background(), "/log/info "+menu.Quote(text), io.Discard)
			})
		case "script":
			script = &strings.Builder{}
		case "end":
			fmt.Fprintf(&out, "%s(script)\n", s.Prompt())
			if err := s.Run(t.Context(), script.String(), &out); err != nil {
				fmt.Fprintln(&out, err)
			}
			script = nil
		case "user":
			u := tree.User{Name: "guest"}
			for _, policy := range words[1:] {
				u.Policies |= map[string]menu.Policy{"read": menu.Read, "write": menu.Write, "sensitive": menu.Sensitive}[policy]
			}
			s = NewSession(menus, u)
		default:
			t.Fatalf("unknown directive %s", words[0])
		}
	}
	if broken := engine.Broken(); broken != nil {
		t.Errorf("the engine was told: %v", broken)
	}
	return out.String()
}
