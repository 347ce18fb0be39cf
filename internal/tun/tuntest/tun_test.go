package tuntest

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/offload"
	"gopptp/internal/tun"
)

func TestTUNKeepsContract(t *testing.T) {
	TestContract(t, func(*testing.T) (tun.Device, Stack) {
		d := New("tun0")
		return d, Stack{
			Send: func(t *testing.T, pkt []byte) {
				t.Helper()
				if err := d.Send(t.Context(), pkt); err != nil {
					t.Fatal(err)
				}
			},
			SendSuper: func(t *testing.T, pkts [][]byte) {
				t.Helper()
				super := slices.Clone(pkts[0])
				for _, pkt := range pkts[1:] {
					super = append(super, pkt[28:]...)
				}
				binary.BigEndian.PutUint16(super[2:], uint16(len(super)))
				h := offload.Header{Kind: offload.UDP4, SegmentSize: uint16(len(pkts[0]) - 28)}
				if err := d.SendSuper(t.Context(), h, super); err != nil {
					t.Fatal(err)
				}
			},
			Receive: func(t *testing.T) []byte {
				t.Helper()
				pkt, err := d.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return pkt
			},
		}
	})
}

func TestWriteDropsWhenFull(t *testing.T) {
	d := New("tun0")
	var pkts [][]byte
	for range queueLen + 10 {
		pkts = append(pkts, UDP(false, "x"))
	}
	if n, err := d.Write(pkts, 0); n != queueLen || err != nil {
		t.Errorf("Write = %d, %v; want %d, nil", n, err, queueLen)
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New("tun0")
		for range queueLen {
			if err := d.Send(t.Context(), UDP(true, "x")); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Send(ctx, UDP(true, "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send into a full queue: %v, want the deadline", err)
		}
		go func() {
			time.Sleep(time.Second)
			d.Close()
		}()
		if err := d.Send(t.Context(), UDP(true, "x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send when the interface closes: %v, want net.ErrClosed", err)
		}
	})
}

func TestReceiveAfterClose(t *testing.T) {
	d := New("tun0")
	if n, err := d.Write([][]byte{UDP(false, "last")}, 0); n != 1 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	d.Close()
	if _, err := d.Receive(t.Context()); err != nil {
		t.Errorf("Receive of what was written before Close: %v", err)
	}
	if _, err := d.Receive(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive: %v, want net.ErrClosed", err)
	}
}

func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHost()
		const name = "<pptp-MT-User>"
		go func() {
			time.Sleep(time.Hour)
			if _, err := h.Create(name); err != nil {
				t.Error(err)
			}
		}()
		d, err := h.Wait(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Name() != name || !h.Taken(name) || h.Taken("other") {
			t.Errorf("Name() = %q, Taken = %t, %t", d.Name(), h.Taken(name), h.Taken("other"))
		}
		if _, err := h.Create(name); !errors.Is(err, os.ErrExist) {
			t.Errorf("Create of a name in use: %v, want os.ErrExist", err)
		}
		go func() {
			time.Sleep(time.Hour)
			d.Close()
		}()
		if err := h.WaitGone(t.Context(), name); err != nil {
			t.Error(err)
		}
		if _, err := h.Create(name); err != nil {
			t.Errorf("Create after Close: %v", err)
		}
		d.Close() // once more; it must not take the new one away
		if !h.Taken(name) {
			t.Error("the second Close removed another interface")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Wait(ctx, "other"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: %v, want the deadline", err)
		}
		for _, bad := range []string{"", "sixteen octets 16"} {
			if _, err := h.Create(bad); err == nil {
				t.Errorf("Create(%q) succeeded", bad)
			}
		}
	})
}
