package docs

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"gopptp/internal/migrate"
)

// TestImportExamples: what the pages on moving say becomes of a configuration is what
// gopptp import makes of it.
func TestImportExamples(t *testing.T) {
	files := map[string]string{}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			files[b.info] = strings.Join(b.lines, "\n") + "\n"
		}
	}
	read := func(name string) ([]byte, error) {
		text, ok := files[name[strings.LastIndexByte(name, '/')+1:]]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return []byte(text), nil
	}
	pptpd, err := migrate.ImportPPTPD(read, migrate.PPTPD{Config: "/etc/pptpd.conf", Hostname: "host"})
	if err != nil {
		t.Fatal(err)
	}
	accel, err := migrate.ImportAccelPPP(read, migrate.AccelPPP{Config: "/etc/accel-ppp.conf"})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"pptpd.rsc": pptpd.Script, "accel-ppp.rsc": accel.Script} {
		var commands strings.Builder
		for line := range strings.Lines(got) {
			if !strings.HasPrefix(line, "#") {
				commands.WriteString(line)
			}
		}
		if commands.String() != files[name] {
			t.Errorf("%s is told as\n%s\nand is\n%s", name, files[name], got)
		}
	}
}
