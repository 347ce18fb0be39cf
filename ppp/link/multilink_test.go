package link

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/cp"
	"gopptp/ppp/lcp"
)

// TestMultilink: only two that have an MRRU send fragments, and neither is worse
// off for asking one that has none.
func TestMultilink(t *testing.T) {
	type want struct {
		last     Multilink
		mtu, mru int
	}
	rows := []struct {
		name           string
		server, client int // MRRU
		encryption     Encryption
		s, c           want
	}{
		{"both, clear", 1600, 1614, EncryptionNo,
			want{Multilink{ReceiveMRRU: 1600, SendMRRU: 1614, SendMTU: 1450}, 1600, 1600},
			want{Multilink{ReceiveMRRU: 1614, SendMRRU: 1600, SendMTU: 1450}, 1600, 1614}},
		{"both, encrypted", 1600, 1614, EncryptionYes,
			want{Multilink{ReceiveMRRU: 1600, SendMRRU: 1614, SendMTU: 1450}, 1500, 1596},
			want{Multilink{ReceiveMRRU: 1614, SendMRRU: 1600, SendMTU: 1450}, 1500, 1610}},
		{"no room for 1500 encrypted", 1501, 1501, EncryptionYes,
			want{Multilink{ReceiveMRRU: 1501, SendMRRU: 1501, SendMTU: 1450}, 1497, 1497},
			want{Multilink{ReceiveMRRU: 1501, SendMRRU: 1501, SendMTU: 1450}, 1497, 1497}},
		{"the smallest and the largest", 512, 65535, EncryptionNo,
			want{Multilink{ReceiveMRRU: 1500, SendMRRU: 65535, SendMTU: 1450}, 512, 512},
			want{Multilink{ReceiveMRRU: 65535, SendMRRU: 512, SendMTU: 1450}, 512, 65535}},
		{"server only", 1600, 0, EncryptionYes, want{mtu: 1450, mru: 1450}, want{mtu: 1450, mru: 1450}},
		{"client only", 0, 1600, EncryptionYes, want{mtu: 1450, mru: 1450}, want{mtu: 1450, mru: 1450}},
		{"neither", 0, 0, EncryptionYes, want{mtu: 1450, mru: 1450}, want{mtu: 1450, mru: 1450}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s, c := serverConfig(), clientConfig()
			s.MRRU, c.MRRU = r.server, r.client
			s.Encryption, c.Encryption = r.encryption, r.encryption
			w := connect(t, s, c)
			if w.now != start {
				t.Errorf("waited %v for a timer", w.now.Sub(start))
			}
			for _, v := range []struct {
				e    *end
				mrru int
				want want
			}{{w.server, r.server, r.s}, {w.client, r.client, r.c}} {
				if u := one[NetworkUp](v.e); u.MTU != v.want.mtu || u.MRU != v.want.mru {
					t.Errorf("%s: MTU %d, MRU %d, want %+v", v.e.name, u.MTU, u.MRU, v.want)
				}
				if v.mrru == 0 {
					none[Multilink](v.e)
					continue
				}
				ms := got[Multilink](v.e)
				first := Multilink{ReceiveMRRU: max(v.mrru, lcp.DefaultMRU)}
				if len(ms) != 2 || ms[0] != first || ms[1] != v.want.last {
					t.Errorf("%s: %+v, want %+v and %+v", v.e.name, ms, first, v.want.last)
				}
				receivesFirst(t, v.e)
			}
		})
	}
}

// TestMultilinkLargeEncrypted: what is sent encrypted goes by what the peer is
// known to decrypt, each side for itself.
func TestMultilinkLargeEncrypted(t *testing.T) {
	for _, r := range []struct {
		mrru                int
		large               bool
		encryption          Encryption
		server, client, mru int
	}{
		{1600, true, EncryptionYes, 1596, 1500, 1596},
		{1600, false, EncryptionYes, 1500, 1500, 1596},
		{1600, true, EncryptionNo, 1600, 1600, 1600},
		{65535, true, EncryptionYes, 65531, 1500, 65531},
		{0, true, EncryptionYes, 1450, 1450, 1450},
	} {
		s, c := serverConfig(), clientConfig()
		s.MRRU, c.MRRU = r.mrru, r.mrru
		s.LargeEncrypted = r.large
		s.Encryption, c.Encryption = r.encryption, r.encryption
		w := connect(t, s, c)
		su, cu := one[NetworkUp](w.server), one[NetworkUp](w.client)
		if su.MTU != r.server || cu.MTU != r.client || su.MRU != r.mru || cu.MRU != r.mru {
			t.Errorf("%+v: server %d %d, client %d %d", r, su.MTU, su.MRU, cu.MTU, cu.MRU)
		}
	}
}

// receivesFirst: the data path hears of fragments before the first frame, and how
// to send them before anything above LCP.
func receivesFirst(t *testing.T, e *end) {
	t.Helper()
	n := 0
	for i, o := range e.log {
		switch o := o.(type) {
		case Multilink:
			if n++; n == 1 && i != 0 {
				t.Errorf("%s: Multilink is not the first output\n%s", e.name, e.dump())
			}
		case Frame:
			if h, _ := parse(o); n < 2 && h.Protocol != ppp.ProtocolLCP {
				t.Errorf("%s: %v before Multilink\n%s", e.name, h.Protocol, e.dump())
			}
		case Authenticated, NetworkUp:
			if n < 2 {
				t.Errorf("%s: %T before Multilink\n%s", e.name, o, e.dump())
			}
		}
	}
}

// TestMultilinkReceiveOnly: who took our MRRU may use it, even without its own.
func TestMultilinkReceiveOnly(t *testing.T) {
	s := serverConfig()
	s.MRRU, s.Auth = 1600, nil
	e := &end{t: t, name: "server", link: New(s)}
	e.link.Start(start)
	e.drain(start)
	w := &wire{now: start, t: t}
	p := expect(t, framesOf(e.log), ppp.ProtocolLCP, cp.ConfigureRequest)
	w.inject(e, ppp.ProtocolLCP, cp.ConfigureAck, p.ID, string(p.Data))
	w.inject(e, ppp.ProtocolLCP, cp.ConfigureRequest, 1, "\x12\x02")
	if ms := got[Multilink](e); len(ms) != 2 || ms[1] != (Multilink{ReceiveMRRU: 1600}) {
		t.Errorf("%+v", ms)
	}
}

// TestMultilinkRenegotiated: LCP starting over closes the sending side at once,
// and the short numbers that the peer asks for now are used then.
func TestMultilinkRenegotiated(t *testing.T) {
	s, c := serverConfig(), clientConfig()
	s.MRRU, c.MRRU = 1600, 1600
	w := connect(t, s, c)
	w.cut()
	n := len(w.server.log)
	fs := w.inject(w.server, ppp.ProtocolLCP, cp.ConfigureRequest, 99, "\x01\x04\x05\x00\x11\x04\x05\xdc\x12\x02")
	if len(fs) != 2 {
		t.Fatalf("%v", describeAll(fs))
	}
	_, p := parse(fs[0])
	if p.Code != cp.ConfigureRequest {
		t.Fatalf("%v", describeAll(fs))
	}
	w.inject(w.server, ppp.ProtocolLCP, cp.ConfigureAck, p.ID, string(p.Data))
	var ms []Multilink
	down := -1
	for i, o := range w.server.log[n:] {
		switch o := o.(type) {
		case NetworkDown:
			down = i
		case Multilink:
			ms = append(ms, o)
			if down < 0 {
				t.Error("Multilink before NetworkDown")
			}
		}
	}
	want := []Multilink{{ReceiveMRRU: 1600}, {ReceiveMRRU: 1600, SendMRRU: 1500, SendShort: true, SendMTU: 1280}}
	if !slices.Equal(ms, want) {
		t.Errorf("%+v, want %+v", ms, want)
	}
}

// TestMultilinkFragmentsRejected: without an MRRU fragments are no protocol of
// ours, as before.
func TestMultilinkFragmentsRejected(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.cut()
	p := expect(t, w.injectFrame(w.server, []byte("\x00\x3d\xc0\x00\x00\x00\x00\x21")), ppp.ProtocolLCP, lcp.ProtocolReject)
	if string(p.Data[:2]) != "\x00\x3d" {
		t.Errorf("%x", p.Data)
	}
}

// TestEndpoint: no two calls have the same discriminator, and a call keeps its
// own over a negotiation.
func TestEndpoint(t *testing.T) {
	endpoint := func(p ppp.Packet) []byte {
		for o := range ppp.Options(p.Data) {
			if o.Type == 19 {
				return o.Data
			}
		}
		return nil
	}
	s, c := serverConfig(), clientConfig()
	s.MRRU, c.MRRU = 1600, 1600
	w := newWire(t, s, c)
	w.filter = func(*end, Frame) bool { return false }
	w.start()
	w.run(2 * time.Second)
	sent := w.server.find(ppp.ProtocolLCP, cp.ConfigureRequest)
	other := w.client.find(ppp.ProtocolLCP, cp.ConfigureRequest)
	if len(sent) < 2 || len(other) == 0 {
		t.Fatalf("%d, %d requests", len(sent), len(other))
	}
	a, b := endpoint(sent[0]), endpoint(other[0])
	if len(a) != 1+endpointLen || a[0] != lcp.EndpointLocal || bytes.Equal(a, b) || !bytes.Equal(a, endpoint(sent[1])) {
		t.Errorf("%x, %x, %x", a, endpoint(sent[1]), b)
	}
	s.Rand = bytes.NewReader(nil)
	l := New(s)
	l.Start(start)
	for o, ok := l.Next(); ok; o, ok = l.Next() {
		if f, ok := o.(Frame); ok {
			if _, p := parse(f); endpoint(p) != nil {
				t.Errorf("without randomness %x", p.Data)
			}
		}
	}
}
