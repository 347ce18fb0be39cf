package login

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"gopptp/internal/bell"
	"gopptp/internal/journal"
	"gopptp/internal/menu"
)

const (
	// maxHashes is how many passwords are checked at once: a flood of logins takes
	// this many processors and no more.
	maxHashes = 2
	// maxWaiting is how many attempts wait for a check; those above are refused.
	maxWaiting = 64
	// maxVerified bounds the passwords that are remembered as right, so that a
	// client that logs in with each request costs one check and not a thousand.
	maxVerified = 256
	// maxName and maxPassword bound what is looked at, in octets.
	maxName     = 255
	maxPassword = 1024
	// shownName is how much of an unknown name the log repeats.
	shownName = 64
)

// An Account is a row of /user.
type Account struct {
	ID       uint64
	Name     string
	Group    uint64         // the id of its group
	Hash     string         // of the password, as Hash makes it
	Allowed  []netip.Prefix // where it may come from; empty for anywhere
	Disabled bool

	Inactivity time.Duration // after which somebody who does nothing leaves the page
}

// String hides the hash from logs and errors.
func (a Account) String() string { return "login.Account(" + a.Name + ")" }

// GoString hides the hash from %#v.
func (a Account) GoString() string { return a.String() }

// A Session is somebody who is in.
type Session struct {
	ID    uint64
	When  time.Time
	Name  string
	Group string
	From  netip.Addr
	Via   Door
}

// A Gate knows the users and lets them in. It is safe for concurrent use. Make
// it with New.
type Gate struct {
	journal *journal.Journal
	slow    throttle
	hashes  chan struct{} // holds a token for each check that runs
	secret  [sha256.Size]byte
	bell    bell.Bell // rings when sessions change
	counts  map[Door]*[NumOutcomes]atomic.Uint64

	mu       sync.Mutex
	accounts map[uint64]Account
	names    map[string]uint64
	groups   map[uint64]Group
	keys     map[uint64]Key
	sessions map[uint64]*visit
	lastID   uint64               // of the sessions
	seen     map[uint64]time.Time // when an account last came in
	verified map[[sha256.Size]byte]struct{}
	clear    map[string]string // passwords that were seen, by their hash
	waiting  int               // attempts that wait for a check
}

// New makes a gate that knows nobody.
func New(j *journal.Journal) *Gate {
	g := &Gate{
		journal: j, slow: throttle{records: map[netip.Prefix]*record{}}, hashes: make(chan struct{}, maxHashes),
		accounts: map[uint64]Account{}, names: map[string]uint64{}, groups: map[uint64]Group{}, keys: map[uint64]Key{},
		sessions: map[uint64]*visit{}, seen: map[uint64]time.Time{}, verified: map[[sha256.Size]byte]struct{}{},
		clear: map[string]string{}, counts: map[Door]*[NumOutcomes]atomic.Uint64{},
	}
	for d := range doorPolicy {
		g.counts[d] = new([NumOutcomes]atomic.Uint64)
	}
	rand.Read(g.secret[:]) // never fails
	return g
}

// PutAccount adds or replaces a user. Sessions that the user may not have any more
// end.
func (g *Gate) PutAccount(a Account) {
	defer g.sweep() // when mu is free
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.accounts[a.ID]; ok && g.names[old.Name] == a.ID {
		delete(g.names, old.Name)
	}
	g.accounts[a.ID] = a
	g.names[a.Name] = a.ID
}

// RemoveAccount forgets a user, and ends their sessions.
func (g *Gate) RemoveAccount(id uint64) {
	defer g.sweep() // when mu is free
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.accounts[id]; ok && g.names[old.Name] == id {
		delete(g.names, old.Name)
	}
	delete(g.accounts, id)
	delete(g.seen, id)
}

// PutGroup adds or replaces a group. Sessions that its users may not have any more
// end.
func (g *Gate) PutGroup(group Group) {
	defer g.sweep() // when mu is free
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[group.ID] = group
}

// RemoveGroup forgets a group.
func (g *Gate) RemoveGroup(id uint64) {
	defer g.sweep() // when mu is free
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, id)
}

// PutKey adds or replaces a public key.
func (g *Gate) PutKey(k Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys[k.ID] = k
}

// RemoveKey forgets a public key.
func (g *Gate) RemoveKey(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.keys, id)
}

// Login lets somebody in who knows the password; it is a Login. Behind the local
// door stands whom the kernel vouched for: it asks for no password and gives all
// policies.
func (g *Gate) Login(ctx context.Context, a Attempt) (User, func(), error) {
	if a.Door == DoorLocal && !a.From.IsValid() {
		u := User{Name: a.Name, Group: "full", Policies: menu.AllPolicies}
		return g.enter(u, a, Account{})
	}
	return g.admit(ctx, a, func(account Account) (bool, error) { return g.check(ctx, account, a.Password) })
}

// LoginKey lets somebody in who proved to the SSH door that they have the
// private part of key, given in the wire form of SSH.
func (g *Gate) LoginKey(ctx context.Context, a Attempt, key []byte) (User, func(), error) {
	return g.admit(ctx, a, func(account Account) (bool, error) { return g.owns(account.ID, key), nil })
}

// Knows reports whether key would let name in, for the question that an SSH
// client asks before it signs.
func (g *Gate) Knows(name string, key []byte) bool {
	account, ok := g.account(name)
	return ok && g.owns(account.ID, key)
}

// owns reports whether a key is one of an account's.
func (g *Gate) owns(account uint64, key []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.keys {
		if account != 0 && k.Account == account && k.Blob == string(key) {
			return true
		}
	}
	return false
}

// account finds an enabled account by its name.
func (g *Gate) account(name string) (Account, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.accounts[g.names[name]]
	return a, ok && a.Name == name && !a.Disabled
}

// admit does what all ways to come in have in common. The proof is asked for
// before anything else is looked at, and for an account that does not exist as
// well, so that no answer comes sooner than another.
func (g *Gate) admit(ctx context.Context, a Attempt, proof func(Account) (bool, error)) (u User, leave func(), err error) {
	outcome := Denied
	defer func() { g.count(a.Door, outcome, err) }()
	if !a.From.IsValid() || len(a.Name) > maxName || len(a.Password) > maxPassword {
		return User{}, nil, ErrDenied
	}
	d, ok := g.slow.wait(time.Now(), a.From)
	if !ok {
		outcome = Throttled
		return User{}, nil, ErrDenied // not logged: a flood must not fill the log
	}
	if err := pause(ctx, d); err != nil {
		return User{}, nil, err
	}
	account, known := g.account(a.Name)
	proven, err := proof(account)
	if err != nil {
		return User{}, nil, err
	}
	g.mu.Lock()
	group := g.groups[account.Group]
	g.mu.Unlock()
	if !known || !proven || !allowed(account.Allowed, a.From) || !group.opens(a.Door) {
		g.journal.Addf("system,error,critical", "login failure for user %s from %s via %s", shown(a.Name), a.From.Unmap(), a.Door)
		if err := pause(ctx, g.slow.failed(time.Now(), a.From)); err != nil {
			return User{}, nil, err
		}
		return User{}, nil, ErrDenied
	}
	g.slow.succeeded(a.From)
	u = User{Name: account.Name, Group: group.Name, Policies: group.may(), Inactivity: account.Inactivity}
	return g.enter(u, a, account)
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("login: %w", context.Cause(ctx))
	}
}

// allowed reports whether one of nets has the address; no nets are all.
func allowed(nets []netip.Prefix, from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return len(nets) == 0 || slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(from) })
}

// shown is a name for the log: as it is if it can be one, or else in quotes.
func shown(name string) string {
	cut := strings.ToValidUTF8(name[:min(len(name), shownName)], "")
	if cut != name || cut == "" || strings.ContainsFunc(cut, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return strconv.Quote(cut)
	}
	return cut
}

// check reports whether a password is the account's.
func (g *Gate) check(ctx context.Context, account Account, password string) (bool, error) {
	hash := account.Hash
	if hash == "" || password == "" {
		hash = noHash
	}
	// What was right before is known by a digest that only this process can make.
	mac := hmac.New(sha256.New, g.secret[:])
	fmt.Fprintf(mac, "%d %s %s", account.ID, hash, password)
	digest := [sha256.Size]byte(mac.Sum(nil))
	g.mu.Lock()
	_, before := g.verified[digest]
	full := g.waiting >= maxWaiting
	if !before && !full {
		g.waiting++
	}
	g.mu.Unlock()
	switch {
	case before:
		return true, nil
	case full:
		return false, ErrDenied
	}
	defer func() {
		g.mu.Lock()
		g.waiting--
		g.mu.Unlock()
	}()
	select {
	case g.hashes <- struct{}{}:
	case <-ctx.Done():
		return false, fmt.Errorf("login: %w", context.Cause(ctx))
	}
	right := matches(hash, password)
	<-g.hashes
	if right {
		g.mu.Lock()
		if len(g.verified) >= maxVerified {
			clear(g.verified)
		}
		g.verified[digest] = struct{}{}
		g.learnLocked(hash, password)
		g.mu.Unlock()
	}
	return right, nil
}

// Changes gives a channel that is closed when somebody comes in or goes.
func (g *Gate) Changes() <-chan struct{} { return g.bell.Next() }

// Active gives who is in, in the order in which they came.
func (g *Gate) Active() []Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Session, 0, len(g.sessions))
	for _, v := range g.sessions {
		out = append(out, v.Session)
	}
	slices.SortFunc(out, func(a, b Session) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// LastLogin gives when a user last came in since the program started.
func (g *Gate) LastLogin(account uint64) (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.seen[account]
	return t, ok
}
