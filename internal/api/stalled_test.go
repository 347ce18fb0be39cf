package api

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/session"
)

// stall logs somebody in who then says what there is to say and reads nothing of
// what comes. ended is closed when the server has sent them away.
func (b *bench) stall(t *testing.T, stream []byte) (near net.Conn, ended chan struct{}) {
	t.Helper()
	near, far := net.Pipe()
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		b.serveConn(t.Context(), far)
	}()
	if _, err := near.Write(appendSentence(nil, "/login", "=name=admin", "=password=password")); err != nil {
		t.Fatal(err)
	}
	if words, err := readSentence(bufio.NewReader(near), maxSentence); err != nil || words[0] != "!done" {
		t.Fatalf("login: %q, %v", words, err)
	}
	if _, err := near.Write(stream); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return near, ended
}

// sentAway holds the server to end a stalled client soon, with all that ran for it.
func (b *bench) sentAway(t *testing.T, ended chan struct{}, inside int) {
	t.Helper()
	begin := time.Now()
	<-ended
	if took := time.Since(begin); took > writeTimeout+grace {
		t.Errorf("it was sent away after %v", took)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inside != inside {
		t.Errorf("%d users are in, want %d", b.inside, inside)
	}
}

// TestStalledWithManyTags has a client use all that can run at a time and read
// nothing, while another works and a third listens: neither waits for the first.
func TestStalledWithManyTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		works, listens := b.enter(t), b.enter(t)
		for i := range 20 {
			works.ask("/ppp/secret/add", fmt.Sprintf("=name=u%d", i), "=comment="+strings.Repeat("c", 1000))
		}
		listens.ask("/ppp/secret/listen", "=.proplist=comment", "?name=u1")
		var stream []byte
		for i := range 16 {
			for _, words := range [][]string{
				{"/ppp/secret/print", "=follow="}, {"/ppp/secret/print", "=interval=1s"}, {"/log/print", "=follow="},
				{"/ppp/secret/print"}, {"/ppp/secret/set", "=.id=u2", "=comment=y"}, {"/nonsense"},
			} {
				stream = appendSentence(stream, append(words, fmt.Sprintf(".tag=%s%d", words[0], i))...)
			}
		}
		_, ended := b.stall(t, stream)
		begin := time.Now()
		for i := range 10 {
			comment := fmt.Sprintf("=comment=%d", i)
			if heard := works.ask("/ppp/secret/set", "=.id=u1", comment); !same(heard, [][]string{{"!done"}}) {
				t.Fatalf("the client that works is told %q", heard)
			}
			if heard := listens.take(); !same(heard, [][]string{{"!re", comment}}) {
				t.Fatalf("the client that listens is told %q", heard)
			}
		}
		if took := time.Since(begin); took > 0 {
			t.Errorf("the others waited %v", took)
		}
		b.sentAway(t, ended, 2)
	})
}

// TestStalledClientQuits has one that reads nothing cancel, quit and leave.
func TestStalledClientQuits(t *testing.T) {
	for _, last := range []string{"/cancel", "/quit", ""} {
		t.Run(strings.TrimPrefix(last, "/"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				var stream []byte
				for i := range 8 {
					stream = appendSentence(stream, "/ppp/profile/print", "=follow=", fmt.Sprintf(".tag=%d", i))
				}
				near, ended := b.stall(t, stream)
				if last == "" {
					near.Close()
				} else if _, err := near.Write(appendSentence(nil, last)); err != nil {
					t.Fatal(err)
				}
				b.sentAway(t, ended, 0)
			})
		})
	}
}

// TestTrickle has a client read an octet a second, which keeps no connection open.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var stream []byte
		for i := range 8 {
			stream = appendSentence(stream, "/ppp/profile/print", "=follow=", fmt.Sprintf(".tag=%d", i))
		}
		near, ended := b.stall(t, stream)
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				if _, err := near.Read(make([]byte, 1)); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		b.sentAway(t, ended, 0)
		reader.Wait()
	})
}

// TestStalledClientCostsLittle has a client ask for long answers in all places and
// read nothing.
func TestStalledClientCostsLittle(t *testing.T) {
	const (
		rows  = 2000
		bound = 24 << 20 // maxRunning answers would be many times that
	)
	for name, words := range map[string][]string{
		"prints":    {"/interface/print"}, // made in one piece
		"intervals": {"/interface/print", "=interval=1s"},
		"listeners": {"/interface/print", "=follow="},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				sessions := make([]session.Status, rows)
				for i := range sessions {
					sessions[i] = session.Status{ID: uint64(i + 1), Interface: fmt.Sprintf("<pptp-%d>", i), State: "connected", Running: true}
				}
				b.Engine.SetSessions(sessions...)
				var stream []byte
				for i := range maxRunning {
					stream = appendSentence(stream, append(words, fmt.Sprintf(".tag=%d", i))...)
				}
				before := heap()
				_, ended := b.stall(t, stream)
				if grew := int64(heap()) - int64(before); grew > bound {
					t.Errorf("it takes %d MB", grew>>20)
				} else {
					t.Logf("it takes %d KB", grew>>10)
				}
				b.sentAway(t, ended, 0)
			})
		})
	}
}

// TestFloodOfCommands has a client that reads nothing send the smallest commands
// there are, which wait for one that it keeps from ending.
func TestFloodOfCommands(t *testing.T) {
	const (
		flood = 200_000
		bound = 6 << 20 // maxWaiting, and half as much again for each guess
	)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		before := heap()
		near, ended := b.stall(t, appendSentence(nil, "/ppp/profile/print"))
		var sender sync.WaitGroup
		sent := 0
		sender.Go(func() {
			for stream := appendSentence(nil, "/x"); sent < flood; sent++ {
				if _, err := near.Write(stream); err != nil {
					return
				}
			}
		})
		synctest.Wait()
		if grew := int64(heap()) - int64(before); grew > bound {
			t.Errorf("it takes %d KB", grew>>10)
		}
		b.sentAway(t, ended, 0)
		sender.Wait()
		if sent == flood {
			t.Error("all of it was read")
		}
	})
}

// heap gives the octets of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
