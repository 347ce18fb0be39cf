package cp

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/fsm"
)

var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

var errUnwilling = errors.New("unwilling")

// A toy is a protocol with a few options, and one of the sort that fails.
type toy struct {
	*Machine
	t      testing.TB
	now    time.Time
	resets int
	ask    byte
	set    map[string][]byte
	must   bool // the option 1 must not be rejected
	prompt bool // for option 4
}

func newToy(t testing.TB, timing Timing) *toy {
	y := &toy{t: t, now: start, ask: 10}
	y.Machine = New(Config{
		Timing: timing,
		Reset:  func() { y.resets++; y.set = map[string][]byte{} },
		Options: []Option{{
			Type: 1, Name: "number", Len: 1,
			Judge: func(d []byte) (Verdict, []byte) {
				if d[0] > 50 {
					return Nak, []byte{50}
				}
				return Ack, nil
			},
			Suggest: func() []byte { return []byte{50} },
			Set:     func(d []byte, ok bool) { y.note("number", d, ok) },
			Want:    func() ([]byte, bool) { return []byte{y.ask}, true },
			Naked:   func(d []byte) error { y.ask = d[0]; return nil },
			Refused: func() error {
				if y.must {
					return errUnwilling
				}
				return nil
			},
		}, {
			Type: 2, Name: "flag", Len: 0,
			Judge: func([]byte) (Verdict, []byte) { return Ack, nil },
			Set:   func(d []byte, ok bool) { y.note("flag", d, ok) },
		}, {
			Type: 3, Name: "wish", Len: AnyLen,
			Want: func() ([]byte, bool) { return []byte("w"), true },
		}, {
			Type: 4, Name: "prompted", Len: 1,
			Judge:   func([]byte) (Verdict, []byte) { return Ack, nil },
			Missing: func() ([]byte, bool) { return []byte{4}, y.prompt },
		}},
	})
	return y
}

func (y *toy) note(name string, d []byte, ok bool) {
	delete(y.set, name)
	if ok {
		y.set[name] = bytes.Clone(d)
	}
}

// outs takes the queue.
func (y *toy) outs() []Output {
	var all []Output
	for o, ok := y.Next(); ok; o, ok = y.Next() {
		all = append(all, o)
	}
	return all
}

// say gives a packet and returns what comes out.
func (y *toy) say(code, id uint8, data string) []Output {
	y.Input(y.now, ppp.Packet{Code: code, ID: id, Data: []byte(data)})
	return y.outs()
}

// want asserts the outputs: a code for a packet, minus the kind for the others.
func (y *toy) want(got []Output, want ...int) {
	y.t.Helper()
	var have []int
	for _, o := range got {
		if o.Kind == Send {
			have = append(have, int(o.Packet.Code))
		} else {
			have = append(have, -int(o.Kind))
		}
	}
	if len(have) != len(want) {
		y.t.Fatalf("outputs %v, want %v", have, want)
	}
	for i := range want {
		if have[i] != want[i] {
			y.t.Fatalf("outputs %v, want %v", have, want)
		}
	}
}

// request starts the toy and returns its first request.
func (y *toy) request() ppp.Packet {
	y.t.Helper()
	y.Open(y.now)
	y.outs() // Started
	y.Up(y.now)
	o := y.outs()
	y.want(o, ConfigureRequest)
	return o[0].Packet
}

// open brings it to Opened.
func (y *toy) open() {
	y.t.Helper()
	r := y.request()
	y.want(y.say(ConfigureAck, r.ID, string(r.Data)))
	y.want(y.say(ConfigureRequest, 1, "\x01\x03\x07"), ConfigureAck, -int(Up))
	if !y.Opened() {
		y.t.Fatal("not open")
	}
}

func TestOpen(t *testing.T) {
	y := newToy(t, Timing{})
	y.open()
	if y.resets != 1 || string(y.set["number"]) != "\x07" {
		t.Errorf("resets %d, set %v", y.resets, y.set)
	}
	if _, ok := y.Deadline(); ok {
		t.Error("the timer runs")
	}
}

// TestRejectBeatsNakBeatsAck is RFC 1661, sections 5.2 to 5.4.
func TestRejectBeatsNakBeatsAck(t *testing.T) {
	rows := []struct {
		name, in string
		code     int
		out      string
	}{
		{"all fine", "\x01\x03\x07\x02\x02", ConfigureAck, "\x01\x03\x07\x02\x02"},
		{"empty", "", ConfigureAck, ""},
		{"one bad value", "\x02\x02\x01\x03\xff", ConfigureNak, "\x01\x03\x32"},
		{"wrong length", "\x01\x04\x07\x07", ConfigureNak, "\x01\x03\x32"},
		{"wrong length, no suggestion", "\x02\x03\x07", ConfigureReject, "\x02\x03\x07"},
		{"unknown", "\x63\x02", ConfigureReject, "\x63\x02"},
		{"known, but not from the peer", "\x03\x03w", ConfigureReject, "\x03\x03w"},
		{"unknown among others", "\x01\x03\xff\x63\x03x\x02\x02", ConfigureReject, "\x63\x03x"},
		{"twice", "\x01\x03\x07\x01\x03\x08", ConfigureReject, "\x01\x03\x08"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			y := newToy(t, Timing{})
			y.request()
			o := y.say(ConfigureRequest, 77, r.in)
			y.want(o, r.code)
			if p := o[0].Packet; p.ID != 77 || string(p.Data) != r.out {
				t.Errorf("answer id %d %x, want %x", p.ID, p.Data, r.out)
			}
			if r.code != ConfigureAck && len(y.set) != 0 {
				t.Errorf("set without an Ack: %v", y.set)
			}
		})
	}
}

func TestMissingIsPrompted(t *testing.T) {
	y := newToy(t, Timing{})
	y.prompt = true
	y.request()
	o := y.say(ConfigureRequest, 1, "\x01\x03\x07")
	y.want(o, ConfigureNak)
	if string(o[0].Packet.Data) != "\x04\x03\x04" {
		t.Errorf("Nak %x", o[0].Packet.Data)
	}
	y.want(y.say(ConfigureRequest, 2, "\x04\x03\x09"), ConfigureAck)
}

// TestSetForgets: an option that is no longer in the request is unset.
func TestSetForgets(t *testing.T) {
	y := newToy(t, Timing{})
	y.request()
	y.say(ConfigureRequest, 1, "\x02\x02")
	if _, ok := y.set["flag"]; !ok {
		t.Fatal("not set")
	}
	y.say(ConfigureRequest, 2, "")
	if _, ok := y.set["flag"]; ok {
		t.Error("still set")
	}
}

func TestMalformedIsDiscarded(t *testing.T) {
	y := newToy(t, Timing{})
	r := y.request()
	for _, data := range []string{"\x01", "\x01\x00", "\x01\x01\x00", "\x01\x04\x07", "\x02\x02\x01\xff"} {
		for _, code := range []uint8{ConfigureRequest, ConfigureNak, ConfigureReject} {
			y.want(y.say(code, r.ID, data))
		}
	}
	y.want(y.say(CodeReject, 1, ""))
}

// TestMaxFailure: after five Naks in a row they become Rejects.
func TestMaxFailure(t *testing.T) {
	y := newToy(t, Timing{})
	y.prompt = true
	y.request()
	for id := range uint8(5) {
		for range 3 { // copies do not count
			y.want(y.say(ConfigureRequest, id, "\x01\x03\xff"), ConfigureNak)
		}
	}
	o := y.say(ConfigureRequest, 5, "\x01\x03\xff")
	y.want(o, ConfigureReject)
	if string(o[0].Packet.Data) != "\x01\x03\xff" {
		t.Errorf("rejected %x", o[0].Packet.Data)
	}
	y.want(y.say(ConfigureRequest, 6, ""), ConfigureAck) // nor is anything prompted for
}

func TestAckMustMatch(t *testing.T) {
	y := newToy(t, Timing{})
	r := y.request()
	y.want(y.say(ConfigureAck, r.ID+1, string(r.Data)))
	y.want(y.say(ConfigureAck, r.ID, string(r.Data)+"\x02\x02"))
	y.want(y.say(ConfigureAck, r.ID, ""))
	if y.State() != fsm.ReqSent {
		t.Fatal(y.State())
	}
	y.want(y.say(ConfigureAck, r.ID, string(r.Data)))
	if y.State() != fsm.AckRcvd {
		t.Fatal(y.State())
	}
	y.want(y.say(ConfigureAck, r.ID, string(r.Data))) // a copy
	y.want(y.say(ConfigureNak, r.ID, "\x01\x03\x05")) // nonsense
	if y.State() != fsm.AckRcvd {
		t.Fatal(y.State())
	}
}

func TestNakAndReject(t *testing.T) {
	y := newToy(t, Timing{})
	r := y.request()
	if string(r.Data) != "\x01\x03\x0a\x03\x03w" {
		t.Fatalf("request %x", r.Data)
	}
	o := y.say(ConfigureNak, r.ID, "\x01\x03\x05\x63\x03x\x01\x02")
	y.want(o, ConfigureRequest)
	r2 := o[0].Packet
	if string(r2.Data) != "\x01\x03\x05\x03\x03w" || r2.ID == r.ID {
		t.Fatalf("request id %d %x", r2.ID, r2.Data)
	}
	y.want(y.say(ConfigureReject, r2.ID, "\x63\x02")) // not ours
	o = y.say(ConfigureReject, r2.ID, "\x03\x03w")
	y.want(o, ConfigureRequest)
	if string(o[0].Packet.Data) != "\x01\x03\x05" {
		t.Errorf("request %x", o[0].Packet.Data)
	}
}

func TestFailed(t *testing.T) {
	y := newToy(t, Timing{})
	y.must = true
	r := y.request()
	o := y.say(ConfigureReject, r.ID, "\x01\x03\x0a")
	y.want(o, -int(Failed))
	if !errors.Is(o[0].Err, errUnwilling) {
		t.Error(o[0].Err)
	}
}

// TestNotConverging: Naks for ever restart the RFC's counter each time.
func TestNotConverging(t *testing.T) {
	y := newToy(t, Timing{})
	r := y.request()
	for range 100 {
		o := y.say(ConfigureNak, r.ID, "\x01\x03\x05")
		if len(o) == 1 && o[0].Kind == Failed {
			if o[0].Err != ErrNotConverging {
				t.Error(o[0].Err)
			}
			return
		}
		y.want(o, ConfigureRequest)
		r = o[0].Packet
	}
	t.Error("still following")
}
