package migrate

import (
	"net/netip"
	"strings"
)

// An entry is a line of chap-secrets as it is read.
type entry struct {
	at               place
	client, server   string
	secret           string
	addresses, extra []string
}

// pppSecrets reads a file of pppd's secrets: client, server, secret, and the addresses
// that the client may have. Of several lines that fit a client the one that names the
// server wins, and then the first.
func (o *options) pppSecrets(file, text string) {
	type found struct {
		entry
		exact bool
	}
	known := map[string]int{}
	var all []found
	s := newScanner(text)
	for {
		w, ok := s.next()
		if !ok {
			break
		}
		rest := s.rest()
		at := place{file, w.line}
		if len(rest) < 2 {
			o.lost(at, "", "a line needs a client, a server and a secret")
			continue
		}
		e := entry{at: at, client: w.text, server: rest[0].text, secret: rest[1].text}
		list := &e.addresses
		for _, a := range rest[2:] {
			if a.text == "--" {
				list = &e.extra
				continue
			}
			*list = append(*list, a.text)
		}
		exact := e.server == o.serverName()
		switch {
		case e.client == "*":
			o.lost(at, e.client, "there are no secrets for all users: give each his own")
			continue
		case e.server != "*" && !exact:
			o.lost(at, e.client, "the secret is for the server "+shownName(e.server)+", and this one is called "+shownName(o.serverName()))
			continue
		}
		i, ok := known[e.client]
		if !ok {
			known[e.client] = len(all)
			all = append(all, found{e, exact})
			continue
		}
		if exact && !all[i].exact {
			e, all[i] = all[i].entry, found{e, exact}
		}
		o.lost(e.at, e.client, "another line for this user wins")
	}
	for _, f := range all {
		o.pppUser(f.entry)
	}
}

// shownName is a name within a comment.
func shownName(s string) string {
	if s == "" {
		return "(none)"
	}
	return `"` + strings.ReplaceAll(cleanName(cut(s)), `"`, `'`) + `"`
}

// pppUser carries a line over.
func (o *options) pppUser(e entry) {
	if name, ok := strings.CutPrefix(e.secret, "@"); ok {
		text, err := o.text(name)
		if err != nil {
			o.lost(e.at, e.client, "the secret is in another file: "+why(err))
			return
		}
		w, ok := newScanner(text).next()
		if !ok {
			o.lost(e.at, e.client, "the secret is in another file, which is empty")
			return
		}
		e.secret = w.text
	}
	u := user{name: e.client, password: e.secret}
	for _, a := range e.addresses {
		address, ok := parse4(a)
		switch {
		case a == "*":
		case a == "-":
			o.lost(e.at, e.client, "the user may have no address: such a secret is disabled or removed here")
			return
		case ok && !u.remote.IsValid():
			u.remote = address
		case ok:
			o.lost(e.at, e.client+" "+a, "a user has one address; it is the first one")
		default: // not shown: it may be the end of a secret with a blank
			o.lost(e.at, e.client, "the fourth column has more than addresses and *: a user has one address, or one of the profile's pool")
		}
	}
	if len(e.extra) > 0 {
		o.lost(e.at, e.client, "options of pppd for one user: a profile of his own can have the like")
	}
	o.addUser(e.at, u)
}

// addUser adds a user whom the console takes.
func (m *importer) addUser(at place, u user) bool {
	if _, err := m.names.name.Parse("name", u.name, nil); err != nil {
		m.lost(at, u.name, "a name has 1 to 255 octets of UTF-8 without control characters")
		return false
	}
	if _, err := m.names.password.Parse("password", u.password, nil); err != nil {
		m.lost(at, u.name, "a password has at most 255 octets of UTF-8 without control characters: give this user another one")
		return false
	}
	if u.profile == "" {
		u.profile = m.base
	}
	m.users = append(m.users, u)
	return true
}

// sameAddress reports that a client would have the server's address.
func sameAddress(local, remote netip.Addr) bool { return local.IsValid() && local == remote }
