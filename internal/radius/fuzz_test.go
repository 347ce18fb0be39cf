package radius

import (
	"net/netip"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
	"gopptp/ppp/auth"
)

// FuzzReply gives the reply decoder what a server, or somebody between, sends,
// signed as the server would: nothing is to panic, and what passes the checks is
// in bounds.
func FuzzReply(f *testing.F) {
	request := make([]byte, headerLen)
	request[0], request[3] = byte(wire.CodeAccessRequest), headerLen
	f.Add(uint8(2), reply(func(l *attributeList) {
		l.text(attrFramedRoute, "10.0.0.0/8 0.0.0.0 1")
		l.integer(attrMikrotikRecvLimit, 1)
	})[headerLen:])
	f.Add(uint8(2), reply(func(l *attributeList) {
		l.octets(attrMSMPPESendKey, make([]byte, 34))
		l.octets(attrMSCHAPMPPEKeys, make([]byte, 32))
		l.text(attrMSCHAP2Success, "\x09S=00")
		l.octets(attrDelegatedIPv6Prefix, []byte{0, 56, 32, 1})
		l.integer(attrFramedIPNetmask, 1)
	})[headerLen:])
	f.Add(uint8(3), reply(func(l *attributeList) { l.text(attrMSCHAPError, "\x09E=691 R=1") })[headerLen:])
	methods := []*auth.Request{
		msRequest(auth.MSCHAPv1, "u", "p").Credentials, msRequest(auth.MSCHAPv2, "u", "p").Credentials, papRequest("u", "p").Credentials,
	}
	log := journal.New(func(journal.Entry) {}, true)
	f.Fuzz(func(t *testing.T, code uint8, tail []byte) {
		b := append(make([]byte, headerLen), tail...)
		b[0], b[2], b[3] = code, byte(len(b)>>8), byte(len(b))
		sum := digest(b, [16]byte{}, []byte(testSecret))
		copy(b[4:], sum[:])
		good, err := checkReply(request, b, []byte(testSecret), false)
		if err != nil {
			return
		}
		trace(log, "rx", "from", netip.AddrPort{}, good)
		for _, q := range methods {
			a, err := decodeAnswer(q, good, []byte(testSecret), [16]byte{})
			if err == nil && (len(a.Policy.Routes) > maxList || len(a.Policy.Class) > maxList) {
				t.Error("a list has no bound")
			}
		}
	})
}

// FuzzIncoming gives the receiver signed requests of any content.
func FuzzIncoming(f *testing.F) {
	for _, code := range []wire.Code{wire.CodeDisconnectRequest, wire.CodeCoARequest} {
		f.Add(uint8(code), orderPacket(code, testSecret, func(l *attributeList) { l.text(attrUserName, "u"); l.text(attrMikrotikRateLimit, "1M") })[headerLen:])
		f.Add(uint8(code), orderPacket(code, testSecret, func(l *attributeList) {
			l.text(attrProxyState, "p")
			l.octets(attrMessageAuthenticator, make([]byte, 16))
			l.time(attrEventTimestamp, time.Now())
		})[headerLen:])
	}
	c := NewClient(journal.New(nil, false))
	c.Configure([]Server{{ID: 1, Services: []string{"ppp"}, Address: loopback, Secret: testSecret}})
	in := NewIncoming(c, &liveSessions{}, journal.New(func(journal.Entry) {}, true))
	now := time.Now()
	f.Fuzz(func(t *testing.T, code uint8, tail []byte) {
		b := append(make([]byte, headerLen), tail...)
		b[0], b[2], b[3] = code, byte(len(b)>>8), byte(len(b))
		sum := digest(b, [16]byte{}, []byte(testSecret))
		copy(b[4:], sum[:])
		now = now.Add(repeatTime + 1)
		answer := in.answer(b, netip.AddrPortFrom(loopback, 1), now)
		if answer == nil {
			return
		}
		if got, err := frame(answer); err != nil || checkAttributes(got) != nil {
			t.Errorf("answer %x: %v", answer, err)
		}
	})
}
