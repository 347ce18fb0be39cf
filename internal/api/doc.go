// Package api is the door for programs that speak RouterOS's binary API: sentences
// of words over TCP or TLS, answered by sentences, several commands at a time if
// they carry tags.
//
// It is a codec and a listener over tree.Execute. It declares no menu, defines no
// operation, keeps no password and decides nothing about who comes in: that is
// login.Login's work, and so is slowing down those who guess.
//
// Goroutines: Serve's accept loop; one reader per connection, which also answers
// login, cancel and quit; one per tag that has a command running. All end with
// their connection, and Serve returns after the last one.
//
// The order of a connection's commands: those with the same tag (or none) are
// carried out one after the other, as programs expect that send the next before
// the answer to the last; those with different tags at the same time.
package api
