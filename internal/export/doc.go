// Package export writes configuration as the script that makes it again: what
// /export prints. It works from the declarations of the menus and from rows that
// it is given, so that no menu knows that it is exported.
//
// It reads no store, runs nothing and decides no permission; the script is read
// by the console like any other.
package export
