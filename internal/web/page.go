package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// page is the page with all that belongs to it.
//
//go:embed page
var page embed.FS

// index is what the path of the page itself gives.
const index = "index.html"

// contentTypes are the files that are served, and what they are. The system's own
// table could say otherwise.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8",
}

// A file is a part of the page.
type file struct {
	content    []byte
	kind       string
	tag        string // that changes with the content
	compressed func() []byte
}

// pageFiles gives the files of the page by their path below it.
func pageFiles() map[string]*file {
	files := map[string]*file{}
	_ = fs.WalkDir(page, "page", func(name string, d fs.DirEntry, err error) error { // of memory: it cannot fail
		kind := contentTypes[path.Ext(name)]
		if err != nil || d.IsDir() || kind == "" {
			return err
		}
		content, err := page.ReadFile(name)
		sum := sha256.Sum256(content)
		files[strings.TrimPrefix(name, "page/")] = &file{
			content: content, kind: kind, tag: hex.EncodeToString(sum[:12]),
			compressed: sync.OnceValue(func() []byte { return compress(content) }),
		}
		return err
	})
	return files
}

// compress makes a file smaller, or gives nil if it does not become so.
func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, _ = w.Write(content)                               // into memory
	_ = w.Close()
	if b.Len() >= len(content) {
		return nil
	}
	return b.Bytes()
}

// page answers with a file. A browser asks each time whether it is still the same,
// so that no half of the page is older than the other after an update.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem(w, http.StatusMethodNotAllowed, "")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	if name == "" {
		name = index
	}
	f := s.files[name]
	if f == nil {
		problem(w, http.StatusNotFound, "")
		return
	}
	content, tag := f.content, `"`+f.tag+`"`
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if small := f.compressed(); small != nil && accepts(r.Header.Get("Accept-Encoding"), "gzip") {
		content, tag = small, `"`+f.tag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	if mentions(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // a client that is gone needs no answer
	}
}

// accepts reports whether a client takes an encoding (RFC 9110, section 12.5.3).
func accepts(header, encoding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if strings.TrimSpace(name) == encoding {
			q, weighed := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			n, err := strconv.ParseFloat(q, 64)
			return !weighed || err == nil && n > 0
		}
	}
	return false
}

// mentions reports whether a list of tags has one, or is any (RFC 9110, section
// 13.1.2).
func mentions(header, tag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == tag || item == "*" {
			return true
		}
	}
	return false
}
