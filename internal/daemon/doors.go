package daemon

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"gopptp/internal/api"
	"gopptp/internal/console"
	"gopptp/internal/journal"
	"gopptp/internal/rest"
	"gopptp/internal/service"
	"gopptp/internal/sshd"
	"gopptp/internal/tree"
	"gopptp/internal/web"
)

// maxSessions is the largest max-sessions of a service: what bounds connections
// is /ip/service, not the door behind it.
const maxSessions = 1000

// runner gives what runs scripts that come from outside.
func runner(menus *tree.Tree) func(context.Context, tree.User, string, io.Writer) error {
	return func(ctx context.Context, u tree.User, script string, out io.Writer) error {
		return console.NewSession(menus, u).Run(ctx, script, out)
	}
}

// doors makes what serves the network: the services of /ip/service by name.
func doors(menus *tree.Tree, page *web.Server, data string, log *journal.Journal) (map[string]service.Door, error) {
	gate := menus.Gate()
	keys, err := sshd.LoadOrMakeHostKeys(data)
	if err != nil {
		return nil, err
	}
	secure := sshd.New(sshd.Config{Tree: menus, Login: gate.Login, Knows: gate.Knows, LoginKey: gate.LoginKey, HostKeys: keys})
	binary := api.New(api.Config{Tree: menus, Login: gate.Login, Clear: gate.Clear, Journal: log, MaxSessions: maxSessions})
	both := http.NewServeMux() // for programs, and for people
	both.Handle(rest.Prefix+"/", rest.New(rest.Config{Tree: menus, Login: gate.Login, Run: runner(menus)}))
	both.Handle("/", page)
	serveWeb := func(ctx context.Context, l net.Listener) error { return rest.Serve(ctx, l, nil, both, log) }
	return map[string]service.Door{
		"ssh": secure.Serve,
		"api": binary.Serve, "api-ssl": binary.Serve,
		"www": serveWeb, "www-ssl": serveWeb,
	}, nil
}

// serverTLS makes the TLS settings of a service. Without a certificate of its
// own it uses the one that was made at the first start.
func serverTLS(data string, c service.Config) (*tls.Config, error) {
	var certificate tls.Certificate
	var err error
	switch name := c.Certificate; {
	case name == "" || name == "none":
		certificate, err = rest.Certificate(data)
	case !filepath.IsLocal(name) || strings.ContainsRune(name, filepath.Separator):
		err = errors.New("the certificate's name is no name of a file")
	default:
		base := filepath.Join(data, name)
		certificate, err = rest.LoadCertificate(base+".crt", base+".key")
	}
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if c.OnlyTLS12 {
		config.MaxVersion = tls.VersionTLS12
	}
	return config, nil
}

// passwordLength is how much is taken of a random text with 5 bits in each
// letter: 80 bits, more than anybody can guess over a network.
const passwordLength = 16

// maxPasswordFile bounds what is read of a file with a password, in octets.
const maxPasswordFile = 4096

// firstUser makes the user admin in a new system. A password that nobody chose
// is told once, on the program's own output: it stands in no log that is kept, and
// so it is told nobody where that output is systemd's journal.
func firstUser(menus *tree.Tree, file string, out io.Writer) error {
	secret := ""
	made, err := menus.FirstUser(func() (_ string, err error) {
		if file == "" {
			secret = strings.ToLower(rand.Text()[:passwordLength])
			return secret, nil
		}
		return readPassword(file)
	})
	if err != nil {
		return fmt.Errorf("cannot make the user admin: %w", err)
	}
	if made && secret != "" && isJournal(out) {
		fmt.Fprintf(out, "The user admin was made. Give it a password: gopptp exec '/user/set admin password=NEW'\n")
		return nil
	}
	if made && secret != "" {
		fmt.Fprintf(out, "The user admin was made, with the password %s\nIt is not shown again. To change it: gopptp exec '/user/set admin password=NEW'\n", secret)
	}
	return nil
}

// readPassword reads the first line of a file.
func readPassword(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPasswordFile))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("the first line of %s is empty", path)
	}
	return line, nil
}
