// Package login decides who comes in through a door (console, SSH, REST, binary
// API, web) and with which policies, and knows who is in: /user, /user/group and
// /user/active stand on it.
//
// It keeps no connection and speaks no protocol. Passwords are stored as hashes
// only (clear.go says what stays in memory) and never reach a log.
package login

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"gopptp/internal/menu"
)

// A Door is how somebody comes in, as RouterOS's log and /user/active name it.
type Door string

// The doors.
const (
	DoorLocal   Door = "console"
	DoorSSH     Door = "ssh"
	DoorAPI     Door = "api"
	DoorRESTAPI Door = "rest-api"
	DoorWeb     Door = "web"
)

// An Attempt is what a door knows of somebody who wants to come in.
type Attempt struct {
	Door     Door
	From     netip.Addr // the zero Addr for the local socket
	Name     string     // hostile until Login says otherwise
	Password string     // secret

	// End is called when the session is over before leave was called: its user was
	// removed, say, or was logged out by another. It must not wait, for the change to
	// the users is under way. The door lets the client go. It may be nil.
	End func()
}

// A User is somebody who may use the tree, with the policies of his group.
type User struct {
	Name     string
	Group    string
	Policies menu.Policy
	Via      Door       // how they came in, and From where; zero for what goes on without them
	From     netip.Addr // not valid behind the local door
	Session  uint64     // for Gate.Present, which knows what has become of it
	Account  uint64     // for Gate.Standing; 0 for whom the kernel vouched

	Inactivity time.Duration // after which a session of the page ends by itself
}

// ErrDenied says that a name, password or key is wrong, or that the group may not
// use the door; the doors say the same for all of these.
var ErrDenied = errors.New("invalid user name or password (6)")

// A Login lets somebody in, or says ErrDenied, after a delay if there were
// failures before. leave is called once when they go. It is what the doors are
// given.
type Login func(ctx context.Context, a Attempt) (u User, leave func(), err error)
