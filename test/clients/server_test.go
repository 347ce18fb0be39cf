package clients

import (
	"context"
	"crypto/tls"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"gopptp/internal/api"
	"gopptp/internal/journal"
	"gopptp/internal/rest"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// password is that of the user admin.
const password = "pass word=1"

// A server is a system with all its menus, whose tunnels are pretended.
type server struct {
	tree       *tree.Tree
	plain, tls int // ports on loopback
}

// start makes a system and opens its API.
func start(t *testing.T, change ...func(*api.Config)) *server {
	t.Helper()
	dir := t.TempDir()
	db, _, err := store.Open(filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := journal.New(nil, false)
	menus, err := tree.New(db, &treetest.Engine{}, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := menus.FirstUser(func() (string, error) { return password, nil }); err != nil {
		t.Fatal(err)
	}
	cfg := api.Config{Tree: menus, Login: menus.Gate().Login, Journal: log}
	for _, f := range change {
		f(&cfg)
	}
	door := api.New(cfg)
	certificate, err := rest.Certificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var doors sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		doors.Wait()
	})
	listen := func(wrap func(net.Listener) net.Listener) int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		doors.Go(func() {
			if err := door.Serve(ctx, wrap(l)); ctx.Err() == nil {
				t.Errorf("the API ended: %v", err)
			}
		})
		return l.Addr().(*net.TCPAddr).Port
	}
	return &server{
		tree:  menus,
		plain: listen(func(l net.Listener) net.Listener { return l }),
		tls: listen(func(l net.Listener) net.Listener {
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
		}),
	}
}

// need skips the test where a command fails, which tells whether a program is
// there.
func need(t *testing.T, what, name string, args ...string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), name, args...).Run(); err != nil {
		t.Skipf("%s is not installed (%v); make setup installs it", what, err)
	}
}
