// Package radius is the RADIUS side of this program: a client that asks servers
// about users (RFC 2865), accounting that outlives the servers' absence (RFC
// 2866, 2869), and the receiver of the requests that servers send, Disconnect
// and Change-of-Authorization (RFC 5176).
//
// [Client] turns what ppp/auth wants to know into a request and the reply into
// an [Answer]; [Accounting] keeps records on disk until a server has them;
// [Incoming] finds and changes sessions through an interface. The package does
// not decide who is asked about, holds no session and makes no interface: that
// is internal/session's. It is no server for authentication, speaks no EAP and
// follows no Access-Challenge.
package radius

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
)

// ServicePPP is the word of /radius's service for tunnels.
const ServicePPP = "ppp"

// A Protocol is how a server is spoken to.
type Protocol uint8

// The protocols.
const (
	UDP    Protocol = iota // insecure: only what RADIUS hides itself is hidden
	RadSec                 // over TLS (RFC 6614)
)

// The ports and timeouts of a Server that names none.
const (
	DefaultAuthPort      = 1812
	DefaultAcctPort      = 1813
	DefaultRadSecPort    = 2083 // RFC 6614, section 2.1
	DefaultTimeout       = 300 * time.Millisecond
	DefaultRadSecTimeout = 3300 * time.Millisecond
)

// radSecSecret is the secret inside TLS, where it protects nothing (RFC 6614,
// section 2.3).
const radSecSecret = "radsec"

// transmissions is how often a request is sent before the server is given up,
// the first time included.
const transmissions = 3

// A Server is a row of /radius in the engine's types.
type Server struct {
	ID       uint64   // the row's id
	Services []string // the services that ask it; without ppp no tunnel does
	CalledID string   // the called id it is asked about; empty for any
	Domain   string   // the users' domain it is asked about; empty for any
	Address  netip.Addr
	Protocol Protocol
	Secret   string // secret; not used with RadSec
	// AuthPort and AcctPort are zero for the default. RadSec has one port for
	// both: AuthPort, unless that is UDP's default, which stands for 2083.
	AuthPort, AcctPort uint16
	Timeout            time.Duration // until a request is sent again
	RadSecTimeout      time.Duration // until a RadSec server is given up, connecting included
	AccountingBackup   bool          // asked only for accounting, after all others
	Realm              string        // told to the server; empty for the user's domain
	SrcAddress         netip.Addr    // zero or unspecified: the machine chooses
	// Certificate is the name of a certificate in /radius. Whoever calls Configure
	// makes TLS of it.
	Certificate string
	// TLS is RadSec's, with the certificate we show and the roots we trust. Nil
	// shows none and trusts the system's.
	TLS *tls.Config
	// AnyMessageAuth takes replies to Access-Requests without a
	// Message-Authenticator, which is require-message-auth=no. Whoever is on the
	// path can forge those (CVE-2024-3596).
	AnyMessageAuth bool // insecure: for old servers only
	Disabled       bool
}

// String names the server without its secret.
func (s Server) String() string { return "radius.Server(" + s.Address.String() + ")" }

// Format hides the secret under every verb.
func (s Server) Format(w fmt.State, _ rune) { io.WriteString(w, s.String()) }

func (s Server) withDefaults() Server {
	s.AuthPort = cmp.Or(s.AuthPort, DefaultAuthPort)
	s.AcctPort = cmp.Or(s.AcctPort, DefaultAcctPort)
	s.Timeout = cmp.Or(s.Timeout, DefaultTimeout)
	s.RadSecTimeout = cmp.Or(s.RadSecTimeout, DefaultRadSecTimeout)
	s.Address, s.SrcAddress = s.Address.Unmap(), s.SrcAddress.Unmap()
	s.Services = slices.Clone(s.Services)
	if s.SrcAddress.IsValid() && s.SrcAddress.IsUnspecified() {
		s.SrcAddress = netip.Addr{}
	}
	if s.Protocol == RadSec {
		s.Secret = radSecSecret
		if s.AuthPort == DefaultAuthPort {
			s.AuthPort = DefaultRadSecPort
		}
		s.AcctPort = s.AuthPort
	}
	return s
}

func (s Server) equal(o Server) bool {
	same := slices.Equal(s.Services, o.Services)
	// Field by field would be forgotten with the next field.
	type rest struct {
		id                 uint64
		called, domain     string
		addr, src          netip.Addr
		proto              Protocol
		secret, realm      string
		auth, acct         uint16
		timeout, rsTimeout time.Duration
		backup, any, off   bool
		tls                *tls.Config
	}
	of := func(s Server) rest {
		return rest{s.ID, s.CalledID, s.Domain, s.Address, s.SrcAddress, s.Protocol, s.Secret, s.Realm, s.AuthPort, s.AcctPort,
			s.Timeout, s.RadSecTimeout, s.AccountingBackup, s.AnyMessageAuth, s.Disabled, s.TLS}
	}
	return same && of(s) == of(o)
}

// usable reports whether the server can be asked at all. An empty secret signs
// nothing.
func (s Server) usable() bool { return !s.Disabled && s.Address.IsValid() && s.Secret != "" }

func (s Server) serves(service string) bool { return slices.Contains(s.Services, service) }

// matches reports whether the server is asked about a session.
func (s Server) matches(q Session) bool {
	return s.usable() && s.serves(cmp.Or(q.Service, ServicePPP)) &&
		(s.CalledID == "" || s.CalledID == q.Called) && (s.Domain == "" || s.Domain == q.Domain)
}

// A Session is what requests and accounting say of one session.
type Session struct {
	Service string // a word of /radius's service; empty for ppp
	User    string // the name as the client sent it
	Domain  string // the part of the name before a backslash
	ID      string // Acct-Session-Id, as Accounting.NewSessionID gives it
	Port    uint32 // NAS-Port, a number of this session alone
	Calling string // the client's outer address
	Called  string // the address that the client called
}

var (
	// ErrNoServer means that no row of /radius is for the session.
	ErrNoServer = errors.New("radius: no server for the session")
	// ErrTimeout means that every server for the session was asked and none
	// answered in time.
	ErrTimeout error = timeoutError{}
	// ErrClosed means that the client has been stopped.
	ErrClosed = fmt.Errorf("radius: client: %w", net.ErrClosed)
)

type timeoutError struct{}

func (timeoutError) Error() string { return "radius timeout" }

// Timeout is true: see net.Error.
func (timeoutError) Timeout() bool { return true }
