package xdp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/cilium/ebpf"

	"gopptp/internal/host/hosttest"
)

const xdpRedirect = 4 // XDP_REDIRECT of linux/bpf.h

// callFrame is a frame with a packet of a call from peer to local, as it stands on the wire.
func callFrame(id uint16, peer, local netip.Addr, payload int) []byte {
	w := newWay(peer, local)
	frame := make([]byte, frameSize)
	return frame[:w.write(frame, grePacket(id, make([]byte, payload)))]
}

// grePacket is an enhanced GRE packet (RFC 2637, section 4.1) for a Call ID, without
// sequence and acknowledgement.
func grePacket(id uint16, payload []byte) []byte {
	b := []byte{0x20, 0x01, 0x88, 0x0b}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	b = binary.BigEndian.AppendUint16(b, id)
	return append(b, payload...)
}

// set changes octets of a copy of a frame.
func set(frame []byte, at int, octets ...byte) []byte {
	frame = bytes.Clone(frame)
	copy(frame[at:], octets)
	return frame
}

// ours is the rule of the program once more, told plainly.
func ours(frame []byte, calls map[uint16]addresses) bool {
	if len(frame) < 14+20+8 {
		return false
	}
	ip, gre := frame[14:34], frame[34:42]
	for _, b := range []struct{ is, want byte }{
		{frame[12], 0x08}, {frame[13], 0x00}, // IPv4
		{ip[0], 0x45},                  // without options
		{ip[6] &^ 0xc0, 0}, {ip[7], 0}, // no fragment
		{ip[9], 47},                            // GRE
		{gre[0] & 0x20, 0x20}, {gre[1] & 7, 1}, // with a key, version 1
		{gre[2], 0x88}, {gre[3], 0x0b}, // of PPP
	} {
		if b.is != b.want {
			return false
		}
	}
	call, ok := calls[uint16(gre[6])<<8|uint16(gre[7])]
	return ok && call.Peer == [4]byte(ip[12:16]) && call.Local == [4]byte(ip[16:20])
}

// judge runs a program over a frame, as the kernel does for queue 0 of an interface.
func judge(t *testing.T, program *ebpf.Program, frame []byte) uint32 {
	t.Helper()
	verdict, after, err := program.Test(frame)
	if err != nil {
		t.Fatalf("run the program over %d octets: %v", len(frame), err)
	}
	if !bytes.Equal(after, frame) {
		t.Fatalf("the program has changed the frame % x to % x", frame, after)
	}
	return verdict
}

func TestRequiresRootProgram(t *testing.T) {
	p := openPorts(t, cable(t), "eth0")
	program := p.ports[0].program
	const id, released = 0x1234, 0x4321
	if err := p.Steer(id, addrA, addrB); err != nil {
		t.Fatal(err)
	}
	good := callFrame(id, addrB, addrA, 100)
	for _, test := range []struct {
		name  string
		frame []byte
		want  uint32
	}{
		{"packet of a call", good, xdpRedirect},
		{"only its headers", good[:headersLen], xdpRedirect},
		{"padded", append(bytes.Clone(good), 0, 0), xdpRedirect},
		{"don't fragment", set(good, atFragment, 0x40), xdpRedirect},
		{"the bit that must be zero", set(good, atFragment, 0x80), xdpRedirect},
		{"another service", set(good, atIP+1, 0xb8), xdpRedirect},
		{"sequence number", set(good, atGRE, 0x30), xdpRedirect},
		{"acknowledgement", set(good, atGRE+1, 0x81), xdpRedirect},
		{"another Ethernet address", set(good, 0, 1, 2, 3, 4, 5, 6), xdpRedirect},

		{"VLAN", append(append(bytes.Clone(good[:12]), 0x81, 0, 0, 5), good[12:]...), xdpPass},
		{"ARP", set(good, atEtherType, 8, 6), xdpPass},
		{"IPv6", set(good, atEtherType, 0x86, 0xdd), xdpPass},
		{"version 6", set(good, atIP, 0x65), xdpPass},
		{"options", append(append(set(good[:atGRE], atIP, 0x46), 1, 1, 1, 1), good[atGRE:]...), xdpPass},
		{"short header", set(good, atIP, 0x44), xdpPass},
		{"more fragments", set(good, atFragment, 0x20), xdpPass},
		{"later fragment", set(good, atFragment, 0, 1), xdpPass},
		{"much later fragment", set(good, atFragment, 0x1f, 0xff), xdpPass},
		{"don't fragment, later fragment", set(good, atFragment, 0x40, 1), xdpPass},
		{"TCP", set(good, atProtocol, 6), xdpPass},
		{"UDP", set(good, atProtocol, 17), xdpPass},
		{"GRE version 0", set(good, atGRE+1, 0), xdpPass},
		{"GRE version 2", set(good, atGRE+1, 2), xdpPass},
		{"GRE version 3", set(good, atGRE+1, 3), xdpPass},
		{"no key", set(good, atGRE, 0), xdpPass},
		{"GRE of Ethernet", set(good, atGRE+2, 0x65, 0x58), xdpPass},
		{"GRE of IPv4", set(good, atGRE+2, 0x08, 0x00), xdpPass},
		{"Call ID of nobody", set(good, atCallID, 0x12, 0x35), xdpPass},
		{"Call ID the other way round", set(good, atCallID, 0x34, 0x12), xdpPass},
		{"Call ID 0", set(good, atCallID, 0, 0), xdpPass},
		{"Call ID 65535", set(good, atCallID, 0xff, 0xff), xdpPass},
		{"another peer", callFrame(id, netip.MustParseAddr("192.0.2.3"), addrA, 100), xdpPass},
		{"another local address", callFrame(id, addrB, netip.MustParseAddr("192.0.2.3"), 100), xdpPass},
		{"from us to the peer", callFrame(id, addrA, addrB, 100), xdpPass},
		{"from 0.0.0.0 to 0.0.0.0", callFrame(7, netip.IPv4Unspecified(), netip.IPv4Unspecified(), 100), xdpPass},
	} {
		if got := judge(t, program, test.frame); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	for n := ethernetLen; n < headersLen; n++ { // the kernel tests with no less
		if got := judge(t, program, good[:n]); got != xdpPass {
			t.Errorf("a prefix of %d octets: %d, want %d", n, got, xdpPass)
		}
	}

	other := callFrame(released, addrB, addrA, 0)
	for _, step := range []struct {
		name string
		do   func() error
		want uint32
	}{
		{"never steered", func() error { return nil }, xdpPass},
		{"steered", func() error { return p.Steer(released, addrA, addrB) }, xdpRedirect},
		{"released", func() error { return p.Release(released) }, xdpPass},
		{"steered to another peer", func() error { return p.Steer(released, addrA, netip.MustParseAddr("192.0.2.9")) }, xdpPass},
		{"steered again", func() error { return p.Steer(released, addrA, addrB) }, xdpRedirect},
		{"steered for IPv6, which changes nothing", func() error { return p.Steer(released, netip.IPv6Loopback(), addrB) }, xdpRedirect},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := judge(t, program, other); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
}

// TestRequiresRootProgramWithoutSocket: where nobody receives, the kernel does.
func TestRequiresRootProgramWithoutSocket(t *testing.T) {
	hosttest.New(t) // only for its check of our rights
	calls, err := newCalls()
	if err != nil {
		t.Fatal(err)
	}
	defer calls.Close()
	sockets, err := newSockets(1)
	if err != nil {
		t.Fatal(err)
	}
	defer sockets.Close()
	program, err := newProgram(calls, sockets, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := calls.Put(uint32(9), addresses{Peer: addrB.As4(), Local: addrA.As4()}); err != nil {
		t.Fatal(err)
	}
	if got := judge(t, program, callFrame(9, addrB, addrA, 50)); got != xdpPass {
		t.Errorf("%d, want %d", got, xdpPass)
	}
}

// TestRequiresRootProgramRandom compares the program with the rule over frames of which
// some octets were changed at random.
func TestRequiresRootProgramRandom(t *testing.T) {
	p := openPorts(t, cable(t), "eth0")
	calls := map[uint16]addresses{}
	for _, id := range []uint16{1, 2, 0x0100, 0x8000, 0xffff} {
		peer := netip.AddrFrom4([4]byte{192, 0, 2, byte(id)})
		calls[id] = addresses{Peer: peer.As4(), Local: addrA.As4()}
		if err := p.Steer(id, addrA, peer); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	var taken, passed int
	for range 6000 {
		id := []uint16{1, 2, 0x0100, 0x8000, 0xffff, 3}[r.IntN(6)]
		f := callFrame(id, netip.AddrFrom4([4]byte{192, 0, 2, byte(id)}), addrA, r.IntN(60))
		for range r.IntN(3) {
			at := r.IntN(headersLen)
			if r.IntN(2) == 0 {
				f[at] ^= 1 << r.IntN(8)
			} else {
				f[at] = byte(r.IntN(256))
			}
		}
		if r.IntN(8) == 0 {
			f = f[:ethernetLen+r.IntN(len(f)-ethernetLen)]
		}
		want := uint32(xdpPass)
		if ours(f, calls) {
			want = xdpRedirect
			taken++
		} else {
			passed++
		}
		if got := judge(t, p.ports[0].program, f); got != want {
			t.Fatalf("seed %d: %d, want %d, for % x", seed, got, want, f)
		}
	}
	if taken < 1000 || passed < 1000 {
		t.Errorf("%d were taken and %d passed: the comparison says little", taken, passed)
	}
}
