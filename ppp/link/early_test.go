package link

import (
	"testing"

	"gopptp/ppp"
)

func TestEarly(t *testing.T) {
	var e early
	packet := []byte("\x01first")
	e.keep(ppp.ProtocolCCP, packet)
	clear(packet) // a copy is kept
	e.keep(ppp.ProtocolIPCP, []byte("\x01other"))
	e.keep(ppp.ProtocolCCP, []byte("\x05second"))
	e.keep(ppp.ProtocolCCP, []byte("\x01newer"))
	e.keep(ppp.ProtocolCCP, nil)
	e.keep(ppp.ProtocolCCP, make([]byte, maxKeptLen+1))
	got := e.take(ppp.ProtocolCCP)
	if len(got) != 2 || string(got[0]) != "\x05second" || string(got[1]) != "\x01newer" {
		t.Errorf("took %q", got)
	}
	if len(e.take(ppp.ProtocolCCP)) != 0 || len(e.take(ppp.ProtocolIPCP)) != 1 {
		t.Error("took another's packets")
	}
	for code := range 256 {
		e.keep(ppp.ProtocolCCP, []byte{byte(code)})
	}
	if n := len(e.take(ppp.ProtocolCCP)); n != maxKept {
		t.Errorf("%d packets kept", n)
	}
}
