package daemon

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
	"gopptp/internal/web"
)

// apiWords is a sentence of the binary API; its words are short.
func apiWords(words ...string) []byte {
	var b []byte
	for _, w := range words {
		b = append(append(b, byte(len(w))), w...)
	}
	return append(b, 0)
}

// TestDismissedClients disables a user who is in through each door: what is open
// ends, and what is asked meanwhile is refused.
func TestDismissedClients(t *testing.T) {
	j := journal.New(nil, false)
	menus := newTree(t, j)
	network, err := doors(menus, web.New(web.Config{Tree: menus, Journal: j}), t.TempDir(), j)
	if err != nil {
		t.Fatal(err)
	}
	do := func(path, command string, items []string, values ...menu.Assignment) {
		t.Helper()
		m := menus.Root().At(path)
		q := &menu.Request{Menu: m, Command: m.Command(command), Items: items, Values: values, Args: map[string]string{}}
		if _, err := menus.Execute(t.Context(), tree.Admin(), q, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"chief", "u"} { // somebody with full access must remain
		do("/user", "add", nil, menu.Assignment{Name: "name", Value: name}, menu.Assignment{Name: "group", Value: "full"}, menu.Assignment{Name: "password", Value: "p"})
	}

	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	address := map[string]string{}
	for _, name := range []string{"ssh", "api", "www"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address[name] = l.Addr().String()
		all.Go(func() { _ = network[name](ctx, l) }) // ends with ctx
	}

	binary, err := net.Dial("tcp", address["api"])
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if err := binary.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Write(apiWords("/login", "=name=u", "=password=p")); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(binary)
	if answer, err := in.ReadString(0); err != nil || !strings.Contains(answer, "!done") {
		t.Fatalf("login: %q, %v", answer, err)
	}
	secure, err := ssh.Dial("tcp", address["ssh"], &ssh.ClientConfig{
		User: "u", Auth: []ssh.AuthMethod{ssh.Password("p")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	get := func() int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address["www"]+"/rest/user/active", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("u", "p")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
		return answer.StatusCode
	}
	if status := get(); status != http.StatusOK {
		t.Fatalf("REST: %d", status)
	}
	if n := len(menus.Gate().Active()); n != 3 {
		t.Fatalf("%d are in", n)
	}

	do("/user", "disable", []string{"u"})
	if n := len(menus.Gate().Active()); n != 0 {
		t.Errorf("%d are in", n)
	}
	if rest, err := io.ReadAll(in); err != nil || !strings.Contains(string(rest), "!fatal") || !strings.Contains(string(rest), "not logged in") {
		t.Errorf("the API says %q, %v", rest, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- secure.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("SSH goes on")
	}
	if status := get(); status != http.StatusUnauthorized {
		t.Errorf("REST: %d", status)
	}
}
