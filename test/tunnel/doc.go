// Package tunnel has only tests: what profiles, secrets and the options of a
// client do to real traffic, between daemons in network namespaces of their own.
// Real peers of other makers are in test/interop.
package tunnel
