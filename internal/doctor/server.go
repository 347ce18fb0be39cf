package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/session"
	"gopptp/ppp"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// farewell bounds the wait for the server to confirm the end of the call and of the
// connection.
const farewell = 2 * time.Second

// contact is what there is of the server under examination.
type contact struct {
	address netip.Addr
	unknown error      // why there is no address
	asked   bool       // for the address
	nc      net.Conn   // nil if it could not be reached
	control *pptp.Conn // nil if it is no PPTP server
	stop    func()     // ends control
}

// close ends what is left.
func (c *contact) close() {
	switch {
	case c.stop != nil:
		c.stop()
	case c.nc != nil:
		_ = c.nc.Close()
	}
}

// serverAddress asks for the server's address, once: name servers that are silent are so
// the next time too.
func (e *exam) serverAddress(ctx context.Context) (netip.Addr, error) {
	if !e.contact.asked {
		ctx, cancel := context.WithTimeout(ctx, nameLimit)
		defer cancel()
		e.contact.asked = true
		e.contact.address, e.contact.unknown = e.m.Resolve(ctx, e.Server)
	}
	return e.contact.address, e.contact.unknown
}

// serverTCP connects to the server.
func (e *exam) serverTCP(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	address, err := e.serverAddress(ctx)
	if err != nil {
		return problem(fmt.Sprintf("the address of %.100q is not known: %.200v", e.Server, err), "look at the name, and at the name servers: cat /etc/resolv.conf")
	}
	at := netip.AddrPortFrom(address, session.Port)
	nc, err := e.m.Dial(ctx, at)
	switch {
	case err == nil:
		e.contact.nc = nc
		return ok(fmt.Sprintf("%v accepts connections", at))
	case errors.Is(err, syscall.ECONNREFUSED):
		return problem(fmt.Sprintf("%v refuses connections: no PPTP server runs there, or a firewall says so for it", at), "on the server: ss -tln 'sport = :1723'")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return problem(fmt.Sprintf("%v does not answer within %v: TCP is blocked on the way, or there is no such host", at, dialLimit),
			"look whether it answers at all: ping "+address.String(), "let TCP port 1723 through the firewalls between, the server's own included")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return problem(fmt.Sprintf("there is no way to %v: %v", address, err), "look at the routes: ip route get "+address.String())
	}
	return problem(fmt.Sprintf("%v cannot be reached: %.200v", at, err))
}

// serverPPTP starts a control connection.
func (e *exam) serverPPTP(ctx context.Context) Finding {
	if e.contact.nc == nil {
		return skipped("the server cannot be reached")
	}
	c := pptp.NewClient(e.contact.nc, pptp.Config{
		HostName: "gopptp-doctor", VendorName: "gopptp", FirmwareRevision: 1,
		HandshakeTimeout: startLimit, CallTimeout: callLimit, StopTimeout: farewell,
	})
	ended := make(chan struct{})
	go func() { // ends with the connection, which stop ends
		defer close(ended)
		_ = c.Run(context.WithoutCancel(ctx)) // c.Err has the error
	}()
	e.contact.stop = func() {
		c.Stop(wire.StopNone)
		<-ended
	}
	select {
	case <-c.Established():
	case <-c.Done():
	case <-ctx.Done():
		_ = c.Close()
	}
	if err := c.Err(); err != nil {
		return notPPTP(e.contact.address, err)
	}
	e.contact.control = c
	peer := c.Peer()
	return ok(fmt.Sprintf("it is a PPTP server: host %.64q, vendor %.64q, firmware %d", peer.HostName, peer.VendorName, peer.FirmwareRevision))
}

// notPPTP says why a control connection did not come up.
func notPPTP(at netip.Addr, err error) Finding {
	var result *pptp.ResultError
	var timeout *pptp.TimeoutError
	const look = "look what listens there, on the server: ss -tlnp 'sport = :1723'"
	switch {
	case errors.As(err, &result):
		return problem(fmt.Sprintf("the PPTP server %v refuses the control connection: %v", at, result.Result), "look at the server's log")
	case errors.As(err, &timeout):
		return problem(fmt.Sprintf("%v accepts the connection and says nothing of PPTP for %v: it is not a PPTP server, or something between holds it up", at, startLimit), look)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return problem(fmt.Sprintf("%v closes the connection at once: it is not a PPTP server, or it does not want this machine", at), look, "look at the server's log")
	}
	return problem(fmt.Sprintf("%v answers something else than PPTP (%.200v): it is not a PPTP server", at, err), look)
}

// serverGRE makes a call, and looks whether GRE gets through.
func (e *exam) serverGRE(ctx context.Context) Finding {
	control := e.contact.control
	switch {
	case control == nil:
		return skipped("there is no PPTP server to call")
	case !e.raw:
		return skipped("it needs a raw socket, for which this user has not the right", "run gopptp doctor as root")
	}
	c, err := e.m.OpenGRE()
	if err != nil {
		return skipped(fmt.Sprintf("no raw socket: %v", err))
	}
	packets := receive(c)
	defer func() {
		_ = c.Close()
		for range packets { // until its goroutine has ended
		}
	}()
	id := uint16(1 + rand.N(1<<16-1)) // not zero
	call, err := control.Dial(ctx, pptp.OutgoingCall{LocalID: wire.CallID(id)})
	if err != nil {
		return problem(fmt.Sprintf("the server takes no call: %.200v", err), "look at the server's log: it may be full, or not let this address in")
	}
	defer func() {
		call.Disconnect(wire.DisconnectRequest)
		select {
		case <-call.Done():
		case <-time.After(farewell):
		}
	}()
	local := netip.Addr{}
	if a, ok := control.LocalAddr().(*net.TCPAddr); ok {
		local = a.AddrPort().Addr().Unmap()
	}
	return e.listen(ctx, c, packets, call, local, id)
}

// listen sends LCP requests, and tells by what comes in which direction GRE flows.
func (e *exam) listen(ctx context.Context, c rawgre.Conn, packets <-chan arrival, call *pptp.Call, local netip.Addr, id uint16) Finding {
	ctx, cancel := context.WithTimeout(ctx, greLimit)
	defer cancel()
	const again = time.Second
	tick := time.NewTicker(again)
	defer tick.Stop()
	seq := uint32(0)
	send := func() {
		out := grePayload(uint16(call.PeerID()), seq, configureRequest(byte(seq+1)))
		seq++
		_, _ = c.WriteBatch([]rawgre.Packet{{Buf: out, N: len(out), Local: local, Peer: e.contact.address}}) // lost like any other; it is sent again
	}
	send()
	came := false
	const pass = "let IP protocol 47 (GRE) through every firewall between, in both directions; it is neither TCP nor UDP, and has no ports"
	nat := "on a Linux router that translates addresses between: modprobe -a nf_conntrack_pptp nf_nat_pptp; on others switch on PPTP passthrough"
	for {
		select {
		case p, more := <-packets:
			if !more {
				return problem("the raw socket has failed")
			}
			if p.peer != e.contact.address || p.header.CallID != id {
				continue
			}
			came = true
			if p.header.HasAck || answers(p.frame) {
				return ok("GRE gets through in both directions: the server answers LCP")
			}
		case <-tick.C:
			send()
		case <-call.Done():
			if came {
				return warning("GRE comes from the server, which ended the call before it answered", "look at the server's log")
			}
			return problem(fmt.Sprintf("the server ended the call before any GRE packet came: %.200v", call.Err()), "look at the server's log", pass, nat)
		case <-ctx.Done():
			if came {
				return problem(fmt.Sprintf("GRE is blocked on the way to the server: packets come from it, and none of ours is answered within %v", greLimit), pass, nat)
			}
			return problem(fmt.Sprintf("GRE is blocked on the way: the server took the call, and no GRE packet came within %v", greLimit), pass, nat,
				"on this machine: nft list ruleset; on the server: gopptp doctor, or tcpdump -n ip proto 47")
		}
	}
}

// An arrival is a GRE packet that came.
type arrival struct {
	peer   netip.Addr
	header gre.Header
	frame  []byte // a copy
}

// maxArrival is what is read of a packet, in octets: control frames are short.
const maxArrival = 2048

// receive reads packets until the connection is closed, and then closes the channel.
// Those that nobody takes in time are dropped.
func receive(c rawgre.Conn) <-chan arrival {
	const waiting = 64
	out := make(chan arrival, waiting)
	go func() {
		defer close(out)
		buf := []rawgre.Packet{{Buf: make([]byte, maxArrival)}}
		for {
			n, err := c.ReadBatch(buf)
			if err != nil {
				return
			}
			if n == 0 {
				continue
			}
			a := arrival{peer: buf[0].Peer}
			payload, err := a.header.Parse(buf[0].Bytes())
			if err != nil {
				continue
			}
			a.frame = append([]byte(nil), payload...)
			select {
			case out <- a:
			default:
			}
		}
	}()
	return out
}

// grePayload makes a GRE packet.
func grePayload(callID uint16, seq uint32, payload []byte) []byte {
	h := gre.Header{CallID: callID, PayloadLen: uint16(len(payload)), HasSeq: true, Seq: seq}
	return append(h.Append(nil), payload...)
}

// The codes of LCP that are sent and awaited (RFC 1661, section 5).
const (
	codeConfigureRequest = 1
	codeConfigureAck     = 2
	codeConfigureNak     = 3
	codeConfigureReject  = 4
)

// configureRequest is one of LCP without options, which every peer can agree to
// (RFC 1661, section 5.1).
func configureRequest(id byte) []byte {
	p := ppp.Packet{Code: codeConfigureRequest, ID: id}
	return p.Append(ppp.Header{Protocol: ppp.ProtocolLCP}.Append(nil))
}

// answers reports whether a frame answers one of our requests.
func answers(frame []byte) bool {
	var h ppp.Header
	var p ppp.Packet
	info, err := h.Parse(frame)
	if err != nil || h.Protocol != ppp.ProtocolLCP || p.Parse(info) != nil {
		return false
	}
	return p.Code == codeConfigureAck || p.Code == codeConfigureNak || p.Code == codeConfigureReject
}
