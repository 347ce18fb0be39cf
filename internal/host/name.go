package host

import (
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"

	"gopptp/internal/tun"
)

const (
	// maxAltName is the longest alternative name (ALTIFNAMSIZ of Linux less its
	// final zero).
	maxAltName = 127

	// tagLen is how many letters and digits tell cut names apart. With 36^5
	// tags a clash among 10,000 names with one common start is likely, and
	// InterfaceName then tries another; with fewer letters before the tag the
	// start would no longer say whose interface it is.
	tagLen = 5

	// maxTries bounds the search for a free name. Each further try fails with a
	// chance of less than 1 in 1,000 even among 10,000 names, so more tries
	// than this mean that taken refuses everything.
	maxTries = 64
)

// InterfaceName gives the name in the kernel for an interface that RouterOS
// would call full. A name that Linux accepts is kept. Another one, or one that
// is taken, gets forbidden characters replaced, its end cut and a tag that
// depends on full appended, so that it is the same after a restart:
// "<pptp-a-long-user-name>" becomes "<pptp-a-l~0nbcu".
//
// alt is the full name if the kernel name differs and the kernel can keep it as
// alternative name, by which "ip link show" finds the interface as well;
// otherwise it is empty.
//
// taken reports whether an interface has a name. If it refuses everything, the
// last name tried is returned, and making the interface will fail.
func InterfaceName(full string, taken func(name string) bool) (kernel, alt string) {
	clean := cleanName(full)
	if clean == full && len(full) <= tun.MaxName && !taken(full) {
		return full, ""
	}
	if validAltName(full) && !taken(full) {
		alt = full
	}
	stem := clean[:min(len(clean), tun.MaxName-tagLen-1)]
	for try := range maxTries {
		kernel = stem + "~" + tag(full, try)
		if !taken(kernel) {
			break
		}
	}
	return kernel, alt
}

// cleanName replaces what Linux forbids in the name of an interface: '/', ':'
// and white space, '%' (a demand for a number), and the names "", "." and "..".
// It also replaces control characters, which spoil the output of other
// programs, and all octets beyond ASCII: some are white space to the kernel, and
// a cut would tear a character apart.
func cleanName(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c <= ' ' || c >= 0x7f || c == '/' || c == ':' || c == '%' {
			b[i] = '_'
		}
	}
	switch s := string(b); s {
	case "", ".", "..":
		return "_"
	default:
		return s
	}
}

// validAltName reports whether a name can be an alternative name. The kernel
// takes nearly anything; the ip program takes neither '/' nor white space.
func validAltName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= maxAltName &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return r == '/' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r)
		})
}

// tag makes tagLen letters and digits from a name.
func tag(name string, try int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", try, name) // writing to a hash cannot fail
	sum := h.Sum64()
	var b [tagLen]byte
	for i := range b {
		b[i] = digits[sum%uint64(len(digits))]
		sum /= uint64(len(digits))
	}
	return string(b[:])
}
