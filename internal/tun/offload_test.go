package tun_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
)

const (
	near = "192.0.2.1"
	far  = "192.0.2.2"
)

// sum is the sum of RFC 1071 over parts, each but the last of even length, not
// inverted; written without package offload, so that it can contradict it.
func sum(parts ...[]byte) uint16 {
	var sum uint32
	for _, b := range parts {
		for i := 0; i < len(b); i += 2 {
			sum += uint32(b[i]) << 8
			if i+1 < len(b) {
				sum += uint32(b[i+1])
			}
			sum = sum>>16 + sum&0xffff
		}
	}
	return uint16(sum)
}

// sumOf is the sum of an IPv4 packet's TCP or UDP with its pseudo-header: 0xffff if
// the checksum in it is right.
func sumOf(pkt []byte) uint16 {
	body := pkt[int(pkt[0]&15)*4:]
	return sum(pkt[12:20], []byte{0, pkt[9], byte(len(body) >> 8), byte(len(body))}, body)
}

// A wire carries packets from one interface to another, with what a network does to
// some of them.
type wire struct {
	from, to *tun.TUN
	lose     int // one packet of so many is lost; none if zero
	corrupt  int // one packet of so many has a wrong bit; none if zero
	congest  int // one packet of so many says that there is congestion; none if zero

	wrong, lost, corrupted, congested int
}

// run ends when one of the interfaces is closed.
func (w *wire) run(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	b := tun.NewBatch(32, 1450, 8)
	bufs := make([][]byte, 0, len(b.Bufs))
	for {
		n, err := tuntest.ReadSome(w.from, b)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			return
		}
		bufs = bufs[:0]
		for i := range n {
			pkt := b.Bufs[i][:b.Off+b.Sizes[i]]
			ip := pkt[b.Off:]
			if ip[0]>>4 != 4 {
				continue
			}
			if sum(ip[:20]) != 0xffff || sumOf(ip) != 0xffff {
				w.wrong++
			}
			if w.lose > 0 && random.IntN(w.lose) == 0 {
				w.lost++
				continue
			}
			if w.corrupt > 0 && random.IntN(w.corrupt) == 0 {
				w.corrupted++
				ip[random.IntN(len(ip))] ^= 1 << random.IntN(8)
			}
			if w.congest > 0 && ip[1]&3 != 0 && random.IntN(w.congest) == 0 { // RFC 3168, section 5
				w.congested++
				ip[1] |= 3
				ip[10], ip[11] = 0, 0
				binary.BigEndian.PutUint16(ip[10:], ^sum(ip[:20]))
			}
			bufs = append(bufs, pkt)
		}
		if _, err := w.to.Write(bufs, b.Off); err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			return
		}
	}
}

// machines are two machines with an interface each, joined by two wires that are like
// one.
func machines(t *testing.T, one wire) (a, b *hosttest.Namespace, there, back *wire) {
	a, b = hosttest.New(t), hosttest.New(t)
	there, back = new(one), new(one)
	there.from, there.to = upAs(t, a, "tun0", near, far), upAs(t, b, "tun0", far, near)
	back.from, back.to = there.to, there.from
	var wires sync.WaitGroup
	wires.Go(func() { there.run(t, 1) })
	wires.Go(func() { back.run(t, 2) })
	t.Cleanup(func() {
		there.from.Close()
		back.from.Close()
		wires.Wait()
		for _, w := range []*wire{there, back} {
			t.Logf("%d lost, %d corrupted, %d marked; the interface counted %+v", w.lost, w.corrupted, w.congested, w.from.Counters())
			if w.wrong > 0 {
				t.Errorf("%d packets were read with wrong checksums", w.wrong)
			}
			if c := w.from.Counters(); c.Malformed > 0 || c.TooLong > 0 {
				t.Errorf("the interface counted %+v", c)
			}
		}
	})
	return a, b, there, back
}

// connect makes a TCP connection from one machine to the other.
func connect(t *testing.T, a, b *hosttest.Namespace) (client, server *net.TCPConn) {
	t.Helper()
	var l *net.TCPListener
	b.Do(func() {
		var err error
		if l, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(far), Port: 4000}); err != nil {
			t.Fatal(err)
		}
	})
	defer l.Close()
	a.Do(func() {
		c, err := net.DialTimeout("tcp4", far+":4000", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		client = c.(*net.TCPConn)
	})
	l.SetDeadline(time.Now().Add(10 * time.Second))
	server, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	for _, c := range []*net.TCPConn{client, server} {
		c.SetDeadline(time.Now().Add(60 * time.Second))
	}
	return client, server
}

// transfer sends size octets and compares what arrives.
func transfer(from, to *net.TCPConn, seed byte, size int64) error {
	sent, got := sha256.New(), sha256.New()
	failed := make(chan error, 1)
	go func() {
		_, err := io.CopyN(io.MultiWriter(from, sent), rand.NewChaCha8([32]byte{seed}), size)
		from.CloseWrite()
		failed <- err
	}()
	n, err := io.Copy(got, to)
	if err := errors.Join(err, <-failed); err != nil {
		return fmt.Errorf("after %d octets: %w", n, err)
	}
	if n != size || !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		return fmt.Errorf("%d octets arrived, %d were sent, or they are other ones", n, size)
	}
	return nil
}

func TestRequiresRootTCP(t *testing.T) {
	for _, test := range []struct {
		name string
		wire wire
	}{
		{"good network", wire{}},
		{"one percent lost", wire{lose: 100}},
		{"one percent lost and one corrupted", wire{lose: 100, corrupt: 100}},
		{"congestion", wire{congest: 300}},
	} {
		t.Run(test.name, func(t *testing.T) {
			const size = 20 << 20
			a, b, there, back := machines(t, test.wire)
			if test.wire.congest > 0 {
				a.Sysctl("net/ipv4/tcp_ecn", "1")
				b.Sysctl("net/ipv4/tcp_ecn", "1")
			}
			client, server := connect(t, a, b)
			var both sync.WaitGroup
			var up, down error
			both.Go(func() { up = transfer(client, server, 1, size) })
			both.Go(func() { down = transfer(server, client, 2, size) })
			both.Wait()
			if up != nil || down != nil {
				t.Fatalf("there: %v; back: %v", up, down)
			}
			for _, d := range []*tun.TUN{there.from, back.from} {
				if c := d.Counters(); c.Cut < 100 || c.Merged < 100 {
					t.Errorf("super packets were not used: %+v", c)
				}
			}
		})
	}
}

// udp makes a socket of a machine that is connected to nobody.
func udp(t testing.TB, in *hosttest.Namespace) (conn *net.UDPConn) {
	t.Helper()
	in.Do(func() {
		var err error
		// A socket that is connected writes without allocation.
		conn, err = net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(near), Port: 2000}, &net.UDPAddr{IP: net.ParseIP(far), Port: 2000})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// hasUSO says whether the kernel leaves UDP to be cut: since Linux 6.2.
func hasUSO(t testing.TB) bool {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	return major > 6 || major == 6 && minor >= 2
}

func TestRequiresRootUDPSegments(t *testing.T) {
	in := hosttest.New(t)
	d := up(t, in, "tun0")
	conn := udp(t, in)
	const size, count = 1000, 33
	segment(t, conn, size)
	sent := make([]byte, count*size-1)
	rand.NewChaCha8([32]byte{}).Read(sent)
	if _, err := conn.Write(sent); err != nil {
		t.Fatal(err)
	}
	var got []byte
	var id uint16
	for b := tuntest.Batch(7); len(got) < len(sent); {
		n, err := tuntest.ReadSome(d, b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			pkt := b.Bufs[i][b.Off:][:b.Sizes[i]]
			if pkt[0]>>4 != 4 {
				continue
			}
			if sum(pkt[:20]) != 0xffff || sumOf(pkt) != 0xffff || pkt[26] == 0 && pkt[27] == 0 {
				t.Fatalf("wrong checksums: %x", pkt[:28])
			}
			if next := binary.BigEndian.Uint16(pkt[4:]); len(got) > 0 && next != id+1 {
				t.Errorf("identification %d after %d", next, id)
			}
			id = binary.BigEndian.Uint16(pkt[4:])
			got = append(got, pkt[28:]...)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Error("other octets arrived than were sent")
	}
	if c := d.Counters(); hasUSO(t) && c.Cut != 1 || c.Malformed+c.TooLong > 0 {
		t.Errorf("counters are %+v, want one super packet", c)
	}
}

// TestRequiresRootChecksums: of packets that are not cut the kernel leaves us the
// checksum.
func TestRequiresRootChecksums(t *testing.T) {
	in := hosttest.New(t)
	d := up(t, in, "tun0")
	conn := udp(t, in)
	b := tuntest.Batch(1)
	for size := range 40 {
		payload := strings.Repeat("\xfe", size)
		if _, err := conn.Write([]byte(payload)); err != nil {
			t.Fatal(err)
		}
		pkt := []byte{0}
		for pkt[0]>>4 != 4 { // IPv6 speaks to its neighbours
			if _, err := tuntest.ReadSome(d, b); err != nil {
				t.Fatal(err)
			}
			pkt = b.Bufs[0][b.Off:][:b.Sizes[0]]
		}
		if sum(pkt[:20]) != 0xffff || sumOf(pkt) != 0xffff || string(pkt[28:]) != payload {
			t.Errorf("a packet with %d octets has wrong checksums: %x", size, pkt)
		}
	}
	if c := d.Counters(); c != (tun.Counters{}) {
		t.Errorf("counters are %+v, want none", c)
	}
}

// segments are TCP segments to a port where nobody listens, behind off octets.
func segments(count, size, off int) (bufs [][]byte) {
	for i := range count {
		buf := make([]byte, off+40+size)
		pkt := buf[off:]
		copy(pkt, []byte{0x45, 0, byte(len(pkt) >> 8), byte(len(pkt)), 0, byte(i), 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1})
		binary.BigEndian.PutUint16(pkt[10:], ^sum(pkt[:20]))
		copy(pkt[20:], []byte{0x10, 0, 0x20, 0})
		binary.BigEndian.PutUint32(pkt[24:], uint32(i*size))
		pkt[32], pkt[33] = 0x50, 0x10
		binary.BigEndian.PutUint16(pkt[36:], ^sumOf(pkt))
		bufs = append(bufs, buf)
	}
	return bufs
}

// superPackets returns functions that have an interface read and write some.
func superPackets(t testing.TB) (d *tun.TUN, read, write func()) {
	in := hosttest.New(t)
	d = up(t, in, "tun0")
	conn := udp(t, in)
	const size, count = 1000, 40
	segment(t, conn, size)
	payload := make([]byte, count*size)
	b := tuntest.Batch(32)
	read = func() {
		if _, err := conn.Write(payload); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < count; {
			n, err := tuntest.ReadSome(d, b)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if b.Sizes[i] == size+28 { // not a reset of what write wrote
					got++
				}
			}
		}
	}
	pkts := segments(100, 1000, b.Off)
	write = func() {
		if n, err := d.Write(pkts, b.Off); n != len(pkts) || err != nil {
			t.Fatalf("Write = %d, %v; want %d", n, err, len(pkts))
		}
	}
	return d, read, write
}

func TestRequiresRootSuperPacketsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("skipping, sync.Pool drops items at random under the race detector")
	}
	d, read, write := superPackets(t)
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("%v allocations to read, want 0", n)
	}
	before := d.Counters()
	if n := testing.AllocsPerRun(100, write); n != 0 {
		t.Errorf("%v allocations to write, want 0", n)
	}
	after := d.Counters()
	if hasUSO(t) && before.Cut < 100 || after.Merged-before.Merged != 101*2 || after.Refused > 0 {
		t.Errorf("counters are %+v, then %+v", before, after)
	}
}

func BenchmarkRequiresRootSuperPackets(b *testing.B) {
	_, read, write := superPackets(b)
	b.Run("read", func(b *testing.B) {
		b.SetBytes(40 * 1028)
		for b.Loop() {
			read()
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(100 * 1040)
		for b.Loop() {
			write()
		}
	})
}

// TestRequiresRootCloseWhileBusy closes an interface that others read from and write
// to.
func TestRequiresRootCloseWhileBusy(t *testing.T) {
	in := hosttest.New(t)
	for range 10 {
		d := up(t, in, "tun0")
		var busy sync.WaitGroup
		ended := func(f func() error) {
			busy.Go(func() {
				for {
					if err := f(); err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		for range 3 {
			pkts := segments(70, 100, 5)
			ended(func() error {
				_, err := d.Write(pkts, 5)
				return err
			})
		}
		b := tuntest.Batch(8)
		ended(func() error {
			_, err := tuntest.ReadSome(d, b)
			return err
		})
		time.Sleep(5 * time.Millisecond)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		busy.Wait()
	}
}

// TestRequiresRootTAP: frames pass as they are.
func TestRequiresRootTAP(t *testing.T) {
	in := hosttest.New(t)
	var d *tun.TUN
	in.Do(func() {
		var err error
		if d, err = tun.CreateTAP("tap0"); err != nil {
			t.Fatal(err)
		}
	})
	defer d.Close()
	in.Up("tap0")
	in.Address("tap0", netip.MustParsePrefix(near+"/24"))
	who := []byte{ // has 192.0.2.1 (RFC 826)
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, 8, 6,
		0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1,
	}
	if n, err := d.Write([][]byte{who[:13], who, nil}, 0); n != 1 || err != nil || d.Counters().Refused != 2 {
		t.Fatalf("Write = %d, %v; want 1, and 2 refused", n, err)
	}
	b := tun.NewBatch(1, 42, 3)
	for {
		if _, err := tuntest.ReadSome(d, b); err != nil {
			t.Fatal(err)
		}
		if reply := b.Bufs[0][3:]; b.Sizes[0] == 42 && reply[13] == 6 && reply[21] == 2 && bytes.Equal(reply[:6], who[6:12]) {
			break
		}
	}
	if c := d.Counters(); c.Cut+c.Merged+c.Malformed > 0 {
		t.Errorf("counters are %+v; frames are not offloaded", c)
	}
}
