package soak

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// What the path does to packets, as parts of all.
const (
	lossPart  = 0.01
	twicePart = 0.01
	swapPart  = 0.02
)

const (
	// holdTime is how long a packet waits for another that may overtake it.
	holdTime = 5 * time.Millisecond
	// maxFrame is room for what the kernel cuts into packets later.
	maxFrame = 1 << 17
	// relayBuffer is room for what a machine sends at once, so that the path loses
	// only what it means to.
	relayBuffer = 16 << 20
)

// What stands before a frame: the header that packet sockets exchange about
// checksums that are not computed yet (virtio_net_hdr).
const offloadLen = 10

// Places in a frame with that header.
const (
	typeAt     = offloadLen + 12
	protocolAt = offloadLen + 14 + 9
)

// A relay is a bad path between two machines, on which IPv4 packets are lost, come
// twice or are overtaken by the next.
type relay struct {
	dark atomic.Bool // it carries no GRE

	passed, lost, twice, swapped atomic.Int64
	darkened                     [2]atomic.Int64 // by the side that they came from
}

// The sides of a relay.
const (
	serverSide = iota
	clientSide
)

// connect puts a relay between a server and a client, with the addresses of
// rig.Plug, until the end of the test.
func connect(t *testing.T, server, client *rig.Machine, seed uint64) *relay {
	t.Helper()
	r := &relay{}
	middle := hosttest.New(t)
	var ports [2]*os.File
	for i, end := range []struct {
		machine *rig.Machine
		name    string
		address string
	}{
		serverSide: {server, "to-server", rig.ServerAddress},
		clientSide: {client, "to-client", rig.ClientAddress},
	} {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: middle, Name: end.name, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)}, // of no use
			hosttest.Port{In: end.machine.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(end.address + "/24")})
		ports[i] = port(t, middle, end.name)
	}
	var running sync.WaitGroup
	for side, from := range ports {
		running.Go(func() { r.carry(side, from, ports[1-side], rand.New(rand.NewPCG(seed, uint64(side)))) })
	}
	t.Cleanup(func() {
		ports[0].Close()
		ports[1].Close()
		running.Wait()
	})
	return r
}

// port opens an interface for all that comes in on it, whomever it is for.
func port(t *testing.T, in *hosttest.Namespace, name string) *os.File {
	t.Helper()
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
	var fd int
	in.Do(func() {
		iface, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
			unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, relayBuffer),
			unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
				&unix.PacketMreq{Ifindex: int32(iface.Index), Type: unix.PACKET_MR_PROMISC}),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: iface.Index}),
		)
		if err != nil {
			t.Fatal(err)
		}
	})
	return os.NewFile(uintptr(fd), name)
}

// carry takes frames from one side to the other until a port is closed.
func (r *relay) carry(side int, from, to *os.File, dice *rand.Rand) {
	buf := make([]byte, maxFrame)
	var held []byte // will be overtaken
	release := func() {
		if len(held) > 0 {
			r.send(to, held)
			held = held[:0]
			_ = from.SetReadDeadline(time.Time{})
		}
	}
	for {
		n, err := from.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			release()
			continue
		case err != nil:
			return
		}
		frame := buf[:n]
		if n <= protocolAt || binary.BigEndian.Uint16(frame[typeAt:]) != unix.ETH_P_IP {
			r.send(to, frame)
			continue
		}
		if r.dark.Load() && frame[protocolAt] == unix.IPPROTO_GRE {
			r.darkened[side].Add(1)
			continue
		}
		switch p := dice.Float64(); {
		case p < lossPart:
			r.lost.Add(1)
			continue
		case p < lossPart+twicePart:
			r.twice.Add(1)
			r.send(to, frame)
		case p < lossPart+twicePart+swapPart && len(held) == 0:
			r.swapped.Add(1)
			held = append(held, frame...)
			_ = from.SetReadDeadline(time.Now().Add(holdTime))
			continue
		}
		r.send(to, frame)
		release()
	}
}

// send gives a frame to a port. A full queue loses it, as on any path.
func (r *relay) send(to *os.File, frame []byte) {
	if _, err := to.Write(frame); err == nil {
		r.passed.Add(1)
	}
}
