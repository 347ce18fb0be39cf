package main

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// A client that loses its place in an answer would count rows that are none.
func TestTalk(t *testing.T) {
	long := strings.Repeat("!re", 10_000)
	answer := slices.Concat(
		[]byte("\x03!re\x04=a=b\x00"),
		[]byte("\x03!re\x81\x2c"), []byte(long[:300]), []byte{0},
		[]byte("\x03!re\xc0\x75\x30"), []byte(long), []byte{0},
		[]byte("\x05!done\x00"),
	)
	var sent bytes.Buffer
	rows, err := talk(&sent, bufio.NewReader(bytes.NewReader(answer)), "/ppp/secret/print", "=a=b")
	if rows != 3 || err != nil {
		t.Errorf("%d rows, %v", rows, err)
	}
	if want := "\x11/ppp/secret/print\x04=a=b\x00"; sent.String() != want {
		t.Errorf("sent %q, want %q", sent.String(), want)
	}
	for n := range answer {
		if _, err := talk(io.Discard, bufio.NewReader(bytes.NewReader(answer[:n])), "/x"); err == nil {
			t.Fatalf("no error for the first %d octets", n)
		}
	}
	if _, err := talk(io.Discard, bufio.NewReader(strings.NewReader("\x05!trap\x0a=message=x\x00\x05!done\x00")), "/x"); err == nil || !strings.Contains(err.Error(), "=message=x") {
		t.Errorf("a trap gives %v", err)
	}
}
