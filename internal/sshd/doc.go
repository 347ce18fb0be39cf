// Package sshd is the SSH door: the console over the network (RFC 4251 to 4254).
// A person gets the line editor of internal/terminal; ssh with a command runs it
// and gives its exit status.
//
// It knows no user and no menu: those are behind login.Login and the tree. It
// forwards nothing, has no subsystems (no SFTP) and runs no program.
package sshd
