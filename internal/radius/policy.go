package radius

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Policy is what an Access-Accept orders for a session. A zero field was not
// ordered.
type Policy struct {
	// Address is the client's. ProfilePool says that the server named none and
	// wants it from the profile's pool. Either makes Pool empty.
	Address     netip.Addr
	ProfilePool bool
	Pool        string
	// Network is to be routed to the client: Framed-IP-Netmask around Address.
	Network netip.Prefix
	Routes  []Route

	IPv6Prefix, DelegatedIPv6Prefix netip.Prefix
	DelegatedIPv6Pool               string

	IdleTimeout    time.Duration
	SessionTimeout time.Duration
	TerminateAt    time.Time // WISPr-Session-Terminate-Time
	PortLimit      uint32    // sessions of the user at one time
	Interim        time.Duration
	Class          [][]byte // to be echoed in accounting

	FilterIn, FilterOut string // names of chains

	Encryption      Encryption
	EncryptionTypes uint32 // MS-MPPE-Encryption-Types; see TypesKnown
	TypesKnown      bool

	// Rate is in the grammar of a profile's rate-limit; empty for none ordered.
	Rate string
	// The limits are in octets, as the router counts them: Receive is what comes
	// from the client.
	ReceiveLimit, TransmitLimit, TotalLimit uint64

	Profile      string
	AddressLists []string
	DNS, WINS    []netip.Addr // at most two each
}

// Encryption is MS-MPPE-Encryption-Policy (RFC 2548, section 2.4.4).
type Encryption uint32

// The values of an Encryption.
const (
	EncryptionUnset Encryption = iota
	EncryptionAllowed
	EncryptionRequired
)

// The bits of Policy.EncryptionTypes (RFC 2548, section 2.4.5).
const (
	Type40Bit  = 1 << 1 // insecure: 40-bit RC4
	Type128Bit = 1 << 2
)

// maxList bounds what a Policy keeps many of: a packet of 4096 octets has room
// for 2000, and each route is a call into the kernel.
const maxList = 256

// The attributes that are read, by their place in the dictionaries of RFC 2865,
// 2869, 3162, 4818, 2548 and of the vendors.
var (
	attrFramedIPAddress     = kind{typ: 8}
	attrFramedIPNetmask     = kind{typ: 9}
	attrFilterID            = kind{typ: 11}
	attrReplyMessage        = kind{typ: 18}
	attrFramedRoute         = kind{typ: 22}
	attrClass               = kind{typ: 25}
	attrSessionTimeout      = kind{typ: 27}
	attrIdleTimeout         = kind{typ: 28}
	attrPortLimit           = kind{typ: 62}
	attrAcctInterimInterval = kind{typ: 85}
	attrFramedPool          = kind{typ: 88}
	attrFramedIPv6Prefix    = kind{typ: 97}
	attrDelegatedIPv6Prefix = kind{typ: 123}
	attrDelegatedPrefixPool = kind{typ: 171}

	attrMSCHAPError           = kind{vendorMicrosoft, 2}
	attrMSMPPEPolicy          = kind{vendorMicrosoft, 7}
	attrMSMPPETypes           = kind{vendorMicrosoft, 8}
	attrMSCHAPMPPEKeys        = kind{vendorMicrosoft, 12}
	attrMSMPPESendKey         = kind{vendorMicrosoft, 16}
	attrMSMPPERecvKey         = kind{vendorMicrosoft, 17}
	attrMSCHAP2Success        = kind{vendorMicrosoft, 26}
	attrMSPrimaryDNSServer    = kind{vendorMicrosoft, 28}
	attrMSSecondaryDNSServer  = kind{vendorMicrosoft, 29}
	attrMSPrimaryNBNSServer   = kind{vendorMicrosoft, 30}
	attrMSSecondaryNBNSServer = kind{vendorMicrosoft, 31}

	attrMikrotikRecvLimit   = kind{vendorMikrotik, 1}
	attrMikrotikXmitLimit   = kind{vendorMikrotik, 2}
	attrMikrotikGroup       = kind{vendorMikrotik, 3}
	attrMikrotikRateLimit   = kind{vendorMikrotik, 8}
	attrMikrotikMarkID      = kind{vendorMikrotik, 11}
	attrMikrotikAdURL       = kind{vendorMikrotik, 12}
	attrMikrotikAdInterval  = kind{vendorMikrotik, 13}
	attrMikrotikRecvGiga    = kind{vendorMikrotik, 14}
	attrMikrotikXmitGiga    = kind{vendorMikrotik, 15}
	attrMikrotikTotalLimit  = kind{vendorMikrotik, 17}
	attrMikrotikTotalGiga   = kind{vendorMikrotik, 18}
	attrMikrotikAddressList = kind{vendorMikrotik, 19}
	attrMikrotikIPv6Pool    = kind{vendorMikrotik, 22}

	attrAscendDataRate = kind{vendorAscend, 197}
	attrAscendXmitRate = kind{vendorAscend, 255}

	attrWISPrMinUp       = kind{vendorWISPr, 5}
	attrWISPrMinDown     = kind{vendorWISPr, 6}
	attrWISPrMaxUp       = kind{vendorWISPr, 7}
	attrWISPrMaxDown     = kind{vendorWISPr, 8}
	attrWISPrTerminateAt = kind{vendorWISPr, 9}
)

// decodePolicy reads the attributes of an Access-Accept that checkReply has
// passed. An attribute of a wrong size is errAttribute; one with a strange text
// is taken as not there, as its meaning is for people.
func decodePolicy(b []byte) (Policy, error) {
	var p Policy
	var r rates
	var l limits
	var mask []byte
	var addresses bool
	var dns, wins [2]netip.Addr
	for k, v := range attributes(b) {
		if ok, err := r.set(k, v); err != nil {
			return Policy{}, wrong(k, err)
		} else if ok {
			continue
		}
		if ok, err := l.set(k, v); err != nil {
			return Policy{}, wrong(k, err)
		} else if ok {
			continue
		}
		var err error
		switch k {
		case attrFramedIPAddress:
			addresses = true
			p.Address, err = address(v)
		case attrFramedIPNetmask:
			mask = v
			_, err = address(v)
		case attrFramedPool:
			p.Pool = string(v)
		case attrFramedRoute:
			if route, ok := ParseRoute(string(v)); ok && len(p.Routes) < maxList {
				p.Routes = append(p.Routes, route)
			}
		case attrFramedIPv6Prefix:
			p.IPv6Prefix, err = prefix6(v)
		case attrDelegatedIPv6Prefix:
			p.DelegatedIPv6Prefix, err = prefix6(v)
		case attrDelegatedPrefixPool, attrMikrotikIPv6Pool:
			p.DelegatedIPv6Pool = string(v)
		case attrIdleTimeout:
			p.IdleTimeout, err = seconds(v)
		case attrSessionTimeout:
			p.SessionTimeout, err = seconds(v)
		case attrPortLimit:
			p.PortLimit, err = number(v)
		case attrAcctInterimInterval:
			p.Interim, err = seconds(v)
		case attrClass:
			if len(p.Class) < maxList {
				p.Class = append(p.Class, slices.Clone(v))
			}
		case attrFilterID:
			name, dir := filter(string(v)) // the last one of a direction counts
			if dir != filterOut {
				p.FilterIn = name
			}
			if dir != filterIn {
				p.FilterOut = name
			}
		case attrMSMPPEPolicy:
			var n uint32
			n, err = number(v)
			if p.Encryption = Encryption(n); err == nil && p.Encryption > EncryptionRequired {
				err = errAttribute
			}
		case attrMSMPPETypes:
			p.TypesKnown = true
			p.EncryptionTypes, err = number(v)
		case attrMikrotikGroup:
			p.Profile = string(v)
		case attrMikrotikAddressList:
			if len(v) > 0 && len(p.AddressLists) < maxList && !slices.Contains(p.AddressLists, string(v)) {
				p.AddressLists = append(p.AddressLists, string(v))
			}
		case attrMSPrimaryDNSServer:
			dns[0], err = address(v)
		case attrMSSecondaryDNSServer:
			dns[1], err = address(v)
		case attrMSPrimaryNBNSServer:
			wins[0], err = address(v)
		case attrMSSecondaryNBNSServer:
			wins[1], err = address(v)
		case attrWISPrTerminateAt:
			p.TerminateAt, _ = terminateAt(string(v))
		}
		if err != nil {
			return Policy{}, wrong(k, err)
		}
	}
	p.Rate, _ = r.rate()
	p.ReceiveLimit, p.TransmitLimit, p.TotalLimit = l.value(0), l.value(1), l.value(2)
	p.DNS, p.WINS = present(dns), present(wins)
	if addresses {
		p.Pool = ""
		p.settleAddress(mask)
	}
	return p, nil
}

// settleAddress gives Framed-IP-Address its meaning: 255.255.255.254 and any
// other address that no host can have is an order to choose.
func (p *Policy) settleAddress(mask []byte) {
	if a := p.Address.As4(); a[0] == 127 || a[0] >= 224 || p.Address.IsUnspecified() {
		p.Address, p.ProfilePool = netip.Addr{}, true
		return
	}
	if mask == nil {
		return
	}
	ones := 0
	for m := binary.BigEndian.Uint32(mask); m&(1<<31) != 0; m <<= 1 {
		ones++
	}
	// A mask with holes is no network; one of a host or of everything is no route.
	if m := binary.BigEndian.Uint32(mask); m<<ones != 0 || ones == 0 || ones == 32 {
		return
	}
	p.Network = netip.PrefixFrom(p.Address, ones).Masked()
}

func wrong(k kind, err error) error {
	return fmt.Errorf("%w: %s: %w", errAttribute, k.name(), err)
}

func number(v []byte) (uint32, error) {
	if len(v) != 4 {
		return 0, errLength
	}
	return binary.BigEndian.Uint32(v), nil
}

func seconds(v []byte) (time.Duration, error) {
	n, err := number(v)
	return time.Duration(n) * time.Second, err
}

func address(v []byte) (netip.Addr, error) {
	if len(v) != 4 {
		return netip.Addr{}, errLength
	}
	return netip.AddrFrom4([4]byte(v)), nil
}

// prefix6 reads a prefix (RFC 3162, section 2.3): a reserved octet, the length,
// and as much of the address as the server liked to send.
func prefix6(v []byte) (netip.Prefix, error) {
	if len(v) < 2 || len(v) > 18 || v[1] > 128 || len(v)-2 < (int(v[1])+7)/8 {
		return netip.Prefix{}, errLength
	}
	var a [16]byte
	copy(a[:], v[2:])
	return netip.PrefixFrom(netip.AddrFrom16(a), int(v[1])).Masked(), nil
}

// A filterDirection is what a Filter-Id is for.
type filterDirection uint8

const (
	filterBoth filterDirection = iota
	filterIn
	filterOut
)

// filter splits a Filter-Id into the name of a chain and its suffix.
func filter(v string) (name string, dir filterDirection) {
	if name, ok := strings.CutSuffix(v, ".in"); ok {
		return name, filterIn
	}
	if name, ok := strings.CutSuffix(v, ".out"); ok {
		return name, filterOut
	}
	return v, filterBoth
}

// terminateAt reads WISPr's time, YYYY-MM-DDThh:mm:ssTZD; without a zone it is
// the router's.
func terminateAt(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", s, time.Local)
	return t, err == nil
}

func present(list [2]netip.Addr) (found []netip.Addr) {
	for _, a := range list {
		if a.IsValid() && !a.IsUnspecified() {
			found = append(found, a)
		}
	}
	return found
}
