package rawgre

import (
	"testing"

	"golang.org/x/net/bpf"
)

// greHeaders are the starts of GRE packets and whether the filter keeps them.
// The field names are those of RFC 2637, section 4.1.
var greHeaders = []struct {
	name string
	b    string
	keep bool
}{
	{"PPTP with S", "\x30\x01\x88\x0b\x00\x00\x00\x01", true},
	{"PPTP with S and A", "\x30\x81\x88\x0b\x00\x00\x00\x01", true},
	{"PPTP with A only", "\x20\x81\x88\x0b\x00\x00\x00\x01", true},
	{"Recur and reserved flags are the parser's", "\x37\xf9\x88\x0b\x00\x00\x00\x01", true},
	{"plain GRE with IPv4", "\x00\x00\x08\x00\x45\x00\x00\x14", false},
	{"plain GRE with key", "\x20\x00\x08\x00\x00\x00\x00\x01", false},
	{"version 0 with PPP", "\x20\x00\x88\x0b\x00\x00\x00\x01", false},
	{"version 1 without K", "\x10\x01\x88\x0b\x00\x00\x00\x01", false},
	{"version 2", "\x30\x02\x88\x0b\x00\x00\x00\x01", false},
	{"version 3", "\x30\x03\x88\x0b\x00\x00\x00\x01", false},
	{"version 1 with IPv4", "\x30\x01\x08\x00\x00\x00\x00\x01", false},
	{"version 1 with transparent Ethernet", "\x30\x01\x65\x58\x00\x00\x00\x01", false},
	{"cut in the protocol", "\x30\x01\x88", false},
	{"cut in the flags", "\x30", false},
	{"empty", "", false},
}

func TestFilterProgram(t *testing.T) {
	vm, err := bpf.NewVM(filter(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range greHeaders {
		for _, options := range []int{0, 4, 40} {
			b := datagram(options, test.b)
			n, err := vm.Run(b)
			if err != nil {
				t.Fatal(err)
			}
			if kept := n > 0; kept != test.keep {
				t.Errorf("%s, %d octets of IP options: kept = %t, want %t", test.name, options, kept, test.keep)
			} else if kept && n < len(b) {
				t.Errorf("%s: cut to %d of %d octets", test.name, n, len(b))
			}
		}
	}
}

// TestFilterShards: each Call ID has exactly one socket, and what is not for us none.
func TestFilterShards(t *testing.T) {
	const shards = 4
	var vms [shards]*bpf.VM
	for i := range vms {
		vm, err := bpf.NewVM(filter(i, shards))
		if err != nil {
			t.Fatal(err)
		}
		vms[i] = vm
	}
	for _, id := range []uint16{0, 1, 2, 3, 4, 7, 255, 256, 0x1234, 65535} {
		b := datagram(4, "\x30\x01\x88\x0b\x00\x00"+string([]byte{byte(id >> 8), byte(id)})+"\x00\x00\x00\x01")
		for i, vm := range vms {
			if n, err := vm.Run(b); err != nil || (n >= len(b)) != (i == int(id%shards)) || n > 0 && n < len(b) {
				t.Errorf("Call ID %d: socket %d keeps %d octets, %v", id, i, n, err)
			}
		}
	}
	for _, test := range greHeaders {
		for i, vm := range vms {
			if n, err := vm.Run(datagram(0, test.b)); err != nil || n > 0 && !test.keep {
				t.Errorf("%s: socket %d keeps %d octets, %v", test.name, i, n, err)
			}
		}
	}
}
