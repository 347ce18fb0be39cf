package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

// enter makes a connection of the administrator.
func (b *bench) enter(t testing.TB) *client {
	t.Helper()
	c := b.dial(t)
	if heard := c.ask("/login", "=name=admin", "=password=password"); !same(heard, [][]string{{"!done"}}) {
		t.Fatalf("login: %q", heard)
	}
	return c
}

// over reports whether the server's side of the connection has ended.
func (c *client) over() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func TestMalformedStream(t *testing.T) {
	for name, c := range map[string]struct {
		bytes, fatal string
	}{
		"control byte":  {"\xF8", "reserved control byte 0xF8"},
		"all ones":      {"\x05/quit\xFF", "reserved control byte 0xFF"},
		"huge length":   {"\xF0\xFF\xFF\xFF\xFF", "sentence is too long"},
		"after a word":  {"\x01a\xEF\xFF\xFF\xFF", "sentence is too long"},
		"of a stranger": {string(appendLength(nil, maxStranger+1)), "sentence is too long"},
		"of HTTP":       {"GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 200), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				cl := b.dial(t)
				go cl.Write([]byte(c.bytes)) // the server may leave some of it
				synctest.Wait()
				time.Sleep(strangerTimeout)
				if !cl.over() {
					t.Error("the connection goes on")
				}
				heard := cl.take()
				if c.fatal != "" && (len(heard) == 0 || !slices.Equal(heard[0], []string{"!fatal", c.fatal})) {
					t.Errorf("answered by %q", heard)
				}
			})
		})
	}
}

func TestStrangersHaveLittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		silent, chatty := b.dial(t), b.dial(t)
		for range 59 {
			time.Sleep(time.Second)
			chatty.say()         // an empty sentence
			chatty.ask("/login") // a challenge
		}
		if silent.over() || chatty.over() {
			t.Fatal("ended before its time")
		}
		time.Sleep(time.Second)
		if !silent.over() {
			t.Error("a silent stranger may stay")
		}
		if !chatty.over() {
			t.Error("a stranger may stay as long as it talks")
		}
	})
}

func TestSlowSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBench(t).enter(t)
		sentence := appendSentence(nil, "/ppp/secret/print", "=count-only=")
		for i := range 29 { // it would be whole after 34 seconds
			if _, err := c.Write(sentence[i : i+1]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Second)
		if !c.over() {
			t.Error("a sentence may take for ever")
		}
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		idle, listening := b.enter(t), b.enter(t)
		listening.ask("/ppp/secret/listen")
		time.Sleep(idleTimeout - time.Second)
		if idle.over() {
			t.Error("ended before its time")
		}
		time.Sleep(2 * time.Second)
		if !idle.over() {
			t.Error("an idle client may stay")
		}
		time.Sleep(3 * idleTimeout)
		if listening.over() {
			t.Error("a client that listens was sent away")
		}
	})
}

// TestClientThatReadsNothing has a client ask and ask and take no answer.
func TestClientThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		near, far := net.Pipe()
		defer near.Close()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.serveConn(t.Context(), far)
		}()
		near.Write(appendSentence(nil, "/login", "=name=admin", "=password=password"))
		r := bufio.NewReader(near)
		if words, err := readSentence(r, maxSentence); err != nil || words[0] != "!done" {
			t.Fatalf("login: %q, %v", words, err)
		}
		go func() {
			ask := appendSentence(nil, "/ppp/profile/print")
			for {
				if _, err := near.Write(ask); err != nil {
					return
				}
			}
		}()
		begin := time.Now()
		<-ended
		if took := time.Since(begin); took > writeTimeout+grace {
			t.Errorf("it was sent away after %v", took)
		}
		if b.inside != 0 {
			t.Error("it is still in")
		}
	})
}

// TestSlowReaderHoldsUpNobody has a client that asks for much and reads nothing
// while another works, and looks at what is kept for the first.
func TestSlowReaderHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		works := b.enter(t)
		for i := range 200 {
			works.ask("/ppp/secret/add", fmt.Sprintf("=name=u%d", i), "=comment="+strings.Repeat("c", 1000))
		}
		near, far := net.Pipe()
		defer near.Close()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.serveConn(t.Context(), far)
		}()
		near.Write(appendSentence(nil, "/login", "=name=admin", "=password=password"))
		if words, err := readSentence(bufio.NewReader(near), maxSentence); err != nil || words[0] != "!done" {
			t.Fatalf("login: %q, %v", words, err)
		}
		near.Write(appendSentence(nil, "/ppp/secret/print"))
		synctest.Wait()
		for range 10 {
			if heard := works.ask("/ppp/secret/set", "=.id=u1", "=comment=x"); !same(heard, [][]string{{"!done"}}) {
				t.Fatalf("the other client is told %q", heard)
			}
		}
		begin := time.Now()
		<-ended
		if took := time.Since(begin); took > writeTimeout+grace {
			t.Errorf("it was sent away after %v", took)
		}
	})
}

func TestTooManyCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBench(t).enter(t)
		for i := range maxRunning {
			if heard := c.ask("/ppp/secret/listen", fmt.Sprintf(".tag=%d", i)); len(heard) > 0 {
				t.Fatalf("listener %d: %q", i, heard)
			}
		}
		want := [][]string{{"!trap", ".tag=x", "=category=5", "=message=too many commands"}, {"!done", ".tag=x"}}
		if heard := c.ask("/ppp/secret/listen", ".tag=x"); !same(heard, want) {
			t.Errorf("one more: %q", heard)
		}
		if heard := c.ask("/ppp/secret/print", "=count-only=", ".tag=y"); !same(heard, [][]string{{"!done", ".tag=y", "=ret=0"}}) {
			t.Errorf("a command that ends: %q", heard)
		}
		if heard := c.ask("/cancel"); len(heard) != 2*maxRunning+1 || !slices.Equal(heard[0], []string{"!done"}) {
			t.Errorf("cancel is followed by %d sentences, want %d; the first is %q", len(heard), 2*maxRunning+1, heard[0])
		}
		if heard := c.ask("/ppp/secret/listen", ".tag=x"); len(heard) > 0 {
			t.Errorf("after cancel: %q", heard)
		}
	})
}

// TestManyAtOnce sends more than may wait before it reads an answer.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBench(t).enter(t)
		comment := "=comment=" + strings.Repeat("c", 60_000)
		n := 2*maxWaiting/len(comment) + 10
		var stream []byte
		for range n {
			stream = appendSentence(stream, "/ppp/secret/print", "=count-only=", "?name="+comment)
		}
		if _, err := c.Write(stream); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		heard := c.take()
		if len(heard) != n {
			t.Fatalf("%d answers, want %d", len(heard), n)
		}
		for _, words := range heard {
			if !slices.Equal(words, []string{"!done", "=ret=0"}) {
				t.Fatalf("%q", words)
			}
		}
	})
}

// TestAllAtOnce sends a whole conversation and closes: what ends is answered.
func TestAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBench(t).dial(t)
		stream := appendSentence(nil, "/login", "=name=admin", "=password=password")
		stream = appendSentence(stream, "/ppp/secret/add", "=name=u")
		stream = appendSentence(stream, "/ppp/secret/print", "=.proplist=name")
		stream = appendSentence(stream, "/quit")
		if _, err := c.Write(stream); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := [][]string{{"!done"}, {"!done", "=ret=*1"}, {"!re", "=name=u"}, {"!done"}, {"!fatal", "session terminated on request"}, {"(closed)"}}
		if heard := c.take(); !same(heard, want) {
			t.Errorf("heard %q", heard)
		}
	})
}

// TestEndOfServer ends the context while commands run.
func TestEndOfServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		near, far := net.Pipe()
		c := &client{Conn: near, t: t, done: make(chan struct{})}
		go func() {
			defer close(c.done)
			b.serveConn(ctx, far)
		}()
		go c.read()
		c.ask("/login", "=name=admin", "=password=password")
		c.ask("/ppp/secret/listen", ".tag=1")
		c.ask("/log/print", "=interval=1s", ".tag=2")
		begin := time.Now()
		cancel()
		<-c.done
		if took := time.Since(begin); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// FuzzTranslate makes an operation of anything that a client can send.
func FuzzTranslate(f *testing.F) {
	f.Add(appendSentence(nil, "/ppp/secret/print", "=.proplist=.id,name", "?name=x", "?#!", ".tag=1"))
	f.Add(appendSentence(nil, "/ppp/secret/getall", "=.id=*1,x", "=follow="))
	f.Add(appendSentence(nil, "/ppp/secret/listen", "=interval=1s", ".tag=1"))
	f.Add(appendSentence(nil, "/ppp/secret/add", "=name=u", "=!profile=", "=copy-from=*1"))
	f.Add(appendSentence(nil, "/interface/pptp-client/monitor", "=.id=x", "=once=no"))
	f.Add(appendSentence(nil, "/interface/pptp-server/server/set", "=enabled=yes", "=nonsense"))
	f.Add(appendSentence(nil, "//log/info", "=message=x", "nonsense"))
	b := newBench(f)
	f.Fuzz(func(t *testing.T, stream []byte) {
		words, err := readSentence(bufio.NewReader(bytes.NewReader(stream)), maxSentence)
		if err != nil || len(words) == 0 {
			return
		}
		s, _ := parse(words)
		c, err := translate(b.Tree.Root(), &s)
		if err == nil {
			if c.Menu == nil || c.Command == nil || c.Args == nil {
				t.Errorf("%q: half a call: %+v", words, c)
			}
			return
		}
		told := trapOf(err)
		if told.message == "" || told.message == "action failed (6)" || strings.ContainsFunc(told.message, unicode.IsControl) || len(told.message) > 1024 {
			t.Errorf("%q: %+v", words, told)
		}
	})
}
