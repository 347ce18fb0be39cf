package host_test

import (
	"errors"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
	"gopptp/internal/tun"
)

// addBridge makes a bridge that is up.
func addBridge(t *testing.T, in *hosttest.Namespace, name string, change func(*netlink.Bridge)) {
	t.Helper()
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}
	change(b)
	if err := in.Handle.LinkAdd(b); err != nil {
		t.Fatal(err)
	}
	in.Up(name)
}

// addPort makes a TAP interface and joins it to a bridge.
func addPort(t *testing.T, in *hosttest.Namespace, h *host.Handle, cfg host.BridgePort) error {
	t.Helper()
	var err error
	in.Do(func() {
		var d *tun.TUN
		if d, err = tun.CreateTAP(cfg.Name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		err = h.JoinBridge(cfg)
	})
	return err
}

// show is what "ip" tells of an interface.
func show(t *testing.T, in *hosttest.Namespace, name string) string {
	t.Helper()
	var out []byte
	in.Do(func() {
		var err error
		if out, err = exec.Command("ip", "-d", "-o", "link", "show", name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	})
	return string(out)
}

func TestRequiresRootJoinBridge(t *testing.T) {
	in, h := open(t)
	addBridge(t, in, "br0", func(b *netlink.Bridge) { b.MTU = 1400 })
	in.Handle.LinkSetMTU(in.Link("br0"), 1400)
	const full = "<pptp-a-user-with-a-long-name>-br"
	if err := addPort(t, in, h, host.BridgePort{Name: "port", AltName: full, Bridge: "br0", Learning: true}); err != nil {
		t.Fatal(err)
	}
	a, bridge := in.Link("port").Attrs(), in.Link("br0").Attrs()
	if a.MasterIndex != bridge.Index || a.MTU != 1400 || bridge.MTU != 1400 || a.Flags&net.FlagUp == 0 || a.HardwareAddr[0] != 0xfe {
		t.Errorf("port %+v", a)
	}
	if !slices.Equal(a.AltNames, []string{full}) {
		t.Errorf("names %q", a.AltNames)
	}
	info, err := in.Handle.LinkGetProtinfo(in.Link("port"))
	if err != nil || !info.Learning || info.Isolated {
		t.Errorf("%+v, %v", info, err)
	}
	if err := addPort(t, in, h, host.BridgePort{Name: "deaf", Bridge: "br0", Isolated: true}); err != nil {
		t.Fatal(err)
	}
	info, err = in.Handle.LinkGetProtinfo(in.Link("deaf"))
	if err != nil || info.Learning || !info.Isolated {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestRequiresRootJoinBridgeOptions(t *testing.T) {
	in, h := open(t)
	addBridge(t, in, "br0", func(*netlink.Bridge) {})
	priority := 240
	// A bridge that filters no VLANs, in a kernel that perhaps cannot, takes no heed
	// of the port's.
	if err := addPort(t, in, h, host.BridgePort{Name: "port", Bridge: "br0", Priority: &priority, PathCost: 200_000_000, VID: 7}); err != nil {
		t.Fatal(err)
	}
	if got := show(t, in, "port"); !strings.Contains(got, "priority 60 cost 65535") || !strings.Contains(got, "learning off") {
		t.Error(got)
	}
	priority = 0
	if err := addPort(t, in, h, host.BridgePort{Name: "first", Bridge: "br0", Priority: &priority}); err != nil {
		t.Fatal(err)
	}
	if got := show(t, in, "first"); !strings.Contains(got, "priority 0 cost ") {
		t.Error(got)
	}
}

func TestRequiresRootJoinBridgeVLAN(t *testing.T) {
	in, h := open(t)
	on := true
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}, VlanFiltering: &on}
	if err := in.Handle.LinkAdd(b); errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("a kernel without VLAN filtering of bridges")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := addPort(t, in, h, host.BridgePort{Name: "port", Bridge: "br0", VID: 7}); err != nil {
		t.Fatal(err)
	}
	vlans, err := in.Handle.BridgeVlanList()
	if err != nil {
		t.Fatal(err)
	}
	got := vlans[int32(in.Link("port").Attrs().Index)]
	if len(got) != 1 || got[0].Vid != 7 || !got[0].PortVID() || !got[0].EngressUntag() {
		t.Errorf("VLANs %v", got)
	}
}

func TestRequiresRootNoBridge(t *testing.T) {
	in, h := open(t)
	for _, r := range []struct{ bridge, want string }{{"br9", `bridge "br9"`}, {"lo", `"lo" is no bridge`}} {
		if err := addPort(t, in, h, host.BridgePort{Name: "port-" + r.bridge, Bridge: r.bridge}); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: %v", r.bridge, err)
		}
	}
}
