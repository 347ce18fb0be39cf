package lab

import (
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// nudgeEvery bounds how long a guest leaves a packet lying. Its kernel is told that
// something has come, not how much, and at times takes one packet and leaves the next
// until it is told again: for seconds, if neither side has anything to say.
const nudgeEvery = 10 * time.Millisecond

// nudgeType is an EtherType for experiments (IEEE 802), which nobody listens to.
const nudgeType = 0x88b5

// nudge sends a guest a frame again and again, by the tap that is its cable. What it
// gives ends that.
func (l *Lab) nudge(tap string) (end func(), err error) {
	var file *os.File
	err = l.Do(func() error {
		// Without a protocol: it sends only.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		file = os.NewFile(uintptr(fd), "packet socket")
		iface, err := net.InterfaceByName(tap)
		if err != nil {
			return err
		}
		return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: iface.Index}))
	})
	if err != nil {
		if file != nil {
			file.Close()
		}
		return nil, err
	}
	frame := make([]byte, 60) // an Ethernet frame is no shorter
	copy(frame, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x03, nudgeType >> 8, nudgeType & 0xff})
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		defer file.Close()
		tick := time.NewTicker(nudgeEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				file.Write(frame) // fails while the guest has not yet come, or is gone
			case <-stop:
				return
			}
		}
	})
	return func() { close(stop); done.Wait() }, nil
}
