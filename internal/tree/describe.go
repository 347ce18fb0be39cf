package tree

import (
	"fmt"
	"strings"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// What the types of this package are in the words of the reference.

// Describe says what a value may be.
func (interfaceName) Describe() string {
	return menu.String{Min: 1, Max: maxInterface, Line: true}.Describe() + ", that does not begin with <"
}

// Describe says what a value may be.
func (addressRanges) Describe() string {
	return fmt.Sprintf("list of at most %d IPv4 addresses, ranges first-last and prefixes, that do not overlap", maxRanges)
}

// Describe says what a value may be.
func (networks) Describe() string {
	return fmt.Sprintf("list of at most %d addresses and prefixes, IPv4 or IPv6", maxNetworks)
}

// Describe says what a value may be.
func (policySet) Describe() string {
	return "list of " + strings.Join(login.PolicyNames, ", ") + "; ! in front takes one away"
}

// Describe says what a value may be.
func (sshKey) Describe() string { return "public key" }

// Describe says what a value may be.
func (serverAddress) Describe() string {
	return "IPv4 or IPv6 address, with @ and its routing table if that is another"
}

// Describe says what a value may be.
func (topicList) Describe() string { return "list of topics; ! in front of one means all but it" }

// Describe says what a value may be.
func (rateLimit) Describe() string {
	return "`rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority [rx-min[/tx-min]]]]]]`, rates in bits per second with k, M or G"
}

// Describe says what a value may be.
func (routeList) Describe() string {
	return "`dst gateway metric`, separated by commas"
}

// What a page makes fields of, where a type differs from the one that it is made of.

// Form says how a person is asked for a value.
func (interfaceName) Form() menu.Form {
	return menu.String{Min: 1, Max: maxInterface, Line: true}.Form()
}

// Form says how a person is asked for a value.
func (policySet) Form() menu.Form {
	return menu.Form{Kind: menu.FormSet, Words: login.PolicyNames}
}

// Form says how a person is asked for a value.
func (t scriptText) Form() menu.Form {
	f := t.String.Form()
	f.Kind = menu.FormScript
	return f
}

// Form says how a person is asked for a value.
func (network4) Form() menu.Form { return menu.Form{Kind: menu.FormPrefix} }
