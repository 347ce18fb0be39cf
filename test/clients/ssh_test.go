package clients

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gopptp/internal/sshd"
)

// TestClientAnsibleSSH has the plugins of community.routeros, and its modules
// command and facts, sit at the terminal as a person would.
func TestClientAnsibleSSH(t *testing.T) {
	need(t, "ansible", "ansible-doc", "-t", "cliconf", "community.routeros.routeros")
	need(t, "python3-paramiko", debianPython, "-c", "import paramiko")
	s := start(t)
	keys, err := sshd.LoadOrMakeHostKeys(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	port := serve(t, sshd.New(sshd.Config{Tree: s.tree, Login: s.tree.Gate().Login, HostKeys: keys}).Serve)
	cmd := exec.CommandContext(t.Context(), "ansible-playbook", "-i", "127.0.0.1,",
		"-e", "ansible_python_interpreter="+debianPython, "-e", "ansible_port="+strconv.Itoa(port),
		"-e", "ansible_password='"+password+"'", "testdata/terminal.yml")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_HOST_KEY_CHECKING=false", "LC_ALL=C.UTF-8")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if counts := recap.FindSubmatch(out); err != nil || counts == nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, out)
	}
}
