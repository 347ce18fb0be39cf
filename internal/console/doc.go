// Package console is the console: a session that runs command lines against the
// tree, and the Unix socket through which gopptp exec and gopptp console reach
// the daemon, both ends of it.
//
// It defines no operation (that is internal/tree) and no syntax (that is
// internal/menu), and it edits no line: the prompt is a plain one.
package console
