package link

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"gopptp/mppe"
	"gopptp/ppp/auth"
)

// An Encryption is a policy, named as RouterOS names it in use-encryption.
type Encryption uint8

// The policies.
const (
	EncryptionDefault  Encryption = iota // as the next wider configuration says; in a Config the same as No
	EncryptionNo                         // none
	EncryptionYes                        // if the peer agrees
	EncryptionRequired                   // end the link if it does not
)

// String gives the RouterOS name.
func (e Encryption) String() string {
	switch e {
	case EncryptionDefault:
		return "default"
	case EncryptionNo:
		return "no"
	case EncryptionYes:
		return "yes"
	case EncryptionRequired:
		return "required"
	}
	return fmt.Sprintf("encryption(%d)", uint8(e))
}

// A Config is what a link needs to know from the start. New copies it.
type Config struct {
	// Server is the side that authenticates the other and gives addresses. The
	// other side is the client, which authenticates itself and asks.
	Server bool
	// MRU is the largest packet that we want to receive, MTU the largest that we
	// send; zero means 1450, as RouterOS has it.
	MRU, MTU int
	// MRRU is the largest packet that we want to receive in fragments, and that
	// we send so if the peer takes it; 0 refuses multilink.
	MRRU int
	// LargeEncrypted says that the peer is known to decrypt packets of any size up
	// to its MRRU: without it none above 1500 octets is sent encrypted.
	LargeEncrypted bool
	// Auth lists methods. Server: what to demand, best first; empty demands no
	// authentication. Client: what to allow; empty refuses to authenticate.
	Auth []auth.Method
	// Name is the server's name in challenges.
	Name string
	// User and Password are the client's.
	User     string
	Password auth.Secret
	// Issue is told each challenge of a server before it goes out, and Forbidden
	// says which ones a client must not answer: those that a server of its own has
	// issued, or somebody could have them answered here. Nil means none.
	Issue     func(challenge []byte)
	Forbidden func(challenge []byte) bool

	// Encryption, Strengths (empty: 128 bits only) and StatelessOnly say what
	// CCP may agree on.
	Encryption    Encryption
	Strengths     []mppe.Strength
	StatelessOnly bool
	// Compression compresses if the peer agrees: together with encryption, or
	// alone where there is none to ask for. A peer that refuses encryption is
	// not asked for compression alone.
	Compression bool

	// Local and Remote are the addresses of the two ends. A server must know
	// both before IPCP begins, from here or from its Grant, unless it bridges. A client may leave
	// them unset; a Local that is set is only a wish.
	Local, Remote netip.Addr
	// DNS and WINS are given to a client that asks.
	DNS, WINS []netip.Addr
	// Bridge lets Ethernet frames cross beside IP, if the peer agrees. With it a
	// server may leave out the addresses: then there is no IP.
	Bridge bool
	// RequestDNS asks the server for its name servers.
	RequestDNS bool

	// Keepalive is how long nothing may arrive before echoes go out; zero turns
	// them off.
	Keepalive time.Duration
	// RTT is the round trip time of the path as the control connection knows it,
	// zero if it does not. It only sets how soon LCP asks again.
	RTT time.Duration
	// Rand gives challenges and magic numbers; nil means crypto/rand.
	Rand io.Reader
}

// defaultMRU is RouterOS's: 1500 less the headers of IP, GRE and PPP.
const defaultMRU = 1450

func (c Config) withDefaults() Config {
	if c.MRU <= 0 {
		c.MRU = defaultMRU
	}
	if c.MTU <= 0 {
		c.MTU = defaultMRU
	}
	c.MRU = min(c.MRU, 1<<16-1) // the option's width
	c.MRRU = min(max(c.MRRU, 0), 1<<16-1)
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.Auth = slices.Clone(c.Auth)
	c.Strengths = slices.Clone(c.Strengths)
	c.DNS, c.WINS = slices.Clone(c.DNS), slices.Clone(c.WINS)
	return c
}

// A Grant is the owner's answer to an AuthRequest. What it leaves unset holds as
// the Config says.
type Grant struct {
	Result        auth.Result // Result.OK decides
	Local, Remote netip.Addr
	DNS, WINS     []netip.Addr
	Encryption    Encryption
	Strengths     []mppe.Strength
	Compression   *bool // nil: as the Config says
	Bridge        bool  // whatever the Config says
}

// merge lays a grant over the configuration.
func (c Config) merge(g Grant) Config {
	if g.Local.IsValid() {
		c.Local = g.Local
	}
	if g.Remote.IsValid() {
		c.Remote = g.Remote
	}
	if g.DNS != nil {
		c.DNS = slices.Clone(g.DNS)
	}
	if g.WINS != nil {
		c.WINS = slices.Clone(g.WINS)
	}
	if g.Encryption != EncryptionDefault {
		c.Encryption = g.Encryption
	}
	if g.Strengths != nil {
		c.Strengths = slices.Clone(g.Strengths)
	}
	if g.Compression != nil {
		c.Compression = *g.Compression
	}
	c.Bridge = c.Bridge || g.Bridge
	return c
}
