package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gopptp/internal/console"
	"gopptp/internal/load"
	"gopptp/internal/progress"
	"gopptp/internal/rawgre"
	"gopptp/internal/session"
	"gopptp/ppp/auth"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put load on a server of one's own",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newBenchSessions())
	return cmd
}

// benchSessions are the flags of gopptp bench sessions.
type benchSessions struct {
	load.Config
	target, from, passwordFile, namespace, socket string
	profiles                                      string
	at                                            netip.AddrPort // what profiles says
	daemon                                        int
	owned, asJSON                                 bool
}

func newBenchSessions() *cobra.Command {
	var b benchSessions
	cmd := &cobra.Command{
		Use:   "sessions --target ADDRESS --user NAME --password-file FILE [flags]",
		Short: "Hold thousands of sessions on a server and measure what they cost",
		Long: `Connect thousands of clients to a PPTP server, ping through each, let some of them
send, hold all of them, disconnect, and print what that took. The clients speak the
whole protocol, with MS-CHAPv2 and MPPE-128, and make no network interface here.

The target is a server on this machine: its address is of the loopback, or it is
reached inside of a network namespace. The secret's only-one must be no, and its
profile needs a pool. docs/bench.md tells more.`,
		Example: `  ip -n clients route add local 10.99.0.0/16 dev lo
  gopptp bench sessions --netns clients --target 192.0.2.1 --from 10.99.0.0/16 --count 1000 \
      --user load --password-file secret --console /run/gopptp/gopptp.sock --hold 60s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&b.target, "target", "", "`address` of the server")
	f.StringVar(&b.from, "from", "", "`network` whose addresses the clients have in turn; the machine must have them all, as by a local route. Without it the clients have the loopback's, or one address")
	f.IntVar(&b.Count, "count", 100, "how many sessions")
	f.IntVar(&b.Calls, "calls", 1, "how many sessions share a control connection")
	f.IntVar(&b.Parallel, "parallel", 32, "how many are set up at a time")
	f.StringVar(&b.User, "user", "", "`name` of the secret")
	f.StringVar(&b.passwordFile, "password-file", "", "`file` with the password in its first line")
	f.DurationVar(&b.Hold, "hold", time.Minute, "how long all are held, with keepalives only")
	f.DurationVar(&b.Keepalive, "keepalive", 30*time.Second, "silence after which a client asks whether the server is there")
	f.IntVar(&b.Active, "active", 0, "how many sessions send packets, after one alone has sent")
	f.DurationVar(&b.Seconds, "active-time", 10*time.Second, "how long they send")
	f.StringVar(&b.socket, "console", "", "Unix `socket` of the daemon under load: what its sessions cost it is measured, and how long it takes to list them")
	f.IntVar(&b.daemon, "daemon-pid", 0, "`process` to measure, if not that of --console")
	f.StringVar(&b.profiles, "pprof", "", "`address` and port where that daemon serves profiles (gopptp run --pprof), in its own network namespace: no goroutine may be left, and memory that only its start has needed does not hide what sessions need")
	f.StringVar(&b.namespace, "netns", "", "network namespace to run in, a `name` of ip netns")
	f.BoolVar(&b.asJSON, "json", false, "print JSON")
	f.BoolVar(&b.owned, "i-own-the-target", false, "put load on a server that may be another machine's")
	for _, name := range []string{"target", "user", "password-file"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // no such flag
		}
	}
	return cmd
}

// run checks what it was told, before anything happens, and does it.
func (b *benchSessions) run(cmd *cobra.Command) (err error) {
	if err := b.check(); err != nil {
		return err
	}
	if b.namespace != "" {
		if err := load.EnterNamespace(b.namespace); err != nil {
			return err
		}
	}
	if err := load.Permit(b.Target); err != nil && !b.owned {
		return fmt.Errorf("%w: take an address of the loopback, run in a network namespace (--netns), or say --i-own-the-target", err)
	}
	if b.Password, err = readPassword(b.passwordFile); err != nil {
		return err
	}
	if err := b.watch(); err != nil {
		return err
	}
	if err := load.RaiseFiles(b.Count, b.Calls, b.Daemon); err != nil {
		return err
	}
	sockets, err := rawgre.Listen(1)
	if err != nil {
		return err
	}
	b.GRE, b.Dial, b.Progress = sockets[0], load.Dialer(netip.AddrPortFrom(b.Target, session.Port)), cmd.ErrOrStderr()
	b.Line = progress.On(cmd.ErrOrStderr())
	report, err := load.Run(cmd.Context(), b.Config)
	if err != nil {
		return err
	}
	return b.tell(report, cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// check reads the flags that need reading.
func (b *benchSessions) check() (err error) {
	if b.Target, err = netip.ParseAddr(b.target); err != nil || !b.Target.Is4() {
		return fmt.Errorf("--target: not an IPv4 address: %.64q", b.target)
	}
	switch {
	case b.Count < 1 || b.Count > load.MaxCount:
		return fmt.Errorf("--count: must be between 1 and %d", load.MaxCount)
	case b.Calls < 1 || b.Calls > load.MaxCalls:
		return fmt.Errorf("--calls: must be between 1 and %d", load.MaxCalls)
	case b.Parallel < 1:
		return errors.New("--parallel: must be at least 1")
	case b.Active < 0 || b.Active > b.Count:
		return errors.New("--active: must be between 0 and --count")
	case b.Active > 0 && b.Seconds <= 0:
		return errors.New("--active-time: must be positive")
	case b.Hold < 0:
		return errors.New("--hold: must not be negative")
	case b.Keepalive < 0:
		return errors.New("--keepalive: must not be negative")
	case b.daemon < 0:
		return errors.New("--daemon-pid: must be positive")
	case b.profiles != "" && b.socket == "" && b.daemon == 0:
		return errors.New("--pprof: say whose profiles (--console or --daemon-pid)")
	}
	if b.profiles != "" {
		if b.at, err = netip.ParseAddrPort(b.profiles); err != nil {
			return fmt.Errorf("--pprof: not an address and a port, such as 127.0.0.1:6060: %.64q", b.profiles)
		}
	}
	b.From = []netip.Addr{{}} // the machine's choice
	switch {
	case b.from != "":
		network, err := netip.ParsePrefix(b.from)
		if err != nil {
			return fmt.Errorf("--from: not a network: %.64q", b.from)
		}
		if b.From, err = load.Addresses(network, b.Count, b.Target); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	case b.Target.IsLoopback():
		b.From, err = load.Addresses(netip.MustParsePrefix("127.0.0.0/8"), b.Count, b.Target)
	}
	return err
}

// watch finds the daemon to be measured, if there is one.
func (b *benchSessions) watch() error {
	if b.socket != "" {
		b.Print = b.list
		if b.daemon == 0 {
			var err error
			if b.daemon, err = load.Listener(b.socket); err != nil {
				return fmt.Errorf("--console: %w", err)
			}
		}
	}
	if b.daemon != 0 {
		b.Daemon = &load.Process{PID: b.daemon, Profiles: b.at}
	}
	return nil
}

// list has the daemon list its sessions, as gopptp exec does.
func (b *benchSessions) list(ctx context.Context) error {
	var errs bytes.Buffer
	if status := console.Exec(ctx, b.socket, []string{"/ppp/active/print"}, io.Discard, &errs); status != 0 {
		return fmt.Errorf("--console: %s", bytes.TrimSpace(errs.Bytes()))
	}
	return nil
}

// tell prints the report. It fails if not all was as it must be.
func (b *benchSessions) tell(report *load.Report, out, errs io.Writer) error {
	write := report.WriteTable
	if b.asJSON {
		write = report.WriteJSON
	}
	if err := write(out); err != nil {
		return err
	}
	for _, p := range report.Problems {
		fmt.Fprintln(errs, "gopptp:", p)
	}
	if len(report.Problems) > 0 {
		return exitError(1)
	}
	return nil
}

// readPassword gives the first line of a file.
func readPassword(name string) (auth.Secret, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return auth.Secret(strings.TrimSuffix(line, "\r")), nil
}
