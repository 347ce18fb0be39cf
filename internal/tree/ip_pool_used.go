package tree

import (
	"encoding/binary"

	"gopptp/internal/menu"
)

// newPoolUsed declares /ip/pool/used.
func (t *Tree) newPoolUsed() *computed {
	m := &menu.Menu{
		Name: "used", Help: "Addresses that are out of pools", Layout: menu.Table,
		Columns: []menu.Column{{Property: "pool"}, {Property: "address"}, {Property: "owner"}, {Property: "info"}},
		Properties: []menu.Property{
			readOnly("pool", menu.Reference{Path: poolPath}, "Pool that the address is of"),
			readOnly("address", menu.Address{}, "Address"),
			readOnly("owner", menu.Words(), "Service that took the address"),
			readOnly("info", menu.String{}, "Who has the address: the name of a user"),
		},
		Commands: shownOnly(false),
	}
	return &computed{menu: m, list: func() []*menu.Row {
		used := t.engine.PoolUsed()
		t.mu.RLock()
		defer t.mu.RUnlock()
		pools := t.tables[poolPath].stored
		rows := make([]*menu.Row, len(used))
		for i, lease := range used {
			b := lease.Address.As4()
			// An address is out once only, so that it can be the id.
			r := m.Defaults(menu.ID(binary.BigEndian.Uint32(b[:])))
			if pool := pools[menu.ID(lease.Pool)]; pool != nil {
				r.Put("pool", pool.Get("name"))
			} else { // it was removed meanwhile
				r.Put("pool", menu.ID(lease.Pool).String())
			}
			putAddress(r, "address", lease.Address)
			putText(r, "owner", lease.Owner)
			putText(r, "info", lease.Info)
			rows[i] = r
		}
		return rows
	}}
}
