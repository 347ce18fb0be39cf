package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"gopptp/internal/migrate"
)

func newImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Turn the configuration of another PPTP server into commands",
		Long: `Read the configuration of another PPTP server and print the commands that make the
same here. Nothing is changed: look at the script, then run it.

What has no equivalent stands in the script as a comment with its file and line, and
is counted on standard error. The script has the users' passwords in it.`,
		Example: `  (umask 077; gopptp import pptpd /etc/pptpd.conf > setup.rsc)
  gopptp exec --file setup.rsc`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(newImportPPTPD(), newImportAccelPPP())
	return cmd
}

func newImportPPTPD() *cobra.Command {
	var c migrate.PPTPD
	cmd := &cobra.Command{
		Use:   "pptpd [flags] [FILE]",
		Short: "Read pptpd.conf, the options of pppd and chap-secrets",
		Long:  "Read pptpd's configuration, /etc/pptpd.conf if no FILE is given, the options of pppd and chap-secrets.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Config = first(args, "/etc/pptpd.conf")
			c.Hostname, _ = os.Hostname() // without one, the options must give the server's name
			result, err := migrate.ImportPPTPD(readFile, c)
			return tell(cmd, result, err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Options, "options", "", "pppd's `file` of options; without it /etc/ppp/options and the one that pptpd.conf names")
	f.StringVar(&c.Secrets, "chap-secrets", "", "`file` of users; without it /etc/ppp/chap-secrets")
	return cmd
}

func newImportAccelPPP() *cobra.Command {
	var c migrate.AccelPPP
	cmd := &cobra.Command{
		Use:   "accel-ppp [flags] [FILE]",
		Short: "Read accel-ppp.conf and its chap-secrets",
		Long:  "Read accel-ppp's configuration, /etc/accel-ppp.conf if no FILE is given, and its chap-secrets.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Config = first(args, "/etc/accel-ppp.conf")
			result, err := migrate.ImportAccelPPP(readFile, c)
			return tell(cmd, result, err)
		},
	}
	cmd.Flags().StringVar(&c.Secrets, "chap-secrets", "", "`file` of users; without it the one that accel-ppp.conf names")
	return cmd
}

// first gives the first argument, or what holds without any.
func first(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

// readFile reads a file up to what may be in one.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, migrate.MaxFile+1))
}

// tell prints the script, and on standard error what came of it.
func tell(cmd *cobra.Command, r *migrate.Result, err error) error {
	if err != nil {
		return err
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), r.Script); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "users: %d, pools: %d, RADIUS servers: %d; not carried over: %d (comments of the script say what)\n",
		r.Users, r.Pools, r.Servers, r.Lost())
	return err
}
