package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"gopptp/internal/rawgre"
)

// examine runs the checks of this machine and gives the finding of one of them.
func examine(t *testing.T, f *fake, name string) Finding {
	t.Helper()
	var out Finding
	synctest.Test(t, func(t *testing.T) {
		for _, finding := range Run(t.Context(), Config{Socket: "/run/s"}, f, Quiet{}) {
			if finding.Check == name {
				out = finding
			}
		}
	})
	if out.Check == "" {
		t.Fatalf("no check is called %s", name)
	}
	return out
}

// TestAllIsWell checks that nothing is found where there is nothing.
func TestAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &told{}
		for _, f := range Run(t.Context(), Config{Socket: "/run/s"}, newFake(), r) {
			if f.State != OK {
				t.Errorf("%s: %s: %s %q", f.Check, f.State, f.Seen, f.Do)
			}
		}
		if len(r.lines) < len(local) {
			t.Errorf("the reporter was told %q", r.lines)
		}
	})
}

// TestChecks brings each check into each of its states.
func TestChecks(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/x", Err: syscall.EPERM}
	chain := func(name string, policy nftables.ChainPolicy, rules ...[]expr.Any) *Ruleset {
		return &Ruleset{Chains: []Chain{newChain("filter", name, nftables.ChainHookInput, &policy, rules...)}}
	}
	nat := &Ruleset{Chains: []Chain{newChain("nat", "postrouting", nftables.ChainHookPostrouting, nil, []expr.Any{&expr.Masq{}})}}
	helped := &Ruleset{Chains: append([]Chain{newChain("nat", "raw", nftables.ChainHookPrerouting, nil, []expr.Any{&expr.Objref{Type: 3, Name: "pptp"}})}, nat.Chains...)}
	const limited = "Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n"
	for _, c := range []struct {
		name, check string
		make        func(f *fake)
		state       State
		seen        string
		do          string // a part of what to do
	}{
		{"none", "daemon", func(f *fake) { f.noDaemon = fs.ErrNotExist }, Warning, "no daemon listens on /run/s", "gopptp run"},
		{"another user's", "daemon", func(f *fake) { f.noDaemon = denied }, Warning, "may not use", "as root"},
		{"silent", "daemon", func(f *fake) { f.noAnswer = errors.New("lost") }, Warning, "does not answer: lost", "journalctl"},
		{"disabled", "daemon", func(f *fake) { f.answers["pptp-server"] = "false\n1.0\n" }, OK, "PPTP server is disabled", ""},

		{"daemon without", "capabilities", func(f *fake) { f.with(map[string]string{"proc/7/status": limited}) }, Problem, "the daemon (PID 7) lacks CAP_NET_ADMIN (interfaces and routes of tunnels) and CAP_NET_RAW", "AmbientCapabilities"},
		{"raw alone", "capabilities", func(f *fake) {
			f.with(map[string]string{"proc/7/status": strings.ReplaceAll(limited, "0400", "2400")})
		}, Problem, "lacks CAP_NET_ADMIN (interfaces and routes of tunnels)", ""},
		{"root without", "capabilities", func(f *fake) { f.noDaemon = fs.ErrNotExist; f.with(map[string]string{"proc/self/status": limited}) }, Problem, "although it runs as root", "capsh"},
		{"user", "capabilities", func(f *fake) {
			f.noDaemon = fs.ErrNotExist
			f.with(map[string]string{"proc/self/status": strings.ReplaceAll(limited, "Uid:\t0", "Uid:\t1000")})
		}, Warning, "as this user no daemon can run", "sudo"},
		{"container", "capabilities", func(f *fake) { f.with(map[string]string{"proc/7/status": limited, ".dockerenv": " "}) }, Problem, "container (docker)", "--cap-add NET_ADMIN"},
		{"podman", "capabilities", func(f *fake) { f.with(map[string]string{"proc/7/status": limited, "run/.containerenv": " "}) }, Problem, "container (podman)", ""},
		{"nspawn", "capabilities", func(f *fake) {
			f.with(map[string]string{"proc/7/status": limited, "run/systemd/container": "systemd-nspawn\n"})
		}, Problem, "container (systemd-nspawn)", ""},
		{"unreadable", "capabilities", func(f *fake) { f.with(map[string]string{"proc/7/status": ""}) }, Skipped, "cannot be read", ""},

		{"missing", "tun", func(f *fake) { f.tun = fs.ErrNotExist }, Problem, "there is no /dev/net/tun", "modprobe tun"},
		{"missing in a container", "tun", func(f *fake) { f.tun = fs.ErrNotExist; f.with(map[string]string{".dockerenv": " "}) }, Problem, "in this container (docker)", "--device"},
		{"no driver", "tun", func(f *fake) { f.tun = syscall.ENODEV }, Problem, "no driver", "modprobe tun"},
		{"not allowed", "tun", func(f *fake) { f.tun = fs.ErrPermission }, Problem, "may not open", "chmod"},
		{"forbidden in a container", "tun", func(f *fake) { f.tun = denied; f.with(map[string]string{".dockerenv": " "}) }, Problem, "this container (docker) may not open", "--device"},
		{"broken", "tun", func(f *fake) { f.tun = syscall.EIO }, Problem, "input/output error", ""},

		{"not allowed", "gre-socket", func(f *fake) {
			f.noDaemon = fs.ErrNotExist
			f.gre = func() (rawgre.Conn, error) { return nil, denied }
		}, Problem, "may not be opened", "CAP_NET_RAW"},
		{"not allowed, with a daemon", "gre-socket", func(f *fake) { f.gre = func() (rawgre.Conn, error) { return nil, denied } }, Skipped, "the daemon does so itself", "as root"},
		{"broken", "gre-socket", func(f *fake) { f.gre = func() (rawgre.Conn, error) { return nil, syscall.EPROTONOSUPPORT } }, Problem, "protocol not supported", ""},
		{"no socket", "gre-loopback", func(f *fake) { f.gre = func() (rawgre.Conn, error) { return nil, denied } }, Skipped, "needs a raw socket", ""},
		{"not sent", "gre-loopback", func(f *fake) { f.gre = func() (rawgre.Conn, error) { return deaf{newMute()}, nil } }, Problem, "does not send", "nft list ruleset"},
		{"dropped", "gre-loopback", func(f *fake) { f.gre = func() (rawgre.Conn, error) { return newMute(), nil } }, Problem, "did not come back", "nft list ruleset"},

		{"free", "port", func(f *fake) {
			f.answers["pptp-server"] = "false\n1.0\n"
			f.with(map[string]string{"proc/self/net/tcp": ""})
		}, OK, "is free", ""},
		{"enabled and not there", "port", func(f *fake) { f.with(map[string]string{"proc/self/net/tcp": ""}) }, Problem, "nothing listens", "/log/print"},
		{"pptpd", "port", func(f *fake) {
			f.with(map[string]string{"proc/7/fd/3": "", "proc/99/comm": "pptpd\n", "proc/99/fd/0": "->/dev/null", "proc/99/fd/1": "->socket:[4711]"})
		}, Problem, "taken by pptpd (PID 99)", "systemctl disable --now pptpd"},
		{"something", "port", func(f *fake) {
			f.with(map[string]string{"proc/7/fd/3": "", "proc/98/comm": "nc\n", "proc/98/fd/1": "->socket:[4711]"})
		}, Problem, "taken by nc (PID 98)", "kill 98"},
		{"something, and a client alone", "port", func(f *fake) {
			f.answers["pptp-server"] = "false\n1.0\n"
			f.with(map[string]string{"proc/7/fd/3": "", "proc/98/comm": "nc\n", "proc/98/fd/1": "->socket:[4711]"})
		}, Warning, "which is disabled, could not have it", ""},
		{"another gopptp", "port", func(f *fake) {
			f.with(map[string]string{"proc/7/fd/3": "", "proc/97/comm": "gopptp\n", "proc/97/fd/1": "->socket:[4711]"})
		}, Warning, "not the daemon of /run/s", "--socket"},
		{"somebody", "port", func(f *fake) { f.with(map[string]string{"proc/7/fd/3": ""}) }, Problem, "cannot be seen by whom", "ss -tlnp"},
		{"both families", "port", func(f *fake) {
			f.with(map[string]string{"proc/self/net/tcp": "", "proc/self/net/tcp6": "0: 00000000000000000000000000000000:06BB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4711 1\n"})
		}, OK, "the daemon's", ""},

		{"pptpd and pptp", "other-programs", func(f *fake) { f.with(map[string]string{"proc/99/comm": "pptpd\n", "proc/98/comm": "pptp\n"}) }, Warning, "pptp (PID 98), pptpd (PID 99)", "kill 98"},
		{"accel-ppp", "other-programs", func(f *fake) { f.with(map[string]string{"proc/99/comm": "accel-pppd\n"}) }, Warning, "accel-pppd (PID 99)", "systemctl disable --now accel-ppp"},
		{"loaded", "kernel-pptp", func(f *fake) { f.with(map[string]string{"sys/module/pptp/refcnt": "0\n"}) }, OK, "gets a copy of all", ""},

		{"no nftables", "nftables", func(f *fake) { f.noRules = syscall.EPROTONOSUPPORT }, Warning, "protocol not supported", "modprobe nf_tables"},
		{"not allowed", "nftables", func(f *fake) { f.noRules = denied }, Skipped, "may not read", "as root"},
		{"unreadable", "firewall", func(f *fake) { f.noRules = denied }, Skipped, "cannot be read", ""},
		{"drops", "firewall", func(f *fake) { f.ruleset = chain("input", nftables.ChainPolicyDrop) }, Problem, "inet filter input drops TCP port 1723 from strangers; the chain inet filter input drops GRE", "nft insert rule inet filter input tcp dport 1723 accept"},
		{"drops for a client", "firewall", func(f *fake) {
			f.answers["pptp-server"] = "false\n1.0\n"
			f.ruleset = chain("input", nftables.ChainPolicyDrop)
		}, Warning, "drops TCP port 1723", "to a server only"},
		{"may drop", "firewall", func(f *fake) {
			f.ruleset = chain("input", nftables.ChainPolicyAccept, []expr.Any{&expr.Limit{}, drop})
		}, Warning, "may drop TCP port 1723", "nft insert rule"},
		{"lets in", "firewall", func(f *fake) {
			f.ruleset = chain("input", nftables.ChainPolicyDrop, []expr.Any{accept})
		}, OK, "as far as can be read", ""},

		{"tables", "firewall-legacy", func(f *fake) { f.with(map[string]string{"proc/self/net/ip_tables_names": "filter\nnat\n"}) }, Warning, "filter, nat", "iptables -S INPUT"},
		{"tables and program", "firewall-legacy", func(f *fake) {
			f.programs = []string{"iptables-legacy"}
			f.with(map[string]string{"proc/self/net/ip_tables_names": "filter\n"})
		}, Warning, "may drop", "iptables-legacy -I INPUT -p gre -j ACCEPT"},
		{"empty", "firewall-legacy", func(f *fake) { f.with(map[string]string{"proc/self/net/ip_tables_names": "\n"}) }, OK, "has no tables", ""},

		{"NAT without helper", "conntrack", func(f *fake) { f.ruleset = nat }, Warning, "is not loaded", "modprobe -a nf_conntrack_pptp nf_nat_pptp"},
		{"NAT without a rule", "conntrack", func(f *fake) {
			f.ruleset = nat
			f.with(map[string]string{"sys/module/nf_conntrack_pptp/refcnt": "0", "sys/module/nf_nat_pptp/refcnt": "0"})
		}, Warning, "nothing gives connections to it", "ct helper"},
		{"NAT with a rule", "conntrack", func(f *fake) {
			f.ruleset = helped
			f.with(map[string]string{"sys/module/nf_conntrack_pptp/refcnt": "0", "sys/module/nf_nat_pptp/refcnt": "0"})
		}, OK, "the helper for PPTP is loaded", ""},
		{"NAT of old", "conntrack", func(f *fake) {
			f.ruleset = nat
			f.with(map[string]string{"sys/module/nf_conntrack_pptp/refcnt": "0", "sys/module/nf_nat_pptp/refcnt": "0", "proc/sys/net/netfilter/nf_conntrack_helper": "1\n"})
		}, OK, "the helper for PPTP is loaded", ""},
		{"no forwarding", "conntrack", func(f *fake) { f.ruleset = nat; f.with(map[string]string{"proc/sys/net/ipv4/ip_forward": "0\n"}) }, OK, "no helper is needed", ""},

		{"off", "forwarding", func(f *fake) { f.with(map[string]string{"proc/sys/net/ipv4/ip_forward": "0\n"}) }, Warning, "does not forward", "sysctl -w net.ipv4.ip_forward=1"},
		{"unreadable", "forwarding", func(f *fake) { f.with(map[string]string{"proc/sys/net/ipv4/ip_forward": ""}) }, Skipped, "cannot be read", ""},
		{"strict on all", "rp-filter", func(f *fake) {
			f.with(map[string]string{"proc/sys/net/ipv4/conf/all/rp_filter": "1\n", "proc/sys/net/ipv4/conf/eth1/rp_filter": "0\n"})
		}, Warning, "strict rp_filter on eth1:", "rp_filter=2"},
		{"strict on many", "rp-filter", func(f *fake) {
			m := map[string]string{"proc/sys/net/ipv4/conf/all/rp_filter": "0\n"}
			for _, link := range []string{"a", "b", "c", "d", "e", "f"} {
				m["proc/sys/net/ipv4/conf/"+link+"/rp_filter"] = "1\n"
			}
			f.with(m)
		}, Warning, "a, b, c, d, e and 1 more", ""},
		{"unreadable", "rp-filter", func(f *fake) { f.with(map[string]string{"proc/sys/net/ipv4/conf/all/rp_filter": ""}) }, Skipped, "cannot be read", ""},
		{"small", "mtu", func(f *fake) { f.mtu = 1400 }, Warning, "MTU of 1400", "max-mtu=1350"},
		{"no way", "mtu", func(f *fake) { f.noWay = syscall.ENETUNREACH }, Warning, "no way to the Internet", "ip route"},

		{"few", "open-files", func(f *fake) {
			f.with(map[string]string{"proc/7/limits": "Max open files            1024                 1024               files     \n"})
		}, Warning, "about 480 sessions", "LimitNOFILE"},
		{"unlimited", "open-files", func(f *fake) {
			f.with(map[string]string{"proc/7/limits": "Max open files            1024                 unlimited               files     \n"})
		}, OK, "unlimited", ""},
		{"unreadable", "open-files", func(f *fake) { f.with(map[string]string{"proc/7/limits": ""}) }, Skipped, "cannot be read", ""},
		{"nonsense", "open-files", func(f *fake) { f.with(map[string]string{"proc/7/limits": "Max open files x y z\n"}) }, Skipped, "cannot be read", ""},

		{"read-only", "resolv-conf", func(f *fake) { f.readOnly = &fs.PathError{Op: "access", Path: "/etc/resolv.conf", Err: syscall.EROFS} }, Warning, "read-only file system", "chattr -i"},
		{"missing", "resolv-conf", func(f *fake) { f.with(map[string]string{"etc/resolv.conf": ""}) }, Warning, "there is no", ""},
		{"resolved", "resolv-conf", func(f *fake) {
			f.programs = []string{"resolvectl"}
			f.with(map[string]string{"etc/resolv.conf": "->../run/systemd/resolve/stub-resolv.conf"})
		}, OK, "systemd-resolved", ""},
		{"resolved without its program", "resolv-conf", func(f *fake) {
			f.with(map[string]string{"etc/resolv.conf": "->/run/systemd/resolve/resolv.conf"})
		}, Warning, "no resolvectl", "apt install"},

		{"NetworkManager", "network-managers", func(f *fake) { f.with(map[string]string{"proc/50/comm": "NetworkManager\n"}) }, OK, "leaves them alone", ""},
		{"networkd", "network-managers", func(f *fake) {
			f.with(map[string]string{"proc/50/comm": "systemd-network\n", "etc/systemd/network/a.network": "[Match]\nName=eth*\n"})
		}, OK, "takes no interface", "ManageForeignRoutes=no"},
		{"greedy networkd", "network-managers", func(f *fake) {
			f.with(map[string]string{"proc/50/comm": "systemd-network\n", "etc/systemd/network/a.network": "[Match]\nName = *\n"})
		}, Warning, "/etc/systemd/network/a.network", "[Match]"},

		{"no daemon", "radius", func(f *fake) { f.noDaemon = fs.ErrNotExist }, Skipped, "no daemon", ""},
		{"not configured", "radius", func(f *fake) { f.answers["radius"] = "true\n" }, Problem, "there is no RADIUS server", "/radius/add"},
		{"answers", "radius", func(f *fake) { f.answers["radius"] = "true\n192.0.2.9 6 2 1 0\n" }, OK, "192.0.2.9 answers", ""},
		{"not asked", "radius", func(f *fake) { f.answers["radius"] = "true\n192.0.2.9 0 0 0 0\n" }, OK, "has not answered yet", ""},
		{"silent", "radius", func(f *fake) { f.answers["radius"] = "true\n192.0.2.9 0 0 3 0\n" }, Problem, "does not answer", "UDP port 1812"},
		{"one silent", "radius", func(f *fake) { f.answers["radius"] = "true\n192.0.2.9 0 0 3 0\n192.0.2.8 3 0 0 0\n" }, Warning, "192.0.2.9 does not answer; 192.0.2.8 does", ""},
		{"wrong secret", "radius", func(f *fake) { f.answers["radius"] = "true\n192.0.2.9 0 0 3 3\n" }, Problem, "wrongly signed", "/radius/set"},
		{"nonsense", "radius", func(f *fake) { f.answers["radius"] = "what\nx\n" }, OK, "no RADIUS server is configured", ""},
	} {
		t.Run(c.check+"/"+c.name, func(t *testing.T) {
			f := newFake()
			c.make(f)
			got := examine(t, f, c.check)
			if got.State != c.state || !strings.Contains(got.Seen, c.seen) || !strings.Contains(strings.Join(got.Do, "\n"), c.do) {
				t.Errorf("%s: %s %q\nwant %s: %s %q", got.State, got.Seen, got.Do, c.state, c.seen, c.do)
			}
			if (got.State == Problem || got.State == Warning) && c.do != "" && len(got.Do) == 0 {
				t.Error("it does not say what to do")
			}
		})
	}
}

// TestBrokenOff checks that an examination that is broken off says so.
func TestBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all := Run(ctx, Config{Server: "vpn.example"}, newFake(), Quiet{})
	if len(all) != len(local)+len(remote) || Count(all, Skipped) != len(all) {
		t.Errorf("findings %v", all)
	}
}

func TestPrinter(t *testing.T) {
	all := []Finding{
		{Check: "tun", State: OK, Seen: "fine"},
		{Check: "port", State: Problem, Seen: "taken by \x1b[31m", Do: []string{"kill 1", "then go on"}},
		{Check: "mtu", State: Warning, Seen: "small"},
	}
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{false, "…        port              waiting for it, at most 5s\n" +
			"ok       tun               fine\n" +
			"problem  port              taken by \\1B[31m\n" +
			"                          → kill 1\n" +
			"                          → then go on\n" +
			"warning  mtu               small\n" +
			"\n1 problem, 1 warning.\n"},
		{true, "…        port              waiting for it, at most 5s" +
			"\r\x1b[K\x1b[32mok      \x1b[0m tun               fine\n" +
			"\r\x1b[K\x1b[31mproblem \x1b[0m port              taken by \\1B[31m\n" +
			"                          → kill 1\n" +
			"                          → then go on\n" +
			"\r\x1b[K\x1b[33mwarning \x1b[0m mtu               small\n" +
			"\n1 problem, 1 warning.\n"},
	} {
		var out bytes.Buffer
		p := Printer{To: &out, Terminal: c.terminal}
		p.Begin("port", "it", dialLimit)
		for _, f := range all {
			p.Finish(f)
		}
		p.Summary(all)
		if out.String() != c.want {
			t.Errorf("terminal %v:\n%q\nwant\n%q", c.terminal, out.String(), c.want)
		}
	}
	var out bytes.Buffer
	if err := WriteJSON(&out, all); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Problems, Warnings int
		Findings           []Finding
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Problems != 1 || back.Warnings != 1 || len(back.Findings) != 3 || back.Findings[1].Do[0] != "kill 1" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestHost checks the doors that need no privileges on the real machine.
func TestHost(t *testing.T) {
	h := Host{}
	if b, err := fs.ReadFile(h.Files(), "proc/self/status"); err != nil || field(string(b), "Name:") == "" {
		t.Errorf("/proc/self/status: %v", err)
	}
	if !h.Program("sh") || h.Program("no-such-program") {
		t.Error("programs are not found")
	}
	if _, mtu, err := h.WayOut(loopbackAddress); err != nil || mtu < 1500 {
		t.Errorf("the way to the loopback: MTU %d, %v", mtu, err)
	}
	if a, err := h.Resolve(t.Context(), "127.0.0.1"); err != nil || a != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("127.0.0.1 is %v, %v", a, err)
	}
	if err := h.Writable("no/such/file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}
