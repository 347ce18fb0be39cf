package docs

import (
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// executed are the pages whose commands can all be typed one after the other into one
// new system, and do what the page says; those of other pages are only read.
var executed = []string{"docs/tutorial.md", "docs/dial-on-demand.md", "docs/security.md", "docs/firewall.md", "docs/server.md", "docs/profiles.md"}

var (
	// A command of the console: a path, as its first word.
	console = regexp.MustCompile(`^/(interface|ip|log|ppp|radius|system|user|export|import)\b`)
	// What a shell gives to gopptp exec.
	quoted = regexp.MustCompile(`'([^']*)'`)
)

// commands gives the commands of the console in a block, each with all of its lines.
func (b block) commands() (all []string) {
	var whole string
	for _, line := range b.lines {
		whole += line
		if strings.HasSuffix(line, `\`) {
			whole += "\n"
			continue
		}
		command := strings.TrimSpace(whole)
		whole = ""
		command = strings.TrimPrefix(command, "> ")
		_, command, prompted := cutPrompt(command)
		switch {
		case strings.Contains(command, "gopptp exec "):
			for _, m := range quoted.FindAllStringSubmatch(strings.ReplaceAll(command, "\\\n", ""), -1) {
				if !strings.HasPrefix(m[1], ":") {
					all = append(all, m[1])
				}
			}
		case console.MatchString(command), prompted:
			all = append(all, command)
		}
	}
	return all
}

// cutPrompt takes a prompt of the console away.
func cutPrompt(line string) (prompt, command string, ok bool) {
	if strings.HasPrefix(line, "[admin@") {
		if prompt, command, ok = strings.Cut(line, "] > "); ok {
			return prompt, command, true
		}
	}
	return "", line, false
}

// newTree makes a new system without an engine.
func newTree(t *testing.T) *tree.Tree {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := journal.New(nil, false)
	runner := script.NewRunner(log)
	t.Cleanup(runner.Close)
	menus, err := tree.Config{Store: db, Engine: &treetest.Engine{}, Journal: log, Interpreter: runner}.New()
	if err != nil {
		t.Fatal(err)
	}
	return menus
}

// TestCommands: every command in a block of a page is one of the console's, with its
// properties, and on some pages does what it shall.
func TestCommands(t *testing.T) {
	seen, ran := 0, 0
	common := newTree(t) // of the pages that are only read
	for _, p := range pages(t) {
		menus, runs := common, slices.Contains(executed, p.name)
		if runs {
			menus = newTree(t)
		}
		run := func(command string) error {
			return script.Run(t.Context(), script.Env{Tree: menus, User: tree.Admin(), Out: io.Discard}, command)
		}
		if runs && strings.Contains(p.text, "/user/") { // the first start makes the user, which takes time
			if err := run("/user/add name=admin group=full password=x"); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range p.blocks {
			if b.info == "routeros" {
				continue // for a router of MikroTik's
			}
			for _, command := range b.commands() {
				seen++
				for _, e := range menu.Check(command, menus.Root(), menus.Root()) {
					t.Errorf("%s, block in line %d: %s\n\t%v", p.name, b.line, command, e)
				}
				if !runs {
					continue
				}
				ran++
				if err := run(command); err != nil {
					t.Errorf("%s, block in line %d: %s\n\t%v", p.name, b.line, command, err)
				}
			}
		}
	}
	if seen < 70 || ran < 25 {
		t.Errorf("only %d commands were seen, %d of them run: the test is blind", seen, ran)
	}
}

// TestRequiresRootRules: nft takes the rules of the pages.
func TestRequiresRootRules(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skipf("%v; make setup installs it", err)
	}
	machine := hosttest.New(t)
	seen := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "nft" {
				continue
			}
			seen++
			cmd := exec.Command("nft", "-c", "-f", "-")
			cmd.Stdin = strings.NewReader(strings.Join(b.lines, "\n") + "\n")
			var out []byte
			var err error
			machine.Do(func() { out, err = cmd.CombinedOutput() })
			if err != nil {
				t.Errorf("%s, block in line %d: %v\n%s", p.name, b.line, err, out)
			}
		}
	}
	if seen < 4 {
		t.Errorf("only %d blocks of rules were seen: the test is blind", seen)
	}
}

var (
	// A command or menu within a sentence.
	span = regexp.MustCompile("`(/[^`]*)`")
	// Settings of a menu, as sentences have them: `/ppp/aaa use-radius=yes`.
	settings = regexp.MustCompile(`^(/[a-z/-]+) ([a-z-]+=)`)
)

// foreign are menus of RouterOS that a page says are not here.
var foreign = []string{"/ip/firewall"}

// TestInlineCommands: so is every command, menu and setting within a sentence.
func TestInlineCommands(t *testing.T) {
	menus := newTree(t)
	seen := 0
	for _, p := range pages(t) {
		for _, m := range span.FindAllStringSubmatch(p.prose, -1) {
			if !console.MatchString(m[1]) || slices.Contains(foreign, m[1]) {
				continue
			}
			seen++
			wrong := menu.Check(m[1], menus.Root(), menus.Root())
			if len(wrong) > 0 {
				wrong = menu.Check(settings.ReplaceAllString(m[1], "$1/set $2"), menus.Root(), menus.Root())
			}
			for _, e := range wrong {
				t.Errorf("%s: %s: %v", p.name, m[1], e)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d were seen: the test is blind", seen)
	}
}
