package daemon

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/tree"
)

// resources gives what /system/resource shows. What the system does not tell stays
// unknown.
func resources(data string) tree.Machine {
	m := tree.Machine{CPUs: runtime.NumCPU(), Load: -1, Built: built()}
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
		switch key {
		case "model name":
			m.CPU = value
		case "cpu MHz":
			whole, _, _ := strings.Cut(value, ".")
			m.MHz, _ = strconv.Atoi(whole) // unknown if it is no number
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

// built gives when the program was built: the time of what it was built from, or
// else that of its file.
var built = sync.OnceValue(func() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key != "vcs.time" {
				continue
			}
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return at.Local()
			}
		}
	}
	path, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
})
