// Package radius has only tests: internal/radius against a real FreeRADIUS and
// its radclient, which are started on loopback with a configuration made for the
// test, and tunnels between two daemons whose users that FreeRADIUS knows. Those
// are in network namespaces and need root; the others need no privileges.
package radius
