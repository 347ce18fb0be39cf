// Package ipcp is the IP Control Protocol (RFC 1332) with the name servers of
// RFC 1877: both ends of the address negotiation, and DNS and WINS from the
// server to the client.
//
// It is sans-IO like ppp/cp. It sets no address anywhere, and refuses header
// compression (VJ) and the deprecated IP-Addresses option.
package ipcp

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"gopptp/ppp/cp"
)

// ErrNoAddress means that the peer gave us no address, or told none of its own.
var ErrNoAddress = errors.New("ipcp: no address agreed")

// maxServers is how many name servers of a kind the protocol carries (RFC 1877,
// section 1).
const maxServers = 2

// A Config says what to ask for and what to give. It is not modified.
type Config struct {
	// Local is our own address; unset means that the peer gives us one.
	Local netip.Addr
	// TakeLocal lets the peer give us another address than Local.
	TakeLocal bool
	// Remote is the address that the peer must take; unset means any.
	Remote netip.Addr
	// DNS and WINS are given to a peer that asks; the first two count.
	DNS, WINS []netip.Addr
	// RequestDNS asks the peer for its name servers.
	RequestDNS bool
	Timing     cp.Timing
}

// A Machine is one end of IPCP. The methods of cp.Machine drive it.
type Machine struct {
	*cp.Machine
	cfg Config

	local, remote netip.Addr
	servers       [maxServers]netip.Addr // DNS that the peer gave us
}

// New makes a machine in the state Initial.
func New(cfg Config) *Machine {
	cfg.DNS = slices.Clone(cfg.DNS[:min(len(cfg.DNS), maxServers)])
	cfg.WINS = slices.Clone(cfg.WINS[:min(len(cfg.WINS), maxServers)])
	m := &Machine{cfg: cfg}
	m.Machine = cp.New(cp.Config{Options: m.options(), Timing: cfg.Timing, Reset: m.reset})
	return m
}

func (m *Machine) reset() {
	m.local, m.remote = m.cfg.Local, netip.Addr{}
	m.servers = [maxServers]netip.Addr{}
}

// Start opens the layer.
func (m *Machine) Start(now time.Time) {
	m.Open(now)
	m.Up(now)
}

// Addresses gives both ends once the layer is open, or ErrNoAddress.
func (m *Machine) Addresses() (local, remote netip.Addr, err error) {
	if !usable(m.local) || !usable(m.remote) {
		return netip.Addr{}, netip.Addr{}, ErrNoAddress
	}
	return m.local, m.remote, nil
}

// DNS gives the name servers that we asked the peer for.
func (m *Machine) DNS() []netip.Addr {
	return slices.DeleteFunc(slices.Clone(m.servers[:]), func(a netip.Addr) bool { return !a.IsValid() })
}
