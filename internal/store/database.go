package store

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// A database is a key-value store: the door that an embedded file stands behind
// today, and that a remote service fits as well.
type database interface {
	// scan gives every pair of a table, in the order of the keys.
	scan(table string, fn func(key, value []byte)) error
	// apply does all of ops or none, and has them on the disk when it returns.
	apply(ops []op) error
	close() error
}

// An op puts a pair into a table, or deletes the key if the value is nil.
type op struct {
	table      string
	key, value []byte
}

// lockTimeout is how long to wait for the lock of another daemon. One that is
// just ending lets go at once; one that runs never does.
const lockTimeout = time.Second

// bolt is the embedded database.
type bolt struct{ db *bbolt.DB }

func openBolt(path string) (database, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, bbolt.ErrTimeout) {
		return nil, fmt.Errorf("store: %s: %w", path, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	// The file holds passwords in clear, as CHAP needs them. One that was copied
	// here may have had another mode.
	if err := os.Chmod(path, 0o600); err != nil {
		db.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	return bolt{db}, nil
}

func (b bolt) scan(table string, fn func(key, value []byte)) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(table))
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(k, v []byte) error {
			fn(k, v)
			return nil
		})
	})
}

func (b bolt) apply(ops []op) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		for _, o := range ops {
			bucket, err := tx.CreateBucketIfNotExists([]byte(o.table))
			if err != nil {
				return err
			}
			if o.value == nil {
				err = bucket.Delete(o.key)
			} else {
				err = bucket.Put(o.key, o.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (b bolt) close() error { return b.db.Close() }
