package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/crypto/ssh"

	"gopptp/test/lab"
)

const (
	// openLimit is how long a service may take to listen once it is enabled.
	openLimit = 10 * time.Second
	// talkLimit ends a connection that hangs: all that goes over one takes less.
	talkLimit = 5 * time.Minute

	sshAddress  = "127.0.0.1:22"
	restAddress = "127.0.0.1:80"
	apiAddress  = "127.0.0.1:8728"
)

// dial connects within the system's namespace. The connection ends with ctx.
func (s *system) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	lab.WaitFor(ctx, openLimit, func() bool {
		err = s.lab.Do(func() error { // an address without a name is dialled on this very thread
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return err
		})
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return conn, conn.SetDeadline(time.Now().Add(talkLimit))
}

// openConsole connects to the socket. What it gives runs a line, and gives what
// that prints, until the next one.
func (s *system) openConsole(ctx context.Context) (func(line string) ([]byte, error), error) {
	conn, err := s.dial(ctx, "unix", s.socket)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var pidErr error
	err = raw.Control(func(fd uintptr) { s.pid, pidErr = peerPID(fd) })
	if err = errors.Join(err, pidErr); err != nil {
		return nil, err
	}
	from, to := json.NewDecoder(conn), json.NewEncoder(conn)
	var out []byte
	receive := func() ([]byte, error) {
		out = out[:0]
		for {
			var r struct {
				Out   []byte
				Done  bool
				Error string
			}
			switch err := from.Decode(&r); {
			case err != nil:
				return nil, err
			case r.Error != "":
				return nil, errors.New(r.Error)
			case r.Done:
				return out, nil
			}
			out = append(out, r.Out...)
		}
	}
	if _, err := receive(); err != nil { // the greeting
		return nil, err
	}
	return func(line string) ([]byte, error) {
		if err := to.Encode(map[string]string{"line": line}); err != nil {
			return nil, err
		}
		return receive()
	}, nil
}

// openSSH logs in. Each print is a session of its own in the connection.
func (s *system) openSSH(ctx context.Context) (func() (int, error), error) {
	conn, err := s.dial(ctx, "tcp", sshAddress)
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, sshAddress, &ssh.ClientConfig{
		User: "admin", Auth: []ssh.AuthMethod{ssh.Password(adminPassword)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // nobody else is in the namespace
	})
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
	return func() (int, error) {
		session, err := client.NewSession()
		if err != nil {
			return 0, err
		}
		defer session.Close()
		out, err := session.Output("/ppp/secret/print")
		return bytes.Count(out, []byte(namePrefix)), err
	}, nil
}

// client is a client of HTTP in the system's namespace.
func (s *system) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: restClients}}
}

// openREST prints over a connection that stays open.
func (s *system) openREST(ctx context.Context) (func() (int, error), error) {
	client := s.client()
	var body bytes.Buffer
	show := func() (int, error) {
		err := get(ctx, client, "http://"+restAddress+"/rest/ppp/secret", &body)
		return bytes.Count(body.Bytes(), []byte(namePrefix)), err
	}
	_, err := show() // logs in
	return show, err
}

// get asks for a page and puts it into body.
func get(ctx context.Context, client *http.Client, url string, body *bytes.Buffer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.SetBasicAuth("admin", adminPassword)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body.Reset()
	if _, err := body.ReadFrom(answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}

// openAPI logs in.
func (s *system) openAPI(ctx context.Context) (func() (int, error), error) {
	conn, err := s.dial(ctx, "tcp", apiAddress)
	if err != nil {
		return nil, err
	}
	from := bufio.NewReaderSize(conn, 64<<10)
	if _, err := talk(conn, from, "/login", "=name=admin", "=password="+adminPassword); err != nil {
		return nil, err
	}
	return func() (int, error) { return talk(conn, from, "/ppp/secret/print") }, nil
}

// talk sends a sentence of the binary API and gives how many rows are in the
// answer. Its words are short: their length takes one octet.
func talk(to io.Writer, from *bufio.Reader, sentence ...string) (rows int, err error) {
	var b []byte
	for _, word := range sentence {
		b = append(append(b, byte(len(word))), word...)
	}
	if _, err := to.Write(append(b, 0)); err != nil {
		return 0, err
	}
	var words [][]byte
	for {
		words, err = readSentence(from, words[:0])
		switch {
		case err != nil:
			return rows, err
		case len(words) == 0:
		case string(words[0]) == "!re":
			rows++
		case string(words[0]) == "!done":
			return rows, nil
		default:
			return rows, fmt.Errorf("answer %q", words)
		}
	}
}

// readSentence appends the words of a sentence, up to the empty one that ends it.
// Its words are shorter than 2 MiB.
func readSentence(from *bufio.Reader, words [][]byte) ([][]byte, error) {
	for {
		first, err := from.ReadByte()
		if err != nil {
			return nil, err
		}
		n, more := int(first), 0
		switch {
		case first >= 0xE0:
			return nil, fmt.Errorf("length 0x%02X…", first)
		case first >= 0xC0:
			n, more = n&0x1F, 2
		case first >= 0x80:
			n, more = n&0x3F, 1
		}
		for range more {
			next, err := from.ReadByte()
			if err != nil {
				return nil, err
			}
			n = n<<8 | int(next)
		}
		if n == 0 {
			return words, nil
		}
		// The room of a sentence before serves again.
		var word []byte
		if i := len(words); i < cap(words) {
			word = words[:i+1][i][:0]
		}
		if cap(word) < n {
			word = make([]byte, n)
		}
		word = word[:n]
		if _, err := io.ReadFull(from, word); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}
