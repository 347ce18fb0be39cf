// Package session keeps the tunnels: for each call one owner goroutine that
// joins the control connection, the PPP link, the data path, the secrets and
// the machine's interfaces and addresses, on the server side and on the client
// side.
//
// It touches no user packet (that is internal/plane) and knows no menu (that is
// internal/tree).
package session
