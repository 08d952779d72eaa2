package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Errors of Write.
var (
	// ErrNoCase: the case does not exist; nothing was written.
	ErrNoCase = errors.New("the case does not exist")
	// ErrNoRecord: the entry that is to be recalled or corrected does not stand in the case, or is of another kind; nothing was written.
	ErrNoRecord = errors.New("the entry that is referred to does not stand in the case, or is of another kind")
	// ErrNotText: the content is not valid UTF-8; nothing was written.
	ErrNotText = errors.New("the entry is not valid UTF-8")
	// ErrClosed: the store is closed; nothing was written.
	ErrClosed = errors.New("the store is closed")
)

// Options say what a store is.
type Options struct {
	System handover.SystemID
	// Dir holds the journal; empty: memory only. A journal that is there already is read back.
	Dir string
	// Unique makes a second write with the same reference return the first entry (mode A).
	Unique bool
	// Shared is true for a platform with one case for all parties: cases have no dossier.
	Shared bool
	// NewID makes ids in the system's style; kind is "case" or "entry", n counts from 1. Nil: "case-1", "entry-1".
	NewID func(kind string, n uint64) string
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Write is what is to be recorded.
type Write struct {
	Case          native.CaseKey // empty opens a case
	Kind          native.Kind
	Organisation  handover.OrganisationID
	Dossier       handover.OrganisationID // used when a case is opened; empty: the organisation's
	CaseReference handover.CaseID         // empty: as the case's opening write said
	Reference     native.Reference
	Action        handover.Action // empty: a new entry
	Refers        native.RecordID // of a recall or correction: an entry of the same case and kind
	Documents     []string        // hashes of the documents that the body names; each must stand here already
	By            string
	Body          []byte
}

// text reports whether everything can stand in a journal line.
func (w Write) text() bool {
	for _, s := range []string{string(w.Case), string(w.Kind), string(w.Organisation), string(w.Dossier), string(w.CaseReference), string(w.Reference), string(w.Refers)} {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return utf8.Valid(w.Body)
}

// Store holds the entries of one native system. It is safe for concurrent use; what it returns is committed.
type Store struct {
	options Options
	journal *journal
	cabinet *cabinet
	queue   chan *pending
	done    chan struct{}

	gate   sync.RWMutex // held for reading while a write is put into the queue
	closed bool

	mu      sync.RWMutex
	entries []filed // only ever appended to
	byCase  map[native.CaseKey][]int
	byRef   map[native.Reference]int   // the first entry with it
	again   map[native.Reference][]int // the others, of which there are few
	byID    map[native.RecordID]int
	changed chan struct{}
}

// Open opens a store and reads its journal back. Close must be called.
func Open(o Options) (*Store, error) {
	if o.NewID == nil {
		o.NewID = func(kind string, n uint64) string { return fmt.Sprintf("%s-%d", kind, n) }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	j, entries, err := openJournal(o.Dir, o.System)
	if err != nil {
		return nil, err
	}
	held, err := openCabinet(o.Dir, o.System)
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	s := &Store{
		options: o, journal: j, cabinet: held, queue: make(chan *pending, batchLimit), done: make(chan struct{}), changed: make(chan struct{}),
		byCase: map[native.CaseKey][]int{}, again: map[native.Reference][]int{},
		byRef: make(map[native.Reference]int, len(entries)), byID: make(map[native.RecordID]int, len(entries)),
	}
	c := newCommitter(s)
	s.publish(entries)
	go c.run()
	return s, nil
}

// Write records one entry and returns when it is on disk. existed is true when the reference stood there already (Unique only). Once the write is queued
// it is carried out even if ctx ends. Errors are ErrNoCase, ErrNoRecord, ErrNoDocument, ErrNotText, ErrClosed, ctx's, or a failure of the journal, after which the store takes nothing more.
func (s *Store) Write(ctx context.Context, w Write) (e Entry, existed bool, err error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, false, err
	}
	if !w.text() {
		return Entry{}, false, ErrNotText
	}
	p := &pending{write: w, done: make(chan struct{})}
	if !s.enqueue(p) {
		return Entry{}, false, ErrClosed
	}
	<-p.done
	return p.entry, p.existed, p.err
}

func (s *Store) enqueue(p *pending) bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return false
	}
	s.queue <- p
	return true
}

// Close waits for the writes that are under way and closes the journal. It may be called twice.
func (s *Store) Close() error {
	s.gate.Lock()
	first := !s.closed
	if first {
		s.closed = true
		close(s.queue)
	}
	s.gate.Unlock()
	<-s.done
	if !first {
		return nil
	}
	return s.journal.close()
}

// publish makes committed entries visible and wakes the watchers.
func (s *Store) publish(entries []filed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := len(s.entries)
	if first == 0 {
		s.entries = entries // what was read back is not copied
	} else {
		s.entries = append(s.entries, entries...)
	}
	for n := range entries {
		e, i := &entries[n].Entry, first+n
		s.byCase[e.Case] = append(s.byCase[e.Case], i)
		s.byID[e.ID] = i
		if _, twice := s.byRef[e.Reference]; twice {
			s.again[e.Reference] = append(s.again[e.Reference], i)
		} else if e.Reference != "" {
			s.byRef[e.Reference] = i
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}
