package tree

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"gopptp/internal/menu"
)

const poolPath = "/ip/pool"

// addressRanges is a list of IPv4 addresses, ranges and prefixes that do not
// overlap.
type addressRanges struct{ menu.Enum }

// maxRanges bounds a list of ranges.
const maxRanges = 256

// A span is a range of addresses, both ends in it.
type span struct{ first, last netip.Addr }

// Parse accepts a-b, a and a/n. The canonical form keeps the order and has a
// prefix as the range that it is.
func (addressRanges) Parse(name, text string, _ menu.Resolver) (string, error) {
	invalid := menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	list := strings.Split(text, ",")
	if len(list) > maxRanges {
		return "", invalid
	}
	var all []span
	for i, s := range list {
		r, ok := parseRange(s)
		if !ok {
			return "", invalid
		}
		all = append(all, r)
		list[i] = r.first.String()
		if r.first != r.last {
			list[i] += "-" + r.last.String()
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(a.first.Compare(b.first), a.last.Compare(b.last)) })
	for i := 1; i < len(all); i++ {
		if !all[i-1].last.Less(all[i].first) {
			return "", menu.Errorf(menu.Refused, "failure: %s overlap", name)
		}
	}
	return strings.Join(list, ","), nil
}

// parseRange reads one element of an addressRanges.
func parseRange(s string) (r span, ok bool) {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
		first := p.Masked().Addr()
		last := first.As4()
		for bit := p.Bits(); bit < 32; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		return span{first, netip.AddrFrom4(last)}, true
	}
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	first, err := netip.ParseAddr(from)
	last, lastErr := netip.ParseAddr(to)
	if err != nil || lastErr != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return span{}, false
	}
	return span{first, last}, true
}

// newPools declares /ip/pool.
func (t *Tree) newPools() *table {
	return &table{
		menu: &menu.Menu{
			Name: "pool", Help: "Pools of addresses for clients", NameKey: "name", Noun: "ip pool", Layout: menu.Table,
			Columns: []menu.Column{{Property: "name"}, {Property: "ranges"}, {Property: "next-pool"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Min: 1, Max: maxName, Line: true}, Help: "Name of the pool"},
				{Name: "ranges", Type: addressRanges{}, Required: true, Kept: true, Help: "Addresses: ranges a-b, prefixes and single addresses, separated by commas"},
				{Name: "next-pool", Type: menu.Reference{Path: poolPath, Word: "pool", None: true}, Optional: true, Kept: true, Help: "Pool to go on with when this one is used up"},
				comment,
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Reset(false),
				menu.Set(false), menu.Unset(),
			},
		},
		clash: "failure: pool with such name exists",
		auto:  "pool",
		key:   func(r *menu.Row) string { return r.Get("name") },
		put:   keepOnly,
		drop:  func(menu.ID) {},
	}
}
