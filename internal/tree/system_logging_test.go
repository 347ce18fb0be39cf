package tree

import (
	"net/netip"
	"reflect"
	"testing"

	"gopptp/internal/logging"
	"gopptp/internal/menu"
)

// TestLogAction checks what rows of /system/logging/action mean.
func TestLogAction(t *testing.T) {
	m := (&Tree{}).newLogActions().menu
	menu.Root(nil, m)
	server := netip.MustParseAddrPort("192.0.2.1:514")
	for name, c := range map[string]struct {
		values map[string]string
		want   logging.Action
	}{
		"memory":         {nil, logging.Action{Target: logging.Memory}},
		"a file":         {map[string]string{"target": "disk", "disk-log-format": "json", "disk-lines-per-file": "9"}, logging.Action{Target: logging.Disk, Format: logging.JSON, Lines: 9}},
		"a plain file":   {map[string]string{"target": "disk", "remote-log-format": "rfc5424"}, logging.Action{Target: logging.Disk, Format: logging.Plain}},
		"a server":       {map[string]string{"target": "remote", "remote": "192.0.2.1"}, logging.Action{Target: logging.Remote, Server: server, Format: logging.Plain}},
		"its older word": {map[string]string{"target": "remote", "remote": "192.0.2.1@main", "bsd-syslog": "true"}, logging.Action{Target: logging.Remote, Server: server, Format: logging.BSD}},
		"all of it": {
			map[string]string{
				"target": "remote", "remote": "192.0.2.1", "remote-protocol": "tcp", "remote-log-format": "rfc5424", "bsd-syslog": "true",
				"src-address": "192.0.2.9", "syslog-time-format": "iso8601", "syslog-facility": "local7", "syslog-severity": "alert",
			},
			logging.Action{Target: logging.Remote, Server: server, TCP: true, Format: logging.RFC5424, Source: netip.MustParseAddr("192.0.2.9"), ISOTime: true, Facility: 23, Severity: 1},
		},
	} {
		r := m.Defaults(menu.ID(7))
		for property, value := range c.values {
			r.Put(property, value)
		}
		base := logging.Action{ID: 7, File: "log", Lines: 1000, Files: 2, Server: netip.MustParseAddrPort("0.0.0.0:514"), Facility: 3, Severity: -1}
		want := c.want
		if want.Lines == 0 {
			want.Lines = base.Lines
		}
		if want.Facility == 0 {
			want.Facility, want.Severity = base.Facility, base.Severity
		}
		if !want.Server.IsValid() {
			want.Server = base.Server
		}
		want.ID, want.File, want.Files = base.ID, base.File, base.Files
		if got := logAction(r); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}
