package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// isPermission reports that somebody may not do something.
func isPermission(err error) bool { return errors.Is(err, fs.ErrPermission) }

// perSession is how many descriptors a session of the server has: the control
// connection and the device.
const perSession = 2

// fewFiles is a limit that is too low for a server of more than a few: it leaves room for
// not quite 500 sessions.
const fewFiles = 1024

// openFiles looks at the limit of descriptors; the hard one, to which Go programs raise
// their own.
func (e *exam) openFiles(context.Context) Finding {
	file := "proc/self/limits"
	if e.pid != 0 {
		file = fmt.Sprintf("proc/%d/limits", e.pid)
	}
	values := strings.Fields(field(e.text(file), "Max open files"))
	if len(values) < 2 {
		return skipped("the limit of open files cannot be read")
	}
	hard, err := strconv.ParseUint(values[1], 10, 64)
	if err != nil && values[1] != "unlimited" {
		return skipped("the limit of open files cannot be read")
	}
	if err == nil && hard <= fewFiles {
		return warning(fmt.Sprintf("at most %d open files: enough for about %d sessions", hard, hard/perSession-32),
			"let systemd raise it: LimitNOFILE=65536 in the unit", "without systemd: ulimit -Hn 65536 before gopptp run")
	}
	return ok(fmt.Sprintf("%s open files, %d for each session", values[1], perSession))
}

// The name servers of the machine.
const (
	resolvFile  = "etc/resolv.conf"
	resolvedDir = "run/systemd/resolve/"
)

// resolvConf looks how use-peer-dns of a client would change the name servers.
func (e *exam) resolvConf(context.Context) Finding {
	const who = "use-peer-dns of a client"
	link, err := fs.ReadLink(e.m.Files(), resolvFile)
	if err == nil {
		target := link
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/etc", target)
		}
		if strings.HasPrefix(target, "/"+resolvedDir) {
			if !e.m.Program("resolvectl") {
				return warning("systemd-resolved answers for the machine, and there is no resolvectl by which "+who+" could tell it", "install it: apt install systemd-resolved")
			}
			return ok("/etc/resolv.conf leads to systemd-resolved: " + who + " tells it by resolvectl")
		}
	} else if !e.exists(resolvFile) {
		return warning("there is no /etc/resolv.conf: "+who+" makes one", "set the machine's name servers")
	}
	if err := e.m.Writable(resolvFile); err != nil {
		return warning(fmt.Sprintf("/etc/resolv.conf cannot be written (%v): %s cannot change the name servers", reason(err), who),
			"as root: lsattr /etc/resolv.conf; chattr -i /etc/resolv.conf", "or another file: gopptp run --resolv-conf FILE")
	}
	return ok("/etc/resolv.conf can be written: " + who + " changes it, and changes it back")
}

// reason is an error without the file that it is about.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// networkManagers looks for what else configures interfaces.
func (e *exam) networkManagers(context.Context) Finding {
	list := e.processes("NetworkManager", "systemd-network")
	if len(list) == 0 {
		return ok("neither NetworkManager nor systemd-networkd runs")
	}
	var seen, do []string
	state := OK
	for _, p := range list {
		if p.name == "NetworkManager" {
			seen = append(seen, "NetworkManager runs: it shows interfaces of gopptp as connected externally, and leaves them alone")
			continue
		}
		if files := e.greedy(); len(files) > 0 {
			state = Warning
			seen = append(seen, "systemd-networkd runs, and takes every interface: those of sessions may lose their addresses and routes ("+strings.Join(files, ", ")+")")
			do = append(do, "name the interfaces in [Match] of these files, instead of Name=*")
			continue
		}
		seen = append(seen, "systemd-networkd runs, and takes no interface of gopptp; when it starts anew it removes routes that it does not know")
		do = append(do, "to keep routes of sessions over its restart: ManageForeignRoutes=no in /etc/systemd/networkd.conf")
	}
	return Finding{State: state, Seen: strings.Join(seen, "; "), Do: do}
}

// greedy gives the files of systemd-networkd that match every interface.
func (e *exam) greedy() (out []string) {
	for _, dir := range []string{"etc/systemd/network", "run/systemd/network", "usr/lib/systemd/network"} {
		entries, _ := fs.ReadDir(e.m.Files(), dir)
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			if path.Ext(name) != ".network" {
				continue
			}
			var lines []string
			for line := range strings.Lines(e.text(name)) {
				lines = append(lines, strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
			}
			if slices.Contains(lines, "Name=*") {
				out = append(out, "/"+name)
			}
		}
	}
	return out
}

// radiusQuestion asks the daemon for its RADIUS servers: a line for each, its address
// and counters.
const radiusQuestion = `:put [/ppp/aaa/get use-radius]; :foreach i in=[/radius/find where disabled=no] do={ :local m [/radius/monitor $i once as-value]; ` +
	`:put ([/radius/get $i address] . " " . ($m->"accepts") . " " . ($m->"rejects") . " " . ($m->"timeouts") . " " . ($m->"bad-replies")) }`

// radius asks what the daemon knows of its servers.
func (e *exam) radius(ctx context.Context) Finding {
	if e.pid == 0 {
		return skipped("no daemon to ask")
	}
	out, err := e.m.Ask(ctx, e.Socket, radiusQuestion)
	if err != nil {
		return skipped(fmt.Sprintf("the daemon does not say: %.200v", err))
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	asked := lines[0] == "true" || lines[0] == "yes"
	var fine, silent, wrong, idle []string
	for _, line := range lines[1:] {
		f := strings.Fields(line)
		const fields = 5
		if len(f) != fields {
			continue
		}
		var n [fields]uint64
		for i := 1; i < fields; i++ {
			n[i], _ = strconv.ParseUint(f[i], 10, 64) // what is not a number counts nothing
		}
		answers, timeouts, bad := n[1]+n[2], n[3], n[4]
		switch {
		case answers == 0 && bad == 0 && timeouts == 0: // nothing was asked, or just now
			idle = append(idle, f[0])
		case answers == 0 && bad > 0:
			wrong = append(wrong, f[0])
		case answers == 0 && timeouts > 0:
			silent = append(silent, f[0])
		default:
			fine = append(fine, f[0])
		}
	}
	switch {
	case len(wrong) > 0:
		return problem("answers of the RADIUS server "+strings.Join(wrong, ", ")+" are wrongly signed", "set the secret that the server has: gopptp exec '/radius/set [find address="+wrong[0]+"] secret=SECRET'")
	case len(silent) > 0 && len(fine) > 0:
		return warning("the RADIUS server "+strings.Join(silent, ", ")+" does not answer; "+strings.Join(fine, ", ")+" does", "look whether it runs, knows this machine as a client, and UDP port 1812 gets through")
	case len(silent) > 0:
		return problem("the RADIUS server "+strings.Join(silent, ", ")+" does not answer", "look whether it runs, knows this machine as a client, and UDP port 1812 gets through")
	case len(fine) == 0 && len(idle) == 0 && asked:
		return problem("/ppp/aaa has use-radius=yes, and there is no RADIUS server", "gopptp exec '/radius/add service=ppp address=ADDRESS secret=SECRET'")
	case len(fine) == 0 && len(idle) == 0:
		return ok("no RADIUS server is configured")
	case len(fine) == 0:
		return ok("the RADIUS server " + strings.Join(idle, ", ") + " has not answered yet: it was not asked, or just now")
	}
	return ok("the RADIUS server " + strings.Join(fine, ", ") + " answers")
}
