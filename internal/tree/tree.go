package tree

import (
	"sync"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
)

// A Tree is the configuration and the state of the program. It is safe for
// concurrent use. Make it with New.
type Tree struct {
	store   *store.Store
	engine  Engine
	journal *journal.Journal

	root       *menu.Menu
	bindings   map[*menu.Menu]binding
	tables     map[string]*table // the bindings that are stored, by path
	references map[*menu.Menu][]*menu.Property

	change sync.Mutex   // see the package comment
	mu     sync.RWMutex // guards the tables' rows
}

// New declares the menus, loads all rows and gives them to the engine, profiles
// before what refers to them. What is wrong in the store is told in the log.
func New(s *store.Store, e Engine, j *journal.Journal) (*Tree, error) {
	t := &Tree{
		store: s, engine: e, journal: j,
		bindings: map[*menu.Menu]binding{}, tables: map[string]*table{},
		references: map[*menu.Menu][]*menu.Property{},
	}
	interfaces := newKeys()
	identity := t.newIdentity()
	profiles := t.newProfiles()
	secrets := t.newSecrets()
	servers := t.newServers(interfaces)
	settings := t.newServerSettings()
	clients := t.newClients(interfaces)
	active := t.newActive()
	log := t.newLog()
	all := t.newInterfaces(clients, servers)

	servers.menu.Children = []*menu.Menu{settings.menu}
	all.menu.Children = []*menu.Menu{clients.menu, servers.menu}
	t.root = menu.Root(nil,
		all.menu,
		log.menu,
		&menu.Menu{Name: "ppp", Help: "Point to Point Protocol", Children: []*menu.Menu{active.menu, profiles.menu, secrets.menu}},
		&menu.Menu{Name: "system", Help: "System information and utilities", Children: []*menu.Menu{identity.menu}},
	)
	t.bindings[active.menu] = active
	t.bindings[log.menu] = log
	t.bindings[all.menu] = all

	// The order in which rows are loaded and given to the engine.
	order := []*table{identity, profiles, secrets, servers, settings, clients}
	for _, b := range order {
		t.bind(b)
	}
	for _, b := range order {
		if err := t.load(b); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// bind makes b what stands behind its menu.
func (t *Tree) bind(b *table) {
	b.tree = t
	b.stored = map[menu.ID]*menu.Row{}
	b.names = map[string][]menu.ID{}
	if b.keys == nil {
		b.keys = newKeys()
	}
	t.bindings[b.menu] = b
	t.tables[b.menu.Path()] = b
	for i := range b.menu.Properties {
		p := &b.menu.Properties[i]
		if _, ok := p.Type.(menu.Reference); ok {
			t.references[b.menu] = append(t.references[b.menu], p)
		}
	}
}

// load fills b from the store, adds the rows that always exist, and gives all to
// the engine.
func (t *Tree) load(b *table) error {
	if b.menu == t.root.At(profilePath) {
		for _, r := range builtinProfiles(b.menu) {
			b.publish(r.ID, r)
		}
	}
	if b.menu.Singleton {
		b.publish(settingsID, b.menu.Defaults(settingsID))
	}
	warnings, err := b.load(t)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		t.journal.Addf("system,warning", "%s", w)
	}
	for _, id := range b.order {
		b.put(b.stored[id])
	}
	return nil
}

// settingsID is the id of a singleton's only row.
const settingsID menu.ID = 0

// Root gives the tree of menus.
func (t *Tree) Root() *menu.Menu { return t.root }

// Identity gives the system's name.
func (t *Tree) Identity() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.tables[identityPath].stored[settingsID].Get("name")
}
