package ledger

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Shelf keeps the records that a view has folded on the gateway's own disk, by case, so that the next start reads of the ledger only what came since; see [View.Resume]. It decides nothing, and is
// made anew from the ledger whenever it is not there. Its methods are safe for concurrent use.
type Shelf interface {
	// Start returns what must be known before anything is asked; the zero Start from an empty shelf.
	Start() (Start, error)
	// Put adds a batch, as a whole or not at all.
	Put(Batch) error
	// Owners returns the cases whose records have these ties.
	Owners(ties []string) ([]handover.CaseID, error)
	// Case returns the records of a case, and the other cases that share a tie with it.
	Case(handover.CaseID) ([]Stored, []handover.CaseID, error)
	// Cases returns all cases of which something was said at or behind these offsets, one for each partition, and perhaps others; nil: all.
	Cases(after []int64) ([]handover.CaseID, error)
}

// Stored is a record of the ledger as it was read.
type Stored struct {
	Order     uint64 // in which the view folded it; given by the shelf, from 1
	Partition int32
	Offset    int64
	At        time.Time
	Value     []byte
}

// Shelved is a record and what it is found by.
type Shelved struct {
	Stored
	Case handover.CaseID
	// Ties are the message, the reference and the difference that the record names: what another record of the same is folded on. They belong to one case, except where somebody has mistaken one.
	Ties []string
	// Base is set, and the rest is not, for what belongs to no case. Of records with the same name only the last one counts.
	Base string
}

// Totals are what a view says about all cases.
type Totals struct {
	Next                     []int64 // offset after the last record read, of each partition
	Skipped, Cases, Messages int
}

// Batch is what a view has folded since the last one, and where that leaves it.
type Batch struct {
	Totals
	Records []Shelved
	// Awake says of each case that the records name whether something about it is open, so that the next start takes it from the shelf at once.
	Awake map[handover.CaseID]bool
	// Running are those of them that have been opened and have not come to their end.
	Running map[handover.CaseID]Running
}

// Running is what is asked about all cases that have not come to their end.
type Running struct {
	Application Place
	By          handover.Date // the first day on which something is waited for; empty: nothing is
}

// Start is where a view was when it was put on the shelf last.
type Start struct {
	Totals
	Base    []Stored // in the order of the view
	Last    []Stored // of each partition that has one
	Awake   []handover.CaseID
	Running map[handover.CaseID]Running
}

// rest is what of a view lies on its shelf.
type rest struct {
	shelf  Shelf
	broken func(error)
	// partial says that there are cases that lie only there; held are those that do not.
	partial bool
	held    map[handover.CaseID]struct{}
	// cases and messages count what is not held.
	cases, messages int

	fresh []Shelved // folded, and not on the shelf yet
	dirty map[handover.CaseID]struct{}
	put   []int64 // Next of the last batch
}

// mostFresh is how many records may wait for a shelf that takes nothing, as on a full disk. With more the shelf stays where it is: the next start reads the ledger from there.
const mostFresh = 200_000

// Resume lets a new, empty view go on where the one that was shelved last has stopped: [View.Next] says from where the ledger is to be read. What is open is taken from the shelf now, any other case
// when it is asked for. The view is the one that reading the whole ledger would give: a case is folded from the same records in the same order.
//
// What is on the shelf must be of this ledger; the view cannot tell. When the shelf breaks down later, broken is called, and the view answers nobody any more, not even with an error: without it nobody
// knows what was recorded, and whoever went on would send a second time.
func (v *View) Resume(s Shelf, broken func(error)) error {
	const op = "ledger.resume"
	start, err := s.Start()
	if err != nil {
		return err
	}
	if n := len(start.Next); n != 0 && n != len(v.parts) {
		return fault.New(fault.Stop, op, "shelf-of-another", "what is on the shelf is of a ledger with another number of partitions")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rest.shelf, v.rest.broken = s, broken
	return v.resume(start)
}

// resume takes what must be known before anything is asked into an empty view.
func (v *View) resume(start Start) error {
	v.rest.held, v.rest.dirty, v.rest.fresh = map[handover.CaseID]struct{}{}, map[handover.CaseID]struct{}{}, nil
	v.rest.partial, v.rest.cases, v.rest.messages, v.rest.put = len(start.Next) > 0, start.Cases, start.Messages, start.Next
	for p, next := range start.Next {
		v.parts[p].next = next
	}
	maps.Copy(v.unended, start.Running)
	for _, r := range start.Base {
		v.foldAgain(r)
	}
	for _, id := range start.Awake {
		if err := v.takeDown(id); err != nil {
			return err
		}
	}
	v.skipped = start.Skipped
	return nil
}

// foldAgain folds a record from the shelf: whom it wakes was woken before, or is when everything is read.
func (v *View) foldAgain(r Stored) {
	record, err := decode(r.Value)
	v.take(r.Partition, r.Offset, r.At, record, err)
}

// takeDown takes cases from the shelf, with those that share a message, a reference or a difference with them: what two cases say about the same thing is folded in its order.
func (v *View) takeDown(ids ...handover.CaseID) error {
	var all []Stored
	for len(ids) > 0 {
		id := ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		if _, held := v.rest.held[id]; held {
			continue
		}
		v.rest.held[id] = struct{}{}
		records, tied, err := v.rest.shelf.Case(id)
		if err != nil {
			return err
		}
		all, ids = append(all, records...), append(ids, tied...)
	}
	slices.SortFunc(all, func(a, b Stored) int { return cmp.Compare(a.Order, b.Order) })
	cases, messages, skipped := len(v.cases), len(v.messages), v.skipped
	for _, r := range all {
		v.foldAgain(r)
	}
	v.rest.cases -= len(v.cases) - cases
	v.rest.messages -= len(v.messages) - messages
	v.skipped = skipped // they were counted when they were read
	return nil
}

// ties are what a record has in common with others of its case.
func (r Record) ties() (all []string) {
	if r.Message != "" {
		all = append(all, "m"+string(r.Message))
	}
	if r.Ref != "" {
		all = append(all, "r"+string(r.Ref))
	}
	if r.Difference != nil {
		all = append(all, "d"+r.Difference.ID)
	}
	return all
}

// base is the name of what belongs to no case; of the same name only the last one counts.
func (r Record) base() string {
	switch r.Kind {
	case Install, Keyring, Layout, SetBack, Cursor:
		return r.key()
	default:
		return ""
	}
}

// near reports whether everything that a record names is held. Every question brings what is said of no case in particular, which is little.
func (v *View) near(r Record) bool {
	if _, held := v.rest.held[r.Case]; !held {
		return false
	}
	return (r.Message == "" || v.messages[r.Message] != nil) && (r.Ref == "" || v.refs[r.Ref] != nil) && (r.Difference == nil || v.differing[r.Difference.ID])
}

// fetch takes from the shelf what a record is folded on.
func (v *View) fetch(r Record) {
	if !v.rest.partial || r.base() != "" {
		return
	}
	owners, err := v.rest.shelf.Owners(r.ties())
	if err == nil {
		err = v.takeDown(append(owners, r.Case)...)
	}
	if err != nil {
		v.stop(err)
	}
}

// stop keeps the view locked for ever; see [View.Resume]. The caller holds the lock for writing.
func (v *View) stop(err error) {
	v.rest.broken(fault.Wrap(fault.Stop, "ledger.shelf", err))
	select {}
}

// see locks the view for who asks about what a record names, once that is held, and returns what unlocks it.
func (v *View) see(about Record) (unlock func()) {
	v.mu.RLock()
	if !v.rest.partial || v.near(about) {
		return v.mu.RUnlock
	}
	v.mu.RUnlock()
	v.mu.Lock()
	v.fetch(about)
	return v.mu.Unlock
}

// fetchBatch is how many cases are taken from the shelf at a time when all are needed.
const fetchBatch = 50

// CaseOf returns the case that a stored record names.
func CaseOf(value []byte) handover.CaseID {
	r, _ := decode(value) // what cannot be read names none, one of another version may
	return r.Case
}

// aside shows f everything that is not held and of which something was said at or behind these offsets, a few cases at a time, each part in a view of its own that is gone afterwards. nil: everything that is not held.
func (v *View) aside(after []int64, f func(*View) error) error {
	for part := range v.shelved(after) {
		if err := f(v.beside(part)); err != nil {
			return err
		}
	}
	return nil
}

// shelved goes through the cases that lie on the shelf only, a few at a time. The caller keeps the view from resting.
func (v *View) shelved(after []int64) iter.Seq[[]handover.CaseID] {
	v.mu.RLock()
	partial, shelf := v.rest.partial, v.rest.shelf
	v.mu.RUnlock()
	if !partial {
		return slices.Values([][]handover.CaseID(nil))
	}
	ids, err := shelf.Cases(after) // whatever is put there meanwhile is held
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.stop(err)
	}
	ids = slices.DeleteFunc(ids, func(id handover.CaseID) bool {
		_, held := v.rest.held[id]
		return held
	})
	return slices.Chunk(ids, fetchBatch)
}

// beside returns a view of some cases.
func (v *View) beside(ids []handover.CaseID) *View {
	part := NewView(v.partitions(), nil)
	v.mu.RLock()
	part.rest.shelf, part.rest.held = v.rest.shelf, map[handover.CaseID]struct{}{}
	for p := range v.parts {
		part.parts[p].setBacks = v.parts[p].setBacks
	}
	v.mu.RUnlock()
	if err := part.takeDown(ids...); err != nil {
		v.mu.Lock()
		v.stop(err)
	}
	return part
}

// note keeps a record that was folded for the shelf.
func (v *View) note(s Stored, r Record) {
	if v.rest.shelf == nil {
		return
	}
	one := Shelved{Stored: s, Base: r.base()}
	switch {
	case one.Base != "":
	case r.Kind == "" && r.Case == "":
		return // nothing of it can be read
	default:
		one.Case, one.Ties = r.Case, r.ties()
		v.rest.dirty[r.Case] = struct{}{}
		if m := v.messages[r.Message]; m != nil {
			v.rest.dirty[m.caseID] = struct{}{}
		}
	}
	if v.rest.fresh = append(v.rest.fresh, one); len(v.rest.fresh) > mostFresh {
		v.rest.fresh, v.rest.shelf = nil, deaf{v.rest.shelf}
	}
}

// Fresh is how many records wait to be put on the shelf.
func (v *View) Fresh() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.rest.fresh)
}

// Shelve puts what was folded since the last time on the shelf. What could not be put there is put there the next time. Without a shelf it does nothing. One goroutine calls it.
func (v *View) Shelve() error {
	b, shelf := v.batch()
	if shelf == nil || slices.Equal(b.Next, v.rest.put) {
		return nil
	}
	if err := shelf.Put(b); err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.rest.fresh = append(b.Records, v.rest.fresh...)
		for id := range b.Awake {
			v.rest.dirty[id] = struct{}{}
		}
		return err
	}
	v.rest.put = b.Next
	return nil
}

// Rest lets go of every case of which nothing is open, so that the memory of a gateway follows what goes on, not what there ever was; it is taken from the shelf when somebody asks again. It does
// nothing while somebody goes through all cases, or while the shelf lacks what it was given. The goroutine that calls Shelve calls it.
func (v *View) Rest() error {
	if !v.walks.TryLock() {
		return nil
	}
	defer v.walks.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, lacks := v.rest.shelf.(deaf); lacks || v.rest.shelf == nil {
		return nil
	}
	start, err := v.rest.shelf.Start()
	if err != nil || len(start.Next) == 0 {
		return err
	}
	fresh, next, skipped := v.rest.fresh, v.nexts(), v.skipped
	v.forget()
	if err := v.resume(start); err != nil {
		v.stop(err)
	}
	for _, r := range fresh {
		if r.Offset >= start.Next[r.Partition] { // not there in spite of an error
			v.again(r.Stored)
		}
	}
	for p := range v.parts {
		v.parts[p].next = next[p]
	}
	v.skipped = skipped
	return nil
}

// again folds a record that is not on the shelf yet.
func (v *View) again(s Stored) {
	r, err := decode(s.Value)
	v.fetch(r)
	v.take(s.Partition, s.Offset, s.At, r, err)
	v.note(s, r)
}

// Held is how many cases are in memory.
func (v *View) Held() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.cases)
}

func (v *View) nexts() (next []int64) {
	for p := range v.parts {
		next = append(next, v.parts[p].next)
	}
	return next
}

// batch takes what is fresh.
func (v *View) batch() (b Batch, shelf Shelf) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.rest.shelf == nil {
		return b, nil
	}
	b = Batch{
		Totals:  Totals{Skipped: v.skipped, Cases: len(v.cases) + v.rest.cases, Messages: len(v.messages) + v.rest.messages},
		Records: v.rest.fresh, Awake: map[handover.CaseID]bool{}, Running: map[handover.CaseID]Running{},
	}
	b.Next = v.nexts()
	waits := v.waits()
	for id := range v.rest.dirty {
		c := v.cases[id]
		_, waiting := waits[id]
		b.Awake[id] = waiting || c != nil && len(c.open) > 0
		if r, runs := v.unended[id]; runs {
			b.Running[id] = r
		}
	}
	v.rest.fresh = nil
	clear(v.rest.dirty)
	return b, v.rest.shelf
}

// waits are the cases of which something waits, in a lane or beside them.
func (v *View) waits() map[handover.CaseID]struct{} {
	all := map[handover.CaseID]struct{}{}
	for l := range v.lanes {
		all[l.Case] = struct{}{}
	}
	for k := range v.differences {
		all[k.caseID] = struct{}{}
	}
	return all
}

// runs is what is asked about a case that has not come to its end.
func (c *Case) runs() Running {
	r := Running{Application: c.Application}
	for _, e := range c.Expected {
		if r.By == "" || e.By < r.By {
			r.By = e.By
		}
	}
	return r
}

// deaf is a shelf that is read and takes nothing any more.
type deaf struct{ Shelf }

// Put implements [Shelf]: what it is given is lost to the next start, which reads it from the ledger.
func (deaf) Put(Batch) error { return nil }
