package tree

import (
	"gopptp/internal/aaa"
	"gopptp/internal/menu"
	"gopptp/internal/nas"
	"gopptp/internal/radius"
	"gopptp/internal/session"
)

// An Engine carries out the configuration. Its methods are called one after the
// other in the order of the changes and cannot fail: everything was validated
// before. A row that refers to a profile is put after the profile.
type Engine interface {
	SetIdentity(name string)
	SetServer(session.ServerConfig)
	PutBinding(session.Binding)
	RemoveBinding(id uint64)
	PutClient(session.ClientConfig)
	RemoveClient(id uint64)
	PutProfile(id uint64, p aaa.Profile)
	RemoveProfile(id uint64)
	PutPool(id uint64, p aaa.Pool)
	RemovePool(id uint64)
	SetServers([]radius.Server) // the rows of /radius, in their order
	SetIncoming(radius.IncomingConfig)
	SetAAA(nas.Settings)
	PutSecret(aaa.Secret)
	RemoveSecret(id uint64)

	// Active gives the live sessions of the server side, oldest first.
	Active() []session.Status
	// Client gives the state of a row of /interface/pptp-client, also while it is
	// down.
	Client(id uint64) (session.Status, bool)
	// PoolUsed gives the addresses that are out of pools, in the order of their
	// pools' ids.
	PoolUsed() []aaa.Lease
	// Monitor gives the counters of a row of /radius.
	Monitor(id uint64) (radius.Counters, bool)
	ResetCounters(id uint64)
	// IncomingMonitor gives those of /radius/incoming.
	IncomingMonitor() radius.IncomingCounters
	ResetIncomingCounters()
	// Changes gives a channel that is closed when something that Active or Client
	// tell changes next, but for counters.
	Changes() <-chan struct{}
	// Disconnect ends a session and reports whether there was one.
	Disconnect(sessionID uint64) bool
}

// dynamic is where the ids of rows begin that exist because of a session. The
// ids of stored rows, one per change that was synced to disk, never get there.
const dynamic menu.ID = 0x80000000

// sessionOf gives the session that a dynamic row stands for.
func sessionOf(id menu.ID) uint64 { return uint64(id - dynamic) }

// rowOf gives the id of the dynamic row of a session.
func rowOf(s session.Status) menu.ID { return dynamic + menu.ID(s.ID) }
