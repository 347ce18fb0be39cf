package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopptp/internal/rest"
)

// TestClientCurl does over HTTPS what RouterOS's manual shows curl doing.
func TestClientCurl(t *testing.T) {
	need(t, "curl", "curl", "--version")
	s := start(t)
	certificate, err := rest.Certificate(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	handler := rest.New(rest.Config{Tree: s.tree, Login: s.tree.Gate().Login})
	config := tlsConfig(certificate)
	port := serve(t, func(ctx context.Context, l net.Listener) error { return rest.Serve(ctx, l, config, handler, s.log) })
	root := "https://127.0.0.1:" + strconv.Itoa(port) + "/rest"
	// curl gives the status and what the body holds.
	curl := func(user string, args ...string) (status string, body any) {
		t.Helper()
		args = append([]string{"-q", "-s", "-S", "-k", "--noproxy", "*", "--max-time", "60", "-u", user, "-w", "\n%{http_code}"}, args...)
		cmd := exec.CommandContext(t.Context(), "curl", args...)
		cmd.WaitDelay = time.Second
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("curl %q: %v\n%s", args, err, stderr.Bytes())
		}
		i := bytes.LastIndexByte(out, '\n')
		if text := out[:i]; len(text) > 0 {
			if err := json.Unmarshal(text, &body); err != nil {
				t.Fatalf("curl %q: %v\n%s", args, err, text)
			}
		}
		return string(out[i+1:]), body
	}
	admin := "admin:" + password
	property := func(body any, name string) any {
		m, _ := body.(map[string]any)
		return m[name]
	}

	status, body := curl(admin, root+"/system/resource")
	if status != "200" || property(body, "platform") != "MikroTik" {
		t.Errorf("GET of a singleton: %s %v", status, body)
	}
	status, body = curl(admin, "-X", "PUT", root+"/ppp/secret", "-H", "content-type: application/json", "--data", `{"name":"s1","password":"x","service":"pptp"}`)
	id, _ := property(body, ".id").(string)
	if status != "201" || !strings.HasPrefix(id, "*") {
		t.Fatalf("PUT: %s %v", status, body)
	}
	status, body = curl(admin, "-X", "PATCH", root+"/ppp/secret/"+id, "-H", "content-type: application/json", "--data", `{"comment":"changed"}`)
	if status != "200" || property(body, "comment") != "changed" {
		t.Errorf("PATCH: %s %v", status, body)
	}
	status, body = curl(admin, root+"/ppp/secret?name=s1&.proplist=name,comment")
	if rows, _ := body.([]any); status != "200" || len(rows) != 1 || property(rows[0], "comment") != "changed" || property(rows[0], "service") != nil {
		t.Errorf("GET with a filter: %s %v", status, body)
	}
	status, body = curl(admin, "-X", "POST", root+"/ppp/secret/print", "-H", "content-type: application/json", "--data", `{".query":["name=s1"],".proplist":["service"]}`)
	if rows, _ := body.([]any); status != "200" || len(rows) != 1 || property(rows[0], "service") != "pptp" {
		t.Errorf("POST of print: %s %v", status, body)
	}
	if status, body = curl(admin, "-X", "DELETE", root+"/ppp/secret/"+id); status != "204" || body != nil {
		t.Errorf("DELETE: %s %v", status, body)
	}
	if status, body = curl(admin, root+"/ppp/secret/"+id); status != "404" || property(body, "error") != 404.0 {
		t.Errorf("GET of what is gone: %s %v", status, body)
	}
	if status, body = curl("admin:wrong", root+"/system/identity"); status != "401" {
		t.Errorf("a wrong password: %s %v", status, body)
	}
}
