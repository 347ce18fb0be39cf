package tree

import (
	"fmt"
	"runtime"
	"strconv"
	"time"

	"gopptp/internal/menu"
)

// A Machine is what the program runs on. What is zero is unknown.
type Machine struct {
	FreeMemory, TotalMemory uint64 // octets
	FreeSpace, TotalSpace   uint64 // octets, where the configuration is
	CPU                     string // what it is called
	CPUs                    int
	MHz                     int       // of a processor
	Built                   time.Time // when the program was
	Load                    int       // percent of all processors in the last minute; negative if unknown
}

// size is a number of octets: 512.0MiB.
type size struct{ menu.Int }

// Text gives it in MiB, in KiB if it is small, or as it is.
func (size) Text(s string) string {
	n, err := strconv.ParseUint(s, 10, 64)
	switch {
	case err != nil, n < 1<<10:
		return s
	case n < 1<<20:
		return fmt.Sprintf("%.1fKiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20))
}

// megahertz is a frequency.
type megahertz struct{ menu.Int }

// Text gives it with its unit.
func (megahertz) Text(s string) string { return s + "MHz" }

// percent is a part of hundred.
type percent struct{ menu.Int }

// Text gives it with its sign.
func (percent) Text(s string) string { return s + "%" }

// architectures are the names that RouterOS has for Go's.
var architectures = map[string]string{"amd64": "x86_64", "386": "x86", "arm64": "arm64", "arm": "arm", "ppc64le": "ppc", "mips": "mipsbe", "mipsle": "mmips"}

// newResource declares /system/resource. The platform is that of the system that
// this one behaves like: programs that drive it ask for it.
func (t *Tree) newResource(release string, machine func() Machine) *computed {
	octets := size{counter}
	m := &menu.Menu{
		Name: "resource", Help: "System resources", Singleton: true,
		Properties: []menu.Property{
			readOnly("uptime", menu.Time{}, "Time since the program started"),
			readOnly("version", menu.Words(), "Version: that of RouterOS that the system behaves like, and its own"),
			readOnly("build-time", menu.DateTime{}, "When the program was built"),
			readOnly("factory-software", menu.Words(), "Version that the system was delivered with: the one that it has"),
			readOnly("free-memory", octets, "Memory that is free"),
			readOnly("total-memory", octets, "Memory of the machine"),
			readOnly("cpu", menu.Words(), "Name of the processor"),
			readOnly("cpu-count", menu.Int{Max: 1 << 16}, "Number of processors"),
			readOnly("cpu-frequency", megahertz{menu.Int{Max: 1 << 16}}, "Frequency of the processors"),
			readOnly("cpu-load", percent{menu.Int{Max: 100}}, "Load of the processors in the last minute"),
			readOnly("free-hdd-space", octets, "Space that is free where the configuration is kept"),
			readOnly("total-hdd-space", octets, "Space where the configuration is kept"),
			readOnly("architecture-name", menu.Words(), "Architecture of the machine"),
			readOnly("board-name", menu.Words(), "Name of the machine"),
			readOnly("platform", menu.Words(), "Platform that the system behaves like"),
		},
		Commands: shownOnly(true),
	}
	started := time.Now()
	return &computed{menu: m, list: func() []*menu.Row {
		r := m.Defaults(settingsID)
		r.Put("uptime", menu.FormatTime(time.Since(started).Truncate(time.Second)))
		r.Put("version", release)
		r.Put("factory-software", RouterVersion)
		r.Put("board-name", "gopptp")
		r.Put("platform", "MikroTik")
		if machine == nil {
			return []*menu.Row{r}
		}
		now := machine()
		for name, n := range map[string]uint64{
			"free-memory": now.FreeMemory, "total-memory": now.TotalMemory, "free-hdd-space": now.FreeSpace, "total-hdd-space": now.TotalSpace,
		} {
			r.Put(name, strconv.FormatUint(n, 10))
		}
		putText(r, "cpu", now.CPU)
		putNumber(r, "cpu-count", now.CPUs)
		putNumber(r, "cpu-frequency", now.MHz)
		if !now.Built.IsZero() {
			r.Put("build-time", menu.FormatDateTime(now.Built))
		}
		if now.Load >= 0 {
			r.Put("cpu-load", strconv.Itoa(min(now.Load, 100)))
		}
		name, known := architectures[runtime.GOARCH]
		if !known {
			name = runtime.GOARCH
		}
		r.Put("architecture-name", name)
		return []*menu.Row{r}
	}}
}

// newPackages declares /system/package: the one package that programs look for
// to learn the version.
func (t *Tree) newPackages() *computed {
	m := &menu.Menu{
		Name: "package", Help: "Parts of the system", NameKey: "name", Layout: menu.Table,
		Flags:   []menu.Flag{whenOff},
		Columns: []menu.Column{{Property: "name"}, {Property: "version"}},
		Properties: []menu.Property{
			readOnly("name", menu.Words(), "Name of the package"),
			readOnly("version", menu.Words(), "Version of the package"),
			{Name: disabled, Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the package is disabled"},
		},
		Commands: shownOnly(false),
	}
	return &computed{menu: m, list: func() []*menu.Row {
		r := m.Defaults(1)
		r.Put("name", "routeros")
		r.Put("version", RouterVersion)
		return []*menu.Row{r}
	}}
}
