// Package rest is the door for programs that speak HTTP and JSON: /rest, with the
// methods, codes and bodies of RouterOS's REST API.
//
// It is a codec and a listener over the tree: it knows what a GET asks for, but
// no menu by name. It decides nothing about users, for which it is given a
// login.Login, and makes no page for people.
//
// What differs between versions of RouterOS, and what was chosen here: an object
// that a PUT made is answered with 201 and a DELETE with 204, which HTTP asks for
// and clients of RouterOS accept; a method that the menu has no command for is
// 406, as in the manual, and a path that leads nowhere is 400.
package rest
