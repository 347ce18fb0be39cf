package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gopptp/internal/manual"
)

// newMan writes the manual pages, for those who make packages.
func newMan() *cobra.Command {
	var date int64
	cmd := &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write the manual pages of all commands into a directory",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, p := range manual.Pages(cmd.Root(), version, time.Unix(date, 0)) {
				if err := os.WriteFile(filepath.Join(args[0], p.Name), p.Text, 0o644); err != nil {
					return fmt.Errorf("cannot write a manual page: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().Int64Var(&date, "date", time.Now().Unix(), "`seconds` since 1970 of the date on the pages")
	return cmd
}
