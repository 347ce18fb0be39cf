package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gopptp/internal/console"
	"gopptp/internal/doctor"
)

func newDoctor() *cobra.Command {
	var cfg doctor.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--server HOST] [flags]",
		Short: "Examine this machine for what PPTP needs, and say what to do",
		Long: `Examine this machine for what PPTP needs: privileges, /dev/net/tun, raw GRE, the
port, other PPTP programs, firewall, NAT, forwarding, MTU and more. Each finding says
what was seen, and what to do about it. Run it as root, or less can be seen.

With --server it also calls a PPTP server, without logging in: does TCP port 1723
answer, is it a PPTP server, and does GRE get through in both directions? Without it
nothing is sent but to this machine itself. Nothing is changed.

The exit status is 1 if there is a problem; warnings are none.`,
		Example: `  gopptp doctor
  gopptp doctor --server vpn.example.org
  gopptp doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("server") && cfg.Server == "" {
				return errors.New("--server: give a host name or an address")
			}
			out := cmd.OutOrStdout()
			machine := doctor.Host{Console: console.Exec}
			var all []doctor.Finding
			if asJSON {
				all = doctor.Run(cmd.Context(), cfg, machine, doctor.Quiet{})
				if err := doctor.WriteJSON(out, all); err != nil {
					return err
				}
			} else {
				file, ok := out.(*os.File)
				p := doctor.Printer{To: out, Terminal: ok && term.IsTerminal(int(file.Fd()))}
				all = doctor.Run(cmd.Context(), cfg, machine, p)
				p.Summary(all)
			}
			if doctor.Count(all, doctor.Problem) > 0 || cmd.Context().Err() != nil {
				return exitError(1)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Server, "server", "", "`host` of a PPTP server to call")
	f.StringVar(&cfg.Socket, "socket", defaultSocket, "Unix `socket` of the daemon")
	f.BoolVar(&asJSON, "json", false, "print all findings as JSON, when all are there")
	return cmd
}
