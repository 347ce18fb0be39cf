package doctor

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"gopptp/internal/rawgre"
)

// A fake is a machine of a test. What a test does not set works.
type fake struct {
	files    fstest.MapFS
	readOnly error
	programs []string
	tun      error
	gre      func() (rawgre.Conn, error)
	ruleset  *Ruleset
	noRules  error
	mtu      int
	noWay    error
	pid      int
	noDaemon error
	answers  map[string]string // of the daemon, by a part of the command
	noAnswer error
	address  netip.Addr
	dial     func(ctx context.Context) (net.Conn, error)
}

// newFake makes a machine on which all is well, with a daemon.
func newFake() *fake {
	return &fake{
		files: files(map[string]string{
			"proc/7/comm":   "gopptp\n",
			"proc/7/status": "Name:\tgopptp\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n",
			"proc/7/limits": "Max open files            1024                 524288               files     \n",
			"proc/7/fd/3":   "->socket:[4711]",
			"proc/self/net/tcp": "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
				"   0: 00000000:06BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n" +
				"   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0\n" +
				"   2: 0100007F:06BB 0200007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0\n",
			"proc/sys/net/ipv4/ip_forward":             "1\n",
			"proc/sys/net/ipv4/conf/all/rp_filter":     "0\n",
			"proc/sys/net/ipv4/conf/default/rp_filter": "1\n",
			"proc/sys/net/ipv4/conf/eth0/rp_filter":    "2\n",
			"etc/resolv.conf":                          "nameserver 192.0.2.53\n",
		}),
		ruleset: &Ruleset{},
		mtu:     1500,
		pid:     7,
		answers: map[string]string{"pptp-server": "true\n1.0\n", "radius": "false\n"},
		address: netip.MustParseAddr("192.0.2.1"),
		gre:     func() (rawgre.Conn, error) { return newEcho(), nil },
	}
}

// files makes files; the text of a link begins with an arrow.
func files(texts map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range texts {
		if target, ok := strings.CutPrefix(text, "->"); ok {
			out[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
			continue
		}
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// with adds files; those without text are taken away.
func (f *fake) with(texts map[string]string) *fake {
	f.files = maps.Clone(f.files)
	for name, text := range texts {
		if text == "" {
			delete(f.files, name)
		} else {
			maps.Copy(f.files, files(map[string]string{name: text}))
		}
	}
	return f
}

func (f *fake) Files() fs.FS                                                 { return f.files }
func (f *fake) Writable(string) error                                        { return f.readOnly }
func (f *fake) Program(name string) bool                                     { return slices.Contains(f.programs, name) }
func (f *fake) OpenTUN() error                                               { return f.tun }
func (f *fake) OpenGRE() (rawgre.Conn, error)                                { return f.gre() }
func (f *fake) Ruleset() (*Ruleset, error)                                   { return f.ruleset, f.noRules }
func (f *fake) WayOut(netip.Addr) (string, int, error)                       { return "eth0", f.mtu, f.noWay }
func (f *fake) Daemon(string) (int, error)                                   { return f.pid, f.noDaemon }
func (f *fake) Dial(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { return f.dial(ctx) }

func (f *fake) Ask(_ context.Context, _, command string) (string, error) {
	for part, answer := range f.answers {
		if strings.HasPrefix(command, ":put [/interface/"+part) || part == "radius" && strings.Contains(command, "/radius/find") {
			return answer, f.noAnswer
		}
	}
	return "", errors.New("no such command")
}

func (f *fake) Resolve(context.Context, string) (netip.Addr, error) {
	if !f.address.IsValid() {
		return netip.Addr{}, errors.New("no such host")
	}
	return f.address, nil
}

// An echo is a raw socket that gives back what is sent, from the peer that it went to.
type echo struct {
	packets chan []byte
	from    netip.Addr
}

func newEcho() *echo { return &echo{packets: make(chan []byte, 8), from: loopbackAddress} }

func (e *echo) ReadBatch(to []rawgre.Packet) (int, error) {
	b, ok := <-e.packets
	if !ok {
		return 0, net.ErrClosed
	}
	to[0].Off, to[0].N, to[0].Peer = 0, copy(to[0].Buf, b), e.from
	return 1, nil
}

func (e *echo) WriteBatch(from []rawgre.Packet) (int, error) {
	for _, p := range from {
		e.packets <- slices.Clone(p.Bytes())
	}
	return len(from), nil
}

func (e *echo) Close() error {
	close(e.packets)
	return nil
}

// A mute is a raw socket to which nothing comes.
type mute struct{ closed chan struct{} }

func newMute() *mute { return &mute{make(chan struct{})} }

func (m *mute) ReadBatch([]rawgre.Packet) (int, error) {
	<-m.closed
	return 0, net.ErrClosed
}
func (m *mute) WriteBatch(from []rawgre.Packet) (int, error) { return len(from), nil }
func (m *mute) Close() error {
	close(m.closed)
	return nil
}

// deaf is a raw socket whose packets the kernel does not take.
type deaf struct{ *mute }

func (deaf) WriteBatch([]rawgre.Packet) (int, error) { return 0, nil }

// told collects what a Reporter is told.
type told struct{ lines []string }

func (r *told) Begin(check, _ string, _ time.Duration) { r.lines = append(r.lines, "begin "+check) }
func (r *told) Finish(f Finding)                       { r.lines = append(r.lines, "finish "+f.Check) }
