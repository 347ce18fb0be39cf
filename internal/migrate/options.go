package migrate

import (
	"slices"
	"strconv"
	"strings"
)

// Why options of pppd have no equivalent.
const (
	whySerial  = "there is no serial line here"
	whyPeer    = "a server does not authenticate itself to its clients"
	whyLog     = "the log is set up in /system/logging"
	whyNone    = "it is off here too"
	whyCompare = "gopptp compresses with MPPC alone (use-compression of the profile)"
	whyIPv6    = "sessions carry IPv4 only"
	whyTiming  = "gopptp's own limit holds"
	whyRoute   = "a session's routes are those of the secret (routes)"
	whyHistory = "MPPE is stateless or not, as the client asks"
	whyKeys    = "keys of 128 bits are preferred, and clients that know no others get 56 or 40 bits"
	whyScript  = "scripts are on-up and on-down of the profile, in RouterOS's language"
)

// An option is what is known of an option of pppd.
type option struct {
	args int
	met  bool   // nothing is lost
	why  string // why there is no command for it; empty if set makes one
	set  func(o *options, at place, args []string)
	// secret keeps the arguments out of comments.
	secret bool
}

// options are pppd's, as far as they matter.
type options struct {
	*importer
	table    map[string]option
	hostname string

	name     string // of the server, in the second column of chap-secrets
	methods  []string
	noauth   bool
	required bool // MPPE
	refused  bool // MPPE
	dns      []string
	wins     []string
	usedFile []string // those being read, against circles
}

// pppOptions is the table of pppd(8). Options with a hyphen or plus in front are their
// old names.
func pppOptions() map[string]option {
	t := map[string]option{}
	none := func(why string, met bool, args int, names ...string) {
		for _, n := range names {
			t[n] = option{args: args, met: met, why: why}
		}
	}
	none(whySerial, true, 0, "crtscts", "-crtscts", "nocrtscts", "cdtrcts", "nocdtrcts", "modem", "local", "xonxoff", "lock", "nolock",
		"receive-all", "default-asyncmap", "-am", "noaccomp", "-ac", "nopcomp", "-pc", "default-mru", "-mru", "notty", "sync",
		"nodetach", "-detach", "updetach", "persist", "nopersist", "silent", "passive", "-p", "stop-bits")
	none(whySerial, true, 1, "asyncmap", "-as", "escape", "connect", "disconnect", "init", "pty", "maxfail", "holdoff", "connect-delay", "unit", "linkname")
	none(whyPeer, true, 0, "refuse-pap", "-pap", "refuse-chap", "-chap", "refuse-mschap", "-mschap", "refuse-mschap-v2", "-mschap-v2", "refuse-eap", "-eap")
	none("no log shows a password", true, 0, "hide-password", "show-password")
	none(whyPeer, true, 1, "remotename", "user")
	t["password"] = option{args: 1, met: true, why: whyPeer, secret: true}
	none(whyLog, true, 0, "debug", "-d", "dump", "dryrun", "nologfd")
	none(whyLog, true, 1, "logfile", "logfd", "kdebug", "record")
	none(whyNone, true, 0, "noipx", "nobsdcomp", "-bsdcomp", "nodeflate", "-deflate", "novj", "-vj", "novjccomp", "-vjccomp", "nopredictor1", "-predictor1",
		"noipv6", "nodefaultroute", "-defaultroute", "nodefaultroute6", "noreplacedefaultroute", "nomultilink", "nomp", "-mp", "nodemand", "noproxyarp", "-proxyarp", "nomppe-stateful", "noendpoint", "-all")
	none(whyCompare, false, 1, "bsdcomp", "deflate", "vj-max-slots")
	none(whyCompare, false, 0, "predictor1")
	none(whyIPv6, false, 0, "+ipv6", "ipv6cp-use-ipaddr", "ipv6cp-use-persistent")
	none(whyIPv6, false, 1, "ipv6")
	none("five echoes, a second apart, go out after keepalive-timeout", false, 1, "lcp-echo-failure")
	none(whyTiming, false, 1, "lcp-restart", "lcp-max-configure", "lcp-max-failure", "lcp-max-terminate",
		"ipcp-restart", "ipcp-max-configure", "ipcp-max-failure", "ipcp-max-terminate", "chap-restart", "chap-max-challenge", "chap-interval",
		"chap-timeout", "pap-restart", "pap-timeout", "pap-max-authreq")
	none(whyTiming, false, 0, "lcp-echo-adaptive")
	none(whyRoute, false, 0, "defaultroute", "replacedefaultroute")
	none(whyScript, false, 1, "ip-up-script", "ip-down-script", "ip-pre-up-script", "ipv6-up-script", "ipv6-down-script")
	none(whyScript, true, 1, "ipparam")
	none("a session does not answer ARP for its client: let the network's interface do so (sysctl -w net.ipv4.conf.INTERFACE.proxy_arp=1)", false, 0, "proxyarp")
	none("EAP is not known here", false, 0, "require-eap", "+eap")
	none("users of the system are not asked: give each a secret", false, 0, "login")
	none("the address that a client asks for is not taken: it gets that of its secret or profile", true, 0, "ipcp-accept-remote", "noremoteip")
	none("the server's address is its own", true, 0, "ipcp-accept-local")
	none(whyHistory, true, 0, "mppe-stateful")
	none("gopptp takes the part of a name after the backslash for MS-CHAP, and looks up the whole name", false, 0, "chapms-strip-domain")
	none("names are looked up as they are sent", false, 1, "domain")
	none(whyKeys, false, 0, "nomppe-40", "-mppe-40", "nomppe-56", "nomppe-128", "-mppe-128")
	none("gopptp needs no filters of packets: use incoming-filter and outgoing-filter of the profile", false, 1, "active-filter", "pass-filter")
	none("a limit of octets belongs to a secret here (limit-bytes-in, limit-bytes-out)", false, 1, "maxoctets")
	none("it is an interface of its own here", true, 1, "netmask")
	none("users are known by their secrets", false, 0, "usehostname")
	none("only the addresses of secrets and pools are given", false, 1, "allow-ip")
	none("users log on without wtmp; /ppp/active and /log show them", true, 0, "nologwtmp")
	none("there is no kernel driver to tune", true, 0, "ktune", "noktune")
	none("the endpoint is not told", true, 1, "endpoint")
	none("each session has one link", false, 1, "bundle")
	none("each session has one link; mrru alone is used of multilink", false, 0, "multilink", "mp", "mpshortseq", "+mp")
	none("clients are dialed by /interface/pptp-client", false, 0, "demand")

	t["plugin"] = option{args: 1, set: (*options).plugin}
	t["radius-config-file"] = option{args: 1, why: "give the servers to /radius, each with service=ppp and its secret"}
	t["avpair"] = option{args: 1, why: "attributes of RADIUS are gopptp's own"}
	t["file"] = option{args: 1, set: func(o *options, at place, args []string) { o.include(at, args[0]) }}
	t["call"] = option{args: 1, set: func(o *options, at place, args []string) { o.include(at, "/etc/ppp/peers/"+args[0]) }}
	t["name"] = option{args: 1, set: func(o *options, _ place, args []string) { o.name = args[0] }}
	t["auth"] = option{set: func(o *options, _ place, _ []string) { o.noauth = false }}
	t["noauth"] = option{set: func(o *options, _ place, _ []string) { o.noauth = true }}
	for method, names := range map[string][]string{
		"pap": {"require-pap", "+pap"}, "chap": {"require-chap", "+chap"},
		"mschap1": {"require-mschap", "+mschap"}, "mschap2": {"require-mschap-v2", "+mschap-v2", "+chapms-v2"},
	} {
		for _, n := range names {
			t[n] = option{set: func(o *options, _ place, _ []string) {
				if !slices.Contains(o.methods, method) {
					o.methods = append(o.methods, method)
				}
			}}
		}
	}
	for _, n := range []string{"require-mppe", "+mppe", "mppe-required"} {
		t[n] = option{set: func(o *options, _ place, _ []string) { o.required = true }}
	}
	for _, n := range []string{"require-mppe-128", "+mppe-128", "require-mppe-40", "+mppe-40"} {
		t[n] = option{set: func(o *options, at place, _ []string) {
			o.required = true
			o.lost(at, n, whyKeys)
		}}
	}
	for _, n := range []string{"nomppe", "-mppe", "noccp", "-ccp"} {
		t[n] = option{set: func(o *options, _ place, _ []string) { o.refused = true }}
	}
	t["mppe"] = option{args: 1, set: (*options).mppe}
	t["ms-dns"] = option{args: 1, set: func(o *options, at place, args []string) { o.dns = o.nameServer(at, "ms-dns", o.dns, args[0]) }}
	t["ms-wins"] = option{args: 1, set: func(o *options, at place, args []string) { o.wins = o.nameServer(at, "ms-wins", o.wins, args[0]) }}
	t["mtu"] = option{args: 1, set: func(o *options, at place, args []string) {
		o.number(at, "mtu "+args[0], args[0], "max-mtu", minMTU, maxMTU)
	}}
	t["mru"] = option{args: 1, set: func(o *options, at place, args []string) {
		o.number(at, "mru "+args[0], args[0], "max-mru", minMTU, maxMTU)
	}}
	t["mrru"] = option{args: 1, set: func(o *options, at place, args []string) {
		o.number(at, "mrru "+args[0], args[0], "mrru", minMTU, maxMRRU)
	}}
	t["lcp-echo-interval"] = option{args: 1, set: func(o *options, at place, args []string) { o.keepalive(at, "lcp-echo-interval "+args[0], args[0]) }}
	t["idle"] = option{args: 1, set: func(o *options, at place, args []string) { o.timeout(at, "idle "+args[0], args[0], "idle-timeout") }}
	t["maxconnect"] = option{args: 1, set: func(o *options, at place, args []string) {
		o.timeout(at, "maxconnect "+args[0], args[0], "session-timeout")
	}}
	return t
}

// The bounds of /interface/pptp-server/server.
const (
	minMTU  = 512
	maxMTU  = 18432
	maxMRRU = 65535
)

// include reads a file of options.
func (o *options) include(at place, name string) {
	if slices.Contains(o.usedFile, name) {
		o.lost(at, "", "the file refers to itself")
		return
	}
	text, err := o.load(name)
	if err != nil {
		o.lost(place{name, 0}, "", why(err))
		return
	}
	o.usedFile = append(o.usedFile, name)
	o.parse(name, text)
	o.usedFile = o.usedFile[:len(o.usedFile)-1]
}

// parse obeys the options of a file. pppd reads words and not lines; here an option
// that is not known takes the rest of its line with it, since the number of its
// arguments is not known either.
func (o *options) parse(file, text string) {
	s := newScanner(text)
	for {
		w, ok := s.next()
		if !ok {
			return
		}
		at := place{file, w.line}
		known, ok := o.table[w.text]
		if !ok {
			if !o.word(at, w.text) {
				s.rest()
				o.lost(at, w.text, "this option of pppd is not known")
			}
			continue
		}
		var args []string
		for range known.args {
			a, ok := s.next()
			if !ok {
				break
			}
			args = append(args, a.text)
		}
		shown := w.text
		if known.secret {
			s.rest() // of a secret with a blank
		} else {
			shown = strings.Join(append([]string{w.text}, args...), " ")
		}
		switch {
		case len(args) < known.args:
			o.lost(at, w.text, "its value is missing")
		case known.set != nil:
			known.set(o, at, args)
		case known.met:
			o.met(at, shown, known.why)
		default:
			o.lost(at, shown, known.why)
		}
	}
}

// word reads a word that is no option: a speed, a pair of addresses, or a device.
func (o *options) word(at place, text string) bool {
	if _, err := strconv.ParseUint(text, 10, 32); err == nil || strings.HasPrefix(text, "/dev/") || strings.HasPrefix(text, "tty") {
		o.met(at, text, whySerial)
		return true
	}
	local, remote, is := strings.Cut(text, ":")
	if !is {
		return false
	}
	_, okLocal := parse4(local)
	_, okRemote := parse4(remote)
	if (local == "" || okLocal) && (remote == "" || okRemote) && text != ":" {
		o.lost(at, text, "the addresses are those of pptpd.conf; local-address and remote-address of the profile take others")
		return true
	}
	return false
}

// plugin remarks a plugin of pppd.
func (o *options) plugin(at place, args []string) {
	if strings.HasPrefix(args[0][strings.LastIndexByte(args[0], '/')+1:], "radius") {
		o.aaa.set("use-radius", "yes")
		o.lost(at, "plugin "+args[0], "use-radius=yes is set; give the servers to /radius, each with service=ppp and its secret")
		return
	}
	o.lost(at, "plugin "+args[0], "gopptp has no plugins")
}

// mppe reads the option of older patches: words with commas between them.
func (o *options) mppe(at place, args []string) {
	for _, w := range strings.Split(args[0], ",") {
		switch w {
		case "required", "require":
			o.required = true
		case "no128", "no40", "no56":
			o.lost(at, "mppe "+w, whyKeys)
		case "stateless", "stateful", "nostateful":
			o.met(at, "mppe "+w, whyHistory)
		default:
			o.lost(at, "mppe "+args[0], "this value is not known")
		}
	}
}

// nameServer adds the address of a name server for clients; there may be two.
func (o *options) nameServer(at place, key string, list []string, value string) []string {
	a, ok := parse4(value)
	switch {
	case !ok:
		o.lost(at, key+" "+value, "not an IPv4 address")
	case slices.Contains(list, a.String()):
	case len(list) == 2:
		o.lost(at, key+" "+value, "clients are told two servers")
	default:
		list = append(list, a.String())
	}
	return list
}

// number carries a number over to the settings of the server.
func (m *importer) number(at place, text, value, property string, low, high int) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		m.lost(at, text, property+" takes numbers from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
		return
	}
	m.server.set(property, strconv.Itoa(n))
}

// keepalive carries over the interval of LCP echoes.
func (m *importer) keepalive(at place, text, value string) {
	n, err := strconv.ParseUint(value, 10, 32)
	switch {
	case err != nil:
		m.lost(at, text, "not a number of seconds")
	case n == 0:
		m.server.set("keepalive-timeout", "disabled")
	default:
		m.server.set("keepalive-timeout", strconv.FormatUint(n, 10))
	}
}

// timeout carries a number of seconds over to the profile.
func (m *importer) timeout(at place, text, value, property string) {
	n, err := strconv.ParseUint(value, 10, 32)
	switch {
	case err != nil:
		m.lost(at, text, "not a number of seconds")
	case n > 0:
		m.main().set(property, strconv.FormatUint(n, 10)+"s")
	}
}

// finish turns what the options say together into properties.
func (o *options) finish(at place) {
	switch {
	case o.noauth:
		o.lost(at, "noauth", "there is no server without authentication here: each user needs a secret")
		fallthrough
	case len(o.methods) == 0:
		// Where nothing is required pppd takes whatever it has a secret for.
		o.server.set("authentication", "pap,chap,mschap1,mschap2")
		o.lost(at, "", "no method of authentication is required: all are taken here too, of which pap and chap cannot be encrypted; take authentication=mschap2 if the clients can")
	default:
		slices.Sort(o.methods)
		o.server.set("authentication", strings.Join(o.methods, ","))
	}
	switch {
	case o.required:
		o.main().set("use-encryption", "required")
	default: // pppd encrypts nothing unless it is required
		o.main().set("use-encryption", "no")
		if !o.refused {
			o.lost(at, "", "MPPE is not required: pppd leaves all traffic in clear then, and so does use-encryption=no; yes or required is better")
		}
	}
	if len(o.dns) > 0 {
		o.main().set("dns-server", strings.Join(o.dns, ","))
	}
	if len(o.wins) > 0 {
		o.main().set("wins-server", strings.Join(o.wins, ","))
	}
}

// serverName is what the second column of chap-secrets is compared with.
func (o *options) serverName() string {
	if o.name != "" {
		return o.name
	}
	return o.hostname
}
