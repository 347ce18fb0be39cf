package daemon

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/service"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
	"gopptp/internal/web"
)

// newTree makes a tree over an empty store.
func newTree(t *testing.T, j *journal.Journal) *tree.Tree {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), databaseName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	menus, err := tree.New(db, &treetest.Engine{}, j)
	if err != nil {
		t.Fatal(err)
	}
	return menus
}

// opens reports whether a password is that of admin.
func opens(t *testing.T, menus *tree.Tree, password string) bool {
	t.Helper()
	_, leave, err := menus.Gate().Login(t.Context(), login.Attempt{Door: login.DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: "admin", Password: password})
	if err == nil {
		leave()
	}
	return err == nil
}

// TestPasswordIsToldOnce starts a system twice: the password is told the first
// time, on the output and not in the log.
func TestPasswordIsToldOnce(t *testing.T) {
	j := journal.New(nil, true)
	menus := newTree(t, j)
	var out bytes.Buffer
	if err := firstUser(menus, "", &out); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`with the password ([a-z2-7]{16})\n`).FindStringSubmatch(out.String())
	if found == nil {
		t.Fatalf("the output is %q", out.String())
	}
	if !opens(t, menus, found[1]) {
		t.Error("the password is wrong")
	}
	for _, e := range j.Entries() {
		if strings.Contains(e.Message, found[1]) {
			t.Errorf("the log has %q", e.Message)
		}
	}
	out.Reset()
	if err := firstUser(menus, "/nonexistent", &out); err != nil || out.Len() > 0 {
		t.Errorf("the second time: %q, %v", out.String(), err)
	}
}

func TestPasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	var out bytes.Buffer
	menus := newTree(t, journal.New(nil, false))
	for _, text := range []string{"", "\nsecond line"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := firstUser(menus, path, &out); err == nil {
			t.Errorf("%q is a password", text)
		}
	}
	if err := os.WriteFile(path, []byte("from a file\r\nnot this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := firstUser(menus, path, &out); err != nil || out.Len() > 0 {
		t.Fatalf("%q, %v", out.String(), err)
	}
	if !opens(t, menus, "from a file") {
		t.Error("the password of the file is wrong")
	}
}

func TestServerTLS(t *testing.T) {
	dir := t.TempDir()
	made, err := serverTLS(dir, service.Config{Certificate: "none"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := serverTLS(dir, service.Config{Certificate: "none", OnlyTLS12: true})
	if err != nil || !bytes.Equal(made.Certificates[0].Certificate[0], again.Certificates[0].Certificate[0]) {
		t.Errorf("the second certificate is another: %v", err)
	}
	if made.MinVersion != tls.VersionTLS12 || made.MaxVersion != 0 || again.MaxVersion != tls.VersionTLS12 {
		t.Error("the versions are wrong")
	}
	for _, name := range []string{"mine", "../mine", "/etc/mine", ".."} {
		if _, err := serverTLS(dir, service.Config{Certificate: name}); err == nil {
			t.Errorf("there is a certificate %s", name)
		}
	}
}

// TestDoors asks for the same through HTTP and HTTPS, on ports that are set
// while it runs.
func TestDoors(t *testing.T) {
	j := journal.New(nil, false)
	menus, dir := newTree(t, j), t.TempDir()
	if _, err := menus.FirstUser(func() (string, error) { return "secret", nil }); err != nil {
		t.Fatal(err)
	}
	network, err := doors(menus, web.New(web.Config{Tree: menus, Journal: j}), dir, j)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{"ssh", "www", "www-ssl", "api", "api-ssl"} {
		if network[r] == nil {
			t.Errorf("nothing serves %s", r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		menus.Services().Run(ctx, network, service.Options{Journal: j, TLS: func(c service.Config) (*tls.Config, error) { return serverTLS(dir, c) }})
	})
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	}
	set := func(name, port, disabled string) {
		m := menus.Root().At("/ip/service")
		q := &menu.Request{Menu: m, Command: m.Command("set"), Items: []string{name}, Values: []menu.Assignment{{Name: "port", Value: port}, {Name: "disabled", Value: disabled}}}
		if _, err := menus.Execute(t.Context(), tree.Admin(), q, nil); err != nil {
			t.Fatal(err)
		}
	}
	set("api", free(), "no")
	set("api-ssl", free(), "no")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for name, scheme := range map[string]string{"www": "http", "www-ssl": "https"} {
		port := free()
		set(name, port, "no")
		ask := func() (string, error) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://127.0.0.1:"+port+"/rest/system/identity", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("admin", "secret")
			answer, err := client.Do(r)
			if err != nil {
				return "", err
			}
			defer answer.Body.Close()
			b, err := io.ReadAll(answer.Body)
			return string(b), err
		}
		var got string
		for range 200 {
			if got, err = ask(); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got != `{"name":"gopptp"}` {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		page, err := client.Get(scheme + "://127.0.0.1:" + port + "/")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(page.Body)
		page.Body.Close()
		if err != nil || page.Request.URL.Path != "/web/" || !strings.Contains(string(text), "<title>gopptp") {
			t.Errorf("%s: the page is at %s, %q, %v", name, page.Request.URL, text, err)
		}
		set(name, port, "yes")
		client.CloseIdleConnections()
		for range 200 {
			if _, err = ask(); err != nil {
				break
			}
			client.CloseIdleConnections()
			time.Sleep(10 * time.Millisecond)
		}
		if err == nil {
			t.Errorf("%s answers though it is disabled", name)
		}
	}
}

func TestResources(t *testing.T) {
	m := resources(t.TempDir())
	if m.CPUs < 1 || m.TotalMemory == 0 || m.FreeMemory > m.TotalMemory || m.TotalSpace == 0 || m.FreeSpace > m.TotalSpace || m.Load < 0 || m.Built.IsZero() {
		t.Errorf("%+v", m)
	}
}
