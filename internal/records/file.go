package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A file is the newest of a sort; the older ones have a number. It holds whole lines
// only, whatever ended the program that wrote them.
type file struct {
	dir, name string
	keep      Settings
	f         *os.File
	size      int64
}

// openFile opens the newest file of a sort to go on with it.
func openFile(dir, name string, keep Settings) (*file, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	f := &file{dir: dir, name: name, keep: keep}
	if err := f.open(); err != nil {
		return nil, err
	}
	f.prune()
	return f, nil
}

// path gives the name of a file by its age; 0 is the newest.
func (f *file) path(age int) string {
	if age == 0 {
		return filepath.Join(f.dir, f.name+suffix)
	}
	return filepath.Join(f.dir, f.name+"."+strconv.Itoa(age)+suffix)
}

func (f *file) open() error {
	opened, err := os.OpenFile(f.path(0), os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	info, err := opened.Stat()
	if err == nil {
		f.f, f.size = opened, info.Size()
		err = f.mend()
	}
	if err != nil {
		opened.Close()
		f.f = nil
		return fmt.Errorf("records: %w", err)
	}
	return nil
}

// mendPart is how much is read at a time in search of the last whole line.
const mendPart = 4096

// mend cuts off a line that was not written to its end.
func (f *file) mend() error {
	whole := f.size
	buf := make([]byte, mendPart)
	for end := f.size; end > 0; {
		part := buf[:min(end, mendPart)]
		end -= int64(len(part))
		if _, err := f.f.ReadAt(part, end); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			whole = end + int64(i) + 1
			break
		}
		whole = end
	}
	if whole == f.size {
		return nil
	}
	f.size = whole
	return f.f.Truncate(whole)
}

// write appends a line, to a new file if this one would be too large. What others
// took away or cut is begun anew.
func (f *file) write(line []byte) error {
	if err := f.look(); err != nil {
		return err
	}
	if f.size > 0 && f.size+int64(len(line)) > f.keep.Size {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.f.Write(line)
	if err != nil {
		if n > 0 { // nobody finds half a line
			err = errors.Join(err, f.f.Truncate(f.size))
		}
		return fmt.Errorf("records: %w", err)
	}
	f.size += int64(n)
	return nil
}

// look sees whether the file is still where it was: people and logrotate move files
// away.
func (f *file) look() error {
	there, err := os.Stat(f.path(0))
	if err == nil {
		var here os.FileInfo
		if here, err = f.f.Stat(); err == nil && os.SameFile(there, here) {
			f.size = here.Size()
			return nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("records: %w", err)
	}
	f.f.Close() // its last line is as much on the disk as it ever was
	return f.open()
}

// rotate makes each file one older; the oldest go.
func (f *file) rotate() error {
	if err := f.close(); err != nil {
		return err
	}
	for age := f.keep.Files - 1; age > 0; age-- {
		if err := os.Rename(f.path(age-1), f.path(age)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("records: %w", err)
		}
	}
	if f.keep.Files <= 1 {
		if err := os.Remove(f.path(0)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("records: %w", err)
		}
	}
	return f.open()
}

// prune removes the files above those that are kept, of a time when there were more.
func (f *file) prune() {
	for age := max(f.keep.Files, 1); age < MaxFiles; age++ {
		_ = os.Remove(f.path(age)) // mostly there is none; one that stays costs its room only
	}
}

// close brings the file to the disk.
func (f *file) close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.f.Sync(), f.f.Close())
	f.f = nil
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return nil
}
