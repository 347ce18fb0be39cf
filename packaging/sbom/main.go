// Command sbom prints what a Go program is made of, as a CycloneDX 1.5 document: its
// main module, the Go release that built it and every module in it, with the sums of
// go.sum; and the packages of JavaScript in its page, by the table that is kept with
// them.
//
//	go run ./packaging/sbom BINARY VERSION TABLE
//
// It says only what the linker wrote into the program and what is in the table, so the
// same program gives the same document. Licences are in another file.
package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY VERSION TABLE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(binary, version, table string, out io.Writer) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	page, err := vendored(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	d, err := describe(info, page, version)
	if err != nil {
		return err
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// A document is the part of CycloneDX 1.5 that there is something to say in.
type document struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// shown has the settings of a build that change what the program is.
var shown = []string{"GOOS", "GOARCH", "GOARM", "GOMIPS", "GOMIPS64", "GOAMD64", "GOARM64", "GORISCV64", "CGO_ENABLED", "-trimpath"}

// row finds a package and its version in a row of the table of the page's vendor
// directory.
var row = regexp.MustCompile("(?m)^\\| `[^`]+` \\| `(@?[a-z/-]+): [^`]+` \\| ([0-9.]+) \\|")

// vendored gives the packages of the npm registry in a table, each once.
func vendored(table string) (parts []component, err error) {
	seen := map[string]bool{}
	for _, found := range row.FindAllStringSubmatch(table, -1) {
		c := component{Type: "library", Name: found[1], Version: found[2]}
		c.PURL = "pkg:npm/" + strings.Replace(c.Name, "@", "%40", 1) + "@" + c.Version
		c.Ref = c.PURL
		if !seen[c.Ref] {
			seen[c.Ref] = true
			parts = append(parts, c)
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("no table of packages")
	}
	return parts, nil
}

func describe(info *debug.BuildInfo, page []component, version string) (*document, error) {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	whole := component{Type: "application", Name: info.Main.Path, Version: version, PURL: purl(info.Main.Path, version)}
	whole.Ref = whole.PURL
	for _, key := range shown {
		if v := settings[key]; v != "" {
			whole.Properties = append(whole.Properties, property{"go:build:" + key, v})
		}
	}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	std := component{Type: "library", Name: "std", Version: info.GoVersion, PURL: purl("std", goVersion)}
	std.Ref = std.PURL
	parts := []component{std}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version)}
		c.Ref = c.PURL
		if m.Sum != "" {
			// The h1 sum of go.sum is a SHA-256 over the sums of a module's files.
			text, ok := strings.CutPrefix(m.Sum, "h1:")
			sum, err := base64.StdEncoding.DecodeString(text)
			if !ok || err != nil {
				return nil, fmt.Errorf("%s has the sum %q", m.Path, m.Sum)
			}
			c.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
		}
		parts = append(parts, c)
	}
	parts = append(parts, page...)
	all := dependency{Ref: whole.Ref}
	deps := []dependency{}
	for _, c := range parts {
		all.DependsOn = append(all.DependsOn, c.Ref)
		deps = append(deps, dependency{Ref: c.Ref})
	}
	return &document{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", Spec: "1.5", Version: 1,
		Metadata: metadata{whole}, Components: parts, Dependencies: append([]dependency{all}, deps...),
	}, nil
}

// purl names a module as https://github.com/package-url does.
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}
