package api

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/golden"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// accounts are who may come in, with "password".
var accounts = map[string]menu.Policy{
	"admin": tree.Admin().Policies,
	"read":  menu.Read,
}

// A bench is a server over an empty tree.
type bench struct {
	*Server
	*golden.World

	mu       sync.Mutex
	attempts []login.Attempt // guarded by mu
	inside   int             // guarded by mu
}

func newBench(t testing.TB, change ...func(*Config)) *bench {
	t.Helper()
	w := golden.NewWorld(t)
	b := &bench{World: w}
	cfg := Config{Tree: w.Tree, Login: b.login, Journal: w.Journal}
	for _, f := range change {
		f(&cfg)
	}
	b.Server = New(cfg)
	return b
}

func (b *bench) login(_ context.Context, a login.Attempt) (login.User, func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts = append(b.attempts, a)
	policies, ok := accounts[a.Name]
	if !ok || a.Password != "password" {
		return login.User{}, nil, login.ErrDenied
	}
	b.inside++
	return login.User{Name: a.Name, Policies: policies}, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inside--
	}, nil
}

// A client is the other end of a connection: it notes what comes.
type client struct {
	net.Conn
	t    testing.TB
	done chan struct{} // closed when the server's side has ended

	mu    sync.Mutex
	heard [][]string // guarded by mu
}

// dial makes a connection in memory, whose server ends with the test.
func (b *bench) dial(t testing.TB) *client {
	near, far := net.Pipe()
	c := &client{Conn: near, t: t, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(c.done)
		b.serveConn(ctx, far)
	}()
	var reader sync.WaitGroup
	reader.Go(c.read)
	t.Cleanup(func() {
		cancel()
		near.Close()
		<-c.done
		reader.Wait()
	})
	return c
}

// read notes the sentences that come.
func (c *client) read() {
	r := bufio.NewReader(c.Conn)
	for {
		words, err := readSentence(r, 1<<30)
		c.mu.Lock()
		if err != nil {
			if errors.Is(err, io.EOF) {
				c.heard = append(c.heard, []string{"(closed)"})
			}
			c.mu.Unlock()
			return
		}
		c.heard = append(c.heard, words)
		c.mu.Unlock()
	}
}

// say sends a sentence.
func (c *client) say(words ...string) {
	c.t.Helper()
	if _, err := c.Write(appendSentence(nil, words...)); err != nil {
		c.t.Fatalf("%q: %v", words, err)
	}
}

// take gives what came since the last time.
func (c *client) take() [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.heard
	c.heard = nil
	return heard
}

// ask sends a sentence and gives what came of it, in a bubble of synctest.
func (c *client) ask(words ...string) [][]string {
	c.t.Helper()
	c.say(words...)
	synctest.Wait()
	return c.take()
}

// TestGolden holds the conversations in testdata: a line is a sentence, with
// blanks between its words and quotes around words with blanks. Under each is
// what came of it: sentences without a tag, then those with one, by the tag, since
// commands that run at the same time may be answered in any order. A line with !
// in front is for the test: one of golden.World, or
//
//	!new  another connection, logged in as admin
func TestGolden(t *testing.T) {
	golden.Play(t, "*.txt", play)
}

// play holds the conversation of a golden file.
func play(t *testing.T, input string) string {
	b := newBench(t)
	c := b.dial(t)
	var w strings.Builder
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		words := split(t, line)
		fmt.Fprintf(&w, "> %s\n", line)
		switch {
		case b.Directive(t, words):
		case words[0] == "!new":
			c = b.dial(t)
			c.ask("/login", "=name=admin", "=password=password")
		default:
			c.say(words...)
		}
		synctest.Wait()
		heard := c.take()
		slices.SortStableFunc(heard, func(a, b []string) int { return cmp.Compare(tag(a), tag(b)) })
		for _, sentence := range heard {
			for i, word := range sentence {
				if strings.ContainsAny(word, " \n\"") || word == "" {
					sentence[i] = strconv.Quote(word)
				}
			}
			fmt.Fprintln(&w, strings.Join(sentence, " "))
		}
	}
	return w.String()
}

// tag gives the word of a sentence that has its tag.
func tag(sentence []string) string {
	for _, word := range sentence {
		if strings.HasPrefix(word, ".tag=") {
			return word
		}
	}
	return ""
}

// split takes a line of a golden file apart.
func split(t *testing.T, line string) (words []string) {
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		word, _ := strconv.Unquote(quoted)
		words, line = append(words, word), line[len(quoted):]
	}
	return words
}

// discard is a connection that takes everything.
type discard struct{ net.Conn }

func (discard) Write(b []byte) (int, error)      { return len(b), nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }

// TestCategories holds the table to all kinds of errors.
func TestCategories(t *testing.T) {
	for kind := menu.Internal; kind <= menu.Interrupted; kind++ {
		if _, ok := categories[kind]; !ok {
			t.Errorf("kind %d has no category", kind)
		}
	}
	if n := len(slices.Collect(maps.Keys(categories))); n != int(menu.Interrupted)+1 {
		t.Errorf("%d kinds have a category", n)
	}
	if got := trapOf(errors.New("disk on fire")); got.message != "action failed (6)" || got.category != categoryGeneral {
		t.Errorf("an error of no kind: %+v", got)
	}
	if got := trapOf(&menu.Error{Kind: menu.Syntax, Text: "syntax error", Line: 1, Column: 2}); got.message != "syntax error" {
		t.Errorf("a place in a line is told: %q", got.message)
	}
}
