package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// vector joins a message written as in the figures of RFC 2637: hex with
// spaces, and text fields in quotes, as "name"64, filled with zeros.
func vector(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for _, f := range strings.Fields(s) {
		if rest, ok := strings.CutPrefix(f, `"`); ok {
			txt, size, _ := strings.Cut(rest, `"`)
			n := map[string]int{"64": 64, "128": 128}[size]
			b = append(b, txt...)
			b = append(b, make([]byte, n-len(txt))...)
			continue
		}
		h, err := hex.DecodeString(f)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, h...)
	}
	return b
}

// checkMessage holds m against its wire form, both ways, and tries the faults
// that every message can have. reserved lists the octets of reserved fields
// besides Reserved0.
func checkMessage(t *testing.T, m Message, want []byte, reserved ...int) {
	t.Helper()
	fresh := func() Message { return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message) }

	if got := m.Append([]byte("x")); !bytes.Equal(got, append([]byte("x"), want...)) {
		t.Fatalf("Append:\n got %x\nwant 78%x", got, want)
	}
	if m.Len() != len(want) {
		t.Errorf("Len = %d, want %d", m.Len(), len(want))
	}
	p := fresh()
	if err := p.Parse(want); err != nil || !reflect.DeepEqual(p, m) {
		t.Fatalf("Parse = %+v, %v; want %+v", p, err, m)
	}
	d, n, err := Decode(append(bytes.Clone(want), want...))
	if err != nil || n != len(want) || !reflect.DeepEqual(d, m) {
		t.Errorf("Decode of two = %+v, %d, %v", d, n, err)
	}

	for i := range want {
		if err := fresh().Parse(want[:i]); !errors.Is(err, ErrIncomplete) {
			t.Errorf("Parse of %d octets: %v", i, err)
		}
		if _, n, err := Decode(want[:i]); n != 0 || !errors.Is(err, ErrIncomplete) {
			t.Errorf("Decode of %d octets: %d, %v", i, n, err)
		}
	}
	if err := fresh().Parse(append(bytes.Clone(want), 0)); !errors.Is(err, ErrLength) {
		t.Errorf("Parse of an octet too many: %v", err)
	}
	for _, off := range append([]int{10, 11}, reserved...) {
		b := bytes.Clone(want)
		if b[off] != 0 {
			t.Errorf("reserved octet %d is written as %#x", off, b[off])
		}
		b[off] = 0xff
		p := fresh()
		if err := p.Parse(b); err != nil || !reflect.DeepEqual(p, m) {
			t.Errorf("reserved octet %d is heeded: %+v, %v", off, p, err)
		}
	}

	// Faults; after each the message is as it was.
	fault := func(name string, want error, change func(b []byte)) {
		t.Helper()
		b := m.Append(nil)
		change(b)
		p := fresh()
		if err := p.Parse(b); !errors.Is(err, want) {
			t.Errorf("%s: Parse: %v", name, err)
		}
		if !reflect.DeepEqual(p, fresh()) {
			t.Errorf("%s: Parse changed the message", name)
		}
		if _, _, err := Decode(b); want != ErrType && !errors.Is(err, want) {
			t.Errorf("%s: Decode: %v", name, err)
		}
	}
	fault("cookie", ErrCookie, func(b []byte) { b[7]++ })
	fault("management", ErrMessageType, func(b []byte) { b[3] = 2 })
	fault("no type", ErrType, func(b []byte) { b[9] = 0 })
	for _, n := range []int{0, 1, 11, 12, m.Len() - 1, m.Len() + 1, MaxLen + 1, 65535} {
		fault("CVE-2003-0213 length", ErrLength, func(b []byte) { binary.BigEndian.PutUint16(b, uint16(n)) })
	}
}

func TestDecodeUnknown(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		n    int
		err  error
	}{
		{"type 0", "000c 0001 1a2b3c4d 0000 0000", 12, ErrType},
		{"type 16", "0010 0001 1a2b3c4d 0010 0000 deadbeef", 16, ErrType},
		{"type 16, cut", "0010 0001 1a2b3c4d 0010 0000 deadbe", 0, ErrIncomplete},
		{"management", "0010 0002 1a2b3c4d 0005 0000 deadbeef", 16, ErrMessageType},
		{"management of another length", "000c 0002 1a2b3c4d 0005 0000", 12, ErrMessageType},
		{"unknown and too long", "00dd 0001 1a2b3c4d 0010 0000", 0, ErrLength},
	} {
		m, n, err := Decode(vector(t, tt.in))
		if m != nil || n != tt.n || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %d, %v; want %d, %v", tt.name, m, n, err, tt.n, tt.err)
		}
	}
}

// A liar is found out by the first octets that show the lie.
func TestDecodeEarly(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		err  error
	}{
		{"CVE-2003-0213: length 0", "0000", ErrLength},
		{"CVE-2003-0213: length 1", "0001", ErrLength},
		{"length 65535", "ffff", ErrLength},
		{"TLS", "1603", ErrLength},
		{"cookie", "009c 0001 1a2b3c4e", ErrCookie},
		{"cookie, little endian", "009c 0001 4d3c2b1a", ErrCookie},
		{"wrong for type", "00a8 0001 1a2b3c4d 0001", ErrLength},
		{"CVE-2001-1183: header only", "000c 0001 1a2b3c4d 0007", ErrLength},
	} {
		if _, n, err := Decode(vector(t, tt.in)); n != 0 || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d, %v; want %v", tt.name, n, err, tt.err)
		}
	}
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		got  interface{ String() string }
		want string
	}{
		{Version1, "1.0"},
		{Version(0x0203), "2.3"},
		{TypeStartControlConnectionRequest, "Start-Control-Connection-Request"},
		{TypeSetLinkInfo, "Set-Link-Info"},
		{Type(99), "control message type 99"},
		{ErrorBadCallID, "Bad-Call ID"},
		{ErrorCode(7), "error code 7"},
		{StartNotAuthorized, "Requester is not authorized to establish a command channel"},
		{StopLocalShutdown, "Stop-Local-Shutdown"},
		{StopReason(9), "stop reason 9"},
		{StopOK, "OK"},
		{EchoGeneralError, "General error"},
		{OutgoingNoDialTone, "No Dial Tone"},
		{OutgoingResult(0), "outgoing call result 0"},
		{IncomingDoNotAccept, "Do Not Accept"},
		{DisconnectAdminShutdown, "Admin Shutdown"},
		{DisconnectResult(5), "disconnect result 5"},
	} {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.got, got, tt.want)
		}
	}
	seen := map[string]Type{}
	for ty := TypeStartControlConnectionRequest; ty <= TypeSetLinkInfo; ty++ {
		if o, ok := seen[ty.String()]; ok {
			t.Errorf("types %d and %d are both %v", o, ty, ty)
		}
		seen[ty.String()] = ty
		if m := newMessage(ty); m.Type() != ty || m.Len() != ty.length() {
			t.Errorf("%v: message has type %v, length %d", ty, m.Type(), m.Len())
		}
	}
}

// Texts that do not fit are cut, and a length field does not lie about it.
func TestTextCut(t *testing.T) {
	long := strings.Repeat("7", 300)
	for _, m := range []Message{
		&StartControlConnectionRequest{HostName: long, VendorName: long},
		&OutgoingCallRequest{PhoneNumber: long, Subaddress: long},
		&IncomingCallRequest{DialedNumber: long, DialingNumber: long, Subaddress: long},
		&CallDisconnectNotify{Statistics: long},
	} {
		b := m.Append(nil)
		if len(b) != m.Len() {
			t.Errorf("%v: %d octets", m.Type(), len(b))
		}
		got, _, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if again := got.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%v: a cut text does not survive", m.Type())
		}
	}
}

func TestNumberLengthLies(t *testing.T) {
	b := (&OutgoingCallRequest{PhoneNumber: "5551212"}).Append(nil)
	for n, want := range map[uint16]string{0: "", 3: "555", 7: "5551212", 65: "5551212", 65535: "5551212"} {
		binary.BigEndian.PutUint16(b[36:], n)
		var m OutgoingCallRequest
		if err := m.Parse(b); err != nil || m.PhoneNumber != want {
			t.Errorf("length %d: %q, %v", n, m.PhoneNumber, err)
		}
	}
}

func TestAppendAllocs(t *testing.T) {
	buf := make([]byte, 0, MaxLen)
	for ty := TypeStartControlConnectionRequest; ty <= TypeSetLinkInfo; ty++ {
		m := newMessage(ty)
		if n := testing.AllocsPerRun(100, func() { m.Append(buf) }); n != 0 {
			t.Errorf("%v: Append allocates %v times", ty, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for ty := TypeStartControlConnectionRequest; ty <= TypeSetLinkInfo; ty++ {
		f.Add(newMessage(ty).Append(nil))
	}
	f.Add((&StartControlConnectionRequest{HostName: "a", VendorName: strings.Repeat("v", TextLen)}).Append(nil))
	f.Add((&IncomingCallRequest{DialedNumber: "12", DialingNumber: "3"}).Append(nil))
	f.Add([]byte("\x00\x10\x00\x02\x1a\x2b\x3c\x4d\x00\x05\x00\x00\xde\xad\xbe\xef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, n, err := Decode(b)
		if err != nil {
			if m != nil {
				t.Fatalf("a message besides %v", err)
			}
			if step := errors.Is(err, ErrType) || errors.Is(err, ErrMessageType); step != (n >= HeaderLen) || n > len(b) {
				t.Fatalf("n = %d with %v", n, err)
			}
			return
		}
		out := m.Append(nil)
		if len(out) != n || m.Len() != n {
			t.Fatalf("%v: %d octets in, %d out, Len %d", m.Type(), n, len(out), m.Len())
		}
		again, n2, err := Decode(out)
		if err != nil || n2 != n || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v came back as %+v, %v", m, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	in := (&OutgoingCallRequest{CallID: 1, Window: 64}).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m := &OutgoingCallReply{CallID: 1, PeerCallID: 2, Result: OutgoingConnected}
	buf := make([]byte, 0, MaxLen)
	b.ReportAllocs()
	for b.Loop() {
		m.Append(buf)
	}
}
