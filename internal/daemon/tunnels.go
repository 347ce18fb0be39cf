package daemon

import (
	"errors"
	"net/netip"
	"slices"
	"sync"

	"gopptp/internal/aaa"
	"gopptp/internal/firewall"
	"gopptp/internal/host"
	"gopptp/internal/journal"
	"gopptp/internal/resolver"
	"gopptp/internal/session"
	"gopptp/internal/tun"
)

// tunnels is the session's Host on Linux: a TUN interface that netlink sets up,
// with routes, a place in the firewall and name servers.
type tunnels struct {
	*host.Handle
	firewall *firewall.Firewall
	resolver *resolver.Resolver
	log      *journal.Journal
}

// A tunnel is an interface that takes along what was made for it.
type tunnel struct {
	tun.Device
	machine tunnels
	name    string // that the kernel knows
	alt     string // its full name, if that is another one

	mu     sync.Mutex
	undo   []func() error // guarded by mu
	closed bool           // guarded by mu
}

// CreateInterface makes a tunnel's interface and all that goes with it.
func (t tunnels) CreateInterface(c session.InterfaceConfig) (session.Interface, error) {
	name, alt := host.InterfaceName(c.Name, t.Taken)
	d, err := tun.Create(name)
	if err != nil {
		return nil, err
	}
	made := &tunnel{Device: d, machine: t, name: name, alt: alt}
	if err := made.refit(c, true); err != nil {
		made.Close()
		return nil, err
	}
	return made, nil
}

// portSuffix tells the port of a bridge from the interface of the same tunnel.
const portSuffix = "-br"

// CreateBridgePort implements session.Host with a TAP interface.
func (t tunnels) CreateBridgePort(tunnel string, p aaa.BridgePort) (tun.Device, error) {
	name, alt := host.InterfaceName(tunnel+portSuffix, t.Taken)
	d, err := tun.CreateTAP(name)
	if err != nil {
		return nil, err
	}
	err = t.JoinBridge(host.BridgePort{
		Name: name, AltName: alt, Bridge: p.Bridge, Priority: p.Priority, PathCost: p.PathCost,
		Isolated: p.Horizon != 0, Learning: p.Learning != aaa.No, VID: p.VID,
	})
	if errors.Is(err, host.ErrName) {
		t.log.Addf("interface,warning", "%s: %v", tunnel, err) // it works under its short name
		err = nil
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Close closes the interface, and then takes back the rest.
func (t *tunnel) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return errors.Join(t.Device.Close(), t.takeBack(t.undo), t.machine.resolver.Forget(t.name))
}

// takeBack undoes what was done for a configuration.
func (t *tunnel) takeBack(undo []func() error) error {
	var errs []error
	for _, f := range undo {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// Refit implements session.Interface. The new configuration is in force before
// the old one goes, so that no packet takes another way meanwhile. What a session
// must not be without is an error; then the filters and lists that there were
// stay.
func (t *tunnel) Refit(c session.InterfaceConfig) error { return t.refit(c, false) }

// refit does it, also for an interface that is new and has no configuration yet.
func (t *tunnel) refit(c session.InterfaceConfig, first bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.undo
	t.undo = nil
	err := t.furnish(c, first)
	if err != nil {
		err = errors.Join(err, t.takeBack(t.undo))
		t.undo = old
		return err
	}
	if e := t.takeBack(old); e != nil {
		t.machine.log.Addf("interface,warning", "%s: %v", c.Name, e)
	}
	return nil
}

func (t *tunnel) furnish(c session.InterfaceConfig, first bool) error {
	m := t.machine
	err := m.SetupLink(host.LinkConfig{
		Name: t.name, AltName: t.alt, MTU: c.MTU, Local: c.Local, Remote: c.Remote, Former: c.Former, New: first,
	})
	if errors.Is(err, host.ErrName) {
		m.log.Addf("interface,warning", "%s: %v", c.Name, err) // it works under its short name
		err = nil
	}
	if err != nil {
		return err
	}
	if err := t.protect(c); err != nil {
		return err
	}
	if leadsInside(c) {
		release, err := m.KeepOutside(c.Outer)
		if err != nil {
			return err
		}
		t.undo = append(t.undo, func() error { release(); return nil })
	}
	if err := t.route(c, first); err != nil {
		return err
	}
	// Last, because there is no way back to those that it had.
	if err := m.resolver.Use(t.name, c.DNS, c.ExclusiveDNS); err != nil {
		m.log.Addf("pptp,ppp,error", "%s: %v", c.Name, err)
	}
	return nil
}

// leadsInside reports whether a route through the tunnel would lead the tunnel's
// own packets into it.
func leadsInside(c session.InterfaceConfig) bool {
	return c.DefaultRoute > 0 || slices.ContainsFunc(c.Routes, func(r aaa.Route) bool { return r.Dst.Contains(c.Outer) })
}

// route makes the routes through the interface, and removes others that it had,
// unless it is new. One of a user's routes that is impossible does not end the
// session.
func (t *tunnel) route(c session.InterfaceConfig, first bool) error {
	m := t.machine
	var keep []netip.Prefix
	for _, r := range c.Routes {
		keep = append(keep, r.Dst)
		if err := m.AddRoute(t.name, r.Dst, r.Gateway, r.Distance); err != nil {
			m.log.Addf("pptp,ppp,error", "%s: %v", c.Name, err)
		}
	}
	if c.DefaultRoute > 0 {
		keep = append(keep, host.DefaultPrefixes(c.DefaultRoute)...)
		if err := m.AddDefaultRoute(t.name, c.DefaultRoute); err != nil {
			return err
		}
	}
	if first {
		return nil
	}
	return m.DropRoutes(t.name, keep)
}

// protect puts an interface into the firewall. A filter that cannot be put in
// force keeps the session from coming up; where there is only the MSS to be
// fitted, it comes up without.
func (t *tunnel) protect(c session.InterfaceConfig) error {
	s := firewall.Session{
		Interface: t.name, Remote: c.Remote, FitMSS: c.FitMSS, AddressLists: c.AddressLists, InterfaceList: c.InterfaceList,
		IncomingFilter: c.IncomingFilter, OutgoingFilter: c.OutgoingFilter,
	}
	remove, err := t.machine.firewall.Add(s)
	if err == nil {
		t.undo = append(t.undo, remove)
		return nil
	}
	if len(s.AddressLists) > 0 || s.InterfaceList != "" || s.IncomingFilter != "" || s.OutgoingFilter != "" {
		return err
	}
	t.machine.log.Addf("firewall,warning", "%s: the MSS of TCP is not changed: %v", c.Name, err)
	return nil
}
