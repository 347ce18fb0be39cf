package clients

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// recap is the last line that ansible-playbook prints.
var recap = regexp.MustCompile(`ok=(\d+)\s+changed=(\d+)\s+unreachable=0\s+failed=0`)

// TestClientAnsible applies a playbook twice: the second time must change
// nothing.
func TestClientAnsible(t *testing.T) {
	need(t, "ansible", "ansible-doc", "-t", "module", "community.routeros.api_modify")
	need(t, "python3-librouteros", debianPython, "-c", "import librouteros")
	s := start(t)
	home := t.TempDir()
	run := func(port int, tls bool) (ok, changed int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "ansible-playbook", "-i", "localhost,", "-c", "local",
			"-e", "ansible_python_interpreter="+debianPython, "-e", "api_port="+strconv.Itoa(port),
			"-e", "api_tls="+strconv.FormatBool(tls), "-e", "api_password='"+password+"'", "testdata/playbook.yml")
		cmd.Env = append(os.Environ(), "HOME="+home, "ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_LOCALHOST_WARNING=false", "LC_ALL=C.UTF-8")
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		counts := recap.FindSubmatch(out)
		if err != nil || counts == nil {
			t.Fatalf("ansible-playbook: %v\n%s", err, out)
		}
		ok, _ = strconv.Atoi(string(counts[1]))
		changed, _ = strconv.Atoi(string(counts[2]))
		return ok, changed
	}
	if ok, changed := run(s.plain, false); ok != 12 || changed != 7 {
		t.Errorf("first run: %d tasks are ok and %d changed something, want 12 and 7", ok, changed)
	}
	if _, changed := run(s.tls, true); changed != 0 {
		t.Errorf("second run: %d tasks changed something", changed)
	}
}
