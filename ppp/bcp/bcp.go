// Package bcp is the Bridging Control Protocol (RFC 3518): the negotiation, and
// the header before an Ethernet frame that crosses a PPP link. Of the older
// RFC 2878 it bears the options.
//
// It bridges Ethernet only, compresses no small frames, asks for no LAN FCS, and
// knows neither source routing nor the old format of spanning tree packets: those
// cross as Ethernet frames or not at all. It is sans-IO like ppp/cp and joins
// nothing to any bridge.
package bcp

import (
	"time"

	"gopptp/ppp/cp"
)

// A Config says what is particular to one end.
type Config struct{ Timing cp.Timing }

// A Peer is what the other end takes. It counts once the layer is open.
type Peer struct {
	// Tagged frames, those of IEEE 802.1Q.
	Tagged bool
	// Inline frames to the addresses that bridges keep to themselves, as those of
	// the spanning tree.
	Inline bool
}

// A Machine is one end of BCP. The methods of cp.Machine drive it.
type Machine struct {
	*cp.Machine
	peer Peer
}

// New makes a machine in the state Initial.
func New(cfg Config) *Machine {
	m := &Machine{}
	m.Machine = cp.New(cp.Config{Options: m.options(), Timing: cfg.Timing, Reset: m.reset})
	return m
}

func (m *Machine) reset() { m.peer = Peer{} }

// Start opens the layer.
func (m *Machine) Start(now time.Time) {
	m.Open(now)
	m.Up(now)
}

// Peer tells what was agreed on.
func (m *Machine) Peer() Peer { return m.peer }
