package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// recap is the last line that ansible-playbook prints.
var recap = regexp.MustCompile(`ok=(\d+)\s+changed=(\d+)\s+unreachable=0\s+failed=0`)

// collection is a module of the collection that make setup unpacks.
const collection = "ansible_collections/community/routeros/plugins/modules/api_modify.py"

// ansible makes the command that applies a playbook with community.routeros as
// make setup unpacked it, or skips the test.
func ansible(t *testing.T, playbook string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, "ansible", "ansible-playbook", "--version")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(cache, "gopptp", "ansible")
	if _, err := os.Stat(filepath.Join(modules, collection)); err != nil {
		t.Skipf("community.routeros is not there (%v); make setup unpacks it", err)
	}
	args = append(args, "-e", "ansible_python_interpreter="+debianPython, "-e", "ansible_password='"+password+"'", "testdata/"+playbook)
	cmd := exec.CommandContext(t.Context(), "ansible-playbook", args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "ANSIBLE_COLLECTIONS_PATH="+modules, "ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_DIFF_ALWAYS=1",
		"ANSIBLE_LOCALHOST_WARNING=false", "ANSIBLE_HOST_KEY_CHECKING=false", "LC_ALL=C.UTF-8")
	cmd.WaitDelay = time.Second
	return cmd
}

// TestClientAnsible applies a playbook twice: the second time must change
// nothing.
func TestClientAnsible(t *testing.T) {
	need(t, "python3-librouteros", debianPython, "-c", "import librouteros")
	s := start(t)
	run := func(port int, tls, first bool) (ok, changed int) {
		t.Helper()
		out, err := ansible(t, "playbook.yml", "-i", "localhost,", "-c", "local", "-e", "api_port="+strconv.Itoa(port),
			"-e", "api_tls="+strconv.FormatBool(tls), "-e", "first="+strconv.FormatBool(first)).CombinedOutput()
		counts := recap.FindSubmatch(out)
		if err != nil || counts == nil {
			t.Fatalf("ansible-playbook: %v\n%s", err, out)
		}
		ok, _ = strconv.Atoi(string(counts[1]))
		changed, _ = strconv.Atoi(string(counts[2]))
		t.Logf("%s", out)
		return ok, changed
	}
	if ok, changed := run(s.plain, false, true); ok != 19 || changed != 11 {
		t.Errorf("first run: %d tasks are ok and %d changed something, want 19 and 11", ok, changed)
	}
	if _, changed := run(s.tls, true, false); changed != 0 {
		t.Errorf("second run: %d tasks changed something", changed)
	}
}
