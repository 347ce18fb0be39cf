// Package radius has only tests: internal/radius against a real FreeRADIUS and
// its radclient, which are started on loopback with a configuration made for the
// test. They need no privileges.
package radius
