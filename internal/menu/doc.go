// Package menu is the language of the tree: how a menu is declared (path,
// properties with type and default, flags, commands, layouts), how a command
// line or a script is parsed against such declarations, what an unfinished line may
// become (Complete, HelpAt), how rows are filtered and printed, and how errors
// read. Scripts are carried out by internal/script.
//
// It holds no rows, performs no operation and knows nothing of PPTP: internal/tree
// declares the menus and binds them. It starts no goroutine and opens no file.
//
// A value has one canonical text, which is what the store keeps and programs
// are given: true and false, 1w2d3h4m5s, pap,chap,mschap1. The console prints
// some of them in other words (yes and no); Type.Text knows how.
package menu
