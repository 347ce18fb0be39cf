package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"gopptp/internal/console"
	"gopptp/internal/menu"
	"gopptp/internal/terminal"
)

const (
	// maxMessage bounds what a browser sends at once, in octets: what is pasted is
	// sent in one message.
	maxMessage = 256 << 10
	// The window until the page has said how large it is.
	firstColumns, firstRows = 80, 24
)

// statusOver is how a console ends whose session is over; RFC 6455, section 7.4.2
// leaves such numbers to applications.
const statusOver websocket.StatusCode = 4001

// A control is what the page says of the window of a console.
type control struct {
	Columns int `json:"columns"`
	Rows    int `json:"rows"`
}

var errControl = errors.New("web: not a control message")

// parseControl reads a control message.
func parseControl(b []byte) (control, error) {
	var c control
	if json.Unmarshal(b, &c) != nil || c.Columns < 0 || c.Rows < 0 {
		return control{}, errControl
	}
	return c, nil
}

// ours reports whether a request comes from a page of this server. The protocol
// asks nobody before a page of another opens a connection (RFC 6455, section 10.2),
// so that a request that does not say where it comes from is none of ours.
func ours(r *http.Request) bool {
	origin, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || origin.Host == "" || !strings.EqualFold(origin.Host, r.Host) {
		return false
	}
	// Before a server in clear there may be a proxy that speaks TLS.
	return origin.Scheme == "https" || origin.Scheme == "http" && r.TLS == nil
}

// console serves a person at the console, in a terminal of the page.
func (s *Server) console(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !ours(r) {
		problem(w, http.StatusForbidden, "request comes from another site")
		return nil
	}
	done, ok := s.stream(v)
	if !ok {
		return menu.Errorf(menu.Refused, "failure: too many streams of one session")
	}
	defer done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil // it has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	t := terminal.New(&screen{r.Context(), conn}, terminal.Config{Columns: firstColumns, Rows: firstRows, Colours: true})
	var reader sync.WaitGroup
	defer reader.Wait()
	defer conn.CloseNow()
	wrong := make(chan struct{})
	reader.Go(func() { // ends with the connection, or with the session's next key
		defer cancel() // who closes a page does not wait for a command
		defer t.HangUp()
		if readKeys(conn, t, v) != nil {
			close(wrong)
		}
	})
	reader.Go(func() {
		select {
		case <-v.over:
			cancel()
		case <-ctx.Done():
		}
	})
	err = console.NewSession(s.cfg.Tree, v.treeUser()).Interact(ctx, t)
	if r.Context().Err() != nil {
		return nil // the door closes, and waits for nobody
	}
	select {
	case <-wrong:
		_ = conn.Close(websocket.StatusPolicyViolation, errControl.Error())
	case <-v.over:
		_ = conn.Close(statusOver, "signed out")
	default:
		if err == nil {
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}
	}
	return nil
}

// readKeys types what the page sends, until it is gone or the person has left; an
// error is for what it must not send. The end of the session does not cut it short,
// but closes the connection.
func readKeys(conn *websocket.Conn, t *terminal.Terminal, v *visit) error {
	for {
		kind, b, err := conn.Read(context.Background())
		if err != nil {
			return nil
		}
		if kind == websocket.MessageText {
			c, err := parseControl(b)
			if err != nil {
				return err
			}
			t.Resize(c.Columns, c.Rows)
			continue
		}
		v.touch()
		if t.Type(b) != nil {
			return nil
		}
	}
}

// A screen is where a console writes to. What is written when the session is over
// comes before the end of the connection.
type screen struct {
	ctx  context.Context // of the connection: a write that it cuts short breaks it
	conn *websocket.Conn
}

// Write sends what a terminal shows.
func (s *screen) Write(b []byte) (int, error) {
	ctx, cancel := context.WithTimeout(s.ctx, writeTime)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}
