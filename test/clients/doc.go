// Package clients has only tests: programs that other people wrote for RouterOS
// drive this one through its binary API, SSH and REST. Each skips with the reason
// where its program is not installed.
package clients
