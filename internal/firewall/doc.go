// Package firewall puts sessions into nftables, in a table of its own by the name
// of gopptp: the MSS of TCP is fitted to a tunnel, its interface and the client's
// address join lists, and chains that an administrator made are jumped to.
//
// It filters nothing by itself. What the administrator adds to the table stays;
// what a daemon that was killed left behind is taken away by Open.
//
//	table ip gopptp {
//	    set gopptp-mss { type ifname }                  interfaces that the MSS is fitted to
//	    map gopptp-incoming { type ifname : verdict }   interface → jump to incoming-filter
//	    map gopptp-outgoing { type ifname : verdict }   interface → jump to outgoing-filter
//	    set NAME { type ipv4_addr }                     address-list NAME
//	    set NAME-interfaces { type ifname }             interface-list NAME
//	    chain gopptp-mss { … }                          on the forward hook
//	    chain ppp { … }                                 for the administrator to jump to
//	}
package firewall
