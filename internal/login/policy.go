package login

import (
	"slices"

	"gopptp/internal/menu"
)

// PolicyNames are the policies that a group has or has not, in the order in
// which RouterOS prints them.
var PolicyNames = []string{
	"local", "telnet", "ssh", "ftp", "reboot", "read", "write", "policy", "test", "winbox",
	"password", "web", "sniff", "sensitive", "api", "romon", "rest-api",
}

// operations are the policies that the tree asks for.
var operations = map[string]menu.Policy{
	"read": menu.Read, "write": menu.Write, "test": menu.Test, "sensitive": menu.Sensitive, "policy": menu.PolicyPolicy,
}

// doorPolicy is the policy that each door asks for.
var doorPolicy = map[Door]string{
	DoorLocal: "local", DoorSSH: "ssh", DoorAPI: "api", DoorRESTAPI: "rest-api", DoorWeb: "web",
}

// A Group is a row of /user/group.
type Group struct {
	ID       uint64
	Name     string
	Policies []string // of PolicyNames
}

// opens reports whether the group may come in through a door.
func (g Group) opens(d Door) bool { return slices.Contains(g.Policies, doorPolicy[d]) }

// may gives what the group may do inside.
func (g Group) may() menu.Policy { return Operations(g.Policies) }

// Operations gives what policies allow inside; the names of others allow nothing.
func Operations(policies []string) menu.Policy {
	var all menu.Policy
	for _, name := range policies {
		all |= operations[name]
	}
	return all
}

// Names gives the policies of what somebody may do inside.
func Names(p menu.Policy) []string {
	var names []string
	for _, name := range PolicyNames {
		if o := operations[name]; o != 0 && p&o == o {
			names = append(names, name)
		}
	}
	return names
}
