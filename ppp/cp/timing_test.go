package cp

import (
	"bytes"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/fsm"
)

// TestTimers is RFC 1661, section 4.6: ten requests, then This-Layer-Finished;
// the same identifier, since the request is the same.
func TestTimers(t *testing.T) {
	y := newToy(t, Timing{First: time.Second})
	r := y.request()
	want := []time.Duration{1, 2, 3, 3, 3, 3, 3, 3, 3}
	for i, d := range want {
		at, ok := y.Deadline()
		if !ok || at.Sub(y.now) != d*time.Second {
			t.Fatalf("wait %d is %v", i, at.Sub(y.now))
		}
		y.Tick(at.Add(-1))
		y.want(y.outs())
		y.now = at
		y.Tick(at)
		o := y.outs()
		y.want(o, ConfigureRequest)
		if o[0].Packet.ID != r.ID || !bytes.Equal(o[0].Packet.Data, r.Data) {
			t.Errorf("retransmission %d differs", i)
		}
	}
	y.now, _ = y.Deadline()
	y.Tick(y.now)
	o := y.outs()
	y.want(o, -int(Finished))
	if o[0].Err != ErrTimeout || y.State() != fsm.Stopped {
		t.Errorf("%v in %v", o[0].Err, y.State())
	}
	// In Stopped a request of the peer starts anew.
	y.want(y.say(ConfigureRequest, 1, ""), ConfigureRequest, ConfigureAck)
}

func TestClose(t *testing.T) {
	y := newToy(t, Timing{Terminate: time.Second})
	y.open()
	y.Close(y.now)
	y.want(y.outs(), -int(Down), TerminateRequest)
	y.now = y.now.Add(time.Second)
	y.Tick(y.now)
	o := y.outs()
	y.want(o, TerminateRequest)
	y.want(y.say(ConfigureRequest, 9, "")) // no longer of interest
	fin := y.say(TerminateAck, o[0].Packet.ID, "")
	y.want(fin, -int(Finished))
	if fin[0].Err != nil || y.State() != fsm.Closed {
		t.Errorf("%v in %v", fin[0].Err, y.State())
	}
	o = y.say(ConfigureRequest, 10, "\x01")
	y.want(o, TerminateAck)
	if o[0].Packet.ID != 10 {
		t.Errorf("id %d", o[0].Packet.ID)
	}
	o = y.say(ConfigureAck, 11, "")
	y.want(o, TerminateAck)
	o = y.say(ConfigureNak, 12, "")
	y.want(o, TerminateAck)
}

func TestTerminatedByPeer(t *testing.T) {
	y := newToy(t, Timing{})
	y.open()
	o := y.say(TerminateRequest, 5, "bye")
	y.want(o, -int(Down), TerminateAck)
	if o[0].Err != ErrTerminated || o[1].Packet.ID != 5 || len(o[1].Packet.Data) != 0 {
		t.Errorf("%v, %+v", o[0].Err, o[1].Packet)
	}
	y.now, _ = y.Deadline()
	y.Tick(y.now)
	o = y.outs()
	y.want(o, -int(Finished))
	if o[0].Err != ErrTerminated {
		t.Error(o[0].Err)
	}
}

func TestRejected(t *testing.T) {
	y := newToy(t, Timing{})
	y.request()
	y.Rejected(y.now)
	o := y.outs()
	y.want(o, -int(Finished))
	if o[0].Err != ErrRejected {
		t.Error(o[0].Err)
	}
	y = newToy(t, Timing{})
	y.open()
	y.want(y.say(CodeReject, 1, "\x09\x01\x00\x04")) // a code that we can do without
	o = y.say(CodeReject, 1, "\x02\x01\x00\x04")
	y.want(o, -int(Down), TerminateRequest)
	if o[0].Err != ErrRejected {
		t.Error(o[0].Err)
	}
}

func TestUnknownCode(t *testing.T) {
	y := newToy(t, Timing{})
	y.open()
	o := y.say(99, 5, string(make([]byte, 3000)))
	y.want(o, CodeReject)
	if d := o[0].Packet.Data; len(d) != maxRejected || d[0] != 99 || d[1] != 5 {
		t.Errorf("%d octets %x", len(d), d[:4])
	}
}

// TestRenegotiate: another request in Opened starts over (RFC 1661, section 4.1).
func TestRenegotiate(t *testing.T) {
	y := newToy(t, Timing{})
	y.open()
	o := y.say(ConfigureRequest, 2, "\x01\x03\x08")
	y.want(o, -int(Down), ConfigureRequest, ConfigureAck)
	if o[0].Err != nil || y.resets != 2 {
		t.Errorf("%v, %d resets", o[0].Err, y.resets)
	}
	y.want(y.say(ConfigureAck, o[1].Packet.ID, string(o[1].Packet.Data)), -int(Up))
	o = y.say(TerminateAck, 1, "") // a peer that lost its state
	y.want(o, -int(Down), ConfigureRequest)
}

func TestRepeated(t *testing.T) {
	y := newToy(t, Timing{})
	y.open()
	y.now = y.now.Add(repeatWindow - 1)
	y.want(y.say(ConfigureRequest, 1, "\x01\x03\x07"), ConfigureAck)
	y.now = y.now.Add(1)
	y.want(y.say(ConfigureRequest, 1, "\x01\x03\x07"), -int(Down), ConfigureRequest, ConfigureAck)
}

// TestEarlyTerminateAck: we ask again soon, then less often.
func TestEarlyTerminateAck(t *testing.T) {
	y := newToy(t, Timing{})
	y.request()
	wait := earlyRetry
	for range 4 {
		y.want(y.say(TerminateAck, 1, ""))
		at, _ := y.Deadline()
		if at.Sub(y.now) != wait {
			t.Fatalf("wait %v, want %v", at.Sub(y.now), wait)
		}
		y.now = at
		y.Tick(at)
		y.want(y.outs(), ConfigureRequest)
		wait *= 2
	}
}

// TestRTT measures only what was sent once.
func TestRTT(t *testing.T) {
	y := newToy(t, Timing{First: time.Second})
	r := y.request()
	if _, ok := y.RTT(); ok {
		t.Error("measured nothing")
	}
	y.now = y.now.Add(time.Second)
	y.Tick(y.now)
	y.outs()
	y.now = y.now.Add(time.Second)
	o := y.say(ConfigureNak, r.ID, "\x01\x03\x05")
	if _, ok := y.RTT(); ok {
		t.Error("measured a repeated request")
	}
	y.now = y.now.Add(70 * time.Millisecond)
	y.say(ConfigureAck, o[0].Packet.ID, string(o[0].Packet.Data))
	if rtt, ok := y.RTT(); !ok || rtt != 70*time.Millisecond {
		t.Errorf("RTT %v", rtt)
	}
}

func TestInputDoesNotRetain(t *testing.T) {
	y := newToy(t, Timing{})
	y.request()
	data := []byte("\x01\x03\x07")
	y.Input(y.now, ppp.Packet{Code: ConfigureRequest, ID: 1, Data: data})
	clear(data)
	o := y.outs()
	if string(o[0].Packet.Data) != "\x01\x03\x07" || string(y.set["number"]) != "\x07" {
		t.Errorf("%x", o[0].Packet.Data)
	}
}

func FuzzMachine(f *testing.F) {
	seed := func(ps ...ppp.Packet) {
		var b []byte
		for i := range ps {
			b = ps[i].Append(b)
		}
		f.Add(b)
	}
	seed(ppp.Packet{Code: 1, ID: 1, Data: []byte("\x01\x03\x07\x02\x02")}, ppp.Packet{Code: 2, ID: 1, Data: []byte("\x01\x03\x0a\x03\x03w")})
	seed(ppp.Packet{Code: 3, ID: 1, Data: []byte("\x01\x03\x05")}, ppp.Packet{Code: 4, ID: 2, Data: []byte("\x03\x03w")})
	seed(ppp.Packet{Code: 5, ID: 1}, ppp.Packet{Code: 6, ID: 1}, ppp.Packet{Code: 7, ID: 1, Data: []byte{1}}, ppp.Packet{Code: 14})
	f.Fuzz(func(t *testing.T, b []byte) {
		y := newToy(t, Timing{})
		y.request()
		for {
			var p ppp.Packet
			if p.Parse(b) != nil {
				return
			}
			b = b[p.Len():]
			for _, o := range y.say(p.Code, p.ID, string(p.Data)) {
				if o.Kind != Send {
					continue
				}
				if limit := max(p.Len(), 64) + maxRejected; o.Packet.Len() > limit {
					t.Fatalf("%d octets made %d", p.Len(), o.Packet.Len())
				}
				if c := o.Packet.Code; c >= ConfigureRequest && c <= ConfigureReject && ppp.CheckOptions(o.Packet.Data) != nil {
					t.Fatalf("malformed options %x", o.Packet.Data)
				}
			}
			y.now = y.now.Add(time.Second)
			y.Tick(y.now)
			y.outs()
		}
	})
}
