package clients

import (
	"strconv"
	"testing"

	"gopptp/internal/sshd"
)

// TestClientAnsibleSSH has the plugins of community.routeros, and its modules
// command and facts, sit at the terminal as a person would.
func TestClientAnsibleSSH(t *testing.T) {
	need(t, "python3-paramiko", debianPython, "-c", "import paramiko")
	s := start(t)
	keys, err := sshd.LoadOrMakeHostKeys(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	port := serve(t, sshd.New(sshd.Config{Tree: s.tree, Login: s.tree.Gate().Login, HostKeys: keys}).Serve)
	cmd := ansible(t, "terminal.yml", "-i", "127.0.0.1,", "-e", "ansible_port="+strconv.Itoa(port))
	out, err := cmd.CombinedOutput()
	if counts := recap.FindSubmatch(out); err != nil || counts == nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, out)
	}
}
