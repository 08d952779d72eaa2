package core

import (
	"fmt"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// batchLimit is the most writes that one fsync serves.
const batchLimit = 512

// pending is a write that waits for its place in the journal.
type pending struct {
	write   Write
	entry   Entry
	existed bool
	err     error
	done    chan struct{}
}

// opened is what the committer knows of a case.
type opened struct {
	entries   uint64
	dossier   handover.OrganisationID
	reference handover.CaseID
}

// stood is where an entry stands and what it is.
type stood struct {
	in   native.CaseKey
	kind native.Kind
}

// committer decides on writes one after the other and puts them on disk in batches. What the store does not show yet, the batch that is being written, it knows from
// its own books. After a failure of the journal nobody knows what is on disk, so it refuses everything from then on.
type committer struct {
	store  *Store
	number uint64
	known  int // cases
	cases  map[native.CaseKey]opened
	refs   map[native.Reference]Entry
	ids    map[native.RecordID]stood
	broken error
}

func newCommitter(s *Store) *committer {
	return &committer{store: s, cases: map[native.CaseKey]opened{}, refs: map[native.Reference]Entry{}, ids: map[native.RecordID]stood{}}
}

// run works until the store's queue is closed and empty.
func (c *committer) run() {
	defer close(c.store.done)
	for first := range c.store.queue {
		c.commit(c.gather(first))
	}
}

// gather takes what is waiting already, without waiting for more.
func (c *committer) gather(first *pending) []*pending {
	batch := []*pending{first}
	for len(batch) < batchLimit {
		select {
		case p, ok := <-c.store.queue:
			if !ok {
				return batch
			}
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

func (c *committer) commit(batch []*pending) {
	var lines []byte
	var entries []filed
	c.begin()
	for _, p := range batch {
		if c.decide(p); p.err != nil || p.existed {
			continue
		}
		if lines, p.err = appendLine(lines, p.entry); p.err != nil {
			c.broken = p.err
			continue
		}
		entries = append(entries, filed{Entry: p.entry})
	}
	if c.broken == nil {
		c.broken = c.store.journal.append(lines)
	}
	if c.broken == nil && len(entries) > 0 {
		c.store.publish(entries)
	}
	for _, p := range batch {
		if c.broken != nil {
			p.err = fmt.Errorf("the journal failed: %w", c.broken)
		}
		close(p.done)
	}
}

// decide makes the entry that a write leads to.
func (c *committer) decide(p *pending) {
	w := p.write
	if first, ok := c.first(w.Reference); ok {
		p.entry, p.existed = first, true
		return
	}
	if p.err = c.objection(w); p.err != nil {
		return
	}
	e := Entry{
		Number: c.number + 1, Case: w.Case, Kind: w.Kind, Organisation: w.Organisation, CaseReference: w.CaseReference, Reference: w.Reference,
		Action: w.Action, Refers: w.Refers, Documents: w.Documents, By: w.By, At: c.store.options.Clock().UTC().Round(0), Body: append([]byte{}, w.Body...),
	}
	e.ID = native.RecordID(c.store.options.NewID("entry", e.Number))
	if w.Case == "" {
		e.Case = native.CaseKey(c.store.options.NewID("case", uint64(c.known)+1))
		e.Dossier, e.Sequence = c.dossier(w), 1
	} else {
		in, _ := c.opened(w.Case)
		e.Dossier, e.Sequence = in.dossier, in.entries+1
		if e.CaseReference == "" {
			e.CaseReference = in.reference
		}
	}
	c.learn(e)
	p.entry = e
}

// objection returns why a write cannot stand.
func (c *committer) objection(w Write) error {
	if _, known := c.opened(w.Case); w.Case != "" && !known {
		return ErrNoCase
	}
	if old, known := c.stood(w.Refers); (w.Refers != "" || w.Action != "") && (!known || old != stood{w.Case, w.Kind}) {
		return ErrNoRecord
	}
	for _, hash := range w.Documents {
		if !c.store.HasDocument(hash) {
			return ErrNoDocument
		}
	}
	return nil
}

func (c *committer) dossier(w Write) handover.OrganisationID {
	switch {
	case c.store.options.Shared:
		return ""
	case w.Dossier != "":
		return w.Dossier
	default:
		return w.Organisation
	}
}

// begin opens the books for a batch, when the store shows everything that came before it.
func (c *committer) begin() {
	clear(c.cases)
	clear(c.refs)
	clear(c.ids)
	c.number, c.known = uint64(c.store.Len()), c.store.cases()
}

// learn enters an entry in the books.
func (c *committer) learn(e Entry) {
	in, ok := c.opened(e.Case)
	if !ok {
		in = opened{dossier: e.Dossier, reference: e.CaseReference}
		c.known++
	}
	c.number, in.entries = e.Number, e.Sequence
	c.cases[e.Case], c.ids[e.ID] = in, stood{e.Case, e.Kind}
	if _, ok := c.refs[e.Reference]; !ok {
		c.refs[e.Reference] = e
	}
}

// opened returns what is known of a case.
func (c *committer) opened(key native.CaseKey) (opened, bool) {
	if in, ok := c.cases[key]; ok {
		return in, true
	}
	return c.store.opened(key)
}

// first returns the entry that a write with the reference joins.
func (c *committer) first(ref native.Reference) (Entry, bool) {
	if !c.store.options.Unique || ref == "" {
		return Entry{}, false
	}
	if e, ok := c.store.first(ref); ok {
		return e, true
	}
	e, ok := c.refs[ref]
	return e, ok
}

// stood returns where an entry stands.
func (c *committer) stood(id native.RecordID) (stood, bool) {
	if at, ok := c.ids[id]; ok {
		return at, true
	}
	return c.store.stood(id)
}
