package login

// maxCleartexts bounds the passwords that are remembered in clear.
const maxCleartexts = 256

// Learn remembers a password that was hashed, or was right, as long as the program
// runs. Only the login of the binary API of before 6.43 needs it, which proves that
// a password is known without telling it; on the disk there are hashes alone.
func (g *Gate) Learn(hash, password string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.learnLocked(hash, password)
}

func (g *Gate) learnLocked(hash, password string) {
	if _, known := g.clear[hash]; !known && len(g.clear) >= maxCleartexts {
		used := map[string]bool{}
		for _, a := range g.accounts {
			used[a.Hash] = true
		}
		for h := range g.clear {
			if !used[h] {
				delete(g.clear, h) // of users who are gone or have another one
			}
		}
		if len(g.clear) >= maxCleartexts {
			return
		}
	}
	g.clear[hash] = password
}

// Clear gives the password of a user, if the program has seen it since it started:
// when it was set, or when the user came in with it.
func (g *Gate) Clear(name string) (password string, ok bool) {
	account, known := g.account(name)
	if !known {
		return "", false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	password, ok = g.clear[account.Hash]
	return password, ok && account.Hash != ""
}
