// Package terminal is a command line on a terminal: a line editor with history,
// completion, help and colours, and a pager for what commands print. It works on
// keys that are given to it and on a writer, so that the local console and SSH
// share it.
//
// It opens no terminal and no connection, knows no command and no syntax: those
// are the Shell's. It reads nothing by itself: its owner calls Type with what was
// typed, Resize when the window changes and HangUp when nobody types any more.
package terminal
