package rest

import (
	"net/http"

	"gopptp/internal/menu"
)

// partSize is how much of a long answer is made before it is sent, in octets.
const partSize = 32 << 10

// stream answers a print with an array of its rows. One that is longer than a
// part is sent while it is made, and takes no more memory than that.
func (q *request) stream(e encoder, r *menu.Request) (answer, error) {
	b := []byte{'['}
	rows, sent := 0, false
	send := func() error {
		if !sent {
			q.w.Header().Set("Content-Type", contentType)
			sent = true
		}
		_, err := q.w.Write(b)
		b = b[:0]
		return err
	}
	// The time for commands is not for sending: the server has its own for that.
	err := q.tree.Stream(q.sending, q.user, r, func(some []*menu.Row) error {
		for _, row := range some {
			if rows > 0 {
				b = append(b, ',')
			}
			rows++
			b = e.append(b, row, noSection)
			if len(b) >= partSize {
				if err := send(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	b = append(b, ']')
	switch {
	case err == nil && !sent:
		return answer{status: http.StatusOK, body: b}, nil
	case err == nil:
		err = send()
	case !sent:
		return answer{}, err
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the only way to end an answer without making it look whole
	}
	return answer{sent: true}, nil
}
