package rest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// fill makes a handler over n secrets.
func fill(b *testing.B, n int) http.Handler {
	b.Helper()
	menus, _ := newTree(b)
	m := menus.Root().At("/ppp/secret")
	for i := range n {
		q := &menu.Request{Menu: m, Command: m.Command("add"), Args: map[string]string{}, Values: []menu.Assignment{
			{Name: "name", Value: fmt.Sprintf("user%d", i)}, {Name: "password", Value: "secret"},
		}}
		if _, err := menus.Execute(b.Context(), tree.Admin(), q, nil); err != nil {
			b.Fatal(err)
		}
	}
	return New(Config{Tree: menus, Login: letIn})
}

// BenchmarkRequest compares a small request with a handler that does nothing.
func BenchmarkRequest(b *testing.B) {
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"name":"gopptp"}`)) })
	ours := fill(b, 0)
	for _, bench := range []struct {
		name string
		h    http.Handler
	}{{"bare", bare}, {"identity", ours}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/rest/system/identity", nil)
				r.SetBasicAuth("admin", "secret")
				w := httptest.NewRecorder()
				if bench.h.ServeHTTP(w, r); w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkServe is the same through a connection of the loopback interface.
func BenchmarkServe(b *testing.B) {
	menus, _ := newTree(b)
	address, _ := serve(b, nil, Config{Tree: menus, Login: letIn})
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"name":"gopptp"}`)) }))
	defer bare.Close()
	for name, url := range map[string]string{"bare": bare.URL, "identity": "http://" + address} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				if status, body := fetch(b, client, "admin", http.MethodGet, url+"/rest/system/identity", ""); status != 200 {
					b.Fatal(status, body)
				}
			}
		})
	}
}

// BenchmarkPrint shows that the cost of a print grows with the rows, and that
// one item costs the same among many.
func BenchmarkPrint(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		h := fill(b, n)
		for name, target := range map[string]string{"all": "/rest/ppp/secret", "one": "/rest/ppp/secret?.id=*5"} {
			b.Run(filepath.Join(name, fmt.Sprint(n)), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if w := ask(h, "admin", http.MethodGet, target, ""); w.Code != 200 {
						b.Fatal(w.Code)
					}
				}
			})
		}
	}
}
