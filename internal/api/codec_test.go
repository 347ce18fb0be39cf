package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// appendSentence is the encoder of the other side.
func appendSentence(b []byte, words ...string) []byte {
	for _, w := range words {
		b = appendWord(b, w)
	}
	return append(b, 0)
}

// The lengths at the edges of the five forms, as RouterOS's manual defines them.
var lengths = []struct {
	n    uint32
	wire string
}{
	{0, "\x00"},
	{1, "\x01"},
	{0x7F, "\x7F"},
	{0x80, "\x80\x80"},
	{0x87, "\x80\x87"}, // the manual's example of two octets
	{0x3FFF, "\xBF\xFF"},
	{0x4000, "\xC0\x40\x00"},
	{0x1FFFFF, "\xDF\xFF\xFF"},
	{0x200000, "\xE0\x20\x00\x00"},
	{0x10000000 - 1, "\xEF\xFF\xFF\xFF"},
	{0x10000000, "\xF0\x10\x00\x00\x00"},
	{0xFFFFFFFF, "\xF0\xFF\xFF\xFF\xFF"},
}

func TestLengths(t *testing.T) {
	for _, l := range lengths {
		if got := appendLength(nil, l.n); string(got) != l.wire {
			t.Errorf("length %#x is written as % x, want % x", l.n, got, l.wire)
		}
		if got, err := readLength(strings.NewReader(l.wire)); err != nil || got != l.n {
			t.Errorf("% x is read as %#x, %v; want %#x", l.wire, got, err, l.n)
		}
		for i := 1; i < len(l.wire); i++ {
			if _, err := readLength(strings.NewReader(l.wire[:i])); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("% x: %v, want unexpected EOF", l.wire[:i], err)
			}
		}
	}
	if _, err := readLength(strings.NewReader("")); err != io.EOF {
		t.Errorf("the end of the stream is %v, want EOF", err)
	}
	if got, err := readLength(strings.NewReader("\xE0\x00\x00\x05")); err != nil || got != 5 {
		t.Errorf("a length in a form longer than needed is %d, %v; want 5", got, err)
	}
}

func TestReservedControlBytes(t *testing.T) {
	for first := 0xF1; first <= 0xFF; first++ {
		if _, err := readLength(bytes.NewReader([]byte{byte(first), 0, 0, 0, 1, 'a'})); !errors.Is(err, errControl) {
			t.Errorf("0x%02X: %v, want %v", first, err, errControl)
		}
	}
}

func TestReadSentence(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for _, words := range [][]string{
		nil,
		{"/login"},
		{"/ppp/secret/add", "=name=a", "=password==", "=comment=\x00\xff", ".tag=7"},
		{"/system/script/add", "=source=" + long},
	} {
		b := appendSentence(nil, words...)
		got, err := readSentence(bufio.NewReader(bytes.NewReader(b)), maxSentence)
		if err != nil || !slices.Equal(got, words) {
			t.Errorf("%.60q: got %.60q, %v", words, got, err)
		}
		for i := range min(len(b), 300) {
			if i == 0 {
				continue
			}
			if _, err := readSentence(bufio.NewReader(bytes.NewReader(b[:i])), maxSentence); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%.60q cut to %d octets: %v, want unexpected EOF", words, i, err)
			}
		}
	}
}

func TestSentenceIsBounded(t *testing.T) {
	many := slices.Repeat([]string{"a"}, maxWords+1)
	for name, b := range map[string][]byte{
		"one word":    appendSentence(nil, strings.Repeat("x", maxStranger+1)),
		"two words":   appendSentence(nil, strings.Repeat("x", maxStranger), "x"),
		"many words":  appendSentence(nil, many...),
		"length only": []byte("\xF0\xFF\xFF\xFF\xFF"),
	} {
		if _, err := readSentence(bufio.NewReader(bytes.NewReader(b)), maxStranger); !errors.Is(err, errTooLong) {
			t.Errorf("%s: %v, want %v", name, err, errTooLong)
		}
	}
	if _, err := readSentence(bufio.NewReader(bytes.NewReader(appendSentence(nil, many[1:]...))), maxSentence); err != nil {
		t.Errorf("a sentence of %d words: %v", maxWords, err)
	}
	// A length without octets must cost next to nothing.
	claim := []byte("\xCF\xFF\xFF")
	if n := testing.AllocsPerRun(20, func() {
		if _, err := readSentence(bufio.NewReaderSize(bytes.NewReader(claim), 16), maxSentence); err == nil {
			t.Error("no error")
		}
	}); n > 8 {
		t.Errorf("a mere length cost %v allocations", n)
	}
}

// TestCostOfRow holds the answer of a print to no allocation per row.
func TestCostOfRow(t *testing.T) {
	r := &reply{out: newOut(discard{}), tag: "1", tagged: true}
	write := func() {
		r.begin("!re")
		r.pair("name", "somebody")
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		write()
	}
	if n := testing.AllocsPerRun(1000, write); n != 0 {
		t.Errorf("a row costs %v allocations", n)
	}
}

func FuzzReadSentence(f *testing.F) {
	f.Add(appendSentence(nil, "/login", "=name=admin", "=password="))
	f.Add(appendSentence(nil, "/ppp/secret/print", "=.proplist=.id,name", "?name=x", "?>comment=", "?#&!", ".tag=a"))
	f.Add(appendSentence(nil, "/cancel", "=tag=", ".tag="))
	f.Add(appendSentence(nil, strings.Repeat("y", 300)))
	f.Add([]byte("\xF8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		words, err := readSentence(r, maxSentence)
		if err != nil {
			return
		}
		again, err := readSentence(bufio.NewReader(bytes.NewReader(appendSentence(nil, words...))), maxSentence)
		if err != nil || !slices.Equal(words, again) {
			t.Fatalf("%q is read back as %q, %v", words, again, err)
		}
		if len(words) > 0 {
			if s, _ := parse(words); s.size < len(words) {
				t.Fatalf("%q weighs %d", words, s.size)
			}
		}
	})
}
