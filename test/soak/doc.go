// Package soak has only a test: real traffic through a server and a client on a bad
// path, which are disturbed again and again, and in the end every octet has come as
// it was sent and nothing is left behind.
package soak
