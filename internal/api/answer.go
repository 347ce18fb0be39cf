package api

import (
	"context"
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
	leave, err := c.place(j.ctx)
	if err != nil {
		return err
	}
	defer leave()
	count := 0
	err = c.rows(j, q, func(row *menu.Row) error {
		count++
		if q.counts {
			return nil
		}
		return r.row(q, row, -1)
	})
	switch {
	case err != nil:
		return err
	case q.counts:
		return r.doneWith(strconv.Itoa(count))
	case count == 0:
		if err := r.empty(); err != nil {
			return err
		}
	}
	return r.done()
}

// send sends the rows of one round of a monitor.
func send(q *call, r *reply, rows []*menu.Row, section int) error {
	for _, row := range rows {
		if err := r.row(q, row, section); err != nil {
			return err
		}
	}
	return r.flush()
}

// repeat prints again and again. It ends with an error: when the job is cancelled
// at the latest.
func (c *conn) repeat(j *job, q *call, r *reply) error {
	ticker := time.NewTicker(q.interval)
	defer ticker.Stop()
	for section := 0; ; section++ {
		leave, err := c.place(j.ctx)
		if err != nil {
			return err
		}
		err = c.rows(j, q, func(row *menu.Row) error { return r.row(q, row, section) })
		if err == nil {
			err = r.flush()
		}
		leave()
		if err != nil {
			return err
		}
		select {
		case <-j.ctx.Done():
			return interrupted()
		case <-ticker.C:
		}
	}
}

// place waits for a place among the answers that are being made.
func (c *conn) place(ctx context.Context) (leave func(), err error) {
	select {
	case c.places <- struct{}{}:
		return func() { <-c.places }, nil
	case <-ctx.Done():
		return nil, interrupted()
	}
}

// rows gives the rows that a print would show now. Who calls it has a place.
func (c *conn) rows(j *job, q *call, each func(*menu.Row) error) error {
	return c.server.cfg.Tree.Stream(j.ctx, j.user, &q.Request, func(some []*menu.Row) error {
		for _, row := range some {
			if err := each(row); err != nil {
				return err
			}
		}
		return nil
	})
}

func interrupted() *menu.Error { return menu.Errorf(menu.Interrupted, "interrupted") }
