package mppc

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// text gives n octets like those of a conversation over HTTP.
func text(n int, seed uint64) []byte {
	words := strings.Fields(`GET /index.html HTTP/1.1 Host: www.example.com Accept: text/html Connection: keep-alive
		HTTP/1.1 200 OK Content-Type: text/html; charset=utf-8 Content-Length: <html> <head> <title> the bell tolls </title> <body>
		<p> for whom </p> <a href="/page"> link </a> <div class="item"> <li> </li> </ul> over the lazy dog jumps a quick fox`)
	rng := rand.New(rand.NewPCG(seed, 1))
	var b []byte
	for len(b) < n {
		b = append(b, words[rng.IntN(len(words))]...)
		b = append(b, ' ')
		if rng.IntN(12) == 0 {
			b = fmt.Appendf(b, "%d\r\n", rng.IntN(100000))
		}
	}
	return b[:n]
}

// frame is a PPP frame with IPv4 and TCP headers like those of one connection.
func frame(n int, number uint32, payload []byte) []byte {
	h := []byte("\x00\x21\x45\x00\x00\x00\x00\x00\x40\x00\x40\x06\x00\x00\x0a\x00\x00\x05\xc0\x00\x02\x01\xc3\x50\x00\x50" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x50\x18\xff\xff\x00\x00\x00\x00")
	total := n - 2
	h[4], h[5], h[6], h[7] = byte(total>>8), byte(total), byte(number>>8), byte(number)
	h[12], h[13] = byte(number*7), byte(number*13)
	h[26], h[27], h[28], h[29] = byte(number>>13), byte(number>>5), byte(number<<3), 0
	return append(h, payload[:n-len(h)]...)
}

func random(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// literals gives n octets that have no matches and cost nothing as literals.
func literals(n int, seed uint64) []byte {
	b := random(n, seed)
	for i := range b {
		b[i] &= 0x7f
	}
	return b
}
