package doctor

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// maxProcesses bounds the processes that are looked at.
const maxProcesses = 100_000

// text reads a file of the machine's; it is empty where there is none.
func (e *exam) text(name string) string {
	b, err := fs.ReadFile(e.m.Files(), name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// exists reports whether there is a file, or a link that leads nowhere.
func (e *exam) exists(name string) bool {
	_, err := fs.Lstat(e.m.Files(), name)
	return err == nil
}

// A process is one of the machine.
type process struct {
	pid  int
	name string // of its program, as the kernel has it: at most 15 octets
}

func (p process) String() string { return p.name + " (PID " + strconv.Itoa(p.pid) + ")" }

// processes gives those whose names are wanted.
func (e *exam) processes(names ...string) (out []process) {
	entries, err := fs.ReadDir(e.m.Files(), "proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries[:min(len(entries), maxProcesses)] {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		name := e.text(path.Join("proc", entry.Name(), "comm"))
		for _, n := range names {
			if name == n {
				out = append(out, process{pid, name})
			}
		}
	}
	return out
}

// names writes processes for people.
func names(list []process) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

// inodes gives the sockets that listen on a TCP port, from the file that the kernel
// shows them in.
func inodes(table string, port uint16) map[string]bool {
	const (
		listening                                  = "0A" // TCP_LISTEN
		fieldLocal, fieldState, fieldInode, fewest = 1, 3, 9, 10
	)
	wanted := ":" + strings.ToUpper(strconv.FormatUint(uint64(port)+1<<16, 16)[1:])
	out := map[string]bool{}
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) >= fewest && f[fieldState] == listening && strings.HasSuffix(f[fieldLocal], wanted) {
			out[f[fieldInode]] = true
		}
	}
	return out
}

// owners gives the processes that have one of some sockets.
func (e *exam) owners(sockets map[string]bool) (out []process) {
	entries, err := fs.ReadDir(e.m.Files(), "proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries[:min(len(entries), maxProcesses)] {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		dir := path.Join("proc", entry.Name(), "fd")
		files, err := fs.ReadDir(e.m.Files(), dir)
		if err != nil {
			continue // it has ended, or is another user's
		}
		for _, f := range files {
			link, err := fs.ReadLink(e.m.Files(), path.Join(dir, f.Name()))
			if err != nil {
				continue
			}
			if inode, ok := strings.CutPrefix(link, "socket:["); ok && sockets[strings.TrimSuffix(inode, "]")] {
				out = append(out, process{pid, e.text(path.Join("proc", entry.Name(), "comm"))})
				break
			}
		}
	}
	return out
}

// field gives a field of /proc/PID/status or /proc/PID/limits: what follows its name.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// module reports whether the kernel has a module, loaded or built in.
func (e *exam) module(name string) bool { return e.exists("sys/module/" + name) }

// sysctl gives a setting of the kernel's network.
func (e *exam) sysctl(name string) string { return e.text("proc/sys/net/" + name) }
