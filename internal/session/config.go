package session

import (
	"net/netip"
	"time"

	"gopptp/ppp/auth"
)

// A ServerConfig is /interface/pptp-server/server in the engine's types.
type ServerConfig struct {
	Enabled        bool
	MaxMTU, MaxMRU int // octets
	MRRU           int // octets; 0 is disabled
	Authentication []auth.Method
	Keepalive      time.Duration // 0 is disabled
	DefaultProfile string
}

// A Binding is a static row of /interface/pptp-server: the interface that the
// sessions of a user get.
type Binding struct {
	ID       uint64 // the row's id
	Name     string // interface name
	User     string
	Disabled bool
}

// A ClientConfig is a row of /interface/pptp-client in the engine's types.
type ClientConfig struct {
	ID                   uint64 // the row's id
	Name                 string // interface name
	MaxMTU, MaxMRU       int    // octets
	MRRU                 int    // octets; 0 is disabled
	ConnectTo            string // address or DNS name
	User                 string
	Password             string // secret
	Profile              string
	Keepalive            time.Duration // 0 is disabled
	UsePeerDNS           string        // no, yes or exclusively
	AddDefaultRoute      bool
	DefaultRouteDistance int
	DialOnDemand         bool
	Allow                []auth.Method
	Disabled             bool
}

// String hides the password from logs and errors.
func (c ClientConfig) String() string { return "session.ClientConfig(" + c.Name + ")" }

// GoString hides the password from %#v.
func (c ClientConfig) GoString() string { return c.String() }

// A Status is a snapshot of one session, server or client side.
type Status struct {
	ID            uint64 // identifies the session for Disconnect; never reused
	Interface     string // interface name as RouterOS shows it: pptp-out1, <pptp-user>
	Binding       uint64 // id of the static /interface/pptp-server row, or 0
	Client        uint64 // id of the /interface/pptp-client row; 0 on a server
	State         string // as monitor prints it: connected, dialing..., terminating... - reason
	Running       bool   // the tunnel carries traffic
	User          string
	CallerID      string     // the client's outer address
	CalledID      string     // the server's outer address that the client called
	OuterAddress  netip.Addr // the peer's outer address
	LocalAddress  netip.Addr // inner
	RemoteAddress netip.Addr // inner
	MTU, MRU      int        // octets, negotiated
	Encoding      string     // MPPE128 stateless, or empty
	SessionID     uint32     // 0x81A00000 style
	ConnectedAt   time.Time  // when the network came up; zero while down
	Radius        bool
	LimitIn       uint64 // octets that the peer may send; 0 for any
	LimitOut      uint64 // octets that the peer may receive; 0 for any
	Traffic       Traffic
}

// Traffic counts user packets of a session; Rx is what came from the peer.
type Traffic struct {
	RxBytes, TxBytes, RxPackets, TxPackets, RxDrops, TxDrops uint64
}
