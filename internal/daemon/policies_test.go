package daemon

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
	"gopptp/internal/web"
)

// errClosed says that a door did not let a user in.
var errClosed = errors.New("not let in")

// A way asks for a command through a door, as a client of that door does, and gives
// the answer and what was refused.
type way func(t *testing.T, address, user string, c asked) (answer string, err error)

// An asked is a command with its arguments.
type asked struct {
	path string
	args [][2]string
}

func overSSH(t *testing.T, address, user string, c asked) (string, error) {
	client, err := ssh.Dial("tcp", address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password("p")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return "", errClosed
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	line := c.path
	for _, a := range c.args {
		line += " " + a[0] + "=" + a[1]
	}
	if strings.HasSuffix(c.path, "/get") {
		line = ":put [" + line + "]"
	}
	out, err := session.CombinedOutput(line)
	if err != nil {
		return "", errors.New(strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

func overREST(t *testing.T, address, user string, c asked) (string, error) {
	body := map[string]string{}
	for _, a := range c.args {
		body[a[0]] = a[1]
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/rest"+c.path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, "p")
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var refused struct{ Detail string }
	switch {
	case answer.StatusCode == http.StatusUnauthorized:
		return "", errClosed
	case answer.StatusCode >= 400:
		_ = json.Unmarshal(text, &refused)
		return "", errors.New(refused.Detail)
	}
	return string(text), nil
}

func overAPI(t *testing.T, address, user string, c asked) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	from := bufio.NewReader(conn)
	talk := func(path string, args [][2]string) (reply string, err error) {
		say := []byte{byte(len(path))}
		say = append(say, path...)
		for _, a := range args {
			word := "=" + a[0] + "=" + a[1]
			say = append(append(say, byte(len(word))), word...)
		}
		if _, err := conn.Write(append(say, 0)); err != nil {
			t.Fatal(err)
		}
		for first := true; ; {
			n, readErr := from.ReadByte() // no word of these answers is long
			if readErr != nil {
				t.Fatal(readErr)
			}
			if n == 0 {
				if strings.HasSuffix(reply, "!done\n") || strings.Contains(reply, "!done\n=") || strings.Contains(reply, "!fatal") {
					return reply, err
				}
				first = true
				continue
			}
			word := make([]byte, n)
			if _, readErr := io.ReadFull(from, word); readErr != nil {
				t.Fatal(readErr)
			}
			if message, ok := strings.CutPrefix(string(word), "=message="); ok && !first {
				err = errors.New(message)
			}
			first = false
			reply += string(word) + "\n"
		}
	}
	if _, err := talk("/login", [][2]string{{"name", user}, {"password", "p"}}); err != nil {
		return "", errClosed
	}
	return talk(c.path, c.args)
}

// TestPoliciesAtEveryDoor asks through each door for what takes each policy, as
// users who have all policies but one.
func TestPoliciesAtEveryDoor(t *testing.T) {
	j := journal.New(nil, false)
	db, _, err := store.Open(filepath.Join(t.TempDir(), databaseName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scripts := script.NewRunner(j)
	defer scripts.Close()
	menus, err := tree.Config{Store: db, Engine: &treetest.Engine{}, Journal: j, Interpreter: scripts}.New()
	if err != nil {
		t.Fatal(err)
	}
	network, err := doors(menus, web.New(web.Config{Tree: menus, Journal: j}), t.TempDir(), j)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	open := func(service string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { _ = network[service](ctx, l) })
		return l.Addr().String()
	}
	must := func(path, command string, values ...string) {
		t.Helper()
		m := menus.Root().At(path)
		q := &menu.Request{Menu: m, Command: m.Command(command)}
		for _, v := range values {
			name, value, _ := strings.Cut(v, "=")
			q.Values = append(q.Values, menu.Assignment{Name: name, Value: value})
		}
		if _, err := menus.Execute(t.Context(), tree.Admin(), q, nil); err != nil {
			t.Fatal(err)
		}
	}
	const everything = "read,write,test,policy,sensitive,ssh,api,rest-api,web,local"
	without := func(p string) string {
		return strings.Trim(strings.ReplaceAll(","+everything+",", ","+p+",", ","), ",")
	}
	for _, p := range strings.Split(everything, ",") {
		must("/user/group", "add", "name=no-"+p, "policy="+without(p))
		must("/user", "add", "name=no-"+p, "group=no-"+p, "password=p")
	}
	must("/ppp/secret", "add", "name=u", "password=hidden")
	must("/system/script", "add", "name=tester", "policy=test", "source=:local a 1")

	const forbidden, masked = "not enough permissions (9)", "*****"
	operations := []struct {
		needs []string // without one of these it is forbidden
		asked
	}{
		{[]string{"read"}, asked{path: "/ppp/secret/print"}},
		{[]string{"write"}, asked{"/ppp/secret/set", [][2]string{{"numbers", "u"}, {"comment", "c"}}}},
		{[]string{"test", "read"}, asked{"/system/script/run", [][2]string{{"number", "tester"}}}},
		{[]string{"policy", "write"}, asked{"/user/set", [][2]string{{"numbers", "no-local"}, {"comment", "c"}}}},
		{[]string{"read"}, asked{"/ppp/secret/get", [][2]string{{"number", "u"}, {"value-name", "password"}}}},
	}
	for _, door := range []struct {
		policy, service string
		way
	}{{"ssh", "ssh", overSSH}, {"rest-api", "www", overREST}, {"api", "api", overAPI}} {
		address := open(door.service)
		for _, lacks := range strings.Split(everything, ",") {
			for _, o := range operations {
				if lacks == door.policy && o.path != operations[0].path {
					continue // once is enough to be refused: each costs a delay
				}
				answer, err := door.way(t, address, "no-"+lacks, o.asked)
				var want error
				switch {
				case lacks == door.policy:
					want = errClosed
				case slices.Contains(o.needs, lacks):
					want = errors.New(forbidden)
				}
				switch {
				case (err == nil) != (want == nil) || err != nil && err.Error() != want.Error():
					t.Errorf("%s without %s: %s gives %q, %v; want %v", door.service, lacks, o.path, answer, err, want)
				case err == nil && strings.HasSuffix(o.path, "/get") && strings.Contains(answer, masked) != (lacks == "sensitive"):
					t.Errorf("%s without %s: the password is %q", door.service, lacks, answer)
				}
			}
		}
	}
}
