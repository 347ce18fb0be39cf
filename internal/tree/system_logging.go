package tree

import (
	"net/netip"
	"slices"
	"strings"

	"gopptp/internal/logging"
	"gopptp/internal/menu"
)

const actionPath = "/system/logging/action"

// topicList is a list of topics, those after an exclamation mark not wanted.
type topicList struct{ menu.List }

// maxTopics bounds a rule: each entry of the log is compared with all topics.
const maxTopics = 16

// Parse accepts words of letters, digits and dashes. Any word may be a topic.
func (topicList) Parse(name, text string, _ menu.Resolver) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	list := strings.Split(text, ",")
	for _, s := range list {
		s = strings.TrimPrefix(s, "!")
		if s == "" || len(s) > 32 || strings.Trim(s, letters) != "" || len(list) > maxTopics {
			return "", menu.Errorf(menu.BadArgument, "input does not match any value of %s", name)
		}
	}
	return text, nil
}

// facilities and syslogSeverities are syslog's, in the order of their numbers
// (RFC 3164, section 4.1.1).
var (
	facilities = []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "log-audit",
		"log-alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	syslogSeverities = []string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}
)

// fileName is the name of a log file, without what tells its age.
type fileName struct{ menu.String }

// Parse accepts a name that stays in the directory of files.
func (fileName) Parse(name, text string, refs menu.Resolver) (string, error) {
	if strings.ContainsAny(text, `/\`) || strings.HasPrefix(text, ".") {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return menu.String{Min: 1, Max: 64, Line: true}.Parse(name, text, refs)
}

// The actions and rules of a new system are RouterOS's, with its ids.
var (
	firstActions = []string{"memory", "disk", "echo", "remote"}
	firstRules   = []struct{ topics, action string }{{"info", "*0"}, {"error", "*0"}, {"warning", "*0"}, {"critical", "*2"}}
)

// newLogActions declares /system/logging/action.
func (t *Tree) newLogActions() *table {
	isTarget := func(target logging.Target) func(*menu.Row) bool {
		return func(r *menu.Row) bool { return r.Get("target") != string(target) }
	}
	memory, disk, remote := isTarget(logging.Memory), isTarget(logging.Disk), isTarget(logging.Remote)
	lines := menu.Int{Min: 1, Max: 65535}
	return &table{
		menu: &menu.Menu{
			Name: "action", Help: "What is done with entries of the log", NameKey: "name", Noun: "log action", Layout: menu.Table,
			Flags:   []menu.Flag{{Letter: '*', Name: "default", Property: "default"}},
			Columns: []menu.Column{{Property: "name"}, {Property: "target"}, {Property: "remote"}, {Property: "disk-file-name"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Min: 1, Max: maxName, Line: true}, Required: true, Help: "Name of the action"},
				{Name: "target", Type: menu.Words("memory", "disk", "echo", "remote"), Default: "memory",
					Help: "Shown by /log, appended to a file, shown at consoles, or sent to a syslog server"},
				{Name: "memory-lines", Type: lines, Default: "1000", Absent: memory, Kept: true, Help: "Entries in memory"},
				{Name: "memory-stop-on-full", Type: menu.Bool{}, Default: menu.False, Absent: memory, Kept: true, Help: "Whether no entry is added to a full memory"},
				{Name: "disk-file-name", Type: fileName{}, Default: "log", Absent: disk, Help: "Name of the files"},
				{Name: "disk-lines-per-file", Type: lines, Default: "1000", Absent: disk, Help: "Entries in a file"},
				{Name: "disk-file-count", Type: lines, Default: "2", Absent: disk, Help: "Files that are kept"},
				{Name: "disk-log-format", Type: menu.Words("default", "json"), Default: "default", Absent: disk, Help: "Lines of text, or of JSON"},
				{Name: "disk-stop-on-full", Type: menu.Bool{}, Default: menu.False, Absent: disk, Kept: true, Help: "Whether no entry is added to full files"},
				{Name: "remember", Type: menu.Bool{}, Default: menu.True, Kept: true, Help: "Whether entries are kept until they were seen"},
				{Name: "remote", Type: serverAddress{}, Default: "0.0.0.0", Absent: remote, Help: "Address of the syslog server"},
				{Name: "remote-port", Type: portNumber, Default: "514", Absent: remote, Help: "Port of the syslog server"},
				{Name: "remote-protocol", Type: menu.Words("udp", "tcp"), Default: "udp", Absent: remote, Help: "What packets are sent by"},
				{Name: "remote-log-format", Type: menu.Words("default", "syslog", "rfc5424"), Default: "default", Absent: remote,
					Help: "Topics and message alone, with the time and the system's name (RFC 3164), or all of RFC 5424"},
				{Name: "src-address", Type: serverAddress{}, Default: "0.0.0.0", Absent: remote, Help: "Address that packets come from"},
				{Name: "bsd-syslog", Type: menu.Bool{}, Default: menu.False, Absent: remote, Help: "The older word for remote-log-format=syslog"},
				{Name: "syslog-time-format", Type: menu.Words("bsd-syslog", "iso8601"), Default: "bsd-syslog", Absent: remote, Help: "Time in packets of remote-log-format=syslog"},
				{Name: "syslog-facility", Type: menu.Words(facilities...), Default: "daemon", Absent: remote, Help: "Facility of packets"},
				{Name: "syslog-severity", Type: menu.Words(append([]string{"auto"}, syslogSeverities...)...), Default: "auto", Absent: remote, Help: "Severity of packets; auto takes it from the topics"},
				{Name: "default", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the action is built in"},
			},
			Commands: []*menu.Command{
				menu.Add(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Reset(false), menu.Set(false),
			},
		},
		clash: "failure: action with such name already exists",
		key:   func(r *menu.Row) string { return r.Get("name") },
		initial: func(m *menu.Menu) []*menu.Row {
			var rows []*menu.Row
			for i, name := range firstActions {
				r := m.Defaults(menu.ID(i))
				r.Put("name", name)
				r.Put("target", name)
				r.PutBool("default", true)
				rows = append(rows, r)
			}
			return rows
		},
		put:  func(r *menu.Row) { t.logging.PutAction(logAction(r)) },
		drop: func(id menu.ID) { t.logging.RemoveAction(uint64(id)) },
		fixed: func(r *menu.Row) error {
			if r.Is("default") {
				return menu.Errorf(menu.Refused, "failure: can not remove default action")
			}
			return nil
		},
	}
}

// logAction is a row of /system/logging/action in the engine's types.
func logAction(r *menu.Row) logging.Action {
	source := syslogAddress(r, "src-address")
	if source.IsUnspecified() {
		source = netip.Addr{}
	}
	a := logging.Action{
		ID: uint64(r.ID), Target: logging.Target(r.Get("target")),
		File: r.Get("disk-file-name"), Lines: number(r, "disk-lines-per-file"), Files: number(r, "disk-file-count"),
		Server: netip.AddrPortFrom(syslogAddress(r, "remote"), uint16(number(r, "remote-port"))), Source: source,
		TCP: r.Get("remote-protocol") == "tcp", ISOTime: r.Get("syslog-time-format") == "iso8601",
		Facility: slices.Index(facilities, r.Get("syslog-facility")), Severity: slices.Index(syslogSeverities, r.Get("syslog-severity")),
	}
	switch a.Target {
	case logging.Disk:
		a.Format = logging.Format(r.Get("disk-log-format"))
	case logging.Remote:
		a.Format = logging.Format(r.Get("remote-log-format"))
		if a.Format == logging.Plain && r.Is("bsd-syslog") {
			a.Format = logging.BSD
		}
	}
	return a
}

// syslogAddress gives a serverAddress' address without its routing table.
func syslogAddress(r *menu.Row, name string) netip.Addr {
	host, _, _ := strings.Cut(r.Get(name), "@")
	a, _ := netip.ParseAddr(host) // it was accepted
	return a
}

// newLogRules declares /system/logging.
func (t *Tree) newLogRules() *table {
	return &table{
		menu: &menu.Menu{
			Name: "logging", Help: "Rules of the log", Noun: "log rule", Layout: menu.Table,
			Flags: []menu.Flag{
				whenOff, {Letter: 'I', Name: "invalid", Property: "invalid", Or: true}, {Letter: '*', Name: "default", Property: "default"},
			},
			Columns: []menu.Column{{Property: "topics"}, {Property: "action"}, {Property: "prefix"}},
			Properties: []menu.Property{
				{Name: "topics", Type: topicList{}, Default: "info", Help: "Topics that an entry must all have; after an exclamation mark, must not have"},
				{Name: "prefix", Type: elsewhere, Help: "Text before the message"},
				{Name: "action", Type: menu.Reference{Path: actionPath}, Default: "*0", Help: "What is done with the entry"},
				comment,
				{Name: "invalid", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the rule cannot be followed"},
				{Name: "default", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the rule is built in"},
				isDisabled(menu.False, "Whether the rule is disabled"),
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false),
				menu.Remove(), menu.Reset(false), menu.Set(false),
			},
		},
		initial: func(m *menu.Menu) []*menu.Row {
			var rows []*menu.Row
			for i, rule := range firstRules {
				r := m.Defaults(menu.ID(i))
				r.Put("topics", rule.topics)
				r.Put("action", rule.action)
				r.PutBool("default", true)
				rows = append(rows, r)
			}
			return rows
		},
		put: func(r *menu.Row) {
			t.logging.PutRule(logging.Rule{
				ID: uint64(r.ID), Topics: strings.Split(r.Get("topics"), ","), Prefix: r.Get("prefix"),
				Action: referenced(r, "action"), Disabled: r.Is(disabled),
			})
		},
		drop: func(id menu.ID) { t.logging.RemoveRule(uint64(id)) },
		fixed: func(r *menu.Row) error {
			if r.Is("default") {
				return menu.Errorf(menu.Refused, "failure: can not remove default rule")
			}
			return nil
		},
	}
}
