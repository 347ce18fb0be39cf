package migrate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A span is the addresses from first to last.
type span struct{ first, last uint32 }

// maxSpans is how many ranges a pool may have here.
const maxSpans = 256

func (s span) size() uint64 { return uint64(s.last) - uint64(s.first) + 1 }

// String is how /ip/pool takes it.
func (s span) String() string {
	if s.first == s.last {
		return addressOf(s.first).String()
	}
	return addressOf(s.first).String() + "-" + addressOf(s.last).String()
}

func addressOf(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

func numberOf(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// parse4 reads an IPv4 address.
func parse4(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return a, err == nil && a.Is4()
}

// tidy sorts spans and joins those that overlap or touch.
func tidy(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && uint64(s.first) <= uint64(out[n-1].last)+1 {
			out[n-1].last = max(out[n-1].last, s.last)
			continue
		}
		out = append(out, s)
	}
	return out
}

// without takes an address out of spans.
func without(spans []span, a netip.Addr) (out []span) {
	n := numberOf(a)
	for _, s := range spans {
		if n < s.first || n > s.last {
			out = append(out, s)
			continue
		}
		if n > s.first {
			out = append(out, span{s.first, n - 1})
		}
		if n < s.last {
			out = append(out, span{n + 1, s.last})
		}
	}
	return out
}

// first gives the first addresses of spans, in their order, and how many were left.
func first(spans []span, most uint64) (out []span, left uint64) {
	for _, s := range spans {
		n := min(s.size(), most)
		if n > 0 {
			out = append(out, span{s.first, s.first + uint32(n-1)})
		}
		most -= n
		left += s.size() - n
	}
	return out, left
}

// count is the number of addresses.
func count(spans []span) (n uint64) {
	for _, s := range spans {
		n += s.size()
	}
	return n
}

// write is how /ip/pool takes spans.
func write(spans []span) string {
	var out []string
	for _, s := range spans {
		out = append(out, s.String())
	}
	return strings.Join(out, ",")
}

// octetRange reads an address one of whose octets may be a range, such as
// 192.168.0.234-238 or 192.168.2-5.1: the addresses of pptpd.conf(5).
func octetRange(text string) ([]span, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return nil, fmt.Errorf("not an IPv4 address")
	}
	var low, high [4]byte
	ranged := -1
	for i, p := range parts {
		from, to, is := strings.Cut(p, "-")
		a, errA := strconv.ParseUint(from, 10, 8)
		b := a
		var errB error
		if is {
			b, errB = strconv.ParseUint(to, 10, 8)
		}
		switch {
		case errA != nil || errB != nil:
			return nil, fmt.Errorf("not an IPv4 address")
		case is && ranged >= 0:
			return nil, fmt.Errorf("more than one range in an address")
		case b < a:
			return nil, fmt.Errorf("a range that ends before it begins")
		}
		low[i], high[i] = byte(a), byte(b)
		if is {
			ranged = i
		}
	}
	if ranged < 0 || ranged == 3 {
		return []span{{binary.BigEndian.Uint32(low[:]), binary.BigEndian.Uint32(high[:])}}, nil
	}
	var out []span
	for n := int(low[ranged]); n <= int(high[ranged]); n++ {
		a := low
		a[ranged] = byte(n)
		one := binary.BigEndian.Uint32(a[:])
		out = append(out, span{one, one})
	}
	return out, nil
}

// accelRange reads a range of accel-ppp.conf(5): x.x.x.x/mask from that address on, or
// x.x.x.x-y in the last octet.
func accelRange(text string) (span, error) {
	bad := fmt.Errorf("not a range of addresses")
	if address, bits, is := strings.Cut(text, "/"); is {
		a, ok := parse4(address)
		n, err := strconv.ParseUint(bits, 10, 8)
		if !ok || err != nil || n < 1 || n > 32 {
			return span{}, bad
		}
		low := numberOf(a)
		return span{low, low | uint32(uint64(1)<<(32-n)-1)}, nil
	}
	address, last, is := strings.Cut(text, "-")
	a, ok := parse4(address)
	n, err := strconv.ParseUint(last, 10, 8)
	if !is || !ok || err != nil || n < uint64(a.As4()[3]) {
		return span{}, bad
	}
	low := numberOf(a)
	return span{low, low&^0xff | uint32(n)}, nil
}
