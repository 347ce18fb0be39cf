package session

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"gopptp/internal/placeholder"
	"gopptp/internal/tun"
)

// placeholders is where a client that dials on demand has its peer while it is
// down, as in RouterOS: each client another one. Its own end is the first address,
// until the client knows which one the server gives.
var placeholders = netip.MustParsePrefix("10.112.112.0/24")

const (
	// firstPlaceholder is the last octet of the first client's peer.
	firstPlaceholder = 101
	// wakingPackets bounds the packets that are read before the tunnel is up; more
	// wait in the interface.
	wakingPackets = 16
	// wakingRoom is the room for one of them at least, in octets: more than any MTU that is
	// a placeholder's.
	wakingRoom = 2048
	// waitingForPackets is the state of a client before it dials.
	waitingForPackets = "waiting for packets"
	// resolveWait bounds the question for a server's address. While the tunnel that
	// would lead to the name server is down, no answer can come.
	resolveWait = 3 * time.Second
)

// A held interface belongs to a client that dials on demand, whether it is
// connected or not.
type held struct {
	d      *dialer
	device Interface
	config InterfaceConfig // while the client is down
	waking [][]byte        // the packets that make it dial
}

// runOnDemand dials when there is a packet to send, until ctx ends.
func (d *dialer) runOnDemand(ctx context.Context) {
	wait := minRedial
	for {
		if h := d.hold(ctx); h != nil {
			wait = minRedial
			h.serve(ctx)
		}
		if !d.pause(ctx, &wait) {
			return
		}
	}
}

// serve dials when there is a packet to send, until ctx ends or the interface is
// of no use any more.
func (h *held) serve(ctx context.Context) {
	d := h.d
	defer d.m.leavePlaceholder(h.config.Remote)
	defer h.device.Close()
	defer context.AfterFunc(ctx, h.device.Interrupt)()
	wait := minRedial
	for ctx.Err() == nil { // asked anew after each Resume, which takes an Interrupt back
		d.say(waitingForPackets)
		if err := h.wait(); err != nil {
			if ctx.Err() == nil {
				d.failed(ctx, err)
			}
			return
		}
		connected := d.dial(ctx, h)
		if ctx.Err() != nil {
			return
		}
		if err := h.rest(); err != nil {
			d.failed(ctx, err)
			return
		}
		if connected {
			wait = minRedial
		} else if !d.pause(ctx, &wait) {
			return
		}
	}
}

// hold makes the interface, with addresses that stand for those to come. It gives
// nil if that is not possible now.
func (d *dialer) hold(ctx context.Context) *held {
	d.say("initializing...")
	remote, err := d.m.takePlaceholder()
	if err != nil {
		d.failed(ctx, err)
		return nil
	}
	profile, _ := d.m.aaa.Profile(d.cfg.Profile)
	h := &held{d: d, config: InterfaceConfig{Name: d.cfg.Name, MTU: d.cfg.MaxMTU, Local: profile.LocalAddress, Remote: remote}}
	if !h.config.Local.IsValid() {
		h.config.Local = placeholders.Addr().Next()
	}
	if d.cfg.AddDefaultRoute {
		h.config.DefaultRoute = max(d.cfg.DefaultRouteDistance, 1)
		resolving, cancel := context.WithTimeout(ctx, resolveWait)
		h.config.Outer, err = d.m.cfg.Resolve(resolving, d.cfg.ConnectTo)
		cancel()
	}
	if err == nil {
		h.device, err = d.m.cfg.Host.CreateInterface(h.config)
	}
	if err != nil {
		d.m.leavePlaceholder(remote)
		d.failed(ctx, err)
		return nil
	}
	return h
}

// wait returns when there is a packet to send, which it keeps.
func (h *held) wait() error {
	for {
		if err := h.device.Wait(); err != nil {
			return err
		}
		b := tun.NewBatch(wakingPackets, max(wakingRoom, h.config.MTU), 0)
		n, err := h.device.Read(b)
		if err != nil {
			return err
		}
		for i, p := range b.Bufs[:n] {
			if p = p[:b.Sizes[i]]; wakes(p) {
				h.waking = append(h.waking, bytes.Clone(p))
			}
		}
		if len(h.waking) > 0 {
			return nil
		}
	}
}

// wakes reports whether a packet is worth a call: one to a single host. What a
// machine tells all others on each of its interfaces is not.
func wakes(packet []byte) bool {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return false
	}
	to := netip.AddrFrom4([4]byte(packet[16:20]))
	return !to.IsMulticast() && to != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// server gives what to dial. If names cannot be resolved now, perhaps because the
// way to the name server is the tunnel itself, that is the address that is kept
// outside of it.
func (h *held) server(ctx context.Context) string {
	name := h.d.cfg.ConnectTo
	if !h.config.Outer.IsValid() {
		return name
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWait)
	defer cancel()
	a, err := h.d.m.cfg.Resolve(ctx, name)
	if err != nil || a == h.config.Outer {
		return h.config.Outer.String()
	}
	h.config.Outer = a
	if err := h.device.Refit(h.config); err != nil {
		h.d.m.cfg.Journal.Addf("pptp,ppp,error", "%s: %v", h.d.cfg.Name, err)
	}
	return a.String()
}

// lend gives the interface to a session that is up, until the session closes what
// it got.
func (h *held) lend(c InterfaceConfig) (*lent, error) {
	h.device.Interrupt()
	if h.config.Local != c.Local {
		c.Former = h.config.Local // the translated answers go there
	}
	if err := h.device.Refit(c); err != nil {
		return nil, err
	}
	h.device.Resume()
	l := &lent{Interface: h.device, first: h.waking, translator: placeholder.New(h.config.Local, c.Local)}
	h.waking = nil
	// Programs that send the next packet that wakes us take the address that they
	// will have: nothing needs to be translated then.
	h.config.Local = c.Local
	return l, nil
}

// rest makes the interface wait for packets again.
func (h *held) rest() error {
	h.waking = nil // whoever sent them has given up or will send them again
	err := h.device.Refit(h.config)
	h.device.Resume()
	return err
}

// A lent interface is a held one as long as a session has it.
type lent struct {
	Interface
	first      [][]byte // packets to be read before those of the interface; owned by the reader
	translator *placeholder.Translator
}

// Wait implements tun.Device.
func (l *lent) Wait() error {
	if len(l.first) > 0 {
		return nil
	}
	return l.Interface.Wait()
}

// Read implements tun.Device.
func (l *lent) Read(b *tun.Batch) (n int, err error) {
	for n < len(b.Bufs) && len(l.first) > 0 {
		b.Sizes[n] = copy(b.Bufs[n][b.Off:], l.first[0])
		l.first = l.first[1:]
		n++
	}
	if n == 0 {
		n, err = l.Interface.Read(b)
	}
	for i, p := range b.Bufs[:n] {
		l.translator.Out(p[b.Off : b.Off+b.Sizes[i]])
	}
	return n, err
}

// Write implements tun.Device.
func (l *lent) Write(bufs [][]byte, off int) (int, error) {
	for _, b := range bufs {
		l.translator.In(b[off:])
	}
	return l.Interface.Write(bufs, off)
}

// Close gives the interface back: the session reads it no more.
func (l *lent) Close() error {
	l.Interrupt()
	return nil
}

// takePlaceholder gives a peer's address that no other client has.
func (m *Manager) takePlaceholder() (netip.Addr, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	base := placeholders.Addr().As4()
	for i := range 253 { // all but the network, our own end and the broadcast address
		base[3] = byte((firstPlaceholder-2+i)%253 + 2)
		if a := netip.AddrFrom4(base); !m.placeholders[a] {
			m.placeholders[a] = true
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address out of %v is left for a client that dials on demand", placeholders)
}

// leavePlaceholder gives an address back.
func (m *Manager) leavePlaceholder(a netip.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.placeholders, a)
}
