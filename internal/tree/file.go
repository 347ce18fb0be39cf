package tree

import (
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

const (
	// maxContents is the longest file whose contents are a property, in octets.
	maxContents = 32 << 10
	// maxShown bounds what one look at the files reads of them, in octets.
	maxShown = 4 << 20
	// maxFiles is how many files are shown: more are no list for anybody.
	maxFiles = 10_000
)

// A fileMenu is /file: what export, print and the log wrote, and what import reads.
type fileMenu struct {
	menu *menu.Menu
	tree *Tree
}

func (t *Tree) newFiles() *fileMenu {
	return &fileMenu{tree: t, menu: &menu.Menu{
		Name: "file", Help: "Files of the system: exports, logs, scripts to import", NameKey: "name", Layout: menu.Table,
		Columns: []menu.Column{{Property: "name"}, {Property: "type"}, {Property: "size"}, {Property: "last-modified"}},
		Properties: []menu.Property{
			{Name: "name", Type: menu.FileName{}, Required: true, Help: "Name of the file"},
			readOnly("type", menu.String{}, "What the file is, by the end of its name"),
			readOnly("size", size{counter}, "Size of the file"),
			readOnly("last-modified", menu.DateTime{}, "When the file was last written"),
			{Name: "contents", Type: scriptText{menu.String{Max: maxContents}}, Optional: true, Sensitive: true,
				Help: "Text of the file, if it is text and small; an export may hold passwords"},
		},
		Commands: []*menu.Command{
			{Name: "add", Help: "Create a new file", Policy: menu.Write, Changes: true},
			menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Set(false),
		},
	}}
}

// A listed file is a row with the name that the system knows the file by, which may
// hold what no terminal should see.
type listed struct {
	row  *menu.Row
	name string
}

// list reads the directory.
func (m *fileMenu) list() []listed {
	if m.tree.files == nil {
		return nil
	}
	dir, err := m.tree.files.Open(".")
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(maxFiles) // what was read before an error is shown
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var out []listed
	room := maxShown
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		r := m.menu.NewRow(fileID(e.Name()))
		r.Put("name", menu.Clean(e.Name()))
		r.Put("type", fileType(e.Name()))
		r.Put("size", strconv.FormatInt(info.Size(), 10))
		r.Put("last-modified", menu.FormatDateTime(info.ModTime()))
		if n := info.Size(); n <= maxContents && int(n) <= room {
			if text, ok := m.text(e.Name()); ok {
				r.Put("contents", text)
				room -= len(text)
			}
		}
		out = append(out, listed{r, e.Name()})
	}
	return out
}

// fileID is the id of a file. It is made of its name, so that it stays the same;
// 48 bits keep any two of the files apart.
func fileID(name string) menu.ID {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return menu.ID(h.Sum64() >> 16)
}

// fileType is RouterOS's word for a file, by the end of its name.
func fileType(name string) string {
	switch end := path.Ext(name); end {
	case scriptSuffix:
		return "script"
	case "", ".":
		return "file"
	default:
		return menu.Clean(end) + " file"
	}
}

// text gives the contents of a small file if they are text.
func (m *fileMenu) text(name string) (string, bool) {
	f, err := m.tree.files.Open(name)
	if err != nil {
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxContents+1)) // it may have grown
	if err != nil || len(b) > maxContents || !utf8.Valid(b) || slices.Contains(b, 0) {
		return "", false
	}
	return string(b), true
}

func (m *fileMenu) rows() []*menu.Row {
	var rows []*menu.Row
	for _, f := range m.list() {
		rows = append(rows, f.row)
	}
	return rows
}

func (m *fileMenu) item(text string) (*menu.Row, error) { return pick(m.rows(), text) }

// chosen gives the files that items name.
func (m *fileMenu) chosen(items []string) ([]listed, error) {
	all := m.list()
	rows := make([]*menu.Row, len(all))
	for i, f := range all {
		rows[i] = f.row
	}
	var out []listed
	for _, text := range items {
		r, err := pick(rows, text)
		if err != nil {
			return nil, err
		}
		if f := all[slices.Index(rows, r)]; !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

// values reads what is to be set.
func (m *fileMenu) values(set []menu.Assignment) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range set {
		p := m.menu.Property(v.Name)
		if p == nil || !p.Settable() {
			return nil, menu.Errorf(menu.BadArgument, "unknown parameter %s", v.Name)
		}
		text := ""
		switch {
		case v.Unset && p.Required:
			return nil, menu.Missing(p.Name)
		case !v.Unset:
			var err error
			if text, err = p.Type.Parse(p.Name, v.Value, nil); err != nil {
				return nil, err
			}
		}
		out[p.Name] = text
	}
	return out, nil
}

var errFileExists = menu.Errorf(menu.Refused, "failure: file with such name already exists")

// add makes a file.
func (m *fileMenu) add(u User, r *menu.Request) ([]string, error) {
	values, err := m.values(r.Values)
	if err != nil {
		return nil, err
	}
	name, given := values["name"]
	switch {
	case !given:
		return nil, menu.Missing("name")
	case m.tree.files == nil:
		return nil, menu.Errorf(menu.Refused, "failure: this system keeps no files")
	}
	m.tree.change.Lock()
	defer m.tree.change.Unlock()
	f, err := m.tree.files.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, errFileExists
	case err != nil:
		return nil, menu.Errorf(menu.Internal, "failure: cannot write the file: %v", err)
	}
	_, err = f.WriteString(values["contents"])
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, menu.Errorf(menu.Internal, "failure: cannot write the file: %v", err)
	}
	m.tell(u, name, "added")
	return []string{fileID(name).String()}, nil
}

// assign gives files new contents or one of them a new name.
func (m *fileMenu) assign(u User, items []string, set []menu.Assignment) error {
	values, err := m.values(set)
	if err != nil {
		return err
	}
	m.tree.change.Lock()
	defer m.tree.change.Unlock()
	files, err := m.chosen(items)
	if err != nil {
		return err
	}
	name, rename := values["name"]
	if rename && len(files) > 0 && (len(files) > 1 || name != files[0].name) {
		if _, err := m.tree.files.Lstat(name); err == nil || len(files) > 1 {
			return errFileExists
		}
	}
	for _, f := range files {
		if text, given := values["contents"]; given {
			if err := m.tree.writeFile(u, f.name, []byte(text), false); err != nil {
				return err
			}
		}
		if rename && name != f.name {
			if err := m.tree.files.Rename(f.name, name); err != nil {
				return menu.Errorf(menu.Internal, "failure: cannot rename the file: %v", err)
			}
		}
		m.tell(u, f.name, "changed")
	}
	return nil
}

// remove deletes files.
func (m *fileMenu) remove(u User, items []string) error {
	m.tree.change.Lock()
	defer m.tree.change.Unlock()
	files, err := m.chosen(items)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := m.tree.files.Remove(f.name); err != nil {
			return menu.Errorf(menu.Internal, "failure: cannot remove the file: %v", err)
		}
		m.tell(u, f.name, "removed")
	}
	return nil
}

// tell writes a change to the log.
func (m *fileMenu) tell(u User, name, what string) {
	m.tree.journal.Addf("system,info", "file <%s> %s by %s", menu.Clean(name), what, u.origin())
}
