package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The bounds of a sentence. RouterOS names none.
const (
	// maxSentence has room for a script of many pages in one property.
	maxSentence = 1 << 20
	// maxStranger is the bound before login: a name and a password.
	maxStranger = 4 << 10
	// maxWords has room for a query over a thousand ids.
	maxWords = 4096
	// readStep is how much memory a word's length alone is worth: more is taken
	// as its octets arrive.
	readStep = 4 << 10
)

// The errors of a sentence that ends the connection, since what follows it cannot
// be found.
var (
	errControl = errors.New("api: reserved control byte")
	errTooLong = errors.New("api: sentence is too long")
)

// appendWord appends a word with its length in the shortest form. A word of 4 GiB
// cannot be sent, and none is: values are bounded.
func appendWord[T string | []byte](b []byte, word T) []byte {
	return append(appendLength(b, uint32(len(word))), word...)
}

// appendLength appends a length: the ones that lead its first octet tell how many
// octets follow.
func appendLength(b []byte, n uint32) []byte {
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n < 0x4000:
		return append(b, byte(n>>8)|0x80, byte(n))
	case n < 0x20_0000:
		return append(b, byte(n>>16)|0xC0, byte(n>>8), byte(n))
	case n < 0x1000_0000:
		return append(b, byte(n>>24)|0xE0, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, 0xF0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// readLength reads a length. A form longer than needed is accepted, since it can
// be read one way only.
func readLength(r io.ByteReader) (uint32, error) {
	first, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	var more int
	n := uint32(first)
	switch {
	case first < 0x80:
	case first < 0xC0:
		n, more = n&0x3F, 1
	case first < 0xE0:
		n, more = n&0x1F, 2
	case first < 0xF0:
		n, more = n&0x0F, 3
	case first == 0xF0:
		n, more = 0, 4
	default:
		// From 0xF8 on they are control bytes, which a receiver that does not know
		// them has to take for the end of the conversation; 0xF1 to 0xF7 mean
		// nothing.
		return 0, fmt.Errorf("%w 0x%02X", errControl, first)
	}
	for range more {
		next, err := r.ReadByte()
		if err != nil {
			return 0, whole(err)
		}
		n = n<<8 | uint32(next)
	}
	return n, nil
}

// readSentence reads the words of one sentence of at most limit octets, their
// lengths not counted. A sentence may have no words.
func readSentence(r *bufio.Reader, limit int) ([]string, error) {
	var words []string
	var room []byte // one buffer for all words
	for {
		n, err := readLength(r)
		switch {
		case err != nil && len(words) > 0:
			return nil, whole(err)
		case err != nil:
			return nil, err
		case n == 0:
			return words, nil
		case uint64(n) > uint64(limit), len(words) == maxWords:
			return nil, errTooLong
		}
		limit -= int(n)
		room = room[:0]
		for left := int(n); left > 0; {
			step := min(left, readStep)
			start := len(room)
			room = slices.Grow(room, step)[:start+step]
			if _, err := io.ReadFull(r, room[start:]); err != nil {
				return nil, whole(err)
			}
			left -= step
		}
		words = append(words, string(room))
	}
}

// whole makes the end of the stream within a sentence an error of its own.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
