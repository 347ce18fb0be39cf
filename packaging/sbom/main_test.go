package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

// table is where the page's packages are listed.
const table = "../../internal/web/page/vendor/README.md"

// TestVendored finds each licence's package in the table, and none in another text.
func TestVendored(t *testing.T) {
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := vendored(string(text))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range parts {
		names[strings.TrimPrefix(c.Name, "@xterm/")] = true
	}
	licences, err := filepath.Glob(filepath.Join(filepath.Dir(table), "LICENSE.*"))
	if err != nil || len(licences) != len(parts) {
		t.Errorf("%d packages and %d licences, %v", len(parts), len(licences), err)
	}
	for _, l := range licences {
		if name := strings.TrimPrefix(filepath.Ext(l), "."); !names[name] {
			t.Errorf("%s is not in the table: %v", name, names)
		}
	}
	if _, err := vendored("# nothing"); err == nil {
		t.Error("a text without a table")
	}
}

// TestDocument checks the document of this test's own program against what CycloneDX
// 1.5 asks for.
func TestDocument(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, again bytes.Buffer
	if err := run(self, "1.2+dirty", table, &out); err != nil {
		t.Fatal(err)
	}
	if err := run(self, "1.2+dirty", table, &again); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("the same program gives another document: %v", err)
	}
	var d document
	strict := json.NewDecoder(&out)
	strict.DisallowUnknownFields()
	if err := strict.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Format != "CycloneDX" || d.Spec != "1.5" || d.Version < 1 {
		t.Errorf("the head is %q %q %d", d.Format, d.Spec, d.Version)
	}
	if c := d.Metadata.Component; c.Type != "application" || c.Name != "gopptp" || c.PURL != "pkg:golang/gopptp@1.2%2Bdirty" {
		t.Errorf("it is about %+v", c)
	}
	known := map[string]bool{d.Metadata.Component.Ref: true}
	for _, c := range d.Components {
		if known[c.Ref] {
			t.Errorf("%s is there twice", c.Ref)
		}
		known[c.Ref] = true
		if c.Type != "library" || c.Name == "" || c.Version == "" || !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") && !strings.HasPrefix(c.PURL, "pkg:npm/") {
			t.Errorf("component %+v", c)
		}
	}
	for _, dep := range d.Dependencies {
		for _, ref := range append(dep.DependsOn, dep.Ref) {
			if !known[ref] {
				t.Errorf("a dependency names %s, which is no component", ref)
			}
		}
	}
}

func TestDescribeModules(t *testing.T) {
	const sum = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	info := &debug.BuildInfo{
		GoVersion: "go1.26.0", Main: debug.Module{Path: "gopptp"},
		Deps: []*debug.Module{{Path: "a.example/b", Version: "v1.2.3", Sum: sum}},
	}
	d, err := describe(info, nil, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Components) != 2 || d.Components[0].PURL != "pkg:golang/std@1.26.0" || d.Components[1].PURL != "pkg:golang/a.example/b@v1.2.3" {
		t.Errorf("components %+v", d.Components)
	}
	if h := d.Components[1].Hashes; len(h) != 1 || !regexp.MustCompile("^[a-f0-9]{64}$").MatchString(h[0].Content) {
		t.Errorf("the sum is %+v", h)
	}
	info.Deps[0].Sum = "h2:x"
	if _, err := describe(info, nil, "v1"); err == nil {
		t.Error("a sum of another kind was taken")
	}
}
