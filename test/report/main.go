// Command report reads the output of go test -json, prints a line for each
// package and the whole output of what failed, and exits with 1 when something
// did.
//
// In CI (environment CI=true) it also fails when a test was skipped, or when none
// that needs root ran: a green run would say less than it seems to. Several runs
// may follow each other in the input: what one skips another may do. The few tests
// that may be skipped are named in mayBeSkipped, each with the reason.
//
//	{ go test -json -race ./...; go test -json -run Alloc ./...; } | go run ./test/report
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// rootPrefix is how the names of tests begin that need root.
const rootPrefix = "TestRequiresRoot"

// mayBeSkipped has the tests that CI cannot always run, by package and name, with
// the reason.
var mayBeSkipped = map[string]string{
	"gopptp/internal/tun TestHelperHoldsInterface":        "no test: the process that TestRequiresRootKilled starts and kills",
	"gopptp/internal/xdp TestHelper":                      "no test: the process that TestRequiresRootKilled starts and kills",
	"gopptp/internal/host TestRequiresRootJoinBridgeVLAN": "needs a kernel whose bridges filter VLANs",
	"gopptp/mppe TestHashFast":                            "needs a processor with SHA instructions; without them nothing uses what it tests",
	"gopptp/internal/offload TestSumHasVectors":           "needs a processor with AVX2; without it nothing uses what it tests",
	"gopptp/test/deb TestRequiresRootPackage/systemd":     "needs a machine that lets systemd have cgroups; TestRequiresRootConfined tries the same rights without it",
}

func main() {
	ok, err := report(os.Stdin, os.Stdout, os.Getenv("CI") == "true")
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// An event is a line of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build's output
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// A run is what is known of the tests so far.
type run struct {
	out    io.Writer
	output map[string][]string // by package and test; dropped when it passed
	count  map[string]*tally   // by package
	all    tally
	broken []string // packages that failed

	// Tests that need root, and their subtests, by package and name.
	rootRan   map[string]bool
	rootTests int // how many of rootRan are no subtests

	ran     map[string]bool // tests that were not skipped, by package and name
	skipped []string        // those that were, in one run at least
}

// A tally counts top-level tests.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(action string) {
	switch action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
	case "skip":
		t.skipped++
	}
}

func report(in io.Reader, out io.Writer, ci bool) (ok bool, err error) {
	r := &run{out: out, output: map[string][]string{}, count: map[string]*tally{}, rootRan: map[string]bool{}, ran: map[string]bool{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	fmt.Fprintf(out, "tests: %d passed, %d failed, %d skipped; %d that need root ran\n",
		r.all.passed, r.all.failed, r.all.skipped, r.rootTests)
	ok = len(r.broken) == 0 && r.all.failed == 0
	for _, p := range r.broken {
		fmt.Fprintln(out, "FAIL:", p)
	}
	if ci && r.rootTests == 0 {
		fmt.Fprintln(out, "FAIL: no test that needs root ran")
		ok = false
	}
	if ci {
		for _, name := range r.skipped {
			if _, may := mayBeSkipped[name]; may || r.ran[name] {
				continue
			}
			fmt.Fprintln(out, "FAIL: skipped:", name)
			ok = false
		}
	}
	return ok, nil
}

func (r *run) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(r.out, line) // what go itself says, as it is
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnded(e, key)
		} else {
			r.testEnded(e, key)
		}
	}
}

func (r *run) testEnded(e event, key string) {
	name, _, sub := strings.Cut(e.Test, "/")
	if e.Action == "fail" || e.Action == "skip" {
		for _, o := range r.output[key] {
			if !strings.HasPrefix(o, "=== ") {
				fmt.Fprint(r.out, o)
			}
		}
	}
	delete(r.output, key)
	root := strings.HasPrefix(name, rootPrefix)
	if e.Action == "skip" {
		r.skipped = append(r.skipped, key)
	} else {
		r.ran[key] = true
	}
	if root && e.Action != "skip" {
		if !sub && !r.rootRan[key] {
			r.rootTests++
		}
		r.rootRan[key] = true
	}
	if sub {
		return
	}
	if r.count[e.Package] == nil {
		r.count[e.Package] = &tally{}
	}
	r.count[e.Package].add(e.Action)
	r.all.add(e.Action)
}

func (r *run) packageEnded(e event, key string) {
	if e.Action == "fail" {
		// What no test owns: a panic, a timeout, an init that ended the process.
		// Tests that were running then have no end of their own.
		for _, k := range slices.Sorted(keysOf(r.output, e.Package)) {
			for _, o := range r.output[k] {
				fmt.Fprint(r.out, o)
			}
		}
		r.broken = append(r.broken, e.Package)
	}
	for k := range keysOf(r.output, e.Package) {
		delete(r.output, k)
	}
	if t := r.count[e.Package]; t != nil {
		word := map[bool]string{true: "FAIL", false: "ok  "}[e.Action == "fail"]
		fmt.Fprintf(r.out, "%s %-32s %4d passed", word, e.Package, t.passed)
		if t.failed > 0 {
			fmt.Fprintf(r.out, ", %d failed", t.failed)
		}
		if t.skipped > 0 {
			fmt.Fprintf(r.out, ", %d skipped", t.skipped)
		}
		fmt.Fprintf(r.out, " in %.1f s\n", e.Elapsed)
		delete(r.count, e.Package)
	}
}

// keysOf gives the keys of a package's output.
func keysOf(output map[string][]string, pkg string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range output {
			if strings.HasPrefix(k, pkg+" ") && !yield(k) {
				return
			}
		}
	}
}
