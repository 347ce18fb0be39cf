package tree

import (
	"os"
	"sync"

	"gopptp/internal/journal"
	"gopptp/internal/logging"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/service"
	"gopptp/internal/store"
)

// A Tree is the configuration and the state of the program. It is safe for
// concurrent use. Make it with New.
type Tree struct {
	store    *store.Store
	engine   Engine
	journal  *journal.Journal
	gate     *login.Gate
	services *service.Supervisor
	logging  *logging.Router

	version   string      // what the header of an export says
	files     *os.Root    // where exports go and imports come from; nil for nowhere
	interpret Interpreter // runs imported scripts; nil for none

	root       *menu.Menu
	bindings   map[*menu.Menu]binding
	tables     map[string]*table // the bindings that are stored, by path
	references map[*menu.Menu][]*menu.Property

	change sync.Mutex   // see the package comment
	mu     sync.RWMutex // guards the tables' rows
}

// New makes a tree that stands on nothing but what is required.
func New(s *store.Store, e Engine, j *journal.Journal) (*Tree, error) {
	return Config{Store: s, Engine: e, Journal: j}.New()
}

// New declares the menus, loads all rows and gives them to the engine, profiles
// before what refers to them. What is wrong in the store is told in the log.
func (c Config) New() (*Tree, error) {
	if c.Gate == nil {
		c.Gate = login.New(c.Journal)
	}
	if c.Services == nil {
		c.Services = service.New()
	}
	if c.Logging == nil {
		c.Logging = logging.New()
	}
	t := &Tree{
		store: c.Store, engine: c.Engine, journal: c.Journal, gate: c.Gate, services: c.Services, logging: c.Logging,
		version: c.release(), files: c.Files, interpret: c.Interpreter,
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
	groups := t.newGroups()
	users := t.newUsers()
	keys := t.newSSHKeys()
	users.owns = keys
	userActive := t.newUserActive()
	pools := t.newPools()
	ports := t.newServices()
	aaa := t.newAAA()
	radius := t.newRadius()
	incoming := t.newRadiusIncoming()
	actions := t.newLogActions()
	rules := t.newLogRules()
	clock := t.newClock()
	packages := t.newPackages()
	resource := t.newResource(c.release(), c.Machine)
	routerboard := t.newRouterboard()

	servers.menu.Children = []*menu.Menu{settings.menu}
	all.menu.Children = []*menu.Menu{clients.menu, servers.menu}
	users.menu.Children = []*menu.Menu{userActive.menu, groups.menu, keys.menu}
	rules.menu.Children = []*menu.Menu{actions.menu}
	radius.menu.Children = []*menu.Menu{incoming.menu}
	t.root = menu.Root([]*menu.Command{menu.Import()},
		all.menu,
		&menu.Menu{Name: "ip", Help: "Addresses and services of the Internet Protocol", Children: []*menu.Menu{pools.menu, ports.menu}},
		log.menu,
		&menu.Menu{Name: "ppp", Help: "Point to Point Protocol", Children: []*menu.Menu{aaa.menu, active.menu, profiles.menu, secrets.menu}},
		radius.menu,
		&menu.Menu{Name: "system", Help: "System information and utilities", Children: []*menu.Menu{clock.menu, identity.menu, rules.menu, packages.menu, resource.menu, routerboard.menu}},
		users.menu,
	)
	for _, b := range []*computed{userActive, clock, packages, resource, routerboard} {
		t.bindings[b.menu] = b
	}
	t.bindings[active.menu] = active
	t.bindings[log.menu] = log
	t.bindings[all.menu] = all

	// The order in which rows are loaded and given to the engine.
	order := []*table{
		identity, pools, profiles, secrets, servers, settings, clients, aaa, radius, incoming, groups, users, keys, ports, actions, rules,
	}
	for _, b := range order {
		t.bind(b)
	}
	t.offerExport(t.root)
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
	if b.initial != nil {
		for _, r := range b.initial(b.menu) {
			t.store.Reserve(b.menu.IDs(), r.ID)
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
