package radius

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxRecords bounds the records on disk: a day of 1000 sessions that are counted
// every 15 minutes, about 50 MB.
const maxRecords = 100_000

var (
	recordBucket = []byte("records") // big-endian number → Record in JSON
	metaBucket   = []byte("meta")
	bootKey      = []byte("boots")
)

// A queue is records on disk, in the order of their numbers, with an index in
// memory. It is safe for concurrent use.
type queue struct {
	db         *bolt.DB
	boots      uint64 // how often the file was opened
	unreadable int    // records that were thrown away when it was opened

	mu    sync.Mutex
	index []entry // guarded by mu; by number
	limit int
}

// An entry is what has to be known of a record to choose the next one to send.
type entry struct {
	number  uint64
	status  Status
	session Session // whose servers are asked, and whose records stay in order
	flight  bool    // on its way
}

// openQueue opens or makes the file.
func openQueue(path string, limit int) (*queue, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("radius: accounting: open: %w", err)
	}
	q := &queue{db: db, limit: limit}
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		if v := meta.Get(bootKey); len(v) == 8 {
			q.boots = binary.BigEndian.Uint64(v)
		}
		q.boots++
		if err := meta.Put(bootKey, binary.BigEndian.AppendUint64(nil, q.boots)); err != nil {
			return err
		}
		b, err := tx.CreateBucketIfNotExists(recordBucket)
		if err != nil {
			return err
		}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var r Record
			if len(k) != 8 || json.Unmarshal(v, &r) != nil {
				q.unreadable++
				if err := c.Delete(); err != nil {
					return err
				}
				continue
			}
			q.index = append(q.index, entry{number: binary.BigEndian.Uint64(k), status: r.Status, session: r.Session})
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("radius: accounting: %w", err)
	}
	return q, nil
}

// add puts a record on disk; when it returns, the record survives the machine.
// Of a full queue it drops the oldest interim that is not on its way, else the
// oldest record; dropped says which. Adding at the same time shares a commit.
func (q *queue) add(r Record) (dropped Status, err error) {
	v, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("radius: accounting: %w", err)
	}
	victim, full := q.victim()
	var number uint64
	err = q.db.Batch(func(tx *bolt.Tx) error {
		b := tx.Bucket(recordBucket)
		if full {
			if err := b.Delete(key(victim.number)); err != nil {
				return err
			}
		}
		if number, err = b.NextSequence(); err != nil {
			return err
		}
		return b.Put(key(number), v)
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		if full {
			q.insertLocked(victim)
		}
		return 0, fmt.Errorf("radius: accounting: %w", err)
	}
	q.insertLocked(entry{number: number, status: r.Status, session: r.Session})
	return victim.status, nil
}

// victim takes the record that has to go out of the index of a full queue.
func (q *queue) victim() (v entry, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.index) < q.limit {
		return entry{}, false
	}
	at := slices.IndexFunc(q.index, func(e entry) bool { return e.status == Interim && !e.flight })
	if at < 0 {
		at = slices.IndexFunc(q.index, func(e entry) bool { return !e.flight })
	}
	if at < 0 {
		return entry{}, false
	}
	v = q.index[at]
	q.index = slices.Delete(q.index, at, at+1)
	return v, true
}

// insertLocked keeps the order of numbers; commits that end at the same time may
// come here in any order.
func (q *queue) insertLocked(e entry) {
	at := len(q.index)
	for at > 0 && q.index[at-1].number > e.number {
		at--
	}
	q.index = slices.Insert(q.index, at, e)
}

// window bounds how far behind the oldest record one is looked for that can be
// sent beside it.
const window = 1024

// next gives the first record that can be sent: no earlier one of its session is
// left, no On or Off is before it, and ready says yes. It counts as on its way
// until done or later.
func (q *queue) next(ready func(entry) bool) (Record, entry, bool, error) {
	q.mu.Lock()
	var e entry
	held := map[string]bool{}
	for i := range q.index[:min(len(q.index), window)] {
		at := &q.index[i]
		barrier := at.status == On || at.status == Off
		if barrier && i > 0 {
			break
		}
		if !at.flight && !held[at.session.ID] && ready(*at) {
			at.flight = true
			e = *at
			break
		}
		if barrier {
			break
		}
		held[at.session.ID] = true
	}
	q.mu.Unlock()
	if e.number == 0 {
		return Record{}, entry{}, false, nil
	}
	var r Record
	err := q.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket(recordBucket).Get(key(e.number))
		if v == nil {
			return errors.New("radius: accounting: a record is gone")
		}
		return json.Unmarshal(v, &r)
	})
	return r, e, true, err
}

// later puts a record back that was not taken.
func (q *queue) later(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := q.findLocked(e.number); at >= 0 {
		q.index[at].flight = false
	}
}

// done removes a record that a server has.
func (q *queue) done(e entry) error {
	err := q.db.Batch(func(tx *bolt.Tx) error { return tx.Bucket(recordBucket).Delete(key(e.number)) })
	q.mu.Lock()
	defer q.mu.Unlock()
	// Even if it is still on disk: it would be sent twice after a restart, which is
	// better than at once and for ever.
	if at := q.findLocked(e.number); at >= 0 {
		// What is before it is short, what is behind may be long.
		copy(q.index[1:at+1], q.index[:at])
		q.index[0] = entry{}
		q.index = q.index[1:]
	}
	return err
}

func (q *queue) findLocked(number uint64) int {
	at, ok := slices.BinarySearchFunc(q.index, number, func(e entry, n uint64) int {
		switch {
		case e.number < n:
			return -1
		case e.number > n:
			return 1
		}
		return 0
	})
	if !ok {
		return -1
	}
	return at
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.index)
}

func (q *queue) close() error { return q.db.Close() }

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }
