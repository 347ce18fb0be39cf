package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// What the overview shows.
type (
	overview struct {
		Server   serverState   `json:"server"`
		Uptime   int64         `json:"uptime"` // of the program, in seconds
		Identity string        `json:"identity"`
		Version  string        `json:"version"`
		Sessions sessionCount  `json:"sessions"`
		Traffic  traffic       `json:"traffic"` // in bits per second, now
		Failed   failedLogins  `json:"failedLogins"`
		Warnings []warning     `json:"warnings"`
		Radius   []radiusState `json:"radius"`
	}
	serverState struct {
		Enabled        bool     `json:"enabled"`
		Listening      bool     `json:"listening"`
		Authentication []string `json:"authentication"`
		DefaultProfile string   `json:"defaultProfile"`
	}
	sessionCount struct {
		Active  int         `json:"active"`
		Clients clientCount `json:"clients"`
	}
	clientCount struct {
		Running int `json:"running"`
		All     int `json:"all"`
	}
	traffic struct {
		Rx uint64 `json:"rx"`
		Tx uint64 `json:"tx"`
	}
	radiusState struct {
		ID       string  `json:"id"`
		Address  string  `json:"address"`
		State    string  `json:"state"` // disabled, answering, not answering, not asked
		Requests uint64  `json:"requests"`
		Accepts  uint64  `json:"accepts"`
		Rejects  uint64  `json:"rejects"`
		Timeouts uint64  `json:"timeouts"`
		LastRTT  float64 `json:"lastRtt"` // in milliseconds
	}
)

// rows gives the rows of a menu as a user sees them.
func (s *Server) rows(ctx context.Context, u tree.User, path string) (rows []*menu.Row, err error) {
	m := s.cfg.Tree.Root().At(path)
	q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
	_, err = s.cfg.Tree.Execute(ctx, u, q, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	return rows, err
}

// overview answers with what there is to know at a glance.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, u, l, now := r.Context(), v.treeUser(), s.look(), time.Now()
	server, err := s.rows(ctx, u, "/interface/pptp-server/server")
	if err != nil {
		return err
	}
	clients, err := s.rows(ctx, u, "/interface/pptp-client")
	if err != nil {
		return err
	}
	servers, err := s.rows(ctx, u, "/radius")
	if err != nil {
		return err
	}
	o := overview{
		Server: serverState{
			Enabled: server[0].Is("enabled"), Listening: s.cfg.Listening(), DefaultProfile: server[0].Get("default-profile"),
			Authentication: strings.Split(server[0].Get("authentication"), ","),
		},
		Uptime: int64(now.Sub(s.started).Seconds()), Identity: s.cfg.Tree.Identity(), Version: s.cfg.Version,
		Sessions: sessionCount{Active: len(l.sessions), Clients: clientCount{All: len(clients)}},
		Traffic:  traffic{l.all.rx, l.all.tx}, Failed: s.failures.summary(now), Radius: []radiusState{},
	}
	for _, c := range clients {
		if c.Is("running") {
			o.Sessions.Clients.Running++
		}
	}
	o.Warnings = s.warnings(ctx, now)
	if o.Server.Enabled && !o.Server.Listening {
		o.Warnings = append(o.Warnings, warning{"The server is enabled and does not listen: the log says why.", "/log"})
	}
	for _, row := range servers {
		state := s.radius(row)
		o.Radius = append(o.Radius, state)
		if state.State == radiusSilent {
			o.Warnings = append(o.Warnings, warning{"The RADIUS server " + state.Address + " does not answer.", "/radius"})
		}
	}
	send(w, http.StatusOK, o)
	return nil
}

// radiusSilent is the state of a server that does not answer.
const radiusSilent = "not answering"

// radius gives the state of a row of /radius.
func (s *Server) radius(row *menu.Row) radiusState {
	c, silent := s.cfg.Radius(uint64(row.ID))
	state := radiusState{
		ID: row.ID.String(), Address: row.Get("address"), State: "not asked",
		Requests: c.Requests, Accepts: c.Accepts, Rejects: c.Rejects, Timeouts: c.Timeouts, LastRTT: float64(c.LastRTT) / float64(time.Millisecond),
	}
	switch {
	case row.Is("disabled"):
		state.State = "disabled"
	case silent:
		state.State = radiusSilent
	case c.Accepts+c.Rejects > 0:
		state.State = "answering"
	}
	return state
}
