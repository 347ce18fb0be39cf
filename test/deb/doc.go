// Package deb has only tests: the Debian package is installed, upgraded, removed and
// purged in a Debian of its own; its unit is run by systemd there, and a daemon with no
// more rights than the unit gives brings tunnels up.
package deb
