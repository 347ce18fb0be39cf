package tree

import (
	"os"

	"gopptp/internal/journal"
	"gopptp/internal/logging"
	"gopptp/internal/login"
	"gopptp/internal/records"
	"gopptp/internal/service"
	"gopptp/internal/store"
)

// RouterVersion is the version of RouterOS that this program behaves like. It
// stands first wherever a version is shown: programs cut there, and ask it what
// they may expect.
const RouterVersion = "7.19.6"

// A Config is what a Tree stands on. Store, Engine and Journal are required.
type Config struct {
	Store   *store.Store
	Engine  Engine
	Journal *journal.Journal

	Gate        *login.Gate             // who comes in; a new one by default
	Services    *service.Supervisor     // the ports; a new one by default
	Logging     *logging.Router         // the rules of the log; a new one by default
	Records     *records.Keeper         // what became of calls; nil for none
	Certificate func(name string) error // reports why a certificate cannot be used; nil for not known
	Machine     func() Machine          // what it runs on; unknown by default
	Network     Network                 // what its IP stack knows; nothing by default
	Version     string                  // this program's own; empty if unknown
	Files       *os.Root                // where exports go and imports come from; nil for nowhere

	Interpreter Interpreter // runs scripts; nil for none
}

// release is the version as /system/resource shows it.
func (c Config) release() string {
	if c.Version == "" {
		return RouterVersion + " (gopptp)"
	}
	return RouterVersion + " (gopptp " + c.Version + ")"
}

// Gate gives what lets people in, as /user configures it.
func (t *Tree) Gate() *login.Gate { return t.gate }

// Logging gives what carries out the rules of the log, as /system/logging
// configures it.
func (t *Tree) Logging() *logging.Router { return t.logging }

// Services gives the ports, as /ip/service configures them.
func (t *Tree) Services() *service.Supervisor { return t.services }
