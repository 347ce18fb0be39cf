package web

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// A warning is something that a person should know, with the menu where it can be
// changed.
type warning struct {
	Text string `json:"text"`
	Menu string `json:"menu"`
}

// adviseEvery is how often the configuration is judged, however many people watch.
const adviseEvery = 5 * time.Second

// advice is what was found last.
type advice struct {
	mu       sync.Mutex
	at       time.Time
	warnings []warning
}

// warnings gives what a person should know of the configuration. It names no
// secret, and is the same for all who may read.
func (s *Server) warnings(ctx context.Context, now time.Time) []warning {
	s.advice.mu.Lock()
	defer s.advice.mu.Unlock()
	if s.advice.at.IsZero() || now.Sub(s.advice.at) >= adviseEvery {
		found, err := s.judge(ctx)
		if err != nil { // who asked has gone
			return []warning{}
		}
		s.advice.at, s.advice.warnings = now, found
	}
	return append([]warning{}, s.advice.warnings...)
}

// The menus that warnings lead to.
const (
	serverMenu  = "/interface/pptp-server/server"
	clientMenu  = "/interface/pptp-client"
	secretMenu  = "/ppp/secret"
	profileMenu = "/ppp/profile"
	serviceMenu = "/ip/service"
	userMenu    = "/user"
)

// judge looks at the configuration.
func (s *Server) judge(ctx context.Context) ([]warning, error) {
	tables := map[string][]*menu.Row{}
	for _, path := range []string{serverMenu, clientMenu, secretMenu, profileMenu, serviceMenu, userMenu, "/ppp/aaa"} {
		rows, err := s.rows(ctx, tree.Admin(), path)
		if err != nil {
			return nil, err
		}
		tables[path] = slices.DeleteFunc(rows, func(r *menu.Row) bool { return r.Menu.Property("disabled") != nil && r.Is("disabled") })
	}
	found := []warning{}
	warn := func(menu, text string) { found = append(found, warning{text, menu}) }
	server := tables[serverMenu][0]
	serves := server.Is("enabled")
	if serves || len(tables[clientMenu]) > 0 {
		warn(serverMenu, "PPTP does not protect what it carries: who can listen on the path can find the keys of MS-CHAP, and change packets unseen. Use it only where the path is trusted, or what is inside is protected by itself.")
	}
	if serves {
		s.judgeServer(tables, warn)
	}
	s.judgeDoors(tables, warn)
	return found, nil
}

// judgeServer looks at what the server accepts.
func (s *Server) judgeServer(tables map[string][]*menu.Row, warn func(menu, text string)) {
	server := tables[serverMenu][0]
	methods := strings.Split(server.Get("authentication"), ",")
	has := func(method string) bool { return slices.Contains(methods, method) }
	if has("pap") {
		warn(serverMenu, "The server accepts PAP: users may send their passwords in clear.")
	}
	if has("pap") || has("chap") {
		warn(serverMenu, "The server accepts a method without keys for encryption (PAP or CHAP): such sessions are in clear.")
	}
	if has("mschap1") {
		warn(serverMenu, "The server accepts MS-CHAPv1, of which a password can be found at once. MS-CHAPv2 is in every client.")
	}
	used := map[string]bool{server.Get("default-profile"): true}
	for _, secret := range tables[secretMenu] {
		used[secret.Get("profile")] = true
	}
	for _, profile := range tables[profileMenu] {
		if name := profile.Get("name"); used[name] && profile.Get("use-encryption") != "required" {
			warn(profileMenu, "The profile "+name+" does not require encryption: a client that wants none gets none.")
		}
	}
	if len(tables[secretMenu]) == 0 && !tables["/ppp/aaa"][0].Is("use-radius") {
		warn(secretMenu, "There is no user who may connect: add a secret, or use RADIUS.")
	}
}

// judgeDoors looks at who can come in to change things.
func (s *Server) judgeDoors(tables map[string][]*menu.Row, warn func(menu, text string)) {
	open := false
	for _, service := range tables[serviceMenu] {
		name := service.Get("name")
		near := onlyLoopback(service.Get("address"))
		open = open || !near
		if service.Get("address") == "" {
			warn(serviceMenu, "The service "+name+" is open to every address: say in its address who may use it.")
		}
		if (name == "www" || name == "api") && !near {
			warn(serviceMenu, "The service "+name+" is not encrypted: passwords and what is configured cross the network in clear. Use "+name+"-ssl.")
		}
		if name == "www-ssl" && !near && service.Get("certificate") == "none" {
			warn(serviceMenu, "The certificate of www-ssl is signed by itself: a browser cannot tell this system from one that pretends to be it.")
		}
	}
	for _, user := range tables[userMenu] {
		if open && user.Get("name") == "admin" && user.Get("address") == "" {
			warn(userMenu, "The user admin may come in from every address: say in its address where from.")
		}
	}
}

// onlyLoopback reports whether a list of networks lets this machine alone in.
func onlyLoopback(list string) bool {
	for text := range strings.SplitSeq(list, ",") {
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().IsLoopback() || p.Bits() < 8 {
			return false
		}
	}
	return true
}
