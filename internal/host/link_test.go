package host_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
	"gopptp/internal/tun"
)

var (
	local  = netip.MustParseAddr("10.0.0.1")
	remote = netip.MustParseAddr("10.0.0.5")
)

// open opens a Handle in a new namespace.
func open(t *testing.T) (*hosttest.Namespace, *host.Handle) {
	t.Helper()
	in := hosttest.New(t)
	var h *host.Handle
	in.Do(func() {
		var err error
		if h, err = host.Open(); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(h.Close)
	return in, h
}

// create makes a TUN interface in a namespace.
func create(t *testing.T, in *hosttest.Namespace, name string) *tun.TUN {
	t.Helper()
	var d *tun.TUN
	in.Do(func() {
		var err error
		if d, err = tun.Create(name); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { d.Close() })
	return d
}

// setup calls SetupLink in a namespace.
func setup(in *hosttest.Namespace, h *host.Handle, cfg host.LinkConfig) (err error) {
	in.Do(func() { err = h.SetupLink(cfg) })
	return err
}

func TestRequiresRootSetupLink(t *testing.T) {
	in, h := open(t)
	const full = "<pptp-a-user-with-a-long-name>"
	kernel, alt := host.InterfaceName(full, h.Taken)
	d := create(t, in, kernel)
	cfg := host.LinkConfig{
		Name: kernel, AltName: alt, Alias: strings.Repeat("MT-User ", 50),
		MTU: 1400, Local: local, Remote: remote,
	}
	if err := setup(in, h, cfg); err != nil {
		t.Fatal(err)
	}

	link := in.Link(kernel)
	attrs := link.Attrs()
	if attrs.MTU != 1400 || attrs.TxQLen <= 0 || attrs.Flags&net.FlagUp == 0 {
		t.Errorf("MTU %d, queue %d, flags %v; want 1400, some, up", attrs.MTU, attrs.TxQLen, attrs.Flags)
	}
	if !slices.Equal(attrs.AltNames, []string{full}) {
		t.Errorf("alternative names %q, want %q", attrs.AltNames, full)
	}
	if attrs.Alias != cfg.Alias[:255] {
		t.Errorf("alias %q, want the start of %q", attrs.Alias, cfg.Alias)
	}
	addrs, err := in.Handle.AddrList(link, netlink.FAMILY_ALL)
	if err != nil || len(addrs) != 1 || addrs[0].IPNet.String() != "10.0.0.1/32" || addrs[0].Peer.String() != "10.0.0.5/32" {
		t.Errorf("addresses %v, %v; want 10.0.0.1 peer 10.0.0.5/32 and no IPv6", addrs, err)
	}
	in.Do(func() {
		b, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + kernel + "/disable_ipv6")
		if err != nil || string(b) != "1\n" {
			t.Errorf("disable_ipv6 is %q, %v; want 1", b, err)
		}
	})
	if !h.Taken(kernel) || !h.Taken(full) || h.Taken("<pptp-nobody>") || h.Taken("") || h.Taken(strings.Repeat("x", 200)) {
		t.Error("Taken is wrong about a name")
	}

	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if h.Taken(kernel) || h.Taken(full) {
		t.Error("a name is taken after Close")
	}
	if _, err := h.RouteTo(remote); !errors.Is(err, host.ErrNoRoute) {
		t.Errorf("after Close the route is still there: %v", err)
	}
}

// TestRequiresRootSetupLinkAgain gives an interface other addresses: the former one
// still takes packets, but nothing leaves with it.
func TestRequiresRootSetupLinkAgain(t *testing.T) {
	in, h := open(t)
	create(t, in, "again")
	former := netip.MustParseAddr("10.112.112.1")
	addresses := func() []string {
		addrs, err := in.Handle.AddrList(in.Link("again"), netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, a := range addrs {
			all = append(all, a.IP.String())
		}
		slices.Sort(all)
		return all
	}
	for _, c := range []struct {
		cfg  host.LinkConfig
		want []string
	}{
		{host.LinkConfig{Local: former, Remote: netip.MustParseAddr("10.112.112.101")}, []string{"10.112.112.1"}},
		{host.LinkConfig{Local: local, Remote: remote, Former: former}, []string{"10.0.0.1", "10.112.112.1"}},
		{host.LinkConfig{Local: local, Remote: netip.MustParseAddr("10.112.112.101")}, []string{"10.0.0.1"}},
	} {
		c.cfg.Name, c.cfg.MTU = "again", 1400
		if err := setup(in, h, c.cfg); err != nil {
			t.Fatal(err)
		}
		if err := h.AddDefaultRoute("again", 1); err != nil {
			t.Fatal(err)
		}
		if got := addresses(); !slices.Equal(got, c.want) {
			t.Errorf("addresses %q, want %q", got, c.want)
		}
		routes, err := in.Handle.RouteGet(net.IPv4(192, 0, 2, 80))
		if err != nil || !routes[0].Src.Equal(net.ParseIP(c.want[0])) {
			t.Errorf("packets leave with %v, %v, want %s", routes, err, c.want[0])
		}
		way, err := h.RouteTo(former)
		if own := slices.Contains(c.want, former.String()); err != nil || way.Local != own {
			t.Errorf("the former address leads to %+v, %v", way, err)
		}
	}
}

func TestRequiresRootNamesThatLinuxTakes(t *testing.T) {
	in, h := open(t)
	for _, full := range []string{
		"pptp-out1", "<pptp-MT-User>", `<pptp-D\user>`, "<pptp-DOMAIN:user-name>", "tun%d", "a:b", "à", "..",
		"<pptp-жук@example.org>", "a b", "a/b", "\x01", "<pptp-" + strings.Repeat("u", 120) + ">",
	} {
		kernel, alt := host.InterfaceName(full, h.Taken)
		create(t, in, kernel)
		if err := setup(in, h, host.LinkConfig{Name: kernel, AltName: alt, Alias: full, MTU: 1450, Local: local, Remote: remote}); err != nil {
			t.Errorf("%q: %v", full, err)
		}
		if !h.Taken(kernel) || alt != "" && !h.Taken(alt) {
			t.Errorf("%q: interface %q is not found by %q or %q", full, kernel, kernel, alt)
		}
	}
}

func TestRequiresRootAltNameTaken(t *testing.T) {
	in, h := open(t)
	create(t, in, "first")
	create(t, in, "second")
	cfg := host.LinkConfig{Name: "first", AltName: "another-name-of-it", MTU: 1450, Local: local, Remote: remote}
	if err := setup(in, h, cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Name, cfg.Alias = "second", "still set"
	if err := setup(in, h, cfg); !errors.Is(err, host.ErrName) || !errors.Is(err, os.ErrExist) {
		t.Errorf("SetupLink with a taken alternative name: %v; want ErrName and os.ErrExist", err)
	}
	attrs := in.Link("second").Attrs()
	if attrs.Flags&net.FlagUp == 0 || attrs.Alias != "still set" {
		t.Errorf("the interface has flags %v, alias %q; want it up with the alias", attrs.Flags, attrs.Alias)
	}
}

func TestRequiresRootSetupLinkErrors(t *testing.T) {
	in, h := open(t)
	create(t, in, "tun0")
	good := host.LinkConfig{Name: "tun0", MTU: 1450, Local: local, Remote: remote}
	for _, test := range []struct {
		name   string
		change func(c *host.LinkConfig)
		want   string
	}{
		{"no interface", func(c *host.LinkConfig) { c.Name = "nobody" }, `"nobody"`},
		{"MTU too small", func(c *host.LinkConfig) { c.MTU = 10 }, "set MTU"},
		{"no address", func(c *host.LinkConfig) { c.Remote = netip.Addr{} }, "IPv4"},
		{"IPv6", func(c *host.LinkConfig) { c.Local = netip.IPv6Loopback() }, "IPv4"},
	} {
		cfg := good
		test.change(&cfg)
		err := setup(in, h, cfg)
		if err == nil || errors.Is(err, host.ErrName) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want an error with %q", test.name, err, test.want)
		}
	}
	if in.Link("tun0").Attrs().Flags&net.FlagUp != 0 {
		t.Error("the interface is up after errors")
	}
}

// TestRequiresRootReadOnlySysctl sets an interface up where /proc/sys cannot be
// written, as in a container.
func TestRequiresRootReadOnlySysctl(t *testing.T) {
	in, h := open(t)
	create(t, in, "tun0")
	err := in.WithMounts(func() error {
		if err := unix.Mount("/proc/sys", "/proc/sys", "", unix.MS_BIND, ""); err != nil {
			return err
		}
		if err := unix.Mount("", "/proc/sys", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return err
		}
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", []byte("1"), 0); !errors.Is(err, unix.EROFS) {
			t.Errorf("/proc/sys can be written, so this tests nothing: %v", err)
		}
		return h.SetupLink(host.LinkConfig{Name: "tun0", MTU: 1450, Local: local, Remote: remote})
	})
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := in.Handle.AddrList(in.Link("tun0"), netlink.FAMILY_V6)
	if err != nil || len(addrs) != 0 {
		t.Errorf("IPv6 addresses %v, %v; want none", addrs, err)
	}
}
