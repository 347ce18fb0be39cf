// Command gopptp is a PPTP server and client that is run, configured and
// watched the way a RouterOS router is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"gopptp/internal/console"
	"gopptp/internal/daemon"
	"gopptp/internal/resolver"
)

// version is set by the linker (make build).
var version = "dev"

const (
	defaultData   = "/var/lib/gopptp"
	defaultSocket = "/run/gopptp/gopptp.sock"
)

// exitError ends the program with a status and no further message.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	var status exitError
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case err != nil:
		fmt.Fprintln(os.Stderr, "gopptp:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "gopptp",
		Short: "PPTP server and client, run the way RouterOS is",
		Long: `gopptp is a PPTP server and client that behaves like the PPTP part of a RouterOS
router. One daemon (gopptp run) keeps the tunnels; gopptp exec and gopptp console
configure and watch it with RouterOS commands.

PPTP is not secure: its authentication and encryption are broken, and nothing
here can mend that. Use it to serve or reach equipment that speaks nothing else,
and carry what must stay private inside something better.`,
		Example: `  gopptp run
  gopptp exec '/interface/pptp-server/server/set enabled=yes'
  gopptp exec '/ppp/secret/add name=u password=p service=pptp local-address=10.0.0.1 remote-address=10.0.0.5'
  gopptp exec '/ppp/active/print'`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(), newExec(), newConsole(), newBench(), newDoctor(), newImport(), newMan(), newVersion())
	return root
}

func newRun() *cobra.Command {
	cfg := daemon.Config{Version: version}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon in the foreground until SIGTERM or Ctrl-C",
		Long: `Run the daemon in the foreground until SIGTERM or Ctrl-C.

It needs CAP_NET_RAW (GRE packets), CAP_NET_ADMIN (tunnel interfaces) and
/dev/net/tun: run it as root, or give it those capabilities. On exit every peer is
told and every interface removed. The log goes to standard error and, in the
daemon, to /log.

Under systemd it says when it is ready, and feeds the watchdog as long as the owner
of the sessions and the readers of packets work.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.LogOutput = cmd.ErrOrStderr()
			return daemon.Run(cmd.Context(), cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Data, "data", defaultData, "`directory` of the configuration")
	f.StringVar(&cfg.Socket, "socket", defaultSocket, "Unix `socket` that exec and console connect to")
	f.StringVar(&cfg.AdminPasswordFile, "admin-password-file", "", "`file` with the password of the user admin, for the first start; without it one is made and shown once")
	f.StringVar(&cfg.ResolvConf, "resolv-conf", resolver.Path, "`file` of name servers that use-peer-dns of a client writes")
	f.StringVar(&cfg.Pprof, "pprof", "", "loopback `address` to serve profiles on, such as 127.0.0.1:6060; none without it")
	f.StringVar(&cfg.LogFormat, "log-format", "text", "`format` of the printed log: text, or json for a JSON object on each line")
	f.StringVar(&cfg.Metrics, "metrics", "", "`address` to serve metrics for Prometheus, /health and /ready on, such as 127.0.0.1:9180; none without it")
	f.StringSliceVar(&cfg.FastPath, "fast-path", nil, "Ethernet `interfaces` whose tunnel packets go past the host's routing and firewall, such as eth0; eth0:driver for a veth pair with a fast path at both ends")
	f.BoolVar(&cfg.MetricsSessions, "metrics-sessions", false, "show metrics of each session too, with the names of users")
	f.StringVar(&cfg.LogLevel, "log-level", "info", "least severe `level` printed: debug, info, warning or error")
	return cmd
}

func newExec() *cobra.Command {
	var socket, file string
	cmd := &cobra.Command{
		Use:   "exec [flags] {'command'... | --file FILE | -}",
		Short: "Run RouterOS commands in the running daemon",
		Long: `Run RouterOS commands in the running daemon, one after the other, and print what
they print. It stops at the first that fails, with exit status 1. With --file it
runs the script in a file, and with - the one on standard input; a script is
parsed as a whole before anything of it runs.`,
		Example: `  gopptp exec '/interface/pptp-client/add connect-to=192.168.62.2 disabled=no name=pptp-out1 password=StrongPass user=MT-User'
  gopptp exec '/interface/pptp-client/print' 'interface pptp-server print'
  gopptp exec --file setup.rsc
  gopptp exec - < setup.rsc`,
		RunE: func(cmd *cobra.Command, args []string) error {
			commands, err := execSources(args, file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			if status := console.Exec(cmd.Context(), socket, commands, cmd.OutOrStdout(), cmd.ErrOrStderr()); status != 0 {
				return exitError(status)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&socket, "socket", defaultSocket, "Unix `socket` of the daemon")
	cmd.Flags().StringVarP(&file, "file", "f", "", "script `file` to run")
	return cmd
}

// execSources gives what exec runs: its arguments, or the script in a file or on
// standard input.
func execSources(args []string, file string, in io.Reader) ([]string, error) {
	switch {
	case file != "" && len(args) > 0:
		return nil, errors.New("give either commands or --file")
	case file == "-" || file == "" && len(args) == 1 && args[0] == "-":
		return console.ReadScript(in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return console.ReadScript(f)
	case len(args) == 0:
		return nil, errors.New("give a command, --file or - for standard input")
	}
	return args, nil
}

func newConsole() *cobra.Command {
	var socket string
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Type RouterOS commands at a prompt",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Ctrl-C ends what runs in the console, not the console.
			ctx, stop := signal.NotifyContext(context.WithoutCancel(cmd.Context()), syscall.SIGTERM)
			defer stop()
			return console.Interactive(ctx, socket, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&socket, "socket", defaultSocket, "Unix `socket` of the daemon")
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "gopptp %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
