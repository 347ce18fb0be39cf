package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"gopptp/internal/golden"
	"gopptp/internal/host/hosttest"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
	"gopptp/internal/web"
)

// A stage is the page over a tree without an engine, at an address of a namespace
// where nothing else is.
type stage struct {
	*golden.World
	t       *testing.T
	network *hosttest.Namespace
	origin  string
	over    chan struct{}  // closed at the end
	all     sync.WaitGroup // waited for at the end
}

// newStage opens the page. The handler that wrap gives, if any, is in front of it.
func newStage(t *testing.T, change func(*web.Config), wrap func(http.Handler) http.Handler) *stage {
	t.Helper()
	s := &stage{World: golden.NewWorld(t), t: t, network: hosttest.New(t), origin: "http://127.0.0.1", over: make(chan struct{})}
	cfg := web.Config{Tree: s.Tree, Journal: s.Journal, Version: "1.0.0", Listening: func() bool { return true }}
	change(&cfg)
	page := web.New(cfg)
	var handler http.Handler = page
	if wrap != nil {
		handler = wrap(page)
	}
	var l net.Listener
	var err error
	s.network.Do(func() { l, err = net.Listen("tcp", "127.0.0.1:80") })
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	s.all.Go(func() { _ = page.Run(ctx) }) // both end when they are told to
	s.all.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		close(s.over)
		end()
		server.Close()
		s.all.Wait()
	})
	s.do("/user", "add", "name", "admin", "group", "full", "password", password)
	return s
}

// do runs a command of a menu with values, as its owner; an item may stand before
// them.
func (s *stage) do(path, command string, words ...string) {
	s.t.Helper()
	m := s.Tree.Root().At(path)
	q := &menu.Request{Menu: m, Command: m.Command(command), Args: map[string]string{}}
	if len(words)%2 == 1 {
		q.Items, words = words[:1], words[1:]
	}
	for i := 0; i < len(words); i += 2 {
		q.Values = append(q.Values, menu.Assignment{Name: words[i], Value: words[i+1]})
	}
	if _, err := s.Tree.Execute(s.t.Context(), tree.Admin(), q, nil); err != nil {
		s.t.Fatalf("%s/%s: %v", path, command, err)
	}
}
