package tree

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gopptp/internal/aaa"
	"gopptp/internal/menu"
)

const poolPath = "/ip/pool"

// addressRanges is a list of IPv4 addresses, ranges and prefixes that do not
// overlap.
type addressRanges struct{ menu.List }

// maxRanges bounds a list of ranges.
const maxRanges = 256

// Parse accepts a-b, a and a/n. The canonical form keeps the order and has a
// prefix as the range that it is.
func (addressRanges) Parse(name, text string, _ menu.Resolver) (string, error) {
	invalid := menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	list := strings.Split(text, ",")
	if len(list) > maxRanges {
		return "", invalid
	}
	var all []aaa.Range
	for i, s := range list {
		r, ok := parseRange(s)
		if !ok {
			return "", invalid
		}
		all = append(all, r)
		list[i] = r.First.String()
		if r.First != r.Last {
			list[i] += "-" + r.Last.String()
		}
	}
	slices.SortFunc(all, func(a, b aaa.Range) int { return cmp.Or(a.First.Compare(b.First), a.Last.Compare(b.Last)) })
	for i := 1; i < len(all); i++ {
		if !all[i-1].Last.Less(all[i].First) {
			return "", menu.Errorf(menu.Refused, "failure: %s overlap", name)
		}
	}
	return strings.Join(list, ","), nil
}

// parseRange reads one element of an addressRanges.
func parseRange(s string) (r aaa.Range, ok bool) {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
		first := p.Masked().Addr()
		last := first.As4()
		for bit := p.Bits(); bit < 32; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		return aaa.Range{First: first, Last: netip.AddrFrom4(last)}, true
	}
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	first, err := netip.ParseAddr(from)
	last, lastErr := netip.ParseAddr(to)
	if err != nil || lastErr != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return aaa.Range{}, false
	}
	return aaa.Range{First: first, Last: last}, true
}

// newPools declares /ip/pool.
func (t *Tree) newPools() *table {
	count := func(name, help string) menu.Property { return readOnly(name, counter, help) }
	b := &table{
		menu: &menu.Menu{
			Name: "pool", Help: "Pools of addresses for clients", NameKey: "name", Noun: "ip pool", Layout: menu.Table,
			Columns: []menu.Column{{Property: "name"}, {Property: "ranges"}, {Property: "next-pool"}, {Property: "total"}, {Property: "used"}, {Property: "available"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Min: 1, Max: maxName, Line: true}, Help: "Name of the pool"},
				{Name: "ranges", Type: addressRanges{}, Required: true, Help: "Addresses: ranges a-b, prefixes and single addresses, separated by commas"},
				{Name: "next-pool", Type: menu.Reference{Path: poolPath, Word: "pool", None: true}, Optional: true, Help: "Pool to go on with when this one is used up"},
				count("total", "Number of addresses"),
				count("used", "Number of addresses that are out"),
				count("available", "Number of addresses that are left"),
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
		put:   func(r *menu.Row) { t.engine.PutPool(uint64(r.ID), poolConfig(r)) },
		drop:  func(id menu.ID) { t.engine.RemovePool(uint64(id)) },
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		used := map[uint64]uint64{}
		for _, lease := range t.engine.PoolUsed() {
			used[lease.Pool]++
		}
		for _, r := range rows {
			all, out := poolSize(poolConfig(r).Ranges), used[uint64(r.ID)]
			r.Put("total", strconv.FormatUint(all, 10))
			r.Put("used", strconv.FormatUint(out, 10))
			// Addresses that the pool had before it was changed may be out still.
			r.Put("available", strconv.FormatUint(all-min(all, out), 10))
		}
		return rows
	}
	return b
}

// poolConfig is a row of /ip/pool in the engine's types.
func poolConfig(r *menu.Row) aaa.Pool {
	p := aaa.Pool{Name: r.Get("name"), Next: referenced(r, "next-pool")}
	for s := range strings.SplitSeq(r.Get("ranges"), ",") {
		if span, ok := parseRange(s); ok {
			p.Ranges = append(p.Ranges, span)
		}
	}
	return p
}

// poolSize gives the number of addresses in ranges.
func poolSize(ranges []aaa.Range) uint64 {
	var n uint64
	for _, r := range ranges {
		first, last := r.First.As4(), r.Last.As4()
		n += uint64(binary.BigEndian.Uint32(last[:])-binary.BigEndian.Uint32(first[:])) + 1
	}
	return n
}

// poolName gives the name of the pool that a property of a stored row refers to;
// it is empty if that is an address or nothing. The caller holds change.
func (t *Tree) poolName(r *menu.Row, name string) string {
	if id := menu.ID(referenced(r, name)); id != 0 {
		if pool := t.tables[poolPath].stored[id]; pool != nil {
			return pool.Get("name")
		}
	}
	return ""
}
