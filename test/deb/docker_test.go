package deb

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopptp/test/rig"
)

// text reads a file of the project.
func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(project, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// match gives the groups of an expression that must be in a text.
func match(t *testing.T, text, expression string) []string {
	t.Helper()
	found := regexp.MustCompile(expression).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in\n%s", expression, text)
	}
	return found[1:]
}

// TestDockerfile: no engine runs where this does, so the file is only compared with
// what else says the same.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	file := strings.ReplaceAll(text(t, "deploy/docker/Dockerfile"), "\\\n", "")
	known := map[string]bool{"ARG": true, "CMD": true, "COPY": true, "ENTRYPOINT": true, "EXPOSE": true, "FROM": true, "RUN": true, "USER": true, "VOLUME": true, "WORKDIR": true}
	stages := map[string]bool{}
	for line := range strings.Lines(file) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if !known[words[0]] {
			t.Errorf("an instruction that is none of those used here: %s", line)
		}
		if words[0] == "FROM" && len(words) == 4 && words[2] == "AS" {
			stages[words[3]] = true
		}
		if words[0] != "COPY" {
			continue
		}
		if stage, ok := strings.CutPrefix(words[1], "--from="); ok {
			if !stages[stage] {
				t.Errorf("%s copies from no stage", line)
			}
			continue
		}
		for _, source := range words[1 : len(words)-1] {
			if _, err := os.Stat(filepath.Join(project, source)); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	// The program is built as make does it, by the Go release of the module.
	made := match(t, text(t, "Makefile"), `@(CGO_ENABLED=0 go build .*) -o \$\(GOPPTP_BIN\) (\S+)`)
	docker := match(t, file, `RUN (CGO_ENABLED=0 go build .*) -o \S+ (\S+)`)
	same := func(s string) string {
		return strings.NewReplacer("$(VERSION)", "$VERSION", "'", `"`).Replace(s)
	}
	if same(made[0]) != docker[0] || made[1] != docker[1] {
		t.Errorf("make builds %q, the image %q", made, docker)
	}
	if a, b := match(t, text(t, "go.mod"), `(?m)^go (\d+\.\d+)`)[0], match(t, file, `FROM golang:(\d+\.\d+)-`)[0]; a != b {
		t.Errorf("the module is of Go %s, the image of Go %s", a, b)
	}
	onFile := strings.Split(match(t, file, `setcap (\S+)\+ep`)[0], ",")
	if want := unitCapabilities(t); !slices.Equal(want, upper(onFile)) {
		t.Errorf("the unit has %q, the file in the image %q", want, onFile)
	}
}

// unitCapabilities has those of the systemd unit.
func unitCapabilities(t *testing.T) []string {
	t.Helper()
	unit := text(t, "packaging/gopptp.service")
	all := strings.Fields(match(t, unit, `(?m)^CapabilityBoundingSet=(.*)$`)[0])
	if ambient := strings.Fields(match(t, unit, `(?m)^AmbientCapabilities=(.*)$`)[0]); !slices.Equal(all, ambient) {
		t.Errorf("the unit has %q, and of its own accord %q", all, ambient)
	}
	return all
}

func upper(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, strings.ToUpper(n))
	}
	return out
}

// TestCompose: the example is YAML, and gives a container what the unit gives the
// service.
func TestCompose(t *testing.T) {
	t.Parallel()
	rig.Need(t, "python3")
	out := command(t, nil, "python3", "-c", "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)", filepath.Join(project, "deploy/docker/compose.yaml"))
	type service struct {
		Build struct{ Context, Dockerfile string }
		Drop  []string `json:"cap_drop"`
		Add   []string `json:"cap_add"`

		Devices, Volumes []string
		Network          string `json:"network_mode"`
		Networks         map[string]any
	}
	var file struct {
		Services          map[string]service
		Networks, Volumes map[string]any
	}
	if err := json.Unmarshal([]byte(out), &file); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(file.Services) != 2 {
		t.Errorf("the services are %v", file.Services)
	}
	for name, s := range file.Services {
		var add []string
		for _, c := range s.Add {
			add = append(add, "CAP_"+c)
		}
		if want := unitCapabilities(t); !slices.Equal(add, want) || !slices.Equal(s.Drop, []string{"ALL"}) {
			t.Errorf("%s has %q of %q; the unit has %q", name, add, s.Drop, want)
		}
		if !slices.Equal(s.Devices, []string{"/dev/net/tun"}) {
			t.Errorf("%s has the devices %q", name, s.Devices)
		}
		if _, err := os.Stat(filepath.Join(project, "deploy/docker", s.Build.Context, s.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Network != "host" && len(s.Networks) == 0 {
			t.Errorf("GRE does not reach %s", name)
		}
		for network := range s.Networks {
			if _, ok := file.Networks[network]; !ok {
				t.Errorf("%s is in the network %s, which there is not", name, network)
			}
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := file.Volumes[volume]; !ok {
				t.Errorf("%s has the volume %s, which there is not", name, volume)
			}
		}
	}
}
