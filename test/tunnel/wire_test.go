package tunnel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// A tap hears what passes an interface, as IPv4 packets.
type tap struct {
	file *os.File
	done sync.WaitGroup

	mu      sync.Mutex
	packets [][]byte // guarded by mu
}

// hear listens on an interface of a namespace until the end of the test.
func hear(t *testing.T, n *hosttest.Namespace, name string) *tap {
	t.Helper()
	w := &tap{}
	n.Do(func() {
		const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, all)
		if err != nil {
			t.Fatal(err)
		}
		w.file = os.NewFile(uintptr(fd), "packet socket")
		iface, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: iface.Index}); err != nil {
			t.Fatal(err)
		}
	})
	w.done.Go(w.read)
	t.Cleanup(func() {
		w.file.Close()
		w.done.Wait()
	})
	return w
}

func (w *tap) read() {
	b := make([]byte, 65536)
	for {
		n, err := w.file.Read(b)
		if err != nil {
			return
		}
		if n < 20 || b[0]>>4 != 4 {
			continue
		}
		w.mu.Lock()
		w.packets = append(w.packets, append([]byte(nil), b[:n]...))
		w.mu.Unlock()
	}
}

// heard gives the packets since the last call.
func (w *tap) heard() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.packets
	w.packets = nil
	return p
}

// mss gives the MSS of the SYN for a port, within a moment; 0 if there is none.
func (w *tap) mss(port uint16) int {
	for range 100 {
		for _, p := range w.heard() {
			size := int(p[0]&0xf) * 4
			if p[9] != unix.IPPROTO_TCP || len(p) < size+20 {
				continue
			}
			tcp := p[size:]
			if binary.BigEndian.Uint16(tcp[2:]) != port || tcp[13]&0x12 != 0x02 { // SYN without ACK
				continue
			}
			for o := tcp[20 : int(tcp[12]>>4)*4]; len(o) >= 4; {
				switch o[0] {
				case 1:
					o = o[1:]
					continue
				case 2:
					return int(binary.BigEndian.Uint16(o[2:]))
				}
				o = o[max(1, min(int(o[1]), len(o))):]
			}
		}
		time.Sleep(rig.Look)
	}
	return 0
}

// offices are a host behind the server and one behind the client, on Ethernets
// with an MTU of 1500, which reach each other through the tunnel.
func offices(t *testing.T, server, client *machine) (behindServer, behindClient *machine) {
	t.Helper()
	behindServer, behindClient = newMachine(t, "behind the server"), newMachine(t, "behind the client")
	for _, side := range []struct {
		host, router *machine
		net          string
	}{{behindServer, server, "10.20.0."}, {behindClient, client, "10.30.0."}} {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: side.host.Namespace, Name: "lan", Prefix: netip.MustParsePrefix(side.net + "2/24")},
			hosttest.Port{In: side.router.Namespace, Name: "lan", Prefix: netip.MustParsePrefix(side.net + "1/24")})
		side.host.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr(side.net+"1"))
		side.router.Sysctl("net/ipv4/ip_forward", "1")
	}
	return behindServer, behindClient
}

// knock sends the SYN of a connection.
func (r *machine) knock(address string) {
	r.Do(func() {
		c, err := net.DialTimeout("tcp4", address, 100*time.Millisecond)
		if err == nil {
			c.Close()
		}
	})
}

// TestRequiresRootMSS: the SYNs of hosts behind the client and behind the server
// leave the tunnel with the MSS that fits through it, by the profile of either
// end; and so that large segments arrive without it nothing is left when the
// tunnel is gone.
func TestRequiresRootMSS(t *testing.T) {
	t.Parallel()
	rig.Need(t, "nft")
	server, client := newPair(t)
	behindServer, behindClient := offices(t, server, client)
	server.On(
		"/ppp/profile/add name=leave change-tcp-mss=no",
		"/ppp/profile/add name=fit change-tcp-mss=yes",
		`/ppp/secret/add name=u password=p profile=fit local-address=10.0.0.1 remote-address=10.0.0.5 routes="10.30.0.0/24"`,
	)
	client.On("/ppp/profile/add name=leave change-tcp-mss=no use-encryption=yes", "/ppp/profile/add name=fit change-tcp-mss=yes use-encryption=yes")
	atServer, atClient := hear(t, behindServer.Namespace, "lan"), hear(t, behindClient.Namespace, "lan")
	port := uint16(1000)
	for _, c := range []struct {
		server, client string
		up, down       int // MSS, of SYNs to the server's side and to the client's
	}{
		{"fit", "leave", 1410, 1410},
		{"leave", "fit", 1410, 1410},
		{"leave", "leave", 1460, 1460},
	} {
		server.On("/ppp/secret/set u profile=" + c.server)
		client.dial("u", "u", "add-default-route=yes", "profile="+c.client)
		port++
		behindClient.knock("10.20.0.2:" + itoa(port))
		if got := atServer.mss(port); got != c.up {
			t.Errorf("server %s, client %s: the MSS to the server's side is %d, want %d", c.server, c.client, got, c.up)
		}
		port++
		behindServer.knock("10.30.0.2:" + itoa(port))
		if got := atClient.mss(port); got != c.down {
			t.Errorf("server %s, client %s: the MSS to the client's side is %d, want %d", c.server, c.client, got, c.down)
		}
		client.On("/interface/pptp-client/remove u")
		server.Until("the session is gone", func() bool { return server.On("/ppp/active/print count-only") == "0\n" })
	}
	for _, r := range []*machine{server, client} {
		r.Until("the rules are gone", func() bool {
			out := r.Run("nft", "list", "set", "ip", "gopptp", "gopptp-mss")
			return !strings.Contains(out, "elements")
		})
	}
}
