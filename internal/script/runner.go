package script

import (
	"context"
	"slices"
	"sync"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// maxJobs bounds the scripts that are jobs at the same time, which are those with a
// name and those of :execute: each may take a processor and maxMemory. It is more
// than anybody runs at once, and it ends scripts that start themselves.
const maxJobs = 100

// A Runner runs the scripts of a system: it has the global variables that they
// share, and the list of those that run. It is the tree's Interpreter. Make it
// with NewRunner, give it to a tree, and Close it after whatever uses it.
type Runner struct {
	journal *journal.Journal
	globals *Globals
	tree    *tree.Tree // set by Attach, before the first script

	mu      sync.Mutex // guards what follows
	last    uint64
	jobs    map[uint64]*job
	closing bool           // no more jobs
	over    bool           // no more hooks either
	all     sync.WaitGroup // scripts on their own, and hooks

	hooks hooks // guarded by mu
}

// A job is a script that runs.
type job struct {
	tree.Job
	cancel context.CancelFunc
	hook   bool
}

// NewRunner makes a Runner that writes what goes wrong with scripts on their own
// into a journal.
func NewRunner(j *journal.Journal) *Runner {
	return &Runner{journal: j, globals: NewGlobals(), jobs: map[uint64]*job{}, hooks: newHooks()}
}

// Attach makes t the tree that scripts run over.
func (r *Runner) Attach(t *tree.Tree) { r.tree = t }

// runnerOf gives the runner of a tree, or nil.
func runnerOf(t *tree.Tree) *Runner {
	r, _ := t.Interpreter().(*Runner)
	return r
}

// GlobalsOf gives the global variables of a tree's scripts; those of a tree that
// runs none are new ones.
func GlobalsOf(t *tree.Tree) *Globals {
	if r := runnerOf(t); r != nil {
		return r.globals
	}
	return NewGlobals()
}

// caller is the key under which a context has the Env of the script whose command
// is carried out.
type caller struct{}

// Run runs a script to its end. One without an output prints where the script does
// whose command runs it.
func (r *Runner) Run(ctx context.Context, u tree.User, s tree.Script) error {
	env := Env{Tree: r.tree, User: u, Out: s.Out, Name: s.Name, Trace: s.Trace}
	if by, ok := ctx.Value(caller{}).(*Env); ok && s.Out == nil {
		env.Out, env.Width, env.Pager = by.Out, by.Width, by.Pager
	}
	if s.Name != "" {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		j := &job{Job: tree.Job{Script: s.Name, Owner: u.Name, Interactive: true}, cancel: cancel}
		if err := r.begin(j); err != nil {
			return err
		}
		defer r.end(j)
		return runSource(ctx, env, s.Source, true)
	}
	return Run(ctx, env, s.Source)
}

// begin adds a job to the list.
func (r *Runner) begin(j *job) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beginLocked(j)
}

func (r *Runner) beginLocked(j *job) error {
	switch {
	case r.closing:
		return menu.Errorf(menu.Interrupted, "interrupted")
	case len(r.jobs)-r.hooks.busy >= maxJobs:
		return menu.Errorf(menu.Refused, "failure: too many scripts are running")
	}
	r.addLocked(j)
	return nil
}

func (r *Runner) addLocked(j *job) {
	r.last++
	j.ID, j.Started = r.last, time.Now()
	r.jobs[j.ID] = j
}

// end takes a job from the list.
func (r *Runner) end(j *job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.jobs, j.ID)
}

// start runs code on its own: it sees no variable of the script that starts it,
// and nobody sees what it prints. An error goes to the log.
func (r *Runner) start(by Env, code Value) (id uint64, err error) {
	user, err := by.Tree.Alone(by.User)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{Job: tree.Job{Owner: user.Name}, cancel: cancel}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.beginLocked(j); err != nil {
		cancel()
		return 0, err
	}
	r.all.Go(func() {
		defer r.end(j)
		defer cancel()
		env := Env{Tree: by.Tree, User: user, At: by.At, Globals: by.Globals}
		if err := runCode(ctx, env, code); err != nil && ctx.Err() == nil {
			r.journal.Addf("script,error", "executing script failed, please check it manually (%s)", err)
		}
	})
	return j.ID, nil
}

// Check gives what is wrong in a script that is only read.
func (r *Runner) Check(source string) []*menu.Error {
	return menu.Check(source, r.tree.Root(), r.tree.Root())
}

// Jobs gives the scripts that run, the oldest first.
func (r *Runner) Jobs() []tree.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]tree.Job, 0, len(r.jobs))
	for _, j := range r.jobs {
		out = append(out, j.Job)
	}
	slices.SortFunc(out, func(a, b tree.Job) int { return int(a.ID) - int(b.ID) })
	return out
}

// StopJob ends a script, and reports whether there was one.
func (r *Runner) StopJob(id uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.jobs[id]
	if j != nil {
		j.cancel()
	}
	return j != nil
}

// Variables gives the global variables by name.
func (r *Runner) Variables() []tree.Variable { return r.globals.list() }

// RemoveVariable removes a global variable, and reports whether there was one.
func (r *Runner) RemoveVariable(id uint64) bool { return r.globals.remove(id) }

// hookGrace is how long hooks may take to end when the system does: what a tunnel
// that comes up sets, its end takes back.
const hookGrace = 5 * time.Second

// Close ends all scripts, hooks last, and returns after they did. Nobody may call
// Hook any more.
func (r *Runner) Close() {
	r.cancel(func(j *job) bool { return !j.hook })
	timer := time.AfterFunc(hookGrace, func() {
		r.mu.Lock()
		r.over = true
		r.mu.Unlock()
		r.cancel(func(*job) bool { return true })
	})
	defer timer.Stop()
	r.all.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}

// cancel takes no more jobs, and ends those that end tells.
func (r *Runner) cancel(end func(*job) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closing = true
	for _, j := range r.jobs {
		if end(j) {
			j.cancel()
		}
	}
}
