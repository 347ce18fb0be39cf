package migrate

import (
	"net/netip"
	"strings"
)

// finishSecrets reads the users.
func (a *accel) finishSecrets(at place) {
	if !a.modules["chap-secrets"] && a.given == "" {
		return
	}
	name := a.secretsFile
	if name == "" {
		name = chapSecrets
	} else {
		at = a.usersFrom
	}
	if a.given != "" {
		name = a.given
	}
	if a.encrypted {
		a.lost(at, "[chap-secrets] encrypted", "the file has hashes instead of passwords, of which no secret can be made: give each user a new password")
		return
	}
	text, err := a.load(name)
	if err != nil {
		a.lost(place{name, 0}, "", why(err)+"; there are no users")
		return
	}
	local := a.secretsLocal()
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		ended := strings.HasSuffix(line, "\n")
		if line = strings.TrimRight(line, "\r\n"); line == "" || line[0] == '#' {
			continue
		}
		words := accelWords(line)
		if len(words) == 0 || isSpace(line[0]) && strings.HasPrefix(words[0], "#") {
			continue
		}
		// What follows the blank or the quote behind the third word is a fourth one there,
		// though it is nothing but the end of the line.
		if len(words) == 3 && ended && len(accelWords(line+"x")) == 4 {
			words = append(words, "")
		}
		at := place{name, n}
		switch {
		case isSpace(line[0]):
			a.lost(at, "", "a line that begins with a blank is of no user: accel-ppp takes the name from the first column")
		case len(words) < 4:
			a.lost(at, "", "accel-ppp needs a user, a server, a password and an address or *, and does not know this user")
		case seen[words[0]]:
			a.lost(at, words[0], "the first line of a user holds")
		default:
			seen[words[0]] = true
			a.accelUser(at, words, local)
		}
	}
}

// secretsLocal is the server's address for users with an address of their own.
func (a *accel) secretsLocal() netip.Addr {
	gw, _ := gateway(a.secretsGateway)
	return gw
}

// accelUser carries over a line: user, server, password, address or pool, and rate.
func (a *accel) accelUser(at place, words []string, local netip.Addr) {
	u := user{name: words[0], password: words[2]}
	var own, rate string
	if words[3] != "" {
		switch address, ok := parse4(words[3]); {
		case strings.ContainsRune("*-!", rune(words[3][0])):
		case ok && !local.IsValid():
			a.lost(at, u.name+" "+words[3], "[chap-secrets] has no gw-ip-address, and without it accel-ppp does not give this address")
		case ok && sameAddress(local, address):
			a.lost(at, u.name+" "+words[3], "the address is the server's own")
		case ok:
			u.local, u.remote = local, address
		case a.hasPool(words[3]):
			own = words[3]
		default: // not shown: it may be the end of a password with a blank
			a.lost(at, u.name, "the fourth column is neither an address nor a pool of [ip-pool]")
		}
	}
	if len(words) > 4 && words[4] != "" {
		limit, ok := accelRate(words[4])
		switch {
		case !ok:
			a.lost(at, u.name, "the fifth column is not a rate, or one down and one up, in kbit/s")
		case !a.modules["shaper"]:
			a.lost(at, u.name, "the module shaper is not loaded: there is no limit")
		default:
			rate = limit
		}
	}
	u.profile = a.profileOf(own, rate)
	a.addUser(at, u)
}

// profileOf gives the profile of users with a pool and a rate, which is made for the
// first of them.
func (a *accel) profileOf(own, rate string) string {
	if own == "" && rate == "" {
		return a.base
	}
	name := a.base
	var p properties
	if own != "" {
		name += "-" + own
		p.set("remote-address", a.poolName(own))
	}
	if rate != "" {
		name += "-" + strings.ReplaceAll(rate, "/", "-")
		p.set("rate-limit", rate)
	}
	for i := 1; i < len(a.profiles); i++ {
		if a.profiles[i].name == name {
			return name
		}
	}
	a.profiles = append(a.profiles, profile{name, p})
	return name
}

// accelWords splits a line of accel-ppp's chap-secrets: a word may be in quotes, in
// which a backslash stands before a character that is meant as it is.
func accelWords(line string) (words []string) {
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words
		}
		if quote := line[0]; quote == '"' || quote == '\'' {
			var b strings.Builder
			i := 1
			for ; i < len(line) && line[i] != quote; i++ {
				if line[i] == '\\' && i+1 < len(line) {
					i++
				}
				b.WriteByte(line[i])
			}
			words = append(words, b.String())
			line = line[min(i+1, len(line)):]
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			return append(words, line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
}
