package tree

import (
	"os"
	"sync"

	"gopptp/internal/journal"
	"gopptp/internal/logging"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/records"
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
	records  *records.Keeper // nil for none

	certificate func(name string) error
	network     Network     // what the machine knows
	version     string      // what the header of an export says
	files       *os.Root    // where exports go and imports come from; nil for nowhere
	interpret   Interpreter // runs scripts; nil for none
	ran         scriptRuns
	links       links // of the interfaces

	last *lastSessions // of the secrets

	root       *menu.Menu
	bindings   map[*menu.Menu]binding
	tables     map[string]*table // the bindings that are stored, by path
	references map[*menu.Menu][]*menu.Property
	ranked     []*table  // the stored tables, each after those that it refers to
	safe       *SafeMode // guarded by change; nil if nobody has it

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
		store: c.Store, engine: c.Engine, journal: c.Journal, gate: c.Gate, services: c.Services, logging: c.Logging, records: c.Records,
		certificate: c.Certificate, network: c.Network, version: c.release(), files: c.Files, interpret: c.Interpreter,
		bindings: map[*menu.Menu]binding{}, tables: map[string]*table{},
		references: map[*menu.Menu][]*menu.Property{}, links: links{rows: map[menu.ID]link{}},
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
	userAAA := t.newUserAAA()
	files := t.newFiles()
	l2tp := t.newL2TPSecrets()
	pools := t.newPools()
	poolUsed := t.newPoolUsed()
	ports := t.newServices()
	aaa := t.newAAA()
	calls := t.newRecords()
	radius := t.newRadius()
	incoming := t.newRadiusIncoming()
	actions := t.newLogActions()
	rules := t.newLogRules()
	clock := t.newClock()
	packages := t.newPackages()
	resource := t.newResource(c.release(), c.Machine)
	routerboard := t.newRouterboard()
	addresses, routes, arp, neighbors := t.newAddresses(false), t.newRoutes(), t.newARP(false), t.newNeighbors()
	addresses6, neighbors6 := t.newAddresses(true), t.newARP(true)
	routing, protocols := t.newRouting()
	scripts := t.newScripts()
	jobs := t.newScriptJobs()
	environment := t.newScriptEnvironment()

	servers.menu.Children = []*menu.Menu{settings.menu}
	all.menu.Children = []*menu.Menu{clients.menu, servers.menu}
	users.menu.Children = []*menu.Menu{userAAA.menu, userActive.menu, groups.menu, keys.menu}
	rules.menu.Children = []*menu.Menu{actions.menu}
	scripts.menu.Children = []*menu.Menu{environment.menu, jobs.menu}
	pools.menu.Children = []*menu.Menu{poolUsed.menu}
	radius.menu.Children = []*menu.Menu{incoming.menu}
	t.root = menu.Root([]*menu.Command{menu.Import()},
		files.menu,
		all.menu,
		&menu.Menu{Name: "ip", Help: "Addresses and services of the Internet Protocol", Children: []*menu.Menu{addresses.menu, arp.menu, neighbors.menu, pools.menu, routes.menu, ports.menu}},
		&menu.Menu{Name: "ipv6", Help: "Addresses of the Internet Protocol, version 6", Children: []*menu.Menu{addresses6.menu, neighbors6.menu}},
		log.menu,
		&menu.Menu{Name: "ppp", Help: "Point to Point Protocol", Children: []*menu.Menu{aaa.menu, active.menu, l2tp.menu, profiles.menu, calls.menu, secrets.menu}},
		radius.menu,
		routing,
		&menu.Menu{Name: "system", Help: "System information and utilities", Children: []*menu.Menu{clock.menu, identity.menu, rules.menu, packages.menu, resource.menu, routerboard.menu, scripts.menu}},
		users.menu,
	)
	for _, b := range append(protocols, poolUsed, packages, resource, routerboard, addresses, routes, arp, neighbors, addresses6, neighbors6) {
		t.bindings[b.menu] = b
	}
	t.bindings[files.menu] = files
	t.bindings[active.menu] = active
	t.bindings[userActive.menu] = userActive
	t.bindings[log.menu] = log
	t.bindings[all.menu] = all
	t.bindings[jobs.menu] = jobs
	t.bindings[environment.menu] = environment

	// The order in which rows are loaded and given to the engine.
	order := []*table{
		identity, clock, pools, profiles, secrets, l2tp, servers, settings, clients, aaa, calls, radius, incoming, groups, users, userAAA, keys, ports, actions, rules, scripts,
	}
	for _, b := range order {
		t.bind(b)
	}
	offerEdit(t.root)
	t.offerExport(t.root)
	if err := t.loadLast(); err != nil {
		return nil, err
	}
	for _, b := range order {
		if err := t.load(b); err != nil {
			return nil, err
		}
	}
	if t.interpret != nil {
		t.interpret.Attach(t)
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
	t.ranked = append(t.ranked, b)
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
	b.handAll()
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
