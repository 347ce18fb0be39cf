package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"

	"gopptp/internal/login"
)

// maxLogin bounds the body of a login: a name and a password of the greatest
// length, all in escapes.
const maxLogin = 16 << 10

// login lets somebody in.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogin))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		problem(w, http.StatusRequestEntityTooLarge, "request is too large")
		return
	}
	var who struct{ Name, Password string }
	if err != nil || json.Unmarshal(b, &who) != nil {
		problem(w, http.StatusBadRequest, "invalid JSON")
		return
	}
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // the gate refuses what is no address
	v := &visit{gate: s.gate, over: make(chan struct{}), active: time.Now()}
	v.user, v.leave, err = s.gate.Login(r.Context(), login.Attempt{
		Door: login.DoorWeb, From: from.Addr().Unmap(), Name: who.Name, Password: who.Password, End: v.end,
	})
	switch {
	case errors.Is(err, login.ErrDenied):
		problem(w, http.StatusUnauthorized, login.ErrDenied.Error())
		return
	case err != nil:
		problem(w, http.StatusServiceUnavailable, "Session closed")
		return
	}
	v.touch() // it may have taken a while
	token, ok := s.visits.add(v)
	if !ok {
		v.release()
		problem(w, http.StatusServiceUnavailable, "Session closed")
		return
	}
	if old := s.current(r); old != nil { // the browser forgets it
		s.visits.remove(old)
	}
	http.SetCookie(w, cookie(r, token))
	_ = s.session(w, r, v)
}

// logout ends the session of a request.
func (s *Server) logout(w http.ResponseWriter, r *http.Request, v *visit) error {
	s.visits.remove(v)
	http.SetCookie(w, cookie(r, ""))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// session tells somebody who they are.
func (s *Server) session(w http.ResponseWriter, _ *http.Request, v *visit) error {
	u, ok := v.now()
	if !ok {
		problem(w, http.StatusUnauthorized, "")
		return nil
	}
	policies := login.Names(u.Policies)
	if policies == nil {
		policies = []string{}
	}
	send(w, http.StatusOK, struct {
		User       string   `json:"user"`
		Group      string   `json:"group"`
		Policies   []string `json:"policies"`
		Version    string   `json:"version"`
		Identity   string   `json:"identity"`
		Inactivity int      `json:"inactivityTimeout"` // in seconds
	}{u.Name, u.Group, policies, s.cfg.Version, s.cfg.Tree.Identity(), int(inactivity(u).Seconds())})
	return nil
}
