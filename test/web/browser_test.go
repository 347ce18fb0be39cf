package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

// patience is how long anything in a browser may take, on a busy machine.
const patience = 30 * time.Second

// places are those of the browsers that run at once. More of them on two processors
// only wait for each other, and then for longer than there is patience.
var places = make(chan struct{}, 3)

// A browser is a Chromium in a network namespace, whose only network that is.
type browser struct {
	ctx context.Context
	dir string // for all of its files; also of downloads

	mu       sync.Mutex
	problems []string // guarded by mu; what the pages did and should not have
}

// newBrowser starts one, which ends with the test. Whatever a page does then that a
// page should not do fails the test.
func newBrowser(t *testing.T, in *hosttest.Namespace) *browser {
	t.Helper()
	rig.Need(t, "chromium", "nsenter")
	places <- struct{}{}
	t.Cleanup(func() { <-places })
	b := &browser{dir: t.TempDir()}
	home, err := os.MkdirTemp(b.dir, "home-")
	if err != nil {
		t.Fatal(err)
	}
	// The library starts the program on a thread of its own, so that the program has
	// to go into the namespace itself.
	var net *os.File
	in.Do(func() { net, err = os.Open("/proc/thread-self/ns/net") })
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	var cmd *exec.Cmd
	enter := func(c *exec.Cmd) {
		cmd = c
		c.ExtraFiles = append(c.ExtraFiles, net)
		fd := 2 + len(c.ExtraFiles) // the first of them is 3
		c.Args = append([]string{"nsenter", fmt.Sprintf("--net=/proc/self/fd/%d", fd), "chromium"}, c.Args[1:]...)
		c.Path, c.Err = exec.LookPath("nsenter")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(home), chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-crash-reporter", true), chromedp.Flag("no-zygote", true),
		chromedp.Env("HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "DBUS_SESSION_BUS_ADDRESS=disabled:"),
		chromedp.ModifyCmdFunc(enter))
	ctx, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, endFirst := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// It is asked to end, and waits for its own processes then. They are one
		// group, which is ended where it does not.
		late := time.AfterFunc(rig.Soon/3, func() {
			if cmd != nil && cmd.Process != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
		})
		_ = chromedp.Cancel(ctx) // what it says of that tells nobody anything
		late.Stop()
		endFirst()
		end()
		for _, problem := range b.take() {
			t.Errorf("the page: %s", problem)
		}
		// What ends may still write for a moment.
		for over := time.Now().Add(rig.Soon); ; time.Sleep(rig.Look) {
			if err := os.RemoveAll(home); err == nil {
				return
			} else if time.Now().After(over) {
				t.Errorf("chromium's files remain: %v", err)
				return
			}
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	b.ctx = ctx
	if err := os.Mkdir(b.downloads(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.downloads(),
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// downloads is where the browser saves files.
func (b *browser) downloads() string { return filepath.Join(b.dir, "downloads") }

// problem notes something that a page should not have done.
func (b *browser) problem(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// take gives the problems so far, which then fail no test.
func (b *browser) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	problems := b.problems
	b.problems = nil
	return problems
}

// A tab is a page in a browser, for one test.
type tab struct {
	*testing.T
	browser *browser
	ctx     context.Context
	origin  string
}

// tab opens one that loads things from one origin only, until the test ends.
func (b *browser) tab(t *testing.T, origin string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	t.Cleanup(end)
	p := &tab{T: t, browser: b, ctx: ctx, origin: origin}
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	return p
}

// in is the same tab for a subtest.
func (p *tab) in(t *testing.T) *tab {
	return &tab{T: t, browser: p.browser, ctx: p.ctx, origin: p.origin}
}

// watch looks for what no page should do: ask for anything elsewhere, break the
// policy of its content, run what somebody put into a name, fail.
func (p *tab) watch(event any) {
	b := p.browser
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		b.problem("opened a dialog: %s", e.Message)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.problem("threw: %s", text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			b.problem("wrote to the console: %s %s", e.Type, e.Args[0].Value)
		}
	case *log.EventEntryAdded:
		// A request that is refused is noted there too; what the page makes of it is
		// what the tests are about.
		refused := e.Entry.Source == log.EntrySourceNetwork && strings.HasPrefix(e.Entry.URL, p.origin+"/web/api/") && strings.Contains(e.Entry.Text, "status of 4")
		if !refused && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			b.problem("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, p.origin+"/") && !strings.HasPrefix(u, "blob:"+p.origin+"/") && !strings.HasPrefix(u, "data:") {
			b.problem("asked for %s", u)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 500 {
			b.problem("was answered with %d from %s", e.Response.Status, e.Response.URL)
		}
	case *inspector.EventTargetCrashed:
		b.problem("crashed")
	}
}

// do runs actions.
func (p *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.fatalf("%s: %v", what, err)
	}
}

// call sends a command of the protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.fatalf("%s: %v", command.Method, err)
	}
	return r
}

// evaluate calls a function of JavaScript, whose source is given, with arguments.
func evaluate[T any](p *tab, function string, args ...any) (T, error) {
	list := make([]string, len(args))
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			p.Fatal(err)
		}
		list[i] = string(b)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T]("("+function+")("+strings.Join(list, ",")+")", chromedp.EvalAwaitPromise))
}

// ask is evaluate where nothing may go wrong.
func ask[T any](p *tab, function string, args ...any) T {
	p.Helper()
	v, err := evaluate[T](p, function, args...)
	if err != nil {
		p.fatalf("%s: %v", function, err)
	}
	return v
}

// until waits for a function of JavaScript to say true, and says how long it took.
func (p *tab) until(what, function string, args ...any) time.Duration {
	p.Helper()
	began := time.Now()
	for {
		ok, err := evaluate[bool](p, function, args...)
		if ok && err == nil {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			p.fatalf("not within %v: %s (%v)", patience, what, err)
		}
		time.Sleep(rig.Look)
	}
}

// fatalf ends the test, and shows what a person would see now.
func (p *tab) fatalf(format string, args ...any) {
	p.Helper()
	text, _ := evaluate[string](p, `() => location.href + "\n" + document.title + "\n" + document.body.innerText.slice(0, 3000)`)
	p.browser.mu.Lock()
	problems := strings.Join(p.browser.problems, "\n")
	p.browser.mu.Unlock()
	p.Fatalf("%s\nproblems: %s\nthe page shows:\n%s", fmt.Sprintf(format, args...), problems, text)
}
