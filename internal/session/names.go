package session

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// claimInterface finds the interface of a server session: the user's static
// entry if it is enabled and free, else a dynamic <pptp-user>, else
// <pptp-user-1> and so on. The name is the session's until it is unregistered.
func (m *Manager) claimInterface(s *session, user string) (name string, binding uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaveInterface(s)
	for _, id := range m.ofUser[user] {
		if b := m.bindings[id]; !b.Disabled && m.bound[id] == nil && !m.names.taken[b.Name] {
			name, binding = b.Name, id
			break
		}
	}
	if binding == 0 {
		name = m.names.free(user)
	}
	m.names.take(name)
	s.claimed, s.binding = name, binding
	if binding != 0 {
		m.bound[binding] = s
	}
	return name, binding
}

// leaveInterface gives back the interface that a session has claimed. The caller
// holds mu.
func (m *Manager) leaveInterface(s *session) {
	m.names.leave(s.claimed)
	delete(m.bound, s.binding)
	s.claimed, s.binding = "", 0
}

// indexLocked makes a binding one of its user's, in the order of the ids: the first
// that is free is taken.
func (m *Manager) indexLocked(b Binding) {
	ids := m.ofUser[b.User]
	if i, found := slices.BinarySearch(ids, b.ID); !found {
		m.ofUser[b.User] = slices.Insert(ids, i, b.ID)
	}
}

// unindexLocked takes a binding away from its user.
func (m *Manager) unindexLocked(b Binding) {
	ids := m.ofUser[b.User]
	i, found := slices.BinarySearch(ids, b.ID)
	switch {
	case !found:
	case len(ids) == 1:
		delete(m.ofUser, b.User)
	default:
		m.ofUser[b.User] = slices.Delete(ids, i, i+1)
	}
}

// names are those of the interfaces in use by sessions. Thousands of sessions may be
// one user's, so that the next free name is found without a look at each.
type names struct {
	taken map[string]bool
	// numbers has, for each user whom a name with a number could be, a bit for each
	// number that is taken, 64 in a word. It knows nothing of who took it: the name
	// of user a's first further session is also that of user a-1.
	numbers map[string]map[uint32]uint64
}

func newNames() names {
	return names{taken: map[string]bool{}, numbers: map[string]map[uint32]uint64{}}
}

// What the name of a dynamic interface begins and ends with.
const (
	dynamicPrefix = "<pptp-"
	dynamicSuffix = ">"
)

// free gives the first dynamic name of a user that is not taken.
func (n *names) free(user string) string {
	if name := dynamicPrefix + user + dynamicSuffix; !n.taken[name] {
		return name
	}
	return dynamicPrefix + user + "-" + strconv.FormatUint(n.number(user), 10) + dynamicSuffix
}

// number gives the lowest number of a user, from 1 on, that is not taken.
func (n *names) number(user string) uint64 {
	words := n.numbers[user]
	taken := words[0] | 1 // there is no 0
	for w := uint32(0); ; w++ {
		if w > 0 {
			taken = words[w]
		}
		if bit := bits.TrailingZeros64(^taken); bit < 64 {
			return uint64(w)<<6 | uint64(bit)
		}
	}
}

// take notes that a name is in use.
func (n *names) take(name string) {
	n.taken[name] = true
	user, number, ok := numbered(name)
	if !ok {
		return
	}
	words := n.numbers[user]
	if words == nil {
		words = map[uint32]uint64{}
		n.numbers[user] = words
	}
	words[number>>6] |= 1 << (number & 63)
}

// leave notes that a name is in use no more.
func (n *names) leave(name string) {
	delete(n.taken, name)
	user, number, ok := numbered(name)
	if !ok {
		return
	}
	words := n.numbers[user]
	if left := words[number>>6] &^ (1 << (number & 63)); left != 0 {
		words[number>>6] = left
		return
	}
	delete(words, number>>6)
	if len(words) == 0 {
		delete(n.numbers, user)
	}
}

// numbered takes a dynamic name with a number apart, as free would put it together.
// No session count reaches what goes beyond 32 bits.
func numbered(name string) (user string, number uint32, ok bool) {
	middle, ok := strings.CutPrefix(name, dynamicPrefix)
	if ok {
		middle, ok = strings.CutSuffix(middle, dynamicSuffix)
	}
	dash := strings.LastIndexByte(middle, '-')
	if !ok || dash < 0 {
		return "", 0, false
	}
	digits := middle[dash+1:]
	if digits == "" || digits[0] < '1' || digits[0] > '9' {
		return "", 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return middle[:dash], uint32(n), err == nil
}
