package logging

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"

	"gopptp/internal/journal"
)

// open opens the output of an action.
func open(a Action, files *os.Root) (io.WriteCloser, error) {
	if a.Target == Remote {
		return net.Dial("udp", a.Server)
	}
	if files == nil {
		return nil, errors.New("this system keeps no files")
	}
	d := &disk{files: files, name: a.File, most: a.Lines, keep: a.Files}
	return d, d.open()
}

// A disk is the files of an action: NAME.0.txt is the newest.
type disk struct {
	files      *os.Root
	name       string
	most, keep int
	file       *os.File
	lines      int // in file
}

// path gives the name of a file by its age.
func (d *disk) path(age int) string { return d.name + "." + strconv.Itoa(age) + ".txt" }

// open opens the newest file, to go on with it.
func (d *disk) open() error {
	text, err := d.files.ReadFile(d.path(0))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.lines = bytes.Count(text, []byte("\n"))
	d.file, err = d.files.OpenFile(d.path(0), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return err
}

// Write appends a line, to a new file if the newest is full.
func (d *disk) Write(p []byte) (int, error) {
	if d.lines >= d.most {
		if err := d.rotate(); err != nil {
			return 0, err
		}
	}
	d.lines++
	return d.file.Write(p)
}

// rotate makes each file one older, and the oldest go.
func (d *disk) rotate() error {
	d.file.Close()
	for age := d.keep - 1; age > 0; age-- {
		if err := d.files.Rename(d.path(age-1), d.path(age)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := d.files.Remove(d.path(0)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.open()
}

// Close closes the newest file.
func (d *disk) Close() error { return d.file.Close() }

// line is an entry in a file.
func line(e journal.Entry, message string) string {
	return e.Time.Format(time.DateTime) + " " + e.Topics + " " + message + "\n"
}

// severities are syslog's for topics (RFC 3164, section 4.1.1), the most severe
// first.
var severities = []struct {
	topic string
	level int
}{{"critical", 2}, {"error", 3}, {"warning", 4}, {"debug", 7}}

// information is the severity of an entry without one.
const information = 6

// packet is an entry for a syslog server.
func packet(a Action, name string, e journal.Entry, message string) string {
	severity := a.Severity
	if severity < 0 {
		severity = information
		for _, s := range severities {
			if e.Has(s.topic) {
				severity = s.level
				break
			}
		}
	}
	priority := fmt.Sprintf("<%d>", a.Facility*8+severity)
	if !a.BSD {
		return priority + e.Topics + " " + message
	}
	return priority + e.Time.Format(time.Stamp) + " " + name + " " + e.Topics + ": " + message
}
