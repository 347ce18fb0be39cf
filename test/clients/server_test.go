package clients

import (
	"context"
	"crypto/tls"
	"net"
	"os"
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
	log        *journal.Journal
	dir        string // for keys and certificates
	plain, tls int    // ports of the API on loopback
}

// start makes a system and opens its API; a test opens other doors with serve.
func start(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	db, _, err := store.Open(filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := journal.New(nil, false)
	files, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	menus, err := tree.Config{Store: db, Engine: &treetest.Engine{}, Journal: log, Files: files}.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := menus.FirstUser(func() (string, error) { return password, nil }); err != nil {
		t.Fatal(err)
	}
	door := api.New(api.Config{Tree: menus, Login: menus.Gate().Login, Clear: menus.Gate().Clear, Journal: log})
	certificate, err := rest.Certificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{tree: menus, log: log, dir: dir}
	s.plain = serve(t, door.Serve)
	config := tlsConfig(certificate)
	s.tls = serve(t, func(ctx context.Context, l net.Listener) error {
		return door.Serve(ctx, tls.NewListener(l, config))
	})
	return s
}

// tlsConfig is that of a server with a certificate.
func tlsConfig(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

// serve opens a door on loopback until the end of the test, and gives its port.
func serve(t *testing.T, door func(context.Context, net.Listener) error) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	done.Go(func() {
		if err := door(ctx, l); ctx.Err() == nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// need skips the test where a command fails, which tells whether a program is
// there.
func need(t *testing.T, what, name string, args ...string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), name, args...).Run(); err != nil {
		t.Skipf("%s is not installed (%v); make setup installs it", what, err)
	}
}
