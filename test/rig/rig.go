// Package rig is for tests only: it builds gopptp once for a test binary and runs
// its daemon in network namespaces, each a machine of its own with its console, its
// log and the programs of the host. What a test puts into the machines and how it
// connects more than two of them is the test's. Nothing outlives the test. Machines
// need root; without it the test that asks for one is skipped.
//
// Virtual machines with peers of other makers are in test/lab.
package rig

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// Soon is how long anything may take that needs no clock, on a busy machine.
	Soon = 15 * time.Second
	// Look is how often a test looks again.
	Look = 50 * time.Millisecond
)

// program is the gopptp under test; empty if there are no privileges for it. Main
// sets it before any test runs.
var program string

// Main is the whole TestMain of a package: it builds gopptp and runs the tests.
func Main(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if os.Geteuid() != 0 {
			return m.Run() // without the machines
		}
		// Most of these tests wait most of the time.
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		dir, err := os.MkdirTemp("", "gopptp-rig-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "gopptp")
		if out, err := exec.Command("go", "build", "-o", program, "gopptp/cmd/gopptp").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build gopptp: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// Program runs the gopptp under test, outside of all machines, and gives what it
// printed. It skips the test where there are no machines.
func Program(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	if program == "" {
		t.Skip("needs root for network namespaces")
	}
	var o, e bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// Need skips the test where a program is not there.
func Need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%v; make setup installs it", err)
		}
	}
}

// Shows checks that a text has each of the words, in this order.
func Shows(t *testing.T, out string, words ...string) {
	t.Helper()
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("no %q in its place in:\n%s", w, out)
			return
		}
		rest = after
	}
}
