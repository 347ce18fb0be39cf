package logging

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
)

// open opens the output of an action.
func open(a Action, files *os.Root) (io.WriteCloser, error) {
	switch {
	case a.Target == Remote && (!a.Server.IsValid() || a.Server.Addr().IsUnspecified()):
		return nil, errors.New("no server is set")
	case a.Target == Remote && a.TCP:
		return newStream(a), nil
	case a.Target == Remote:
		dialer := net.Dialer{}
		if a.Source.IsValid() {
			dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.Source, 0))
		}
		return dialer.Dial("udp", a.Server.String())
	case files == nil:
		return nil, errors.New("this system keeps no files")
	}
	d := &disk{files: files, name: a.File, suffix: ".txt", most: a.Lines, keep: a.Files}
	if a.Format == JSON {
		d.suffix = ".jsonl"
	}
	return d, d.open()
}

// A disk is the files of an action: NAME.0.txt is the newest, or NAME.0.jsonl.
type disk struct {
	files      *os.Root
	name       string
	suffix     string
	most, keep int
	file       *os.File // nil while it could not be opened
	lines      int      // in file
}

// path gives the name of a file by its age.
func (d *disk) path(age int) string { return d.name + "." + strconv.Itoa(age) + d.suffix }

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
	if d.file == nil { // the others have made room for it, or will
		if err := d.open(); err != nil {
			return 0, err
		}
	}
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
	d.file = nil
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
func (d *disk) Close() error {
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}
