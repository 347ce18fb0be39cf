// Package shape holds a stream of packets to a rate: the rate-limit of a profile
// and what a RADIUS server asks for, with RouterOS's bursts.
//
// It moves no packet and keeps no queue; it says how long a packet has to wait.
package shape
