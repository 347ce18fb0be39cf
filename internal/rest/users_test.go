package rest

import (
	"net/http"
	"strings"
	"testing"
)

// TestRealUsers goes through the real gate: policies hold, and a new password
// counts at once, also on a connection that was let in with the old one.
func TestRealUsers(t *testing.T) {
	menus, _ := newTree(t)
	if _, err := menus.FirstUser(func() (string, error) { return "secret", nil }); err != nil {
		t.Fatal(err)
	}
	address, _ := serve(t, nil, Config{Tree: menus, Login: menus.Gate().Login})
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	url := "http://" + address + "/rest"
	must := func(want int, user, method, path, body string) string {
		t.Helper()
		status, got := fetch(t, client, user, method, url+path, body)
		if status != want {
			t.Fatalf("%s %s as %s: %d %s, want %d", method, path, user, status, got, want)
		}
		return got
	}
	if got := must(200, "admin", "GET", "/user/active?.proplist=name,via", ""); !strings.Contains(got, `"name":"admin","via":"rest-api"`) {
		t.Errorf("who is in: %s", got)
	}
	must(201, "admin", "PUT", "/user", `{"name":"eye","group":"read","password":"secret"}`)
	must(200, "eye", "GET", "/ppp/secret", "")
	must(403, "eye", "PUT", "/ppp/secret", `{"name":"x"}`)
	must(403, "eye", "PATCH", "/user/eye", `{"group":"full"}`)
	must(200, "admin", "PATCH", "/user/eye", `{"disabled":"yes"}`)
	must(401, "eye", "GET", "/ppp/secret", "")
	must(200, "admin", "PATCH", "/user/admin", `{"password":"another"}`)
	must(401, "admin", "GET", "/ppp/secret", "")
}
