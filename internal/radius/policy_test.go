package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/ppp/auth"
)

// reply makes an Access-Accept with attributes, which checkReply would pass.
func reply(build func(*attributeList)) []byte {
	return respond(make([]byte, headerLen), wire.CodeAccessAccept, false, avps(build)...)
}

func TestFramedIPAddress(t *testing.T) {
	for _, r := range []struct {
		address, mask string
		want, network string
		profile       bool
	}{
		{"10.0.0.5", "", "10.0.0.5", "", false},
		{"10.0.0.5", "255.255.255.0", "10.0.0.5", "10.0.0.0/24", false},
		{"10.0.0.5", "255.255.255.255", "10.0.0.5", "", false},
		{"10.0.0.5", "255.0.255.0", "10.0.0.5", "", false},
		{"10.0.0.5", "0.0.0.0", "10.0.0.5", "", false},
		{"255.255.255.254", "255.255.255.0", "", "", true},
		{"255.255.255.255", "", "", "", true},
		{"127.0.0.1", "", "", "", true},
		{"224.0.0.1", "", "", "", true},
		{"0.0.0.0", "", "", "", true},
		{"223.255.255.255", "", "223.255.255.255", "", false},
	} {
		p, err := decodePolicy(reply(func(l *attributeList) {
			l.text(attrFramedPool, "pool")
			l.octets(attrFramedIPAddress, netip.MustParseAddr(r.address).AsSlice())
			if r.mask != "" {
				l.octets(attrFramedIPNetmask, netip.MustParseAddr(r.mask).AsSlice())
			}
		}))
		var want netip.Addr
		if r.want != "" {
			want = netip.MustParseAddr(r.want)
		}
		var network netip.Prefix
		if r.network != "" {
			network = netip.MustParsePrefix(r.network)
		}
		if err != nil || p.Address != want || p.Network != network || p.ProfilePool != r.profile || p.Pool != "" {
			t.Errorf("%s %s: %+v, %v", r.address, r.mask, p, err)
		}
	}
	p, err := decodePolicy(reply(func(l *attributeList) { l.text(attrFramedPool, "pool") }))
	if err != nil || p.Pool != "pool" || p.ProfilePool {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestRates(t *testing.T) {
	data := func(n uint32) func(*attributeList) {
		return func(l *attributeList) { l.integer(attrAscendDataRate, n) }
	}
	xmit := func(l *attributeList) { l.integer(attrAscendXmitRate, 9) }
	up := func(l *attributeList) { l.integer(attrWISPrMaxUp, 5) }
	down := func(l *attributeList) { l.integer(attrWISPrMaxDown, 6) }
	minUp := func(l *attributeList) { l.integer(attrWISPrMinUp, 1) }
	mikrotik := func(l *attributeList) { l.octets(attrMikrotikRateLimit, []byte("1k")) }
	empty := func(l *attributeList) { l.octets(attrMikrotikRateLimit, nil) }
	for want, parts := range map[string][]func(*attributeList){
		"":                      {},
		"1k":                    {up, data(1), mikrotik, xmit},
		"2/1":                   {data(1), data(2), data(3), up},
		"0/1":                   {data(1)},
		"1/9":                   {data(1), xmit},
		"0/9":                   {xmit, down},
		"5/6":                   {up, down},
		"5/0 0/0 0/0 0/0 8 1/0": {up, minUp},
		"0/6":                   {down},
		"0/0":                   {data(0), data(0), up},
	} {
		p, err := decodePolicy(reply(func(l *attributeList) {
			for _, f := range parts {
				f(l)
			}
		}))
		if err != nil || p.Rate != want {
			t.Errorf("%q, want %q, %v", p.Rate, want, err)
		}
	}
	if p, err := decodePolicy(reply(func(l *attributeList) { up(l); empty(l) })); err != nil || p.Rate != "" {
		t.Errorf("an empty Mikrotik-Rate-Limit: %q, %v", p.Rate, err)
	}
}

func TestFilterAndLists(t *testing.T) {
	p, err := decodePolicy(reply(func(l *attributeList) {
		for _, f := range []string{"a", "b.in", "c.in", "d.out"} {
			l.text(attrFilterID, f)
		}
		l.text(attrMikrotikAddressList, "one")
		l.text(attrMikrotikAddressList, "one")
		l.text(attrMikrotikAddressList, "two")
		l.text(attrFramedRoute, "nonsense")
		l.text(attrWISPrTerminateAt, "2031-02-03T04:05:06+0100")
		l.integer(attrMSPrimaryDNSServer, 0)
	}))
	if err != nil || p.FilterIn != "c" || p.FilterOut != "d" || fmt.Sprint(p.AddressLists) != "[one two]" || p.Routes != nil || p.DNS != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if want := time.Date(2031, 2, 3, 3, 5, 6, 0, time.UTC); !p.TerminateAt.Equal(want) {
		t.Errorf("%v, want %v", p.TerminateAt, want)
	}
	if _, ok := terminateAt("2031-02-03T04:05:06"); !ok {
		t.Error("a time without a zone is refused")
	}
	if _, ok := terminateAt("soon"); ok {
		t.Error("no time is taken")
	}
}

func TestListsAreBounded(t *testing.T) {
	b := reply(func(l *attributeList) {
		for range 1000 {
			l.octets(attrClass, []byte{1})
		}
	})
	if p, err := decodePolicy(b); err != nil || len(p.Class) != maxList {
		t.Errorf("%d, %v", len(p.Class), err)
	}
}

func TestParseRoute(t *testing.T) {
	for _, r := range []struct{ text, want string }{
		{"192.168.1.0/24 192.168.1.1 1", "192.168.1.0/24 192.168.1.1 1"},
		{"192.168.1.0/24 0.0.0.0 1 2 -1", "192.168.1.0/24 invalid IP 1"},
		{"192.168.1.5", "192.168.1.0/24 invalid IP 0"},
		{"10.0.0.0", "10.0.0.0/8 invalid IP 0"},
		{"172.16.0.0", "172.16.0.0/16 invalid IP 0"},
		{"0.0.0.0/0", "0.0.0.0/0 invalid IP 0"},
		{"", ""}, {"   ", ""}, {"x", ""}, {"10.0.0.0/33", ""}, {"10.0.0.0/-1", ""}, {"10.0.0.0/8 gw", ""}, {"10.0.0.0/8 1.2.3.4 x", ""},
		{"10.0.0.0/8 1.2.3.4 -1", ""}, {"2001:db8::/32", ""}, {"10.0.0.0/8 2001:db8::1", ""},
	} {
		got := ""
		if route, ok := ParseRoute(r.text); ok {
			got = fmt.Sprint(route.Dst, route.Gateway, route.Metric)
		}
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(r.want, " ", "") {
			t.Errorf("%q: %s, want %s", r.text, got, r.want)
		}
	}
}

// The chain of RFC 2865, section 5.2, is the library's as well; the example of
// section 7.1 has a User-Password.
func TestRFC2865Section7_1(t *testing.T) {
	hidden, _ := hex.DecodeString("0dbe708d93d413ce3196e43f782a0aee")
	authenticator, _ := hex.DecodeString("0f403f9473978057bd83d5cb98f4227a")
	if got := unhide(hidden, []byte("xyzzy5461"), authenticator); string(bytes.TrimRight(got, "\x00")) != "arctangent" {
		t.Errorf("%q", got)
	}
}

// Keys are hidden here by the library, which has its own way to do it.
func TestSaltedKey(t *testing.T) {
	secret, asked := []byte(testSecret), [16]byte{9, 8, 7}
	salt := []byte{0x81, 0x42}
	hide := func(key []byte) []byte {
		v, err := wire.NewTunnelPassword(key, salt, secret, asked[:])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := []byte("sixteen octets!!")
	good := hide(want)
	if got, err := saltedKey(good, secret, asked); err != nil || !bytes.Equal(got[:], want) {
		t.Errorf("%x, %v", got, err)
	}
	for n := range good {
		if _, err := saltedKey(good[:n], secret, asked); !errors.Is(err, errAttribute) {
			t.Errorf("%d of %d octets: %v", n, len(good), err)
		}
	}
	for _, key := range []string{"", "8 octets", "thirty-two octets, what EAP gives"} {
		if _, err := saltedKey(hide([]byte(key)), secret, asked); !errors.Is(err, errAttribute) {
			t.Errorf("%q: %v", key, err)
		}
	}
	good[0] &= 0x7f
	if _, err := saltedKey(good, secret, asked); !errors.Is(err, errAttribute) {
		t.Errorf("salt without its bit: %v", err)
	}
}

// The answers to a user of MS-CHAPv1 and v2, and what they come to.
func TestAnswer(t *testing.T) {
	secret, asked := []byte(testSecret), [16]byte{}
	q := msRequest(auth.MSCHAPv2, `DOM\u`, "p").Credentials
	want := q.Verify("p")
	proof := want.Message[:42]
	key := func(long [16]byte) []byte {
		v, err := wire.NewTunnelPassword(long[:], []byte{0x80, 1}, secret, asked[:])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v2 := func(id uint8, text string) []byte {
		return reply(func(l *attributeList) {
			l.octets(attrMSCHAP2Success, append([]byte{id}, text...))
			l.octets(attrMSMPPESendKey, key(want.Keys.Send.Long))
			l.octets(attrMSMPPERecvKey, key(want.Keys.Receive.Long))
		})
	}
	a, err := decodeAnswer(q, v2(q.ID, proof), secret, asked)
	if err != nil || !a.Accepted || *a.Result.Keys != *want.Keys || a.Result.Message != proof {
		t.Errorf("%+v, %v", a, err)
	}
	for name, b := range map[string][]byte{
		"no proof": reply(func(*attributeList) {}), "another identifier": v2(q.ID+1, proof), "half a proof": v2(q.ID, proof[:20]), "no octets": v2(q.ID, ""),
	} {
		if a, err := decodeAnswer(q, b, secret, asked); err != nil || a.Accepted || a.Result.OK || a.Result.Keys != nil {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}

	q = msRequest(auth.MSCHAPv1, "u", "p").Credentials
	want = q.Verify("p")
	if !want.OK {
		t.Fatal("the test's own response is wrong")
	}
	q.Method = auth.PAP
	challenge := respond(make([]byte, headerLen), wire.CodeAccessChallenge, false)
	if a, err := decodeAnswer(q, challenge, secret, asked); err != nil || a.Accepted || a.Reason == "" {
		t.Errorf("a challenge: %+v, %v", a, err)
	}
}

func TestReject(t *testing.T) {
	reject := func(build func(*attributeList)) []byte {
		return respond(make([]byte, headerLen), wire.CodeAccessReject, false, avps(build)...)
	}
	q := msRequest(auth.MSCHAPv2, "u", "p").Credentials
	for _, r := range []struct {
		build func(*attributeList)
		code  int
		text  string
	}{
		{func(*attributeList) {}, 0, ""},
		{func(l *attributeList) { l.text(attrMSCHAPError, "\x09E=648 R=0 C=00 V=3 M=expired") }, 648, "expired"},
		{func(l *attributeList) {
			l.text(attrMSCHAPError, "\x09E=691 R=1")
			l.text(attrReplyMessage, "go ")
			l.text(attrReplyMessage, "away")
		}, 691, "go away"},
		{func(l *attributeList) { l.text(attrMSCHAPError, "\x09") }, 0, ""},
	} {
		a, err := decodeAnswer(q, reject(r.build), nil, [16]byte{})
		if err != nil || a.Accepted || a.Result.Code != r.code || a.Result.Message != r.text || a.Reason == "" {
			t.Errorf("%+v, %v; want %d %q", a, err, r.code, r.text)
		}
	}
}

// No prefix of a reply passes, nor one with a bit changed.
func TestEveryPrefix(t *testing.T) {
	request := make([]byte, headerLen)
	request[0], request[3] = byte(wire.CodeAccessRequest), headerLen
	good := respond(request, wire.CodeAccessAccept, false, avps(func(l *attributeList) { l.text(attrMikrotikRateLimit, "1M") })...)
	if _, err := checkReply(request, good, []byte(testSecret), true); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := checkReply(request, good[:n], []byte(testSecret), true); err == nil {
			t.Errorf("%d of %d octets pass", n, len(good))
		}
		bad := bytes.Clone(good)
		bad[n] ^= 0x10
		if _, err := checkReply(request, bad, []byte(testSecret), true); err == nil {
			t.Errorf("octet %d may be changed", n)
		}
	}
}

func BenchmarkReply(b *testing.B) {
	request := make([]byte, headerLen)
	request[0], request[3] = byte(wire.CodeAccessRequest), headerLen
	q := papRequest("u", "p").Credentials
	good := respond(request, wire.CodeAccessAccept, false, avps(func(l *attributeList) {
		l.octets(attrFramedIPAddress, []byte{10, 0, 0, 1})
		l.integer(attrSessionTimeout, 60)
		l.text(attrMikrotikRateLimit, "1M/2M")
	})...)
	b.ReportAllocs()
	for b.Loop() {
		reply, err := checkReply(request, good, []byte(testSecret), true)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := decodeAnswer(q, reply, []byte(testSecret), [16]byte{}); err != nil {
			b.Fatal(err)
		}
	}
}
