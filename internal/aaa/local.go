package aaa

import (
	"cmp"
	"net/netip"
	"sync"
	"time"

	"gopptp/ppp/auth"
)

// ServicePPTP is the service name of this program's tunnels in /ppp/secret.
const ServicePPTP = "pptp"

// A Call says what is known of a caller before it has shown who it is.
type Call struct {
	CallerID       string // the caller's outer address, as text
	CalledID       string // our own outer address that it called
	DefaultProfile string // name of the service's default profile
	SessionID      uint32 // for accounting
	Port           uint32 // a number that no other session has
}

// A Grant is the answer to an authentication request.
type Grant struct {
	OK      bool
	Reason  string // why not; for the log, without secrets
	Public  bool   // the reason helps nobody who guesses: every log may tell it
	Unknown bool   // no secret has the name, and others may be asked
	User    string // the secret's name
	Secret  uint64 // its id
	Result  auth.Result

	Local, Remote netip.Addr // zero when no secret or profile names one
	// LocalPool and RemotePool are the pools to take an address from that no secret
	// or profile names; empty for none.
	LocalPool, RemotePool string
	DNS, WINS             []netip.Addr
	Encryption            Tri  // No, Yes or Required
	Only128               bool // no shorter key may be agreed on
	Policy                Policy

	// What the profiles alone say, and the service's default profile, for when the
	// user is given another profile.
	Profile Policy
	Service string

	// Of a user whom RADIUS knows.
	Radius  bool
	Class   [][]byte      // to be told to its accounting
	Interim time.Duration // between two accounting updates; 0 for the configured one
}

// Local answers from secrets and profiles. It is safe for concurrent use; the
// zero value knows nobody.
type Local struct {
	mu       sync.RWMutex
	profiles map[uint64]Profile
	byName   map[string]uint64          // profile name to id
	secrets  map[uint64]Secret          // by id
	users    map[string]map[uint64]bool // secret name to ids
}

// PutProfile adds or replaces the profile with this id.
func (l *Local) PutProfile(id uint64, p Profile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.profiles == nil {
		l.profiles, l.byName = map[uint64]Profile{}, map[string]uint64{}
	}
	if old, ok := l.profiles[id]; ok && l.byName[old.Name] == id { // or another took the name over
		delete(l.byName, old.Name)
	}
	l.profiles[id] = p
	l.byName[p.Name] = id
}

// RemoveProfile forgets a profile.
func (l *Local) RemoveProfile(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.profiles[id]; ok {
		if l.byName[old.Name] == id {
			delete(l.byName, old.Name)
		}
		delete(l.profiles, id)
	}
}

// Profile gives the profile of that name.
func (l *Local) Profile(name string) (Profile, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	id, ok := l.byName[name]
	return l.profiles[id], ok
}

// PutSecret adds or replaces the secret with s.ID.
func (l *Local) PutSecret(s Secret) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secrets == nil {
		l.secrets, l.users = map[uint64]Secret{}, map[string]map[uint64]bool{}
	}
	l.removeSecretLocked(s.ID)
	l.secrets[s.ID] = s
	if l.users[s.Name] == nil {
		l.users[s.Name] = map[uint64]bool{}
	}
	l.users[s.Name][s.ID] = true
}

// RemoveSecret forgets a secret. A live session of it goes on, as in RouterOS.
func (l *Local) RemoveSecret(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removeSecretLocked(id)
}

func (l *Local) removeSecretLocked(id uint64) {
	old, ok := l.secrets[id]
	if !ok {
		return
	}
	delete(l.secrets, id)
	delete(l.users[old.Name], id)
	if len(l.users[old.Name]) == 0 {
		delete(l.users, old.Name)
	}
}

// Authenticate answers one request. A caller that is unknown, disabled, calls
// from elsewhere or has a wrong password is told the same.
func (l *Local) Authenticate(req *auth.Request, call Call) *Grant {
	l.mu.RLock()
	secret, ok := l.secretLocked(req.Name)
	if !ok && req.User != req.Name {
		secret, ok = l.secretLocked(req.User)
	}
	service := l.profiles[l.byName[call.DefaultProfile]]
	own := l.profiles[l.byName[secret.Profile]]
	l.mu.RUnlock()

	if !ok {
		req.Verify("") // so that the time does not tell who exists
		return &Grant{Reason: "unknown user", Unknown: true}
	}
	result := req.Verify(secret.Password)
	switch {
	case !result.OK:
		return &Grant{Reason: "wrong password", User: secret.Name}
	case secret.CallerID != "" && secret.CallerID != call.CallerID:
		return &Grant{Reason: "caller-id does not match", User: secret.Name}
	}
	grant := settle(&secret, &own, &service)
	grant.OK, grant.User, grant.Secret, grant.Result = true, secret.Name, secret.ID, result
	return grant
}

// Grant gives what a user gets who is no secret here but is known elsewhere, by
// the name of a profile, or by the service's default profile if the name is empty
// or, which known tells, if there is no such profile.
func (l *Local) Grant(profile string, call Call) (grant *Grant, known bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	service := l.profiles[l.byName[call.DefaultProfile]]
	own := service
	if profile == "" {
		return settle(&Secret{}, &own, &service), true
	}
	id, known := l.byName[profile]
	if known {
		own = l.profiles[id]
	}
	return settle(&Secret{}, &own, &service), known
}

// settle gives what a user gets with a secret and a profile on a service with a
// default profile.
func settle(secret *Secret, own, service *Profile) *Grant {
	grant := &Grant{
		Local:      firstAddr(secret.LocalAddress, own.LocalAddress, service.LocalAddress),
		Remote:     firstAddr(secret.RemoteAddress, own.RemoteAddress, service.RemoteAddress),
		DNS:        firstAddrs(own.DNSServers, service.DNSServers),
		WINS:       firstAddrs(own.WINSServers, service.WINSServers),
		Encryption: Settle(own.UseEncryption, service.UseEncryption),
		Policy:     policy(secret, own, service),
		Profile:    policy(&Secret{}, own, service),
		Service:    service.Name,
	}
	// An address beats a pool at whichever level it stands.
	if !grant.Local.IsValid() {
		grant.LocalPool = cmp.Or(own.LocalPool, service.LocalPool)
	}
	if !grant.Remote.IsValid() {
		grant.RemotePool = cmp.Or(own.RemotePool, service.RemotePool)
	}
	return grant
}

// secretLocked finds the enabled secret of a name that serves PPTP; one made
// for pptp beats one for any service.
func (l *Local) secretLocked(name string) (best Secret, ok bool) {
	for id := range l.users[name] {
		s := l.secrets[id]
		if s.Disabled || s.Service != "any" && s.Service != ServicePPTP {
			continue
		}
		if !ok || s.Service == ServicePPTP || best.Service != ServicePPTP && s.ID < best.ID {
			best, ok = s, true
		}
	}
	return best, ok
}

// Settle resolves default: the profile's own value, else the service's default
// profile's, else no.
func Settle(own, service Tri) Tri {
	if own != Default {
		return own
	}
	if service != Default {
		return service
	}
	return No
}

func firstAddr(addrs ...netip.Addr) netip.Addr {
	for _, a := range addrs {
		if a.IsValid() {
			return a
		}
	}
	return netip.Addr{}
}

func firstAddrs(lists ...[]netip.Addr) []netip.Addr {
	for _, l := range lists {
		if len(l) > 0 {
			return l
		}
	}
	return nil
}
