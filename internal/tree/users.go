package tree

import (
	"net/netip"
	"slices"
	"strings"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

const userPath = "/user"

// guarded makes the commands that change something ask for the policy p too.
func guarded(p menu.Policy, commands ...*menu.Command) []*menu.Command {
	for _, c := range commands {
		if c.Policy&menu.Write != 0 {
			c.Policy |= p
		}
	}
	return commands
}

// password is the password of somebody who logs in here. Only its hash is
// stored. As for references, text without a resolver stays: it is the hash that
// the store gives back.
type password struct {
	menu.String
	gate *login.Gate
}

// Parse hashes what was written.
func (p password) Parse(name, text string, refs menu.Resolver) (string, error) {
	text, err := p.String.Parse(name, text, refs)
	if err != nil || refs == nil {
		return text, err
	}
	hash := login.Hash(text)
	p.gate.Learn(hash, text)
	return hash, nil
}

// networks is a list of addresses and prefixes.
type networks struct{ menu.List }

// maxNetworks bounds a list of networks: each connection is compared with all.
const maxNetworks = 64

// Parse accepts IPv4 and IPv6, with or without a length; an empty list is no
// restriction.
func (networks) Parse(name, text string, _ menu.Resolver) (string, error) {
	if text == "" {
		return "", nil
	}
	list := strings.Split(text, ",")
	for i, s := range list {
		p, err := parseNetwork(s)
		if err != nil || len(list) > maxNetworks {
			return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
		}
		list[i] = p.String()
	}
	return strings.Join(list, ","), nil
}

// parseNetwork reads an address or a prefix.
func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().WithZone("").Prefix(a.Unmap().BitLen())
}

// prefixes gives the value of a networks.
func prefixes(r *menu.Row, name string) []netip.Prefix {
	var out []netip.Prefix
	for s := range strings.SplitSeq(r.Get(name), ",") {
		if p, err := parseNetwork(s); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// never is the Absent of a property that can be written and not read.
func never(*menu.Row) bool { return true }

// newUsers declares /user.
func (t *Tree) newUsers() *table {
	b := &table{
		menu: &menu.Menu{
			Name: "user", Help: "Users of this system", NameKey: "name", Noun: "user", Layout: menu.Table,
			Flags:   []menu.Flag{whenOff},
			Columns: []menu.Column{{Property: "name"}, {Property: "group"}, {Property: "address"}, {Property: "last-logged-in"}},
			Properties: []menu.Property{
				{Name: "name", Type: userName, Required: true, Help: "Name of the user"},
				{Name: "group", Type: menu.Reference{Path: groupPath}, Required: true, Help: "Group whose policies the user has"},
				{Name: "password", Type: password{menu.String{Max: maxName}, t.gate}, Required: true, Sensitive: true, Absent: never,
					Help: "Password of the user; it is never shown, and an empty one lets nobody in"},
				{Name: "address", Type: networks{}, Help: "Addresses and networks that the user may come from; empty for any"},
				{Name: "inactivity-policy", Type: menu.Words("none", "lockscreen", "logout"), Default: "none", Kept: true, Help: "What is done with a user who does nothing"},
				{Name: "inactivity-timeout", Type: menu.Time{Min: minInactivity, Max: maxInactivity}, Default: "10m", Help: "Time without anything done after which a session of the web page ends"},
				readOnly("last-logged-in", menu.DateTime{}, "When the user last came in since the system started"),
				{Name: "expired", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the password has to be changed"},
				comment,
				isDisabled(menu.False, "Whether the user is disabled"),
			},
			Commands: guarded(menu.PolicyPolicy,
				menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false),
				menu.Remove(), menu.Reset(false), menu.Set(false)),
		},
		clash:   "failure: user with the same name already exists",
		private: true,
		key:     func(r *menu.Row) string { return r.Get("name") },
		put: func(r *menu.Row) {
			t.gate.PutAccount(login.Account{
				ID: uint64(r.ID), Name: r.Get("name"), Group: referenced(r, "group"), Hash: r.Get("password"),
				Allowed: prefixes(r, "address"), Disabled: r.Is(disabled), Inactivity: duration(r, "inactivity-timeout"),
			})
		},
		drop: func(id menu.ID) { t.gate.RemoveAccount(uint64(id)) },
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		for _, r := range rows {
			if last, ok := t.gate.LastLogin(uint64(r.ID)); ok {
				r.Put("last-logged-in", menu.FormatDateTime(last))
			}
		}
		return rows
	}
	return b
}

// referenced gives the id of the row that a property of a stored row refers to.
func referenced(r *menu.Row, name string) uint64 {
	id, _, _ := menu.ParseID(r.Get(name))
	return uint64(id)
}

// FirstUser makes the user admin, with all policies and the password that make
// gives, if there is no user at all; made says whether it did.
func (t *Tree) FirstUser(give func() (string, error)) (made bool, err error) {
	t.change.Lock()
	defer t.change.Unlock()
	users := t.tables[userPath]
	if len(users.order) > 0 {
		return false, nil
	}
	secret, err := give()
	if err != nil {
		return false, err
	}
	r, err := users.edit(users.menu.Defaults(0), []menu.Assignment{
		{Name: "name", Value: Admin().Name}, {Name: "group", Value: "full"}, {Name: "password", Value: secret},
		{Name: menu.Comment, Value: "system default user"},
	})
	if err != nil {
		return false, err
	}
	r.ID = t.store.Next(users.menu.IDs())
	return true, t.commit(User{Name: "system"}, []step{{table: users, row: r}})
}

// ownedBy gives the steps that remove the rows of b that cannot be without r.
func (b *table) ownedBy(r *menu.Row) []step {
	var steps []step
	if b == nil {
		return nil
	}
	text := r.ID.String()
	for _, id := range b.order {
		row := b.stored[id]
		if slices.ContainsFunc(b.tree.references[b.menu], func(p *menu.Property) bool {
			return p.Type.(menu.Reference).Path == r.Menu.Path() && row.Get(p.Name) == text
		}) {
			steps = append(steps, step{table: b, old: row})
		}
	}
	return steps
}
