package session

import (
	"fmt"

	"gopptp/ppp/link"
)

// checkAddresses refuses addresses that would harm the machine or the tunnel
// itself.
func (s *session) checkAddresses(o link.NetworkUp) error {
	// The interface gets a route to the peer's inner address. If that is where
	// the tunnel's own packets go, they would go into the tunnel.
	if o.Remote == s.outer {
		return fmt.Errorf("remote address %v is where the tunnel itself leads to, and would route it into itself", o.Remote)
	}
	if o.Remote == o.Local {
		return fmt.Errorf("remote address %v is that of this end of the tunnel too", o.Remote)
	}
	own, err := s.m.cfg.Host.IsLocal(o.Remote)
	if err != nil {
		return err
	}
	if own {
		return fmt.Errorf("remote address %v is one of this machine's own", o.Remote)
	}
	return nil
}
