package api

import (
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// answer carries out a command and writes its whole answer. If the command goes on
// until it is cancelled, answer lets it do so in a goroutine of its own, which
// ends the job. An error of writing has closed the connection, which ends the
// rest.
func (c *conn) answer(j *job) (goesOn bool) {
	r := c.reply(j.sentence)
	if j.malformed {
		_ = r.trap(&trap{categoryAPI, "malformed word"})
		return false
	}
	q, err := translate(c.server.cfg.Tree.Root(), &j.sentence)
	if err != nil {
		_ = r.trap(trapOf(err))
		return false
	}
	run := func() {
		if err := c.execute(j, q, r); err != nil {
			_ = r.trap(trapOf(err))
		}
	}
	if !q.goesOn() {
		run()
		return false
	}
	if !c.goOn(j, run) {
		_ = r.trap(errTooMany)
		return false
	}
	return true
}

// execute carries out a call, and ends its answer unless it gives an error.
func (c *conn) execute(j *job, q *call, r *reply) error {
	switch {
	case q.listens:
		return c.listen(j, q, r)
	case q.interval > 0:
		return c.repeat(j, q, r)
	}
	if q.prints {
		return c.print(j, q, r)
	}
	section := -1
	value, err := c.server.cfg.Tree.Execute(j.ctx, j.user, &q.Request, func(some []*menu.Row) error {
		if q.monitors() {
			section++
		}
		return send(q, r, some, section)
	})
	switch {
	case err != nil:
		return err
	case value != nil:
		return r.doneWith(strings.Join(value, ";"))
	}
	return r.done()
}

// print answers with rows, or with how many there are.
func (c *conn) print(j *job, q *call, r *reply) error {
	rows := 0
	err := c.server.cfg.Tree.Stream(j.ctx, j.user, &q.Request, func(some []*menu.Row) error {
		rows += len(some)
		if q.counts {
			return nil
		}
		return put(q, r, some, -1)
	})
	switch {
	case err != nil:
		return err
	case q.counts:
		return r.doneWith(strconv.Itoa(rows))
	case rows == 0:
		if err := r.empty(); err != nil {
			return err
		}
	}
	return r.done()
}

// send sends the rows of one round.
func send(q *call, r *reply, rows []*menu.Row, section int) error {
	if err := put(q, r, rows, section); err != nil {
		return err
	}
	return r.flush()
}

// put puts rows on their way.
func put(q *call, r *reply, rows []*menu.Row, section int) error {
	for _, row := range rows {
		if err := r.row(q, row, section); err != nil {
			return err
		}
	}
	return nil
}

// repeat prints again and again. It ends with an error: when the job is cancelled
// at the latest.
func (c *conn) repeat(j *job, q *call, r *reply) error {
	ticker := time.NewTicker(q.interval)
	defer ticker.Stop()
	for section := 0; ; section++ {
		rows, err := c.rows(j, q)
		if err != nil {
			return err
		}
		if err := send(q, r, rows, section); err != nil {
			return err
		}
		select {
		case <-j.ctx.Done():
			return interrupted()
		case <-ticker.C:
		}
	}
}

// rows gives the rows that a print would show now.
func (c *conn) rows(j *job, q *call) (rows []*menu.Row, err error) {
	_, err = c.server.cfg.Tree.Execute(j.ctx, j.user, &q.Request, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	return rows, err
}

func interrupted() *menu.Error { return menu.Errorf(menu.Interrupted, "interrupted") }
