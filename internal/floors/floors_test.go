// Package floors has only a test: it holds the packages of this program to the
// floors of docs/architecture.md and to having a package comment.
package floors

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// floor is the table of docs/architecture.md: a package imports only packages
// of a lower floor.
var floor = map[string]int{
	"internal/bell": 0, "internal/latency": 0, "internal/progress": 0, "internal/manual": 0, "packaging/sbom": 0, "mppc": 0, "mppe/rc4": 0, "internal/shape": 0, "internal/offload": 0,
	"gre": 1, "ppp": 1, "ppp/fsm": 1, "ppp/mp": 1, "mschap": 1, "mppe": 1, "pptp/wire": 1, "internal/journal": 1, "internal/records": 1, "internal/tun": 1, "internal/accept": 1, "internal/placeholder": 1, "internal/firewall": 1, "internal/resolver": 1,
	"ppp/cp": 2, "ppp/auth": 2, "internal/menu": 2, "internal/service": 2, "internal/logging": 2, "internal/rawgre": 2, "internal/host": 2,
	"internal/login": 3, "internal/query": 3, "internal/terminal": 3, "internal/export": 3, "internal/reference": 3, "internal/migrate": 3, "ppp/lcp": 3, "ppp/ccp": 3, "ppp/ipcp": 3, "ppp/bcp": 3, "pptp": 3, "internal/xdp": 3,
	"ppp/link": 4, "internal/aaa": 4, "internal/radius": 4,
	"internal/plane":   5,
	"internal/session": 6,
	"internal/store":   7, "internal/nas": 7, "internal/load": 7,
	"internal/tree": 8, "internal/metrics": 8, "internal/doctor": 8,
	"internal/script": 9, "internal/api": 9, "internal/rest": 9,
	"internal/console": 10,
	"internal/sshd":    11, "internal/web": 11,
	"internal/daemon": 12,
	"cmd/gopptp":      13,
}

// doubles stand in for a door in tests, or run them; nothing but tests may import them.
var doubles = []string{"internal/rawgre/rawgretest", "internal/tun/tuntest", "internal/host/hosttest", "internal/tree/treetest", "internal/golden", "test/rig"}

type goPackage struct {
	ImportPath, Doc string
	Imports         []string
	GoFiles         []string
}

func TestPackagesKeepTheirFloors(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,GoFiles", "gopptp/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var seen int
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "gopptp/")
		if len(p.GoFiles) == 0 || strings.HasPrefix(name, "test/") || isDouble(name) {
			continue
		}
		seen++
		if p.Doc == "" {
			t.Errorf("%s has no package comment", name)
		}
		own, ok := floor[name]
		if !ok {
			t.Errorf("%s has no floor: add it to this test and to docs/architecture.md", name)
			continue
		}
		for _, imp := range p.Imports {
			other, ours := strings.CutPrefix(imp, "gopptp/")
			switch {
			case !ours:
			case isDouble(other):
				t.Errorf("%s imports the test double %s", name, other)
			case floor[other] >= own:
				t.Errorf("%s (floor %d) imports %s (floor %d)", name, own, other, floor[other])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were seen: the test is blind", seen)
	}
}

func isDouble(name string) bool {
	for _, d := range doubles {
		if name == d {
			return true
		}
	}
	return false
}
