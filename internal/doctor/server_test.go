package doctor

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/ppp"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// serverID is the Call ID of the servers of the tests.
const serverID = 77

// A talker is a raw socket on whose other end a server speaks LCP, as far as a test
// lets it.
type talker struct {
	from    netip.Addr
	answer  bool // requests are answered
	ask     bool // the server sends its own request first
	ack     bool // the server acknowledges what it gets
	once    sync.Once
	client  atomic.Uint32 // the Call ID of the examination, once it has called
	packets chan []byte
}

func (t *talker) WriteBatch(batch []rawgre.Packet) (int, error) {
	for _, p := range batch {
		var h gre.Header
		payload, err := h.Parse(p.Bytes())
		if err != nil || h.CallID != serverID {
			panic("a packet that is none for the server")
		}
		frame := slices.Clone(payload)
		if t.answer {
			frame[4] = codeConfigureAck
			t.send(grePayload(uint16(t.client.Load()), 0, frame))
		}
		if t.ask {
			t.once.Do(func() { t.send(grePayload(uint16(t.client.Load()), 0, configureRequest(9))) })
		}
		if t.ack {
			ack := gre.Header{CallID: uint16(t.client.Load()), HasAck: true, Ack: h.Seq}
			t.send(ack.Append(nil))
		}
	}
	return len(batch), nil
}

func (t *talker) send(b []byte) { t.packets <- b }

func (t *talker) ReadBatch(to []rawgre.Packet) (int, error) {
	b, ok := <-t.packets
	if !ok {
		return 0, net.ErrClosed
	}
	to[0].Off, to[0].N, to[0].Peer = 0, copy(to[0].Buf, b), t.from
	return 1, nil
}

func (t *talker) Close() error {
	close(t.packets)
	return nil
}

// serve is a PPTP server for one call, which it takes, refuses or ends.
func serve(take, end bool) func(net.Conn, *talker) {
	return func(nc net.Conn, raw *talker) {
		c := pptp.NewServer(nc, pptp.Config{HostName: "far\x1b", VendorName: "maker", FirmwareRevision: 3})
		go func() {
			r, err := c.Accept(context.Background())
			if err != nil {
				return
			}
			if raw != nil {
				raw.client.Store(uint32(r.PeerID()))
			}
			if !take {
				r.Reject(wire.ErrorNoResource)
				return
			}
			call, err := r.Accept(context.Background(), pptp.CallReply{LocalID: serverID})
			if err == nil && end {
				time.Sleep(greLimit / 2)
				call.Disconnect(wire.DisconnectAdminShutdown)
			}
		}()
		_ = c.Run(context.Background())
	}
}

// TestServer examines servers that are good, and such as are not.
func TestServer(t *testing.T) {
	far := netip.MustParseAddr("192.0.2.1")
	refuse := func(err error) func(context.Context) (net.Conn, error) {
		return func(context.Context) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	}
	says := func(text string) func(net.Conn, *talker) {
		return func(nc net.Conn, _ *talker) {
			go io.Copy(io.Discard, nc)
			_, _ = io.WriteString(nc, text)
		}
	}
	for _, c := range []struct {
		name   string
		make   func(f *fake)
		server func(net.Conn, *talker) // what is at the other end of the connection
		raw    *talker
		states [3]State
		seen   string
		do     string
	}{
		{"good", nil, serve(true, false), &talker{from: far, answer: true}, [3]State{OK, OK, OK}, `host "far\x1b", vendor "maker", firmware 3`, ""},
		{"good, asks too", nil, serve(true, false), &talker{from: far, answer: true, ask: true}, [3]State{OK, OK, OK}, "in both directions", ""},
		{"acknowledges alone", nil, serve(true, false), &talker{from: far, ack: true}, [3]State{OK, OK, OK}, "in both directions", ""},
		{"asks and does not answer", nil, serve(true, false), &talker{from: far, ask: true}, [3]State{OK, OK, Problem}, "GRE is blocked on the way to the server", "protocol 47"},
		{"silent", nil, serve(true, false), &talker{from: far}, [3]State{OK, OK, Problem}, "GRE is blocked on the way: the server took the call", "nf_conntrack_pptp"},
		{"somebody else answers", nil, serve(true, false), &talker{from: netip.MustParseAddr("192.0.2.9"), answer: true}, [3]State{OK, OK, Problem}, "no GRE packet came", ""},
		{"ends the call", nil, serve(true, true), &talker{from: far}, [3]State{OK, OK, Problem}, "the server ended the call", "server's log"},
		{"takes no call", nil, serve(false, false), &talker{from: far}, [3]State{OK, OK, Problem}, "the server takes no call", "server's log"},
		{"no raw socket", func(f *fake) {
			f.gre = func() (rawgre.Conn, error) { return nil, syscall.EPERM }
		}, serve(true, false), nil, [3]State{OK, OK, Skipped}, "needs a raw socket", "as root"},
		{"another protocol", nil, says("SSH-2.0-OpenSSH_9.9 and some more text, as a banner is\r\n"), nil, [3]State{OK, Problem, Skipped}, "answers something else than PPTP", "ss -tlnp"},
		{"says nothing", nil, says(""), nil, [3]State{OK, Problem, Skipped}, "says nothing of PPTP for 5s", "ss -tlnp"},
		{"closes", nil, func(nc net.Conn, _ *talker) {
			_, _ = io.CopyN(io.Discard, nc, int64((&wire.StartControlConnectionRequest{}).Len()))
			_ = nc.Close()
		}, nil, [3]State{OK, Problem, Skipped}, "closes the connection at once", ""},
		{"unknown name", func(f *fake) { f.address = netip.Addr{} }, nil, nil, [3]State{Problem, Skipped, Skipped}, "no such host", "resolv.conf"},
		{"refused", func(f *fake) { f.dial = refuse(syscall.ECONNREFUSED) }, nil, nil, [3]State{Problem, Skipped, Skipped}, "refuses connections", "ss -tln"},
		{"unreachable", func(f *fake) { f.dial = refuse(syscall.EHOSTUNREACH) }, nil, nil, [3]State{Problem, Skipped, Skipped}, "there is no way", "ip route get 192.0.2.1"},
		{"blocked", func(f *fake) {
			f.dial = func(ctx context.Context) (net.Conn, error) {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
			}
		}, nil, nil, [3]State{Problem, Skipped, Skipped}, "TCP is blocked on the way", "ping 192.0.2.1"},
		{"something else", func(f *fake) { f.dial = refuse(errors.New("odd")) }, nil, nil, [3]State{Problem, Skipped, Skipped}, "cannot be reached", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				if c.server != nil {
					f.dial = func(context.Context) (net.Conn, error) {
						near, far := net.Pipe()
						t.Cleanup(func() { _ = far.Close() })
						go c.server(far, c.raw)
						return near, nil
					}
				}
				if c.make != nil {
					c.make(f)
				}
				if c.raw != nil { // the one to see whether it opens, and the one over the loopback
					opened := 0
					f.gre = func() (rawgre.Conn, error) {
						if opened++; opened <= 2 {
							return newEcho(), nil
						}
						c.raw.packets = make(chan []byte, 64)
						return c.raw, nil
					}
				}
				var states [3]State
				var seen, do strings.Builder
				r := &told{}
				for _, finding := range Run(t.Context(), Config{Server: "vpn.example", Socket: "/run/s"}, f, r) {
					for i, check := range remote {
						if finding.Check == check.name {
							states[i] = finding.State
							seen.WriteString(finding.Seen + "\n")
							do.WriteString(strings.Join(finding.Do, "\n") + "\n")
						}
					}
				}
				if states != c.states || !strings.Contains(seen.String(), c.seen) || !strings.Contains(do.String(), c.do) {
					t.Errorf("states %v, want %v; %s\n%s", states, c.states, seen.String(), do.String())
				}
				if !slices.Contains(r.lines, "begin server-gre") {
					t.Error("nobody was told of the wait for GRE")
				}
			})
		})
	}
}

// TestAnswers checks which frames answer a request of LCP.
func TestAnswers(t *testing.T) {
	frame := func(code byte, p ppp.Protocol) []byte {
		return (&ppp.Packet{Code: code, ID: 1}).Append(ppp.Header{Protocol: p}.Append(nil))
	}
	for _, c := range []struct {
		frame []byte
		want  bool
	}{
		{frame(codeConfigureAck, ppp.ProtocolLCP), true},
		{frame(codeConfigureNak, ppp.ProtocolLCP), true},
		{frame(codeConfigureReject, ppp.ProtocolLCP), true},
		{frame(codeConfigureRequest, ppp.ProtocolLCP), false},
		{frame(codeConfigureAck, ppp.ProtocolIPCP), false},
		{frame(codeConfigureAck, ppp.ProtocolLCP)[:6], false},
		{[]byte{0xff}, false},
		{nil, false},
	} {
		if got := answers(c.frame); got != c.want {
			t.Errorf("% x: %v", c.frame, got)
		}
	}
}

// A mutism is a machine whose name servers do not answer.
type mutism struct {
	*fake
	asked int
}

func (m *mutism) Resolve(ctx context.Context, _ string) (netip.Addr, error) {
	m.asked++
	<-ctx.Done()
	return netip.Addr{}, ctx.Err()
}

// TestDeadNameServers: they hold up nobody for longer than it is said, nor twice.
func TestDeadNameServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mutism{fake: newFake()}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := &told{}
		all := Run(ctx, Config{Server: "vpn.example.org", Socket: "/s"}, m, r)
		if took := time.Since(began); took > nameLimit || m.asked != 1 || !slices.Contains(r.lines, "begin mtu") {
			t.Errorf("it took %v, for %d questions, and this was told: %q", took, m.asked, r.lines)
		}
		i := slices.IndexFunc(all, func(f Finding) bool { return f.Check == "server-tcp" })
		if all[i].State != Problem || !strings.Contains(all[i].Seen, `the address of "vpn.example.org" is not known`) {
			t.Errorf("%+v", all[i])
		}
	})
}
