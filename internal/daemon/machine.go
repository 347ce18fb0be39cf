package daemon

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"gopptp/internal/tree"
)

// resources gives what /system/resource shows. What the system does not tell stays
// unknown.
func resources(data string) tree.Machine {
	m := tree.Machine{CPUs: runtime.NumCPU(), Load: -1}
	const kib = 1024
	fields("/proc/meminfo", func(key, value string) {
		var n uint64
		fmt.Sscan(value, &n)
		switch key {
		case "MemTotal":
			m.TotalMemory = n * kib
		case "MemAvailable":
			m.FreeMemory = n * kib
		}
	})
	fields("/proc/cpuinfo", func(key, value string) {
		if key == "model name" {
			m.CPU = value
		}
	})
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		var load float64
		if n, _ := fmt.Sscan(string(b), &load); n == 1 {
			m.Load = int(100 * load / float64(m.CPUs))
		}
	}
	var disk unix.Statfs_t
	if unix.Statfs(data, &disk) == nil {
		m.FreeSpace = disk.Bavail * uint64(disk.Bsize)
		m.TotalSpace = disk.Blocks * uint64(disk.Bsize)
	}
	return m
}

// fields gives the lines "key: value" of a file of the kernel.
func fields(path string, each func(key, value string)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok {
			each(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
}
