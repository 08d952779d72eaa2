// Package shelf keeps, on a gateway's own disk, the records of the ledger that it has read, by case, so that its next start reads only what came since and takes a case from the shelf when it is asked
// for (see [ledger.View.Resume]); and, sealed, what gateway/delivery knows of the applicants of open cases. The ledger stays the only truth: a shelf that is missing, of another ledger or another build, or in somebody else's hands costs one long start and nothing else.
//
// What is kept are the records themselves, not what they were folded into: so there is no second form of the state that could differ from the first, and a case from the shelf is the case that the
// whole ledger gives. A shelf is one bbolt file; what was put on it is there after a crash, as a whole or not at all. Every record carries a checksum, the tables that lead to it do not. It holds what the ledger holds: nothing
// personal outside sealed content.
//
// Rejected: snapshots of the folded state (a form of its own for every type, a new version with every change of the fold, and it grows with the ledger all the same), a table of the state by reference
// (the same in small pieces), and a copy of the log without an index (the fold is half of a start).
package shelf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// form is that of the files this package writes. What a case is awake, running or tied by is decided when a record is put on the shelf: a change of that is a new form, too.
const form = 2

// Name says whose shelf it is. A shelf with another name is emptied when it is opened.
type Name struct {
	Form    int    `json:"form"`
	Build   string `json:"build"`   // of the program: another one may fold other records
	Cluster string `json:"cluster"` // the brokers' name for themselves
	Topic   string `json:"topic"`
}

// busy is how long another process may take to let go of the file.
const busy = time.Second

// Shelf implements [ledger.Shelf]. It is safe for concurrent use by one process.
type Shelf struct {
	path string
	name Name
	db   *bolt.DB

	mu   sync.Mutex
	kept map[handover.CaseID][]byte // not written yet; nil: forgotten
}

// Open opens a shelf, or makes one. One that is damaged, or has another name, is emptied. When another process has it, the error has the code shelf-in-use; any other error says that no shelf can be
// kept there. Both are of kind Park: a gateway can do without.
func Open(path string, name Name) (*Shelf, error) {
	name.Form = form
	s := &Shelf{path: path, name: name, kept: map[handover.CaseID][]byte{}}
	err := s.open()
	if err != nil && !errors.Is(err, bolterrors.ErrTimeout) {
		if err = os.Remove(path); err == nil {
			err = s.open()
		}
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fault.New(fault.Park, "shelf.open", "shelf-in-use", "another process uses this shelf").At(path).Hint("give each gateway on this folder an instance of its own in kafka.instance")
	case err != nil:
		return nil, fault.New(fault.Park, "shelf.open", "shelf-unusable", "no shelf can be kept here").At(path).Because(err)
	}
	return s, nil
}

func (s *Shelf) open() (err error) {
	defer guarded(&err)()
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	if s.db, err = bolt.Open(s.path, 0o600, &bolt.Options{Timeout: busy}); err != nil {
		return err
	}
	if err = s.prepare(); err != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// guarded turns what happens to a library that meets a damaged page, or reads behind the end of a file that was cut, into an error of whoever defers what it returns.
func guarded(err *error) func() {
	was := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(was)
		if recover() != nil {
			*err = errDamaged
		}
	}
}

var errDamaged = fault.New(fault.Stop, "shelf", "shelf-damaged", "what the gateway keeps of the ledger on its disk is damaged").Hint("remove the file; the next start reads the whole ledger")

// bucket is the name of a table of the file.
type bucket string

const (
	meta    bucket = "meta"    // what follows
	base    bucket = "base"    // name -> order, record
	last    bucket = "last"    // partition -> order, record
	records bucket = "records" // order -> record
	cases   bucket = "cases"   // case -> orders
	ties    bucket = "ties"    // tie -> case
	tied    bucket = "tied"    // case -> case -> nothing
	awake   bucket = "awake"   // case -> nothing
	running bucket = "running" // case -> ledger.Running
	sealed  bucket = "sealed"  // case -> what is known of its applicant

	nameKey   = "name"
	totalsKey = "totals"
	orderKey  = "order" // of the last record
)

func buckets() []bucket {
	return []bucket{meta, base, last, records, cases, ties, tied, awake, running, sealed}
}

func (b bucket) in(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket([]byte(b)) }

// prepare empties a shelf with another name.
func (s *Shelf) prepare() (err error) {
	defer guarded(&err)() // here, so that open closes what it has opened
	name, err := json.Marshal(s.name)
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		if b := meta.in(tx); b != nil && bytes.Equal(b.Get([]byte(nameKey)), name) {
			return nil
		}
		for _, b := range buckets() {
			if err := tx.DeleteBucket([]byte(b)); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
			if _, err := tx.CreateBucket([]byte(b)); err != nil {
				return err
			}
		}
		return meta.in(tx).Put([]byte(nameKey), name)
	})
}

// Empty takes everything from the shelf.
func (s *Shelf) Empty() error {
	if err := errors.Join(s.db.Close(), os.Remove(s.path)); err != nil {
		return fault.Wrap(fault.Park, "shelf.empty", err)
	}
	return fault.Wrap(fault.Park, "shelf.empty", s.open())
}

// Close lets go of the file.
func (s *Shelf) Close() error { return fault.Wrap(fault.Park, "shelf.close", s.db.Close()) }

// view reads.
func (s *Shelf) view(op string, f func(*bolt.Tx) error) (err error) {
	defer func() { err = fault.Wrap(fault.Stop, op, err) }()
	defer guarded(&err)()
	return s.db.View(f)
}

// Start implements [ledger.Shelf].
func (s *Shelf) Start() (start ledger.Start, err error) {
	err = s.view("shelf.start", func(tx *bolt.Tx) error {
		b := meta.in(tx).Get([]byte(totalsKey))
		if b == nil {
			return nil
		}
		if err := json.Unmarshal(b, &start.Totals); err != nil {
			return err
		}
		if start.Base, err = all(base.in(tx)); err != nil {
			return err
		}
		if start.Last, err = all(last.in(tx)); err != nil {
			return err
		}
		start.Awake = names(awake.in(tx))
		start.Running = map[handover.CaseID]ledger.Running{}
		return running.in(tx).ForEach(func(k, v []byte) error {
			var r ledger.Running
			err := json.Unmarshal(v, &r)
			start.Running[caseOf(k)] = r
			return err
		})
	})
	return start, err
}

// Owners implements [ledger.Shelf].
func (s *Shelf) Owners(names []string) (owners []handover.CaseID, err error) {
	err = s.view("shelf.owners", func(tx *bolt.Tx) error {
		b := ties.in(tx)
		for _, n := range names {
			if id := b.Get([]byte(n)); id != nil {
				owners = append(owners, caseOf(id))
			}
		}
		return nil
	})
	return owners, err
}

// Case implements [ledger.Shelf].
func (s *Shelf) Case(id handover.CaseID) (found []ledger.Stored, others []handover.CaseID, err error) {
	err = s.view("shelf.case", func(tx *bolt.Tx) error {
		orders := cases.in(tx).Get(key(id))
		lies := records.in(tx)
		for len(orders) > 0 {
			order, n := binary.Uvarint(orders)
			if n <= 0 {
				return errDamaged
			}
			orders = orders[n:]
			r, err := decode(lies.Get(binary.BigEndian.AppendUint64(nil, order)))
			if err != nil {
				return err
			}
			r.Order = order
			found = append(found, r)
		}
		if b := tied.in(tx).Bucket(key(id)); b != nil {
			others = names(b)
		}
		return nil
	})
	return found, others, err
}

// Cases implements [ledger.Shelf].
func (s *Shelf) Cases(after []int64) (ids []handover.CaseID, err error) {
	err = s.view("shelf.cases", func(tx *bolt.Tx) (err error) {
		if after == nil {
			ids = names(cases.in(tx))
			return nil
		}
		ids, err = since(tx, after)
		return err
	})
	return ids, err
}

// since returns the cases of which something was said at or behind these offsets. The records are gone through from the end, each partition to where it is before them. The cases that somebody has mixed up are always
// among them: what was said in one of them may be about another.
func since(tx *bolt.Tx, after []int64) ([]handover.CaseID, error) {
	from := func(p int32) int64 {
		if int(p) < len(after) {
			return after[p]
		}
		return 0
	}
	ends, err := all(last.in(tx))
	if err != nil {
		return nil, err
	}
	behind := map[int32]bool{} // partitions that are not at their beginning yet
	for _, r := range ends {
		behind[r.Partition] = r.Offset >= from(r.Partition)
	}
	maps.DeleteFunc(behind, func(_ int32, is bool) bool { return !is })
	found := map[handover.CaseID]bool{}
	c := records.in(tx).Cursor()
	for k, b := c.Last(); k != nil && len(behind) > 0; k, b = c.Prev() {
		r, err := decode(b)
		switch {
		case err != nil:
			return nil, err
		case r.Offset < from(r.Partition):
			delete(behind, r.Partition)
		default:
			found[ledger.CaseOf(r.Value)] = true
		}
	}
	for _, id := range names(tied.in(tx)) {
		found[id] = true
	}
	return slices.Collect(maps.Keys(found)), nil
}

// Keep implements the interface of gateway/delivery: it is written with the next batch.
func (s *Shelf) Keep(id handover.CaseID, sealed []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[id] = sealed
}

// Kept implements the interface of gateway/delivery.
func (s *Shelf) Kept() (all map[handover.CaseID][]byte, err error) {
	all = map[handover.CaseID][]byte{}
	err = s.view("shelf.kept", func(tx *bolt.Tx) error {
		return sealed.in(tx).ForEach(func(k, v []byte) error {
			all[caseOf(k)] = slices.Clone(v)
			return nil
		})
	})
	return all, err
}

// key is a case's name in a bucket; bbolt knows no empty ones.
func key(id handover.CaseID) []byte { return append([]byte("c"), id...) }

func caseOf(key []byte) handover.CaseID { return handover.CaseID(key[1:]) }

// names returns the cases that are the keys of a bucket.
func names(b *bolt.Bucket) (ids []handover.CaseID) {
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		ids = append(ids, caseOf(k))
	}
	return ids
}

// Forget removes the file, for a shelf that has broken down: the next start finds none.
func (s *Shelf) Forget() error { return fault.Wrap(fault.Park, "shelf.forget", os.Remove(s.path)) }

// Build names this program. Two builds of the same sources that were changed by hand are told apart by the program's file.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fileOf()
	}
	settings := map[string]string{}
	for _, b := range info.Settings {
		settings[b.Key] = b.Value
	}
	name := info.Main.Version + " " + settings["vcs.revision"]
	if settings["vcs.revision"] == "" || settings["vcs.modified"] == "true" {
		name += " " + fileOf()
	}
	return name
}

// fileOf names the program by its file.
func fileOf() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return info.ModTime().UTC().Format(time.RFC3339Nano) + " " + strconv.FormatInt(info.Size(), 10)
}
