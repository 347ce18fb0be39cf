package console

import (
	"bufio"
	"encoding/json"
	"io"
)

// What goes over the socket is a JSON object on each line: requests one way,
// replies the other.

// A request runs a line, or cancels the one that runs; or it begins a session in
// a window, types in it and changes its size. A long script comes in parts, before
// the line that ends it.
type request struct {
	Part     []byte  `json:"part,omitempty"`
	Line     string  `json:"line,omitempty"`
	Width    int     `json:"width,omitempty"`
	Cancel   bool    `json:"cancel,omitempty"`
	Progress bool    `json:"progress,omitempty"` // somebody wants to see it
	Terminal *window `json:"terminal,omitempty"`
	Keys     []byte  `json:"keys,omitempty"`
}

// A reply carries some output, or how far the line is, or tells that the line or the session in the window
// is done. The first reply
// of a connection is one of the second kind, for its prompt.
type reply struct {
	Out      []byte `json:"out,omitempty"`
	Progress string `json:"progress,omitempty"`
	Done     bool   `json:"done,omitempty"`
	Error    string `json:"error,omitempty"`
	Prompt   string `json:"prompt,omitempty"`
}

const (
	// MaxLine bounds a command line in octets: room for a script in a property
	// with all of its escapes.
	MaxLine = 256 << 10
	// MaxScript bounds a script in octets: it is the bound of /import, which has room
	// for 100,000 secrets.
	MaxScript = 16 << 20
	// maxPart is how much of a script one request carries.
	maxPart = 64 << 10
	// maxFrame bounds a line of JSON, which writes a control character as six.
	maxFrame = 6*MaxLine + 1024
	// maxChunk is how much output one reply carries at most; base64 makes it
	// larger by a third.
	maxChunk = 32 << 10
)

// frames reads one JSON object after the other.
func frames(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxFrame)
	return s
}

// outputWriter sends what is written to it as replies.
type outputWriter struct{ to *json.Encoder }

func (w outputWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		chunk := b[n:min(n+maxChunk, len(b))]
		if err := w.to.Encode(reply{Out: chunk}); err != nil {
			return n, err
		}
		n += len(chunk)
	}
	return n, nil
}
