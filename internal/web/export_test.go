package web

import (
	"testing"
	"time"
)

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.do("/ppp/secret", "add", "name", "bob", "password", "hidden")
	w.do("/system/identity", "set", "name", "edge 1/Riga")
	in := w.signIn("admin")
	got := in.send("GET", "/web/api/export?path=/ppp/secret", "")
	if kind := got.Header().Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("the type is %q", kind)
	}
	want := "attachment; filename=edge-1-Riga-" + time.Now().Format(time.DateOnly) + ".rsc"
	if name := got.Header().Get("Content-Disposition"); name != want {
		t.Errorf("the name is %q, want %q", name, want)
	}
	in.want(200, "GET", "/web/api/export?path=/ppp/secret", "", "/ppp secret\nadd name=bob\n")
	in.want(200, "GET", "/web/api/export?path=ppp/secret/&sensitive=yes", "", "/ppp secret\nadd name=bob password=hidden\n")
	in.want(200, "GET", "/web/api/export?path=/", "", "set name=\"edge 1/Riga\"\n")
	in.want(200, "GET", "/web/api/export?sensitive=no", "", "/ppp secret\n")
	for query, status := range map[string]int{"path=/none": 404, "path=/log": 404, "path=/ppp/secret/bob": 404, "path=//": 200, "sensitive=maybe": 400} {
		in.want(status, "GET", "/web/api/export?"+query, "", "")
	}
}
