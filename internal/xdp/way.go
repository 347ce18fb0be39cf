package xdp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/rawgre"
)

const (
	// refresh is how often the kernel is asked anew for the ways that are used: so long
	// may a changed route or neighbor go unnoticed where they are no more than
	// refreshBatch.
	refresh = time.Second
	// refreshBatch bounds the questions in one go: each takes the kernel some 20 µs.
	refreshBatch = 2000
	// settle is how long new ways wait for each other, and for the neighbors that the
	// kernel asks for with the first packets.
	settle = 50 * time.Millisecond
	// forget is how long a way is believed that nobody uses, since nobody asks for it.
	forget = 5 * time.Second
	// hops is the time to live that Linux gives its packets.
	hops = 64
)

// alive are the states of a neighbor whose address is good to send to.
const alive = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PROBE | netlink.NUD_PERMANENT

// A way is how packets from one of our addresses get to a peer: the interface, and the
// headers before each.
type way struct {
	ends
	port *port // nil where the kernel is to send

	header [ethernetLen + rawgre.MinIPHeader]byte
	sum    uint32 // of the checksum, without length and identification
	most   int    // the largest GRE packet
	id     atomic.Uint32

	used atomic.Bool // since the last look
	last time.Time   // when a look saw that it was used; for looks only
}

// ends are the two addresses of a way.
type ends struct{ local, peer netip.Addr }

// ways are those that somebody has used lately.
type ways struct {
	kernel  *netlink.Handle
	ports   map[int]*port   // by the index of the interface
	ask     chan struct{}   // a way is new
	ipsec   *netlink.Handle // nil where the kernel has no IPsec
	farEnds *farEnds        // nil where none takes bursts

	mu    sync.RWMutex
	known map[ends]*way // guarded by mu
	fresh []*way        // guarded by mu; those that nobody has looked at
}

// to gives the way between two addresses. At first it is that of the kernel.
func (ws *ways) to(local, peer netip.Addr) *way {
	e := ends{local, peer}
	ws.mu.RLock()
	w := ws.known[e]
	ws.mu.RUnlock()
	if w == nil {
		w = ws.add(e)
	}
	if !w.used.Load() {
		w.used.Store(true)
	}
	return w
}

func (ws *ways) add(e ends) *way {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.known[e]
	if w == nil {
		w = &way{ends: e, last: time.Now()}
		ws.known[e] = w
		ws.fresh = append(ws.fresh, w)
		select {
		case ws.ask <- struct{}{}:
		default:
		}
	}
	return w
}

// run keeps the ways true until the context ends.
func (ws *ways) run(ctx context.Context) {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			ws.look(ws.inUse(now), now)
		case <-ws.ask:
			select {
			case <-ctx.Done():
				return
			case <-time.After(settle):
			}
			ws.look(ws.news(), time.Now())
		}
	}
}

// look asks for ways.
func (ws *ways) look(old []*way, now time.Time) {
	if len(old) == 0 {
		return
	}
	near := map[int]nearby{}
	if !ws.guarded() {
		for index, port := range ws.ports {
			if n, ok := ws.nearby(index); ok {
				near[index] = n
			}
			if port.burst != nil {
				port.burst.open.Store(ws.farEnds.take(index))
			}
		}
	}
	for _, before := range old {
		w := ws.resolve(before.ends, near)
		w.id.Store(before.id.Load())
		w.last = now
		ws.mu.Lock()
		ws.known[w.ends] = w
		ws.mu.Unlock()
	}
}

// guarded reports whether the kernel has IPsec policies. What it is to encrypt must never
// leave in clear, and only it knows what that is: it sends everything then.
func (ws *ways) guarded() bool {
	if ws.ipsec == nil {
		return false
	}
	policies, err := ws.ipsec.XfrmPolicyList(netlink.FAMILY_V4)
	return err != nil || len(policies) > 0
}

// news gives the ways that nobody has looked at.
func (ws *ways) news() []*way {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	fresh := ws.fresh
	ws.fresh = nil
	return fresh
}

// inUse gives those that were used since it was called last, and forgets those that have
// long not been.
func (ws *ways) inUse(now time.Time) (used []*way) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for e, w := range ws.known {
		switch {
		case w.used.Load():
			if len(used) < refreshBatch { // the others have their turn: no order is kept here
				w.used.Store(false)
				used = append(used, w)
			}
		case now.Sub(w.last) > forget:
			delete(ws.known, e)
		}
	}
	return used
}

// nearby is what the kernel knows of an interface at the moment.
type nearby struct {
	mac       net.HardwareAddr
	mtu       int
	neighbors map[netip.Addr]netlink.Neigh
}

// nearby asks for it. It is false while the interface carries nothing.
func (ws *ways) nearby(index int) (n nearby, ok bool) {
	l, err := ws.kernel.LinkByIndex(index)
	if err != nil {
		return nearby{}, false
	}
	a := l.Attrs()
	if a.Flags&net.FlagUp == 0 || a.Flags&net.FlagRunning == 0 || len(a.HardwareAddr) != macLen {
		return nearby{}, false
	}
	list, err := ws.kernel.NeighList(index, netlink.FAMILY_V4)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) { // that says: some may have changed since
		return nearby{}, false
	}
	n = nearby{mac: a.HardwareAddr, mtu: min(a.MTU, maxMTU), neighbors: map[netip.Addr]netlink.Neigh{}}
	for _, one := range list {
		if ip, ok := netip.AddrFromSlice(one.IP.To4()); ok && len(one.HardwareAddr) == macLen && one.State&alive != 0 {
			n.neighbors[ip] = one
		}
	}
	return n, true
}

// resolve asks the kernel how packets get to a peer.
func (ws *ways) resolve(e ends, near map[int]nearby) *way {
	w := &way{ends: e}
	if !e.local.Is4() || !e.peer.Is4() {
		return w
	}
	routes, err := ws.kernel.RouteGetWithOptions(e.peer.AsSlice(), &netlink.RouteGetOptions{SrcAddr: e.local.AsSlice()})
	if err != nil || len(routes) != 1 {
		return w
	}
	route := routes[0]
	n, ok := near[route.LinkIndex]
	if !ok || route.Type != unix.RTN_UNICAST || route.Encap != nil || route.Via != nil {
		return w
	}
	next := e.peer
	if route.Gw != nil {
		gw, ok := netip.AddrFromSlice(route.Gw.To4())
		if !ok {
			return w
		}
		next = gw
	}
	neighbor, ok := n.neighbors[next]
	if !ok {
		return w
	}
	if route.MTU > 0 { // what was learnt of the path
		n.mtu = min(n.mtu, route.MTU)
	}
	if neighbor.State&netlink.NUD_STALE != 0 {
		ws.nudge(neighbor)
		neighbor.State = netlink.NUD_DELAY // once is enough
		n.neighbors[next] = neighbor
	}
	w.lead(ws.ports[route.LinkIndex], n.mac, neighbor.HardwareAddr, n.mtu)
	return w
}

// nudge lets the kernel ask a neighbor whether it is still there, as it does when it sends
// to it itself.
func (ws *ways) nudge(n netlink.Neigh) {
	_ = ws.kernel.NeighSet(&netlink.Neigh{LinkIndex: n.LinkIndex, Family: netlink.FAMILY_V4, IP: n.IP, Flags: netlink.NTF_USE}) // else in a second
}

// lead makes the headers of packets that leave by a port.
func (w *way) lead(port *port, own, next net.HardwareAddr, mtu int) {
	w.port, w.most = port, mtu-rawgre.MinIPHeader
	h := w.header[:0]
	h = append(h, next...)
	h = append(h, own...)
	h = binary.BigEndian.AppendUint16(h, etherTypeIPv4)
	h = append(h, 0x45, 0, 0, 0) // version and length of the header, service, total length
	h = append(h, 0, 0, 0, 0)    // identification; it may be cut on its way
	h = append(h, hops, rawgre.Protocol, 0, 0)
	h = append(h, w.local.AsSlice()...)
	h = append(h, w.peer.AsSlice()...)
	for i := ethernetLen; i < len(h); i += 2 {
		w.sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
}

// takes reports whether a packet can leave by the way's interface.
func (w *way) takes(p *rawgre.Packet) bool { return w.port != nil && p.N > 0 && p.N <= w.most }

// write writes a packet with its headers to the front of frame, and gives its length.
func (w *way) write(frame, gre []byte) int {
	copy(frame, w.header[:])
	n := copy(frame[len(w.header):], gre)
	ip := frame[ethernetLen : ethernetLen+rawgre.MinIPHeader]
	total, id := uint16(rawgre.MinIPHeader+n), uint16(w.id.Add(1))
	binary.BigEndian.PutUint16(ip[2:], total)
	binary.BigEndian.PutUint16(ip[4:], id)
	sum := w.sum + uint32(total) + uint32(id)
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	return ethernetLen + int(total)
}
