package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// export answers with the configuration of a menu and all below it, as a file.
func (s *Server) export(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	m := s.cfg.Tree.Root()
	if path := strings.Trim(q.Get("path"), "/"); path != "" {
		m = m.At(path)
	}
	if m == nil || m.Command("export") == nil {
		return menu.Errorf(menu.NotFound, "no such command or directory (export)")
	}
	args := map[string]string{}
	switch q.Get("sensitive") {
	case "yes":
		if !v.may(menu.Sensitive) {
			return menu.Errorf(menu.Forbidden, "not enough permissions (9)")
		}
		args["show-sensitive"] = ""
	case "", "no":
	default:
		return badRequest("input does not match any value of sensitive")
	}
	var text strings.Builder
	_, err := s.cfg.Tree.Execute(r.Context(), v.treeUser(), &menu.Request{Menu: m, Command: m.Command("export"), Args: args}, func(rows []*menu.Row) error {
		for _, row := range rows {
			text.WriteString(row.Get("line"))
			text.WriteByte('\n')
		}
		return nil
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": exportName(s.cfg.Tree.Identity(), time.Now())}))
	h.Set("Content-Length", strconv.Itoa(text.Len()))
	_, _ = w.Write([]byte(text.String())) // a client that is gone needs no answer
	return nil
}

// exportName is the name of a file for a system with a name, of which it keeps what
// a file's name may have everywhere.
func exportName(identity string, now time.Time) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, identity)
	return clean + "-" + now.Format(time.DateOnly) + ".rsc"
}
