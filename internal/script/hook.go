package script

import (
	"context"
	"slices"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// The bounds of hooks. Their number follows the tunnels, which may all come up at
// once; one that waits costs its source and its variables, one that runs a
// goroutine and its memory. A hook that never ends would keep the next one of its
// tunnel from running, so that each has a time, longer than a script waits for
// something to settle.
const (
	maxHooks     = 20_000
	maxHooksBusy = 50
	hookTime     = 5 * time.Minute
	// maxHooksSession bounds those of one session, an even number: the peer decides
	// how often a tunnel goes down and comes up, and must not take the place of
	// others.
	maxHooksSession = 16
)

// hookUser is whom the log and the list of jobs name for hooks. As with the
// scripts that RouterOS runs by itself, they may read, write and test: one who may
// set a hook, which takes write, cannot come by users and passwords through it.
var hookUser = tree.User{Name: "*sys", Policies: menu.Read | menu.Write | menu.Test}

// A Hook is a script that an event runs.
type Hook struct {
	Session string            // whose hooks run one after the other, in their order
	Name    string            // what the log calls the script: "ppp profile default on-up"
	Source  string            // nothing is run if it is empty
	Vars    map[string]string // local variables; addresses and ids of items get their type, all others are text
}

// hooks are those that wait and run.
type hooks struct {
	queues  map[string][]Hook // by session; the first of each waits or runs
	ready   []string          // sessions none of whose hooks runs, in the order of their coming
	busy    int               // hooks that run
	waiting int               // and those that do not
}

func newHooks() hooks { return hooks{queues: map[string][]Hook{}} }

// Hook runs a script on its own, after those of the session that came before. It
// does not wait. What goes wrong goes to the log.
func (r *Runner) Hook(h Hook) {
	if h.Source == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.hooks.waiting == maxHooks {
		r.fail(h, "too many scripts are running")
		return
	}
	queue := r.hooks.queues[h.Session]
	if len(queue) == maxHooksSession {
		// An on-up and its on-down, or the other way round: what the latest ones
		// leave behind is what counts.
		queue = slices.Delete(queue, 1, 3)
		r.hooks.waiting -= 2
	}
	r.hooks.queues[h.Session] = append(queue, h)
	r.hooks.waiting++
	if len(queue) == 0 {
		r.hooks.ready = append(r.hooks.ready, h.Session)
	}
	r.serveHooksLocked()
}

// serveHooksLocked starts hooks as long as there are some and not too many run.
func (r *Runner) serveHooksLocked() {
	for r.hooks.busy < maxHooksBusy && len(r.hooks.ready) > 0 {
		session := r.hooks.ready[0]
		r.hooks.ready = r.hooks.ready[1:]
		h := r.hooks.queues[session][0]
		r.hooks.waiting--
		if r.over {
			r.fail(h, "interrupted")
			r.nextHookLocked(session)
			continue
		}
		r.hooks.busy++
		ctx, cancel := context.WithTimeout(context.Background(), hookTime)
		j := &job{Job: tree.Job{Script: h.Name, Owner: hookUser.Name}, cancel: cancel, hook: true}
		r.addLocked(j)
		r.all.Go(func() {
			defer cancel()
			r.runHook(ctx, h)
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.jobs, j.ID)
			r.hooks.busy--
			r.nextHookLocked(session)
			r.serveHooksLocked()
		})
	}
}

// nextHookLocked takes the first hook of a session away, and puts the session
// behind the others if there are more.
func (r *Runner) nextHookLocked(session string) {
	queue := r.hooks.queues[session][1:]
	if len(queue) == 0 {
		delete(r.hooks.queues, session)
		return
	}
	r.hooks.queues[session] = queue
	r.hooks.ready = append(r.hooks.ready, session)
}

// runHook runs a hook to its end.
func (r *Runner) runHook(ctx context.Context, h Hook) {
	vars := make(map[string]Value, len(h.Vars))
	for name, text := range h.Vars {
		vars[name] = variable(text)
	}
	if err := runSource(ctx, Env{Tree: r.tree, User: hookUser.Running(h.Name), Name: h.Name, Vars: vars}, h.Source, true); err != nil {
		r.fail(h, err.Error())
	}
}

// variable gives what a hook is told its type.
func variable(text string) Value {
	v := Text(text)
	if a := toIP(v); a.kind != Nil {
		return a
	}
	if id := toID(v); id.kind != Nil {
		return id
	}
	return v
}

// fail tells that a hook went wrong.
func (r *Runner) fail(h Hook, why string) {
	r.journal.Addf("script,error", "executing script from %s failed, please check it manually (%s)", h.Name, why)
}
