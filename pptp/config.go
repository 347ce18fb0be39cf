package pptp

import (
	"cmp"
	"time"
)

// Defaults of Config, with their reasons.
const (
	// DefaultHandshakeTimeout: five seconds is what deployed servers give a
	// client; an honest one needs a round trip.
	DefaultHandshakeTimeout = 5 * time.Second
	// DefaultCallTimeout: a VPN server answers at once, but may ask its own
	// administrator's RADIUS or wait for a resource first.
	DefaultCallTimeout = 30 * time.Second
	// DefaultIdleTimeout: a PNS that redials does it in seconds; a minute
	// keeps its connection for that, and no longer.
	DefaultIdleTimeout = time.Minute
	// DefaultEchoInterval and DefaultEchoTimeout are the sixty seconds of
	// RFC 2637, section 3.1.4. Dead tunnels are found sooner by the LCP echo
	// of each call; this one only finds connections that have lost their
	// peer, and since it ends all their calls it can afford to be patient.
	DefaultEchoInterval = time.Minute
	DefaultEchoTimeout  = time.Minute
	// DefaultStopTimeout: the reply costs a round trip, and a shutdown waits
	// for it.
	DefaultStopTimeout = 5 * time.Second
	// DefaultWriteTimeout: control messages are so small that only a peer
	// that has stopped reading, or a dead path, holds one up for so long.
	DefaultWriteTimeout = 10 * time.Second
	// DefaultMaxChannels is the number of calls on one connection. Clients
	// use one; a PAC in the sense of the RFC has a line for each. A call
	// costs its host far more than this package spends on it, so whoever
	// wants more says so.
	DefaultMaxChannels = 64
)

// A Config says how a Conn behaves. The zero value is good.
type Config struct {
	// HostName and VendorName are told to the peer; each is cut at 64
	// octets.
	HostName, VendorName string
	// FirmwareRevision is told to the peer.
	FirmwareRevision uint16
	// MaxChannels bounds the calls on the connection, those that are being
	// made included. Zero means DefaultMaxChannels. A server tells it to its
	// client; a client, being a PNS as a rule, tells zero
	// (RFC 2637, section 2.1).
	MaxChannels uint16

	// HandshakeTimeout bounds the time until the control connection is
	// established. A server gives its client as much time again to ask for
	// the first call. Zero means DefaultHandshakeTimeout.
	HandshakeTimeout time.Duration
	// CallTimeout bounds each answer about a call: ours to the peer and the
	// peer's to us. Zero means DefaultCallTimeout.
	CallTimeout time.Duration
	// IdleTimeout is how long a server keeps a connection whose last call
	// has ended. A client's connection is its owner's business. Zero means
	// DefaultIdleTimeout.
	IdleTimeout time.Duration
	// EchoInterval is the silence after which an Echo-Request is sent. Zero
	// means DefaultEchoInterval; with a negative value none is ever sent.
	EchoInterval time.Duration
	// EchoTimeout bounds the wait for the Echo-Reply. Zero means
	// DefaultEchoTimeout.
	EchoTimeout time.Duration
	// StopTimeout bounds the wait for a Stop-Control-Connection-Reply, and
	// for the peer to close after we have said our last word. Zero means
	// DefaultStopTimeout.
	StopTimeout time.Duration
	// WriteTimeout bounds each write. Zero means DefaultWriteTimeout.
	WriteTimeout time.Duration

	// Calls, if not nil, is given the calls that the peer asks for; else Conn.Accept
	// gives them. It is called without locks held, by the goroutine of Run, and must not
	// wait: most start a goroutine that answers.
	Calls func(*CallRequest)

	// Log, if not nil, is told what happens. It is called without locks
	// held, from several goroutines at once, and holds up the connection
	// while it runs.
	Log func(Event)
}

// withDefaults returns c with its zero values filled in.
func (c Config) withDefaults() Config {
	c.MaxChannels = cmp.Or(c.MaxChannels, DefaultMaxChannels)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, DefaultHandshakeTimeout)
	c.CallTimeout = cmp.Or(c.CallTimeout, DefaultCallTimeout)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.EchoInterval = cmp.Or(c.EchoInterval, DefaultEchoInterval)
	c.EchoTimeout = cmp.Or(c.EchoTimeout, DefaultEchoTimeout)
	c.StopTimeout = cmp.Or(c.StopTimeout, DefaultStopTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	return c
}
