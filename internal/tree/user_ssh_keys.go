package tree

import (
	"strconv"
	"strings"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// sshKey is a line of an authorized_keys file.
type sshKey struct{ menu.String }

// maxSSHKey bounds a key's line in octets: an RSA key of 16,384 bits fits.
const maxSSHKey = 4096

// Parse accepts a public key that may be used.
func (k sshKey) Parse(name, text string, refs menu.Resolver) (string, error) {
	text, err := k.String.Parse(name, strings.TrimSpace(text), refs)
	if err != nil {
		return "", err
	}
	if _, err := login.ParseKey(text); err != nil {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return text, nil
}

// newSSHKeys declares /user/ssh-keys.
func (t *Tree) newSSHKeys() *table {
	b := &table{
		menu: &menu.Menu{
			Name: "ssh-keys", Help: "Public keys that users log in with over SSH", Noun: "user ssh key", Layout: menu.Table,
			Columns: []menu.Column{{Property: "user"}, {Property: "key-type"}, {Property: "bits"}, {Property: "key-owner"}},
			Properties: []menu.Property{
				{Name: "user", Type: menu.Reference{Path: userPath}, Required: true, Help: "User who logs in with the key"},
				{Name: "key", Type: sshKey{menu.String{Max: maxSSHKey, Line: true}}, Required: true, Help: "Public key: a line of an authorized_keys file"},
				readOnly("key-type", menu.Words(), "Kind of key"),
				readOnly("bits", menu.Int{Max: 1 << 16}, "Size of the key"),
				readOnly("key-owner", menu.String{}, "Comment of the key"),
				comment,
			},
			Commands: guarded(menu.PolicyPolicy,
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Reset(false), menu.Set(false)),
		},
		private: true,
		put: func(r *menu.Row) {
			k, _ := login.ParseKey(r.Get("key")) // it was validated
			k.ID, k.Account = uint64(r.ID), referenced(r, "user")
			t.gate.PutKey(k)
		},
		drop: func(id menu.ID) { t.gate.RemoveKey(uint64(id)) },
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		for _, r := range rows {
			if k, err := login.ParseKey(r.Get("key")); err == nil {
				r.Put("key-type", k.Type)
				r.Put("bits", strconv.Itoa(k.Bits))
				putText(r, "key-owner", k.Owner)
			}
		}
		return rows
	}
	return b
}
