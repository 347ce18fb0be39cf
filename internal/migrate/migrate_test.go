package migrate_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"gopptp/internal/console"
	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/migrate"
	"gopptp/internal/tree"
)

// archive reads the files of a golden file: each begins with "-- NAME --". What stands
// in front of the first one is given too.
func archive(text string) (head string, names []string, files map[string]string) {
	files = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(n, " --") {
			name = strings.TrimSuffix(n, " --")
			names, files[name] = append(names, name), ""
			continue
		}
		if name == "" {
			head += line
			continue
		}
		files[name] += line
	}
	return head, names, files
}

// reader gives files of a map.
func reader(files map[string]string) migrate.Files {
	return func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
}

// importArchive imports the first file of a golden file; the head has the kind, and the
// files that are named apart.
func importArchive(t testing.TB, text string) (*migrate.Result, map[string]string) {
	t.Helper()
	head, names, files := archive(text)
	var kind, options, secrets string
	for i, word := range strings.Fields(head) {
		switch key, value, _ := strings.Cut(word, "="); {
		case i == 0:
			kind = word
		case key == "options":
			options = value
		case key == "secrets":
			secrets = value
		}
	}
	var result *migrate.Result
	var err error
	switch kind {
	case "pptpd":
		result, err = migrate.ImportPPTPD(reader(files), migrate.PPTPD{Config: names[0], Options: options, Secrets: secrets, Hostname: "host"})
	case "accel-ppp":
		result, err = migrate.ImportAccelPPP(reader(files), migrate.AccelPPP{Config: names[0], Secrets: secrets})
	default:
		t.Fatalf("unknown kind %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return result, files
}

// run runs a script in a new tree, of which it is the whole configuration.
func run(t testing.TB, script string) (*golden.World, *console.Session) {
	t.Helper()
	w := golden.NewWorld(t)
	if wrong := menu.Check(script, w.Tree.Root(), w.Tree.Root()); len(wrong) > 0 {
		t.Errorf("the script is wrong: %v\n%s", wrong, script)
	}
	s := console.NewSession(w.Tree, tree.Admin())
	var out bytes.Buffer
	if err := s.Run(t.Context(), script, &out); err != nil {
		t.Errorf("the script fails: %v\n%s\n%s", err, out.String(), script)
	}
	if broken := w.Engine.Broken(); broken != nil {
		t.Errorf("the engine was told: %v", broken)
	}
	return w, s
}

// TestGolden imports each file of testdata, runs the script in a tree, and compares the
// script and what is in the tree afterwards with what is wanted.
func TestGolden(t *testing.T) {
	golden.Play(t, "*.txt", func(t *testing.T, input string) string {
		result, _ := importArchive(t, input)
		_, s := run(t, result.Script)
		var out bytes.Buffer
		fmt.Fprintf(&out, "%s----------\n%d users, %d pools, %d servers, %d not carried over\n", result.Script, result.Users, result.Pools, result.Servers, result.Lost())
		for _, command := range []string{"/system/identity/print", "/ip/pool/print detail", "/ppp/profile/print detail where default=no", "/ppp/secret/print detail",
			"/radius/print detail", "/radius/incoming/print", "/ppp/aaa/print", "/interface/pptp-server/server/print"} {
			fmt.Fprintf(&out, "---------- %s\n", command)
			if err := s.Run(t.Context(), command, &out); err != nil {
				t.Error(err)
			}
		}
		return out.String()
	})
}

// TestSecretsStayInCommands checks that no comment of a script has a secret.
func TestSecretsStayInCommands(t *testing.T) {
	secret := []string{"pass word", "hidden-of", "topsecret", "with blanks", "everybody", "exact-secret", "first-secret", "never shown", "of-it", "dan's own", "nope",
		"l2tp-secret", "cli-secret", "radius-secret", "backup-secret", "older-secret", "leaked", "broken-secret", "only-three", "unused-secret"}
	for _, file := range []string{"pptpd-debian", "pptpd-odd", "accel", "accel-small"} {
		input, _ := golden.Read(t, "testdata/"+file+".txt")
		result, _ := importArchive(t, input)
		for line := range strings.Lines(result.Script) {
			if !strings.HasPrefix(line, "#") {
				continue
			}
			for _, s := range secret {
				if strings.Contains(line, s) {
					t.Errorf("%s: %q is in a comment: %s", file, s, line)
				}
			}
		}
	}
}

// odd are texts that pppd's grammar, the console's or both could misread.
var odd = []string{
	"plain", "two words", " blank in front", "blank behind ", `"`, `'`, `\`, `\\`, `say "hi"`, "it's", "$x", "$[:put 1]", "${a}", "#", "a#b", "a;b", "a=b",
	"{", "}", "[find]", "(1)", "*", "!", "-", "@home", "ü€😀", "~^.*$", "?", "a,b", "`", "%41", `\x41`, `\101`, `\s`, "--", "/ppp", "0012", "no", "*1", "é\u00a0",
	strings.Repeat("long ", 51), strings.Repeat(`"`, 255), strings.Repeat(`\`, 255), strings.Repeat("$", 255),
}

// quoted writes a word as people do for pppd.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// TestRoundTrip carries users with odd names and passwords over, and reads them in the
// tree.
func TestRoundTrip(t *testing.T) {
	write := map[string]func(name, password string) string{
		"pptpd":     func(n, p string) string { return quoted(n) + "\tvpn " + quoted(p) + " *\n" },
		"accel-ppp": func(n, p string) string { return quoted(n) + " * " + quoted(p) + " *\n" },
	}
	config := map[string]string{
		"pptpd":     "pptpd options=/o secrets=/s\n-- /c --\n\n-- /o --\nname vpn\nrequire-mschap-v2\n",
		"accel-ppp": "accel-ppp secrets=/s\n-- /c --\n[modules]\npptp\nchap-secrets\nauth_mschap_v2\n",
	}
	for kind, line := range write {
		var secrets strings.Builder
		want := map[string]string{}
		for i, password := range odd {
			name := fmt.Sprintf("user %d ", i) + odd[len(odd)-1-i]
			if len(name) > 255 {
				name = fmt.Sprintf("user %d", i)
			}
			if password[0] == '@' && kind == "pptpd" {
				continue // a file's name there
			}
			want[name] = password
			secrets.WriteString(line(name, password))
		}
		result, _ := importArchive(t, config[kind]+"-- /s --\n"+secrets.String())
		w, _ := run(t, result.Script)
		rows := w.Tree.Configured(w.Tree.Root().At("/ppp/secret"))
		if len(rows) != len(want) {
			t.Errorf("%s: %d users, want %d\n%s", kind, len(rows), len(want), result.Script)
		}
		for _, row := range rows {
			if got := row.Get("password"); got != want[row.Get("name")] {
				t.Errorf("%s: user %q has password %q, want %q", kind, row.Get("name"), got, want[row.Get("name")])
			}
		}
	}
}

// wellFormed checks that a script has nothing but the lines that are meant: no text of
// a file has become a command, and it can be read.
func wellFormed(t testing.TB, w *golden.World, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		first, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch first {
		case "#", "add", "set", "/system/identity", "/ip/pool", "/ppp/profile", "/ppp/secret", "/radius", "/radius/incoming", "/ppp/aaa", "/interface/pptp-server/server":
		default:
			t.Fatalf("a line that is none: %q\n%s", line, script)
		}
	}
	if wrong := menu.Check(script, w.Tree.Root(), w.Tree.Root()); len(wrong) > 0 {
		t.Fatalf("the script is wrong: %v\n%s", wrong, script)
	}
}

// TestPrefixes imports files that end anywhere.
func TestPrefixes(t *testing.T) {
	w := golden.NewWorld(t)
	for _, file := range []string{"pptpd-odd", "accel", "accel-small"} {
		input, _ := golden.Read(t, "testdata/"+file+".txt")
		start := strings.Index(input, "--\n") + 3
		for end := start; end < len(input); end += 3 {
			result, _ := importArchive(t, input[:end])
			wellFormed(t, w, result.Script)
		}
	}
}

// TestUnreadable checks what is said of files that are missing, and of those that are
// too many.
func TestUnreadable(t *testing.T) {
	none := reader(nil)
	if _, err := migrate.ImportPPTPD(none, migrate.PPTPD{Config: "/c"}); err == nil {
		t.Error("pptpd: a file that does not exist was imported")
	}
	if _, err := migrate.ImportAccelPPP(none, migrate.AccelPPP{Config: "/c"}); err == nil {
		t.Error("accel-ppp: a file that does not exist was imported")
	}
	result, _ := importArchive(t, "pptpd\n-- /c --\noption /gone\n")
	for _, want := range []string{"/gone: the file does not exist", "/etc/ppp/chap-secrets: the file does not exist; there are no users"} {
		if !strings.Contains(result.Script, want) {
			t.Errorf("no %q in\n%s", want, result.Script)
		}
	}
	var many strings.Builder
	many.WriteString("accel-ppp\n-- /0 --\n")
	for i := range 200 {
		fmt.Fprintf(&many, "$include /%d\n-- /%d --\n", i+1, i+1)
	}
	result, _ = importArchive(t, many.String())
	if !strings.Contains(result.Script, "the file cannot be read") {
		t.Errorf("200 files were read:\n%s", result.Script)
	}
	huge := func(string) ([]byte, error) { return make([]byte, migrate.MaxFile+1), nil }
	if _, err := migrate.ImportPPTPD(huge, migrate.PPTPD{Config: "/c"}); err == nil {
		t.Error("a file that is too large was imported")
	}
}

func FuzzImport(f *testing.F) {
	w := golden.NewWorld(f)
	for _, file := range []string{"pptpd-debian", "pptpd-odd", "accel", "accel-small"} {
		b, err := os.ReadFile("testdata/" + file + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(b), "----------\n")
		head, names, files := archive(input)
		kind, _, _ := strings.Cut(head, " ")
		f.Add(strings.TrimSpace(kind) == "pptpd", files[names[0]], files[names[1]], files[names[len(names)-1]])
	}
	f.Fuzz(func(t *testing.T, pptpd bool, config, other, secrets string) {
		files := reader(map[string]string{"/c": config, "/o": other, "/etc/accel-radius.conf": other, "/s": secrets})
		var result *migrate.Result
		var err error
		if pptpd {
			result, err = migrate.ImportPPTPD(files, migrate.PPTPD{Config: "/c", Options: "/o", Secrets: "/s"})
		} else {
			result, err = migrate.ImportAccelPPP(files, migrate.AccelPPP{Config: "/c", Secrets: "/s"})
		}
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, w, result.Script)
	})
}

// TestNamesOfNoEncoding: names in an encoding of the past, which are not UTF-8 and longer
// than what a comment shows, are remarked like any other.
func TestNamesOfNoEncoding(t *testing.T) {
	name := strings.Repeat("\x8f\xa0", 100) // Cyrillic, as DOS had it
	for _, input := range []string{
		"pptpd options=/o secrets=/s\n-- /c --\n-- /o --\n-- /s --\n" + name + " * pass *\n",
		"accel-ppp secrets=/s\n-- /c --\n[modules]\nchap-secrets\n-- /s --\n" + name + " * pass *\n",
	} {
		result, _ := importArchive(t, input)
		if result.Users != 0 || !strings.Contains(result.Script, "a name has 1 to 255 octets of UTF-8") {
			t.Errorf("%d users:\n%s", result.Users, result.Script)
		}
	}
}

// TestAccelLines: a line of accel-ppp's chap-secrets makes a user if it does so there. The
// name begins at the first column, and a blank behind the password is an empty column.
func TestAccelLines(t *testing.T) {
	for line, want := range map[string]string{
		"ann * pass *\n":        "ann",
		"ann * pass \n":         "ann",
		"ann * 'pass' \t\n":     "ann",
		"ann * 'pass'\n":        "ann",
		"ann * pass\n":          "",
		"ann * pass ":           "",
		"ann * 'pass \n":        "",
		"ann * \n":              "",
		"  # ann * pass *\n":    "",
		"\t#ann * pass *\n":     "",
		" ann * pass *\n":       "",
		"# ann * pass *\n":      "",
		" \n":                   "",
		"ann * pass *\r\n":      "ann",
		"'ann' * \"pass\" *\n":  "ann",
		"ann * pass * 1024  \n": "ann",
	} {
		result, _ := importArchive(t, "accel-ppp secrets=/s\n-- /c --\n[modules]\npptp\nchap-secrets\nauth_mschap_v2\n-- /s --\n"+line)
		w, _ := run(t, result.Script)
		got := ""
		for _, row := range w.Tree.Configured(w.Tree.Root().At("/ppp/secret")) {
			if got += row.Get("name"); row.Get("password") != "pass" {
				t.Errorf("%q: the password is %q", line, row.Get("password"))
			}
		}
		if got != want {
			t.Errorf("%q: the user is %q, want %q\n%s", line, got, want, result.Script)
		}
	}
}

// TestSecretsInFiles: pppd takes a secret from a file of its own, for as many users as
// there are.
func TestSecretsInFiles(t *testing.T) {
	const users = 200
	var lines, secrets strings.Builder
	for i := range users {
		fmt.Fprintf(&lines, "user%d * @/keys/%d *\n", i, i)
		fmt.Fprintf(&secrets, "-- /keys/%d --\n\"secret of %d\"\n", i, i)
	}
	result, _ := importArchive(t, "pptpd options=/o secrets=/s\n-- /c --\n-- /o --\n-- /s --\n"+lines.String()+secrets.String())
	if result.Users != users || !strings.Contains(result.Script, `name="user199" password="secret of 199"`) {
		t.Errorf("%d users, want %d", result.Users, users)
	}
}

// TestNoControlCharacters: a file writes nothing to a terminal that shows the script.
func TestNoControlCharacters(t *testing.T) {
	const odd = "\x1b[31m\u202e"
	for _, input := range []string{
		"accel-ppp secrets=/s\n-- /c --\n[ip-pool]\n10.0.0.0/24," + odd + "=x\n[" + odd + "]\n" + odd + "=1\n[pptp]\n" + odd + "\nip-pool=" + odd + "\n-- /s --\n" + odd + " * p " + odd + "\n",
		"pptpd options=/o secrets=/s\n-- /c --\nlocalip " + odd + "\n" + odd + " 1\n-- /o --\nname " + odd + "\n" + odd + "\n-- /s --\nann " + odd + "x pass " + odd + "\n",
	} {
		result, _ := importArchive(t, input)
		if i := strings.IndexAny(result.Script, "\x1b\u202e"); i >= 0 {
			t.Errorf("%q", result.Script[max(0, i-80):i+10])
		}
	}
}
