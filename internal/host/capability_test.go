package host

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/tun"
)

// TestRequiresRootMissingCapability makes the requests of SetupLink on the thread that
// has lost its capabilities. SetupLink makes them on any thread: those of a program
// have the same ones.
func TestRequiresRootMissingCapability(t *testing.T) {
	in := hosttest.New(t)
	in.Do(func() {
		d, err := tun.Create("tun0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
	})
	err := in.WithoutCapabilities(func() error {
		h, err := Open()
		if err != nil {
			return err
		}
		defer h.Close()
		link, err := h.linkByName("tun0")
		if err != nil {
			return err
		}
		return h.configure(link, LinkConfig{
			Name: "tun0", MTU: 1450, Local: netip.MustParseAddr("10.0.0.1"), Remote: netip.MustParseAddr("10.0.0.5"),
		})
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("requests without capabilities: %v; want a permission error that names CAP_NET_ADMIN", err)
	}
}
