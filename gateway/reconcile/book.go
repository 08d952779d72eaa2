package reconcile

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Record is one record of the ledger topic, as it lies there.
type Record struct {
	Partition int32
	Offset    int64
	At        time.Time // as the broker gives it
	Value     []byte
}

// line is what this package reads of a ledger record; see contracts/schema, ledgerRecord.
type line struct {
	V          int                `json:"v"`
	Kind       string             `json:"kind"`
	Case       handover.CaseID    `json:"case"`
	Message    handover.MessageID `json:"message"`
	To         place              `json:"to"`
	Ref        native.Reference   `json:"ref"`
	Attempt    int                `json:"attempt"`
	Nonce      string             `json:"nonce"`
	Native     native.RecordID    `json:"native"`
	NativeCase native.CaseKey     `json:"nativeCase"`
	As         native.Kind        `json:"as"`
	Admission  struct {
		Name handover.Name `json:"name"`
	} `json:"admission"`
	Parking struct {
		Attempt int  `json:"attempt"`
		Held    bool `json:"held"`
		Entered struct {
			System handover.SystemID `json:"system"`
			Record native.RecordID   `json:"record"`
		} `json:"entered"`
	} `json:"parking"`
	Decision struct {
		Parking int64  `json:"parking"`
		Verdict string `json:"verdict"`
	} `json:"decision"`
	Difference struct {
		ID string `json:"id"`
	} `json:"difference"`
}

// version is that of the ledger records this package reads.
const version = 1

// place is a destination.
type place struct {
	System       handover.SystemID       `json:"system"`
	Organisation handover.OrganisationID `json:"organisation"`
}

// entry is what the ledger says about one reference.
type entry struct {
	to      place
	caseID  handover.CaseID
	message handover.MessageID

	attempts int // announced so far; 0: none
	nonce    string
	since    time.Time // when the last one was announced, or a person said "send once more"
	void     bool      // the last one left nothing

	done       bool
	byPerson   bool // a person has said that it stands
	partition  int32
	offset     int64 // of the DONE or the ruling
	doneAt     time.Time
	records    []native.RecordID // every number that it was given, in the order of the ledger
	nativeCase native.CaseKey
	kind       native.Kind // the native system's word; empty when the ledger does not say

	asked     bool // a person is asked about it at present
	withdrawn bool
}

// open reports whether the outcome of the last attempt is unknown.
func (e *entry) open() bool { return e.attempts > 0 && !e.void && !e.done && !e.withdrawn }

// given reports whether the ledger knows a record number as that of the entry.
func (e *entry) given(id native.RecordID) bool {
	for _, r := range e.records {
		if r == id {
			return true
		}
	}
	return false
}

// waiting names a message that waits for a person.
type waiting struct {
	caseID  handover.CaseID
	to      place
	message handover.MessageID
}

// question is what a person was asked: about a message, or about a difference that was found earlier.
type question struct {
	offset int64
	state  State
	ref    native.Reference
	about  record // a record in a native system that could not be taken in
}

// record names a record of a native system.
type record struct {
	system handover.SystemID
	id     native.RecordID
}

// asking names a question by its place: the offset in the partition of the case.
type asking struct {
	caseID handover.CaseID
	offset int64
}

// Book is what the ledger says about every reference, folded by the rules that are published with it: the first INTENT of an attempt counts, the first ruling on a question, the last
// DONE. It is not safe for concurrent use.
type Book struct {
	refs    map[native.Reference]*entry
	names   map[handover.MessageID]handover.Name
	parked  map[waiting]*question
	refused map[record]State // records that a person was asked about as they came in
	known   map[string]State // differences that were put before a person
	asked   map[asking]difference
	newest  time.Time
}

// difference is one that was put before a person.
type difference struct {
	id  string
	ref native.Reference
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{
		refs: map[native.Reference]*entry{}, names: map[handover.MessageID]handover.Name{}, parked: map[waiting]*question{},
		refused: map[record]State{}, known: map[string]State{}, asked: map[asking]difference{},
	}
}

// Fold reads one record of the ledger. The records of a partition come in their order. A record of another version, or one that cannot be read, is an error of kind Stop: without it a
// comparison would be wrong. Kinds that are not known are left alone.
func (b *Book) Fold(r Record) error {
	var l line
	if err := json.Unmarshal(r.Value, &l); err != nil {
		return fault.New(fault.Stop, "reconcile.fold", "ledger-record", fmt.Sprintf("the ledger record %d-%d cannot be read", r.Partition, r.Offset)).
			Hint("compare with the version of einmal that the gateways run")
	}
	if l.V != version {
		return fault.New(fault.Stop, "reconcile.fold", "ledger-version", fmt.Sprintf("the ledger record %d-%d has version %d, which this einmal does not know", r.Partition, r.Offset, l.V)).
			Hint("compare with the version of einmal that the gateways run")
	}
	if r.At.After(b.newest) {
		b.newest = r.At
	}
	switch l.Kind {
	case "ADMIT":
		b.names[l.Message] = l.Admission.Name
	case "INTENT":
		b.intent(r, l)
	case "VOID":
		if e := b.refs[l.Ref]; e != nil && e.attempts == l.Attempt && e.nonce == l.Nonce {
			e.void = true
		}
	case "DONE":
		b.done(r, l, b.at(l), false)
	case "PARK":
		b.park(r, l)
	case "DIFFERENCE":
		b.differ(r, l)
	case "RULING":
		b.ruling(r, l)
	}
	return nil
}

// at returns the entry of a record's reference.
func (b *Book) at(l line) *entry {
	e := b.refs[l.Ref]
	if e == nil {
		e = &entry{to: l.To, caseID: l.Case, message: l.Message}
		b.refs[l.Ref] = e
	}
	return e
}

func (b *Book) intent(r Record, l line) {
	e := b.at(l)
	if e.done || e.withdrawn || e.asked || l.Attempt != e.attempts+1 {
		return // somebody else was first, or nobody may send
	}
	e.attempts, e.nonce, e.since, e.void = l.Attempt, l.Nonce, r.At, false
}

func (b *Book) done(r Record, l line, e *entry, byPerson bool) {
	e.done, e.byPerson, e.asked = true, byPerson, false
	e.partition, e.offset, e.doneAt = r.Partition, r.Offset, r.At
	if l.Native != "" && !e.given(l.Native) {
		e.records = append(e.records, l.Native)
	}
	if l.NativeCase != "" {
		e.nativeCase = l.NativeCase
	}
	if l.As != "" {
		e.kind = l.As
	}
	delete(b.parked, waiting{e.caseID, e.to, e.message})
}

func (b *Book) park(r Record, l line) {
	w := waiting{l.Case, l.To, l.Message}
	if e := b.refs[l.Ref]; l.Ref != "" && e != nil && (e.done || e.withdrawn || l.Parking.Attempt > 0 && l.Parking.Attempt < e.attempts) {
		return // it is too late, or about an attempt that is not the last one
	}
	if q := b.parked[w]; q != nil && l.Parking.Held {
		return
	}
	q := &question{offset: r.Offset, ref: l.Ref, about: record{l.Parking.Entered.System, l.Parking.Entered.Record}, state: Parked}
	if l.Parking.Held {
		q.state = New // nobody is asked about it
	} else if l.Ref != "" {
		b.at(l).asked = true
	}
	b.parked[w] = q
	if l.To == (place{}) && q.about.id != "" && !l.Parking.Held {
		b.refused[q.about] = Parked
	}
}

func (b *Book) differ(r Record, l line) {
	if _, known := b.known[l.Difference.ID]; known || l.Difference.ID == "" {
		return
	}
	b.known[l.Difference.ID] = Parked
	b.asked[asking{l.Case, r.Offset}] = difference{l.Difference.ID, l.Ref}
}

// ruling applies what a person has decided, unless somebody else was first.
func (b *Book) ruling(r Record, l line) {
	if d, ok := b.asked[asking{l.Case, l.Decision.Parking}]; ok {
		if b.known[d.id] == Parked {
			b.known[d.id] = Accepted
			b.settle(r, l, d.ref)
		}
		return
	}
	w := waiting{l.Case, l.To, l.Message}
	q := b.parked[w]
	if q == nil || q.state != Parked || q.offset != l.Decision.Parking {
		return
	}
	q.state = Accepted
	if l.To == (place{}) {
		if q.about.id != "" {
			b.refused[q.about] = Accepted
		}
		if l.Decision.Verdict == "WITHDRAW" {
			delete(b.parked, w)
		}
		return
	}
	b.settle(r, l, q.ref)
	if l.Decision.Verdict == "WITHDRAW" {
		delete(b.parked, w)
	}
}

// settle applies a verdict to an entry.
func (b *Book) settle(r Record, l line, ref native.Reference) {
	e := b.refs[ref]
	if e == nil {
		return
	}
	switch l.Decision.Verdict {
	case "RETRY":
		e.asked, e.done, e.withdrawn, e.byPerson, e.since = false, false, false, false, r.At
	case "FOUND":
		e.records = nil // what the machine believed is overruled
		b.done(r, l, e, true)
	case "WITHDRAW":
		e.asked, e.withdrawn = false, true
	}
}
