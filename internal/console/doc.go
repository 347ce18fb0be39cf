// Package console is the console: a session that runs command lines against the
// tree, and the Unix socket through which gopptp exec and gopptp console reach
// the daemon, both ends of it. At a terminal gopptp console sends keys and shows
// what comes back: the line is edited in the daemon, as for SSH.
//
// It defines no operation (that is internal/tree) and no syntax (that is
// internal/menu), and it edits no line (that is internal/terminal).
package console
