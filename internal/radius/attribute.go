package radius

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	wire "layeh.com/radius"
)

// A form says how a value is shown in the log.
type form uint8

const (
	asOctets form = iota
	asText
	asInteger
	asIPv4
	hidden // passwords, keys, and responses that a password can be searched with
)

// shown names the attributes that are sent or read, as the dictionaries do, for
// the log.
var shown = map[kind]struct {
	name string
	form form
}{
	{typ: 1}: {"User-Name", asText}, {typ: 2}: {"User-Password", hidden}, {typ: 3}: {"CHAP-Password", hidden},
	{typ: 4}: {"NAS-IP-Address", asIPv4}, {typ: 5}: {"NAS-Port", asInteger}, {typ: 6}: {"Service-Type", asInteger},
	{typ: 7}: {"Framed-Protocol", asInteger}, attrFramedIPAddress: {"Framed-IP-Address", asIPv4},
	attrFramedIPNetmask: {"Framed-IP-Netmask", asIPv4}, attrFilterID: {"Filter-Id", asText},
	attrReplyMessage: {"Reply-Message", asText}, attrFramedRoute: {"Framed-Route", asText}, {typ: 24}: {"State", asOctets},
	attrClass: {"Class", asOctets}, attrSessionTimeout: {"Session-Timeout", asInteger}, attrIdleTimeout: {"Idle-Timeout", asInteger},
	{typ: 30}: {"Called-Station-Id", asText}, {typ: 31}: {"Calling-Station-Id", asText}, {typ: 32}: {"NAS-Identifier", asText},
	{typ: 33}: {"Proxy-State", asOctets}, {typ: 40}: {"Acct-Status-Type", asInteger}, {typ: 41}: {"Acct-Delay-Time", asInteger},
	{typ: 42}: {"Acct-Input-Octets", asInteger}, {typ: 43}: {"Acct-Output-Octets", asInteger}, {typ: 44}: {"Acct-Session-Id", asText},
	{typ: 45}: {"Acct-Authentic", asInteger}, {typ: 46}: {"Acct-Session-Time", asInteger}, {typ: 47}: {"Acct-Input-Packets", asInteger},
	{typ: 48}: {"Acct-Output-Packets", asInteger}, {typ: 49}: {"Acct-Terminate-Cause", asInteger},
	{typ: 52}: {"Acct-Input-Gigawords", asInteger}, {typ: 53}: {"Acct-Output-Gigawords", asInteger},
	{typ: 55}: {"Event-Timestamp", asInteger}, {typ: 60}: {"CHAP-Challenge", hidden}, {typ: 61}: {"NAS-Port-Type", asInteger},
	attrPortLimit: {"Port-Limit", asInteger}, {typ: 80}: {"Message-Authenticator", asOctets},
	attrAcctInterimInterval: {"Acct-Interim-Interval", asInteger}, attrFramedPool: {"Framed-Pool", asText},
	{typ: 69}: {"Tunnel-Password", hidden}, {typ: 95}: {"NAS-IPv6-Address", asOctets}, attrFramedIPv6Prefix: {"Framed-IPv6-Prefix", asOctets}, {typ: 101}: {"Error-Cause", asInteger},
	attrDelegatedIPv6Prefix: {"Delegated-IPv6-Prefix", asOctets}, attrDelegatedPrefixPool: {"Delegated-IPv6-Prefix-Pool", asText},

	{vendorMicrosoft, 1}: {"MS-CHAP-Response", hidden}, attrMSCHAPError: {"MS-CHAP-Error", asText},
	attrMSMPPEPolicy: {"MS-MPPE-Encryption-Policy", asInteger}, attrMSMPPETypes: {"MS-MPPE-Encryption-Types", asInteger},
	{vendorMicrosoft, 10}: {"MS-CHAP-Domain", asText}, {vendorMicrosoft, 11}: {"MS-CHAP-Challenge", hidden},
	attrMSCHAPMPPEKeys: {"MS-CHAP-MPPE-Keys", hidden}, attrMSMPPESendKey: {"MS-MPPE-Send-Key", hidden},
	attrMSMPPERecvKey: {"MS-MPPE-Recv-Key", hidden}, {vendorMicrosoft, 25}: {"MS-CHAP2-Response", hidden},
	attrMSCHAP2Success: {"MS-CHAP2-Success", hidden}, attrMSPrimaryDNSServer: {"MS-Primary-DNS-Server", asIPv4},
	attrMSSecondaryDNSServer: {"MS-Secondary-DNS-Server", asIPv4}, attrMSPrimaryNBNSServer: {"MS-Primary-NBNS-Server", asIPv4},
	attrMSSecondaryNBNSServer: {"MS-Secondary-NBNS-Server", asIPv4},

	attrMikrotikRecvLimit: {"Mikrotik-Recv-Limit", asInteger}, attrMikrotikXmitLimit: {"Mikrotik-Xmit-Limit", asInteger},
	attrMikrotikGroup: {"Mikrotik-Group", asText}, attrMikrotikRateLimit: {"Mikrotik-Rate-Limit", asText},
	{vendorMikrotik, 9}: {"Mikrotik-Realm", asText}, attrMikrotikMarkID: {"Mikrotik-Mark-Id", asText},
	attrMikrotikAdURL: {"Mikrotik-Advertise-URL", asText}, attrMikrotikAdInterval: {"Mikrotik-Advertise-Interval", asInteger},
	attrMikrotikRecvGiga: {"Mikrotik-Recv-Limit-Gigawords", asInteger}, attrMikrotikXmitGiga: {"Mikrotik-Xmit-Limit-Gigawords", asInteger},
	attrMikrotikTotalLimit: {"Mikrotik-Total-Limit", asInteger}, attrMikrotikTotalGiga: {"Mikrotik-Total-Limit-Gigawords", asInteger},
	attrMikrotikAddressList: {"Mikrotik-Address-List", asText}, attrMikrotikIPv6Pool: {"Mikrotik-Delegated-IPv6-Pool", asText},

	attrAscendDataRate: {"Ascend-Data-Rate", asInteger}, attrAscendXmitRate: {"Ascend-Xmit-Rate", asInteger},

	attrWISPrMinUp: {"WISPr-Bandwidth-Min-Up", asInteger}, attrWISPrMinDown: {"WISPr-Bandwidth-Min-Down", asInteger},
	attrWISPrMaxUp: {"WISPr-Bandwidth-Max-Up", asInteger}, attrWISPrMaxDown: {"WISPr-Bandwidth-Max-Down", asInteger},
	attrWISPrTerminateAt: {"WISPr-Session-Terminate-Time", asText},
}

// name is the attribute's in the dictionaries, or its numbers.
func (k kind) name() string {
	if a, ok := shown[k]; ok {
		return a.name
	}
	if k.vendor == 0 {
		return fmt.Sprintf("Attr-%d", k.typ)
	}
	return fmt.Sprintf("Vendor-%d-Attr-%d", k.vendor, k.typ)
}

// show gives a value for the log, without secrets.
func (k kind) show(v []byte) string {
	switch f := shown[k].form; {
	case f == hidden:
		return "(secret)"
	case f == asText:
		return strconv.Quote(string(v))
	case f == asInteger && len(v) == 4:
		return strconv.FormatUint(uint64(binary.BigEndian.Uint32(v)), 10)
	case f == asIPv4 && len(v) == 4:
		return netip.AddrFrom4([4]byte(v)).String()
	}
	return "0x" + hex.EncodeToString(v)
}

// An attributeList is what a request is built in. The first error stays.
type attributeList struct {
	wire.Attributes
	err error
}

func (l *attributeList) octets(k kind, v []byte) {
	if k.vendor != 0 {
		if len(v) > maxValue-vendorHead {
			l.fail(k)
			return
		}
		b := binary.BigEndian.AppendUint32(make([]byte, 0, vendorHead+len(v)), k.vendor)
		b = append(b, k.typ, byte(2+len(v)))
		l.Add(26, append(b, v...))
		return
	}
	if len(v) > maxValue {
		l.fail(k)
		return
	}
	l.Add(wire.Type(k.typ), v)
}

func (l *attributeList) fail(k kind) {
	if l.err == nil {
		l.err = fmt.Errorf("radius: %s is too long", k.name())
	}
}

// text adds a text unless it is empty: "Text of length zero (0) MUST NOT be
// sent; omit the entire attribute instead" (RFC 2865, section 5).
func (l *attributeList) text(k kind, v string) {
	if v != "" {
		l.octets(k, []byte(v))
	}
}

func (l *attributeList) integer(k kind, n uint32) { l.octets(k, wire.NewInteger(n)) }

// time adds a time; the attribute holds no time after 2106, and then it is
// modulo that.
func (l *attributeList) time(k kind, t time.Time) { l.integer(k, uint32(t.Unix())) }

func (l *attributeList) address(v4, v6 kind, a netip.Addr) {
	switch a = a.Unmap(); {
	case a.Is4():
		l.octets(v4, a.AsSlice())
	case a.Is6() && v6 != kind{}:
		l.octets(v6, a.AsSlice())
	}
}
