package script

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// infer gives text without quotes the type that it looks like.
func infer(s string) Value {
	switch s {
	case "":
		return Text(s)
	case menu.True, menu.False:
		return Truth(s == menu.True)
	}
	if v := toNum(Text(s)); v.kind == Num {
		return v
	}
	if strings.Contains(s, ":") {
		if v := toIP6(Text(s)); v.kind != Nil {
			return v
		}
	}
	if c := s[0]; c == '*' {
		if _, ok, err := menu.ParseID(s); ok && err == nil {
			return Value{kind: ID, text: s}
		}
		return Text(s)
	} else if c < '0' || c > '9' {
		return Text(s)
	}
	if v := toIP(Text(s)); v.kind != Nil {
		return v
	}
	if d, err := menu.ParseTime(s); err == nil {
		return Interval(d)
	}
	return Text(s)
}

// ofProperty gives the canonical value of a property its type.
func ofProperty(p *menu.Property, text string) Value {
	v := Text(text)
	switch p.Type.(type) {
	case menu.Bool:
		return Truth(text == menu.True)
	case menu.Int, menu.Seconds:
		if n := toNum(v); n.kind == Num {
			return n
		}
	case menu.Time, menu.Clock:
		if d, err := menu.ParseTime(text); err == nil {
			return Interval(d)
		}
	case menu.Address, menu.Prefix6:
		return toIP(v)
	}
	return v
}

func toNum(v Value) Value {
	switch v.kind {
	case Num:
		return v
	case Bool:
		return Number(v.number)
	case Time:
		return Number(v.number / int64(time.Second))
	case IP:
		if v.ip.Addr().Is4() {
			return Number(int64(ipNumber(v)))
		}
	case ID:
		if id, ok, err := menu.ParseID(v.text); ok && err == nil {
			return Number(int64(id))
		}
	case Str:
		digits, negative := strings.CutPrefix(v.text, "-")
		base, sign := 10, ""
		if rest, ok := strings.CutPrefix(digits, "0x"); ok {
			digits, base = rest, 16
		}
		if strings.ContainsAny(digits, "+-_") {
			return none
		}
		if negative {
			sign = "-"
		}
		if n, err := strconv.ParseInt(sign+digits, base, 64); err == nil {
			return Number(n)
		}
	}
	return none
}

// toIP reads an address or a prefix.
func toIP(v Value) Value {
	switch v.kind {
	case IP, Prefix:
		return v
	case Num:
		return ipOf(uint32(v.number))
	case Str:
		if a, err := netip.ParseAddr(v.text); err == nil && a.Zone() == "" {
			return Address(a)
		}
		if p, err := netip.ParsePrefix(v.text); err == nil {
			return Value{kind: Prefix, ip: p}
		}
	}
	return none
}

// toIP4 reads an IPv4 address or prefix, and toIP6 one of IPv6.
func toIP4(v Value) Value {
	if v = toIP(v); v.kind != Nil && v.ip.Addr().Is4() {
		return v
	}
	return none
}

func toIP6(v Value) Value {
	if v = toIP(v); v.kind != Nil && !v.ip.Addr().Is4() {
		return v
	}
	return none
}

// toNsec gives a time in nanoseconds.
func toNsec(v Value) Value {
	if v = toTime(v); v.kind != Time {
		return none
	}
	return Number(v.number)
}

func toTime(v Value) Value {
	switch v.kind {
	case Time:
		return v
	case Num:
		if limit := int64(1<<63-1) / int64(time.Second); v.number > limit || v.number < -limit {
			return none
		}
		return Interval(time.Duration(v.number) * time.Second)
	case Str:
		if d, err := menu.ParseTime(v.text); err == nil {
			return Interval(d)
		}
	}
	return none
}

func toBool(v Value) Value {
	switch v.kind {
	case Bool:
		return v
	case Num:
		return Truth(v.number != 0)
	case Str:
		switch v.text {
		case menu.True, "yes":
			return Truth(true)
		case menu.False, "no":
			return Truth(false)
		}
	}
	return none
}

func toID(v Value) Value {
	if _, ok, err := menu.ParseID(v.String()); ok && err == nil {
		return Value{kind: ID, text: v.String()}
	}
	return none
}

// toArray makes a list: of a text with commas, of nothing, or of one value.
func (r run) toArray(c *menu.Call) (Value, error) {
	v, err := r.value(c, "value")
	if err != nil {
		return Value{}, err
	}
	delimiter, err := r.optional(c, "delimiter", Text(","))
	if err != nil {
		return Value{}, err
	}
	var list []Value
	switch {
	case v.kind == Array:
		return v, nil
	case v.kind == Nothing, v.kind == Nil, v.kind == Str && v.text == "":
	case v.kind == Str && delimiter.String() != "":
		if strings.Count(v.text, delimiter.String()) > maxValue/overhead {
			return Value{}, r.at(c.Pos, errTooLarge())
		}
		for s := range strings.SplitSeq(v.text, delimiter.String()) {
			list = append(list, Text(s))
		}
	default:
		list = append(list, v)
	}
	v, err = newArray(list, nil)
	return v, r.at(c.Pos, err)
}

// ipNumber gives an IPv4 address as a number.
func ipNumber(v Value) uint32 {
	b := v.ip.Addr().As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// ipOf is the IPv4 address with a number.
func ipOf(n uint32) Value {
	return Address(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
}
