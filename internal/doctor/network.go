package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables"

	"gopptp/internal/session"
)

// loopbackAddress is this machine.
var loopbackAddress = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// port looks who has TCP port 1723.
func (e *exam) port(context.Context) Finding {
	sockets := inodes(e.text("proc/self/net/tcp"), session.Port)
	for i := range inodes(e.text("proc/self/net/tcp6"), session.Port) {
		sockets[i] = true
	}
	const name = "TCP port 1723"
	if len(sockets) == 0 {
		if e.enabled {
			return problem("the PPTP server is enabled, and nothing listens on "+name, "see why: gopptp exec '/log/print where topics~\"pptp\"'")
		}
		return ok(name + " is free")
	}
	owners := e.owners(sockets)
	for _, p := range owners {
		if p.pid == e.pid {
			return ok(name + " is the daemon's")
		}
	}
	if len(owners) == 0 {
		return problem(name+" is taken, and it cannot be seen by whom", "as root: ss -tlnp 'sport = :1723'")
	}
	if owners[0].name == "gopptp" {
		return warning(name+" is taken by "+names(owners)+", which is not the daemon of "+e.Socket, "name its socket: gopptp doctor --socket SOCKET")
	}
	if e.pid != 0 && !e.enabled {
		return warning(name + " is taken by " + names(owners) + ": the PPTP server, which is disabled, could not have it")
	}
	return problem(name+" is taken by "+names(owners), stop(owners[0]), "then: gopptp exec '/interface/pptp-server/server/set enabled=yes'")
}

// units are the systemd units of programs.
var units = map[string]string{"pptpd": "pptpd", "accel-pppd": "accel-ppp", "xl2tpd": "xl2tpd"}

// stop is the command that ends a program for good.
func stop(p process) string {
	if unit, ok := units[p.name]; ok {
		return "systemctl disable --now " + unit
	}
	return "kill " + strconv.Itoa(p.pid)
}

// otherPrograms looks for other PPTP programs.
func (e *exam) otherPrograms(context.Context) Finding {
	list := e.processes("pptpd", "pptpctrl", "accel-pppd", "mpd5", "pptp", "pptpgw", "pptpcm")
	if len(list) == 0 {
		return ok("no other PPTP program runs")
	}
	return warning(names(list)+" runs too: the kernel gives each its own copy of every GRE packet, and each drops what is not its own; two servers cannot share the port", stop(list[0]))
}

// kernelPPTP looks for the kernel's own PPTP.
func (e *exam) kernelPPTP(context.Context) Finding {
	if e.module("pptp") {
		return ok("the kernel's module pptp is loaded: it takes the packets of its own calls (accel-ppp has some), and gopptp's raw socket gets a copy of all")
	}
	return ok("the kernel's module pptp is not loaded, and not needed")
}

// nftables tries whether there is one.
func (e *exam) nftables(context.Context) Finding {
	_, err := e.m.Ruleset()
	switch {
	case err == nil:
		return ok("nftables can be read")
	case isPermission(err):
		return skipped("this user may not read nftables", "run gopptp doctor as root")
	}
	return warning(fmt.Sprintf("the kernel's nftables cannot be used (%v): sessions with change-tcp-mss go without, and those with an address-list, an interface-list or a filter do not come up", err),
		"modprobe nf_tables")
}

// firewall looks whether nftables would drop what a server needs.
func (e *exam) firewall(context.Context) Finding {
	r, err := e.m.Ruleset()
	if err != nil {
		return skipped("nftables cannot be read")
	}
	var seen, do []string
	surely := false
	for _, p := range []struct {
		packet
		name, rule string
	}{
		{controlPacket, "TCP port 1723", "tcp dport 1723 accept"},
		{grePacket, "GRE (IP protocol 47)", "meta l4proto gre accept"},
	} {
		fate, chain := r.input(p.packet)
		if chain == nil {
			continue
		}
		where := family(chain.Table.Family) + " " + chain.Table.Name + " " + chain.Name
		if fate == drops {
			surely = true
			seen = append(seen, "the chain "+where+" drops "+p.name+" from strangers")
		} else {
			seen = append(seen, "the chain "+where+" may drop "+p.name+", which depends on more than can be told here")
		}
		do = append(do, "nft insert rule "+where+" "+p.rule)
	}
	switch {
	case len(seen) == 0:
		return ok("no rule of nftables drops TCP port 1723 or GRE to this machine, as far as can be read")
	case surely && e.enabled:
		return problem(strings.Join(seen, "; "), append(do, "and put the same into /etc/nftables.conf, or into what makes the rules")...)
	}
	if !e.enabled {
		do = append(do, "this matters to a server only: answers to a client's own calls are let in by the rule for established connections")
	}
	return warning(strings.Join(seen, "; "), do...)
}

// family is what nft calls a family.
func family(f nftables.TableFamily) string {
	if f == nftables.TableFamilyINet {
		return "inet"
	}
	return "ip"
}

// firewallLegacy looks for the older tables of iptables, which hold besides nftables.
func (e *exam) firewallLegacy(context.Context) Finding {
	b, err := fs.ReadFile(e.m.Files(), "proc/self/net/ip_tables_names")
	if err != nil {
		if isPermission(err) {
			return skipped("this user may not see whether iptables-legacy has tables", "run gopptp doctor as root")
		}
		return ok("iptables-legacy has no tables")
	}
	tables := strings.Fields(string(b))
	if len(tables) == 0 {
		return ok("iptables-legacy has no tables")
	}
	program := "iptables-legacy"
	if !e.m.Program(program) {
		program = "iptables"
	}
	return warning("iptables-legacy has tables besides nftables ("+strings.Join(tables, ", ")+"), whose rules are not read here: they may drop TCP port 1723 or GRE",
		"look: "+program+" -S INPUT", "if need be: "+program+" -I INPUT -p tcp --dport 1723 -j ACCEPT", program+" -I INPUT -p gre -j ACCEPT")
}

// conntrack looks at what NAT needs for PPTP of others through this machine.
func (e *exam) conntrack(context.Context) Finding {
	r, err := e.m.Ruleset()
	nat := err == nil && r.translates()
	forwards := e.sysctl("ipv4/ip_forward") == "1"
	helper := e.module("nf_conntrack_pptp")
	translates := e.module("nf_nat_pptp")
	const needed = "a router that translates addresses needs nf_conntrack_pptp and nf_nat_pptp for PPTP calls that others make through it; a server or client on this machine does not"
	automatic := e.sysctl("netfilter/nf_conntrack_helper")
	switch {
	case !nat || !forwards:
		return ok("this machine translates no addresses for others: no helper is needed")
	case !helper || !translates:
		return warning("this machine translates addresses (NAT), and the helper for PPTP is not loaded: "+needed,
			"modprobe -a nf_conntrack_pptp nf_nat_pptp", "to have it at the next start: printf 'nf_conntrack_pptp\\nnf_nat_pptp\\n' > /etc/modules-load.d/pptp.conf")
	case automatic != "1" && !r.helps():
		return warning("the helper for PPTP is loaded, and nothing gives connections to it: the kernel no longer does so by itself",
			`nft 'add table ip pptp; add ct helper ip pptp pptp { type "pptp" protocol tcp; }; add chain ip pptp prerouting { type filter hook prerouting priority 0; }; add rule ip pptp prerouting tcp dport 1723 ct helper set "pptp"'`)
	}
	return ok("this machine translates addresses (NAT), and the helper for PPTP is loaded")
}

// forwarding looks whether packets of clients are passed on.
func (e *exam) forwarding(context.Context) Finding {
	switch e.sysctl("ipv4/ip_forward") {
	case "1":
		return ok("the machine forwards IPv4")
	case "":
		return skipped("net.ipv4.ip_forward cannot be read")
	}
	return warning("the machine does not forward IPv4: clients of a server reach this machine and nothing behind it",
		"sysctl -w net.ipv4.ip_forward=1", "to keep it: echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-gopptp.conf")
}

// rpFilter looks at the check of source addresses.
func (e *exam) rpFilter(context.Context) Finding {
	all := e.sysctl("ipv4/conf/all/rp_filter")
	if all == "" {
		return skipped("rp_filter cannot be read")
	}
	var strict []string
	entries, _ := fs.ReadDir(e.m.Files(), "proc/sys/net/ipv4/conf")
	for _, entry := range entries {
		link := entry.Name()
		if link == "all" || link == "default" || link == "lo" {
			continue
		}
		if max(all, e.sysctl("ipv4/conf/"+link+"/rp_filter")) == "1" { // the larger of the two holds
			strict = append(strict, link)
		}
	}
	if len(strict) == 0 {
		return ok("no interface checks source addresses strictly")
	}
	const shown = 5
	list := strings.Join(strict[:min(len(strict), shown)], ", ")
	if len(strict) > shown {
		list += fmt.Sprintf(" and %d more", len(strict)-shown)
	}
	return warning("strict rp_filter on "+list+": packets that come in by another interface than answers leave by are dropped, which happens with several ways to the Internet and with routes of clients",
		"sysctl -w net.ipv4.conf.all.rp_filter=2")
}

// mtu looks at the way to the server, or to the Internet.
func (e *exam) mtu(ctx context.Context) Finding {
	to, name := netip.AddrFrom4([4]byte{192, 88, 99, 1}), "the Internet" // only a route is asked for
	if e.Server != "" {
		address, err := e.serverAddress(ctx)
		if err != nil {
			return skipped("the server's address is not known")
		}
		to, name = address, e.Server
	}
	link, mtu, err := e.m.WayOut(to)
	if err != nil {
		return warning(fmt.Sprintf("there is no way to %s: %v", name, err), "look at the routes: ip route")
	}
	// What IP, GRE, PPP and MPPE add (20, 16, 4 and 4 octets), and six to spare, which
	// makes RouterOS's 1450 of 1500.
	const overhead = 50
	if mtu < 1500 {
		return warning(fmt.Sprintf("the way to %s is %s with an MTU of %d, less than Ethernet's 1500: packets of a full tunnel are cut on the way", name, link, mtu),
			fmt.Sprintf("a server: gopptp exec '/interface/pptp-server/server/set max-mtu=%d max-mru=%d'", mtu-overhead, mtu-overhead),
			fmt.Sprintf("a client: gopptp exec '/interface/pptp-client/set NAME max-mtu=%d max-mru=%d'", mtu-overhead, mtu-overhead))
	}
	return ok(fmt.Sprintf("the way to %s is %s with an MTU of %d", name, link, mtu))
}
