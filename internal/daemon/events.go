package daemon

import (
	"strconv"

	"gopptp/internal/nas"
	"gopptp/internal/records"
	"gopptp/internal/script"
	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// events hands on what happens to sessions: they are accounted, scripts are run,
// the user's secret remembers, and what became of a call is recorded.
type events struct {
	access  *nas.NAS
	scripts *script.Runner
	records *records.Keeper
	menus   *tree.Tree // set before the first session
}

// tell takes an event of a session. It waits for the disk.
func (e *events) tell(ev session.Event) {
	e.access.Event(ev)
	switch ev.Kind {
	case session.Up:
		e.menus.LinkChanged(ev.Status, ev.At, true)
		e.scripts.Hook(hook(e.menus, ev, "on-up", ev.Policy.OnUp))
	case session.Down:
		e.menus.LinkChanged(ev.Status, ev.At, false)
		e.scripts.Hook(hook(e.menus, ev, "on-down", ev.Policy.OnDown))
	case session.Ended:
		e.menus.SessionEnded(ev.Grant.Secret, ev.At, ev.Status.CallerID, ev.Cause.String())
	case session.Over:
		e.records.Add(record(ev))
	}
}

// hook is a script of the session's profile, with RouterOS's variables.
func hook(menus *tree.Tree, ev session.Event, name, source string) script.Hook {
	s := ev.Status
	return script.Hook{
		Session: strconv.FormatUint(s.ID, 10),
		Name:    s.Interface + " " + name,
		Source:  source,
		Vars: map[string]string{
			"user": s.User, "local-address": text(s.LocalAddress), "remote-address": text(s.RemoteAddress),
			"caller-id": s.CallerID, "called-id": s.CalledID, "interface": menus.InterfaceID(s),
		},
	}
}

// text is an address, or nothing.
func text(a interface {
	IsValid() bool
	String() string
}) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
