package menu

import (
	"cmp"
	"net/netip"
	"strings"
)

// Address is an IPv4 address.
type Address struct{}

// Parse accepts four numbers with dots.
func (Address) Parse(name, text string, _ Resolver) (string, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return "", errInvalid(name)
	}
	return a.String(), nil
}

// Text gives the address.
func (Address) Text(s string) string { return s }

// Compare orders by number.
func (Address) Compare(a, b string) int {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return cmp.Compare(a, b)
	}
	return x.Compare(y)
}

// Addresses is a list of IPv4 addresses.
type Addresses struct {
	List
	Max int // how many
}

// Parse accepts a list with commas; an empty one is no address at all.
func (t Addresses) Parse(name, text string, _ Resolver) (string, error) {
	if text == "" {
		return "", nil
	}
	list := strings.Split(text, ",")
	if len(list) > t.Max {
		return "", errInvalid(name)
	}
	for i, s := range list {
		a, err := Address{}.Parse(name, s, nil)
		if err != nil {
			return "", err
		}
		list[i] = a
	}
	return strings.Join(list, ","), nil
}

// Prefix6 is an IPv6 prefix.
type Prefix6 struct{ plain }

// Parse accepts an address with a length of prefix.
func (Prefix6) Parse(name, text string, _ Resolver) (string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is6() {
		return "", errInvalid(name)
	}
	return p.Masked().String(), nil
}

// Host is an IPv4 address or a DNS name.
type Host struct{ plain }

// maxHost is the longest DNS name in text (RFC 1035, section 2.3.4).
const maxHost = 253

// Parse accepts an address or a name of letters, digits, dashes and dots. What
// looks like an address must be one, or a typing mistake would be looked up.
func (Host) Parse(name, text string, _ Resolver) (string, error) {
	if s, err := (Address{}).Parse(name, text, nil); err == nil {
		return s, nil
	}
	if text == "" || len(text) > maxHost || strings.Trim(text, "0123456789.") == "" {
		return "", errInvalid(name)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, letters) != "" || label[0] == '-' {
			return "", errInvalid(name)
		}
	}
	return text, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
