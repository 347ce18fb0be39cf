package session

import "sync"

// challenges are those that this program's server has issued and that may still be
// answered. A client of the same program answers none of them: else somebody who
// calls the server, and whom the client calls, could have the client answer for
// him. It is safe for concurrent use; the zero value has none.
type challenges struct {
	mu     sync.Mutex
	issued map[string]bool
}

// An issuer has the challenges of one session.
type issuer struct {
	all *challenges
	own []string // guarded by all.mu
}

// begin makes the issuer of a session.
func (c *challenges) begin() *issuer { return &issuer{all: c} }

// ours reports whether a challenge is out.
func (c *challenges) ours(challenge []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issued[string(challenge)]
}

// issue notes a challenge that goes out.
func (i *issuer) issue(challenge []byte) {
	i.all.mu.Lock()
	defer i.all.mu.Unlock()
	if i.all.issued == nil {
		i.all.issued = map[string]bool{}
	}
	i.all.issued[string(challenge)] = true
	i.own = append(i.own, string(challenge))
}

// end forgets the session's challenges: nobody can answer them any more.
func (i *issuer) end() {
	i.all.mu.Lock()
	defer i.all.mu.Unlock()
	for _, c := range i.own {
		delete(i.all.issued, c)
	}
	i.own = nil
}
