// Package daemon puts the parts together: it starts them in order, tells
// systemd, and on the way out stops them in the opposite order.
//
// It decides nothing about tunnels or menus.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"gopptp/internal/console"
	"gopptp/internal/firewall"
	"gopptp/internal/host"
	"gopptp/internal/journal"
	"gopptp/internal/metrics"
	"gopptp/internal/nas"
	"gopptp/internal/plane"
	"gopptp/internal/radius"
	"gopptp/internal/rawgre"
	"gopptp/internal/records"
	"gopptp/internal/resolver"
	"gopptp/internal/script"
	"gopptp/internal/service"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/web"
	"gopptp/internal/xdp"
)

// A Config is what gopptp run is told on its command line.
type Config struct {
	Data      string // directory of the database
	Socket    string // path of the Unix socket
	LogLevel  string // debug, info, warning or error
	LogFormat string // text or json
	LogOutput io.Writer
	Version   string

	// ResolvConf is the file of name servers that use-peer-dns writes.
	ResolvConf string

	// AdminPasswordFile has the password of the user admin in its first line, for
	// the first start; without it a password is made and told on LogOutput.
	AdminPasswordFile string

	// Pprof is the address on the loopback where profiles can be asked for; empty
	// for none.
	Pprof string

	// Metrics is the address where Prometheus may ask, and whoever wants to know whether
	// the daemon lives and is ready; empty for none.
	Metrics string
	// MetricsSessions shows series of each session too.
	MetricsSessions bool
	// FastPath are interfaces whose GRE packets go past the kernel's IP stack.
	FastPath []string
}

// What is in Config.Data: the database, and the directory of exported files.
const (
	databaseName = "gopptp.db"
	filesName    = "files"
)

// collectAt is how much garbage there may be, in percent of what is in use, before it is
// collected. Moving packets makes none, so that the collector has hardly anything to do,
// and thousands of sessions need a quarter less memory than at Go's 100.
const collectAt = 50

// Run is the daemon. It returns nil when ctx ended and everything was stopped.
func Run(ctx context.Context, cfg Config) error {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	}
	sink, err := logSink(cfg.LogOutput, cfg.LogLevel, cfg.LogFormat)
	if err != nil {
		return err
	}
	log := journal.New(sink, cfg.LogLevel == "debug")

	// Everything that can fail is opened before anything on the machine is
	// changed.
	var watched net.Listener // for profiles
	if cfg.Pprof != "" {
		if watched, err = listenProfiles(ctx, cfg.Pprof); err != nil {
			return err
		}
		defer watched.Close()
	}
	var shown face
	if cfg.Metrics != "" {
		hide, err := shown.open(ctx, cfg.Metrics, log)
		if err != nil {
			return err
		}
		defer hide()
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("cannot make the data directory: %w", err)
	}
	db, warnings, err := store.Open(filepath.Join(cfg.Data, databaseName))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, w := range warnings {
		log.Addf("system,error", "configuration: %v", w)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Data, filesName), 0o700); err != nil {
		return fmt.Errorf("cannot make the directory for files: %w", err)
	}
	files, err := os.OpenRoot(filepath.Join(cfg.Data, filesName))
	if err != nil {
		return fmt.Errorf("cannot open the directory for files: %w", err)
	}
	defer files.Close()
	sockets, err := rawgre.Listen(shards(runtime.GOMAXPROCS(0)))
	if err != nil {
		return err
	}
	var conns []rawgre.Conn
	for _, s := range sockets {
		conns = append(conns, s)
	}
	road := plane.New(conns...)
	var fast func() xdp.Stats // nil without a fast path
	if len(cfg.FastPath) > 0 {
		ports, err := xdp.Open(cfg.FastPath)
		if err != nil {
			return err
		}
		defer ports.Close()
		keep, done := context.WithCancel(context.WithoutCancel(ctx)) // sessions that end still send
		var kept sync.WaitGroup
		kept.Go(func() { ports.Run(keep) })
		defer kept.Wait()
		defer done()
		road, fast = plane.NewFast(ports, conns...), ports.Stats
		// Each of its readers waits in the kernel and takes a processor of the runtime's
		// along. Where no other one is idle, the runtime's monitor looks each 20 µs
		// for whom to take one from, which costs a tenth of everything: so there is one more.
		processors := runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(processors + len(ports.Readers()) + 1)
		defer runtime.GOMAXPROCS(processors)
	}
	defer road.Close()
	machine, err := host.Open()
	if err != nil {
		return err
	}
	defer machine.Close()
	door, err := listenUnix(cfg.Socket)
	if err != nil {
		return err
	}
	defer door.Close()
	// Only now is it sure that no other daemon lives whose routes and rules these are.
	if err := machine.ForgetRoutes(); err != nil {
		log.Addf("system,warning", "%v", err)
	}
	rules, err := firewall.Open()
	if err != nil {
		return err
	}
	defer rules.Close()
	names, err := resolver.New(cfg.ResolvConf)
	if err != nil {
		log.Addf("system,warning", "%v", err)
	}

	scripts := script.NewRunner(log)
	defer scripts.Close()
	access, err := nas.New(cfg.Data, log)
	if err != nil {
		return err
	}
	defer access.Close()
	calls := records.New(filepath.Join(cfg.Data, recordsName), func(err error) {
		log.Addf("system,error", "calls are not recorded: %v", err)
	})
	defer calls.Close() // what could not be written was told
	happened := &events{access: access, scripts: scripts, records: calls}
	manager := session.NewManager(session.Config{
		Journal: log,
		Plane:   road,
		Host:    tunnels{machine, rules, names, log},
		Listen: func(ctx context.Context) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, "tcp4", ":"+strconv.Itoa(session.Port))
		},
		Dial: func(ctx context.Context, server string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp4", net.JoinHostPort(server, strconv.Itoa(session.Port)))
		},
		Resolve: resolve,
		Events:  happened.tell,

		Authenticate: access.Authenticate,
		SessionID:    access.SessionID,
	})
	access.Attach(manager)
	menus, err := tree.Config{
		Store: db, Engine: engine{manager, access, cfg.Data, log}, Journal: log, Files: files, Records: calls, Version: cfg.Version, Interpreter: scripts,
		Machine: func() tree.Machine { return resources(cfg.Data) },
		Network: network(machine, log),
		Certificate: func(name string) error {
			_, err := serverTLS(cfg.Data, service.Config{Certificate: name})
			return err
		},
	}.New()
	if err != nil {
		return err
	}
	happened.menus = menus
	if err := firstUser(menus, cfg.AdminPasswordFile, messages(cfg.LogOutput, cfg.LogFormat)); err != nil {
		return err
	}
	page := web.New(web.Config{
		Tree: menus, Journal: log, Version: cfg.Version, Run: runner(menus), Sessions: manager.Active,
		Totals: func() (rx, tx uint64) {
			all := road.Totals()
			return all.RxBytes, all.TxBytes
		},
		Listening: func() bool {
			_, listening, _ := manager.Serving()
			return listening
		},
		Radius: func(id uint64) (radius.Counters, bool) {
			c, _ := access.Monitor(id)
			return c, access.Silent(id)
		},
	})
	network, err := doors(menus, page, cfg.Data, log)
	if err != nil {
		return err
	}

	log.Addf("system,info", "gopptp %s started", cfg.Version)
	if fast != nil {
		log.Addf("system,info", "the fast path is on: %s", strings.Join(cfg.FastPath, ", "))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var below, above sync.WaitGroup // the road and the sessions on it; the doors
	below.Go(func() {
		if err := road.Run(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, net.ErrClosed) {
			cancel(fmt.Errorf("the GRE socket failed: %w", err))
		}
	})
	accounting, noMore := context.WithCancel(context.WithoutCancel(ctx))
	defer noMore()
	var account sync.WaitGroup
	account.Go(func() { access.Run(accounting) })
	logging, noMoreLog := context.WithCancel(context.WithoutCancel(ctx))
	defer noMoreLog()
	var logged sync.WaitGroup
	logged.Go(func() { menus.Logging().Run(logging, log, files) })
	above.Go(func() { manager.Run(ctx) })
	above.Go(func() { _ = page.Run(ctx) }) // it ends with ctx
	above.Go(func() {
		if err := console.Serve(ctx, door, menus, log); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("the socket %s failed: %w", cfg.Socket, err))
		}
	})
	above.Go(func() {
		menus.Services().Run(ctx, network, service.Options{
			Journal: log,
			TLS:     func(c service.Config) (*tls.Config, error) { return serverTLS(cfg.Data, c) },
		})
	})
	if watched != nil {
		log.Addf("system,info", "profiles for this machine are on http://%s/debug/pprof/", watched.Addr())
		above.Go(func() {
			h := profiles(func(w io.Writer) { writeCounters(w, road, rawgre.Total(sockets)) })
			if err := serveProfiles(ctx, watched, h); err != nil {
				log.Addf("system,error", "profiles: %v", err)
			}
		})
	}
	if cfg.Metrics != "" {
		shown.started(metrics.Page(metrics.New(metrics.Sources{
			Version: cfg.Version, Sessions: manager, Road: road, Access: access, Gate: menus.Gate(), Journal: log,
			Socket: func() rawgre.Stats { return rawgre.Total(sockets) }, FastPath: fast, PerSession: cfg.MetricsSessions,
		})), manager.Serving, &pulse{alive: manager.Alive, turns: road.Turns})
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady) // no systemd is no error
	if limit := watchdog(); limit > 0 {
		above.Go(func() { keepAwake(ctx, limit, &pulse{alive: manager.Alive, turns: road.Turns}, log) })
	}
	<-ctx.Done()
	shown.stopping()
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	log.Addf("system,info", "gopptp is stopping")
	door.Close()
	ended := make(chan struct{})
	below.Go(func() { prolong(ended, manager.Count, func(state string) { _, _ = daemon.SdNotify(false, state) }) })
	above.Wait()
	close(ended)
	noMore() // the sessions have ended, and their accounting is on the disk
	account.Wait()
	scripts.Close() // after the sessions, whose ends run scripts too
	road.Close()
	below.Wait()
	noMoreLog() // how all of it ended is in the files and at the servers
	logged.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// shards is how many sockets share the received packets on a machine with so many
// processors: one for every second, since each packet is also sealed or opened, sent on
// and answered. More than one only where there are four at least.
func shards(processors int) int {
	n := 1
	for n < rawgre.MaxShards && 4*n <= processors {
		n *= 2
	}
	return n
}

// listenUnix opens the socket for exec and console, in place of one that a dead
// daemon left behind.
func listenUnix(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("another gopptp daemon listens on %s; stop it, or give this one another --socket and --data", path)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot remove the old socket: %w", err)
		}
	}
	// systemd makes the directory, with RuntimeDirectory=; others find it gone after a
	// new start of the machine.
	if err := os.Mkdir(filepath.Dir(path), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make the directory of the socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for gopptp exec: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot protect the socket: %w", err)
	}
	return l, nil
}

// resolve gives an IPv4 address of a server.
func resolve(ctx context.Context, server string) (netip.Addr, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", server)
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0].Unmap(), nil
}
