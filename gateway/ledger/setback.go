package ledger

import (
	"context"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Acceptance is what a person knows about a loss of the ledger: it was restored from an older backup, or acknowledged records were lost with their brokers. It is written into every partition,
// and from there on nothing is believed to be absent because the ledger does not say it (fault 33, "lookup first"):
//
//   - What may have been announced before, but is not recorded, is in doubt as of the acceptance, by the rules for any doubt: in mode A it is sent once more under the same reference, in mode B
//     it is searched first, in mode C a person is asked.
//   - Native systems are read again from their beginning. What the ledger still has is recognised.
//   - An INTENT or a VOID whose writer did not know of the loss does not count.
//
// Whether a message can have been announced before is told by the time of its native record, with [clockMargin]: no other trace of it is left.
type Acceptance struct {
	Person string    `json:"person"` // the operator's account name
	Why    string    `json:"why"`
	At     time.Time `json:"at"` // UTC
	// Instead are the installations that were expected, if it was not this one.
	Instead []string `json:"instead,omitzero"`
}

// clockMargin is how far a native system's clock may be ahead. What it dates later than that, and sent before the loss, is taken for new.
const clockMargin = time.Hour

// setBack is what a partition knows of losses.
type setBack struct {
	era    int // how many were accepted
	offset int64
	at     time.Time // of the last one, by the broker's clock
}

// setBack is the last loss that was accepted; zero: none.
func (p *part) setBack() setBack {
	if n := len(p.setBacks); n > 0 {
		return p.setBacks[n-1]
	}
	return setBack{}
}

// setBackAt is the last loss that had been accepted before a record: what lies on the shelf is folded when later ones are known.
func (v *View) setBackAt(partition int32, offset int64) (last setBack) {
	for _, s := range v.parts[partition].setBacks {
		if s.offset < offset {
			last = s
		}
	}
	return last
}

// foldSetBack begins a new era of a partition. What it says about the reading of native systems is forgotten.
func (v *View) foldSetBack(partition int32, offset int64, at time.Time, r Record) {
	p := &v.parts[partition]
	if r.Era <= p.setBack().era {
		return // of somebody who did not know the last one
	}
	p.setBacks = append(p.setBacks, setBack{era: r.Era, offset: offset, at: at})
	for id, c := range v.cursors {
		if c.partition == partition {
			delete(v.cursors, id)
		}
	}
	if r.Acceptance != nil {
		for _, other := range r.Acceptance.Instead {
			v.instead[other] = true
		}
	}
}

// foldSearched notes that a reference was searched after a loss, by somebody who knew of it.
func (v *View) foldSearched(partition int32, offset int64, r Record) {
	era := v.setBackAt(partition, offset).era
	if r.Era != era || era == 0 {
		return
	}
	if ref := v.refOf(r.Ref); ref.Attempt == r.Attempt && ref.Nonce == r.Nonce {
		ref.era = era
	}
}

// ruled notes that a person, who was asked after a loss, has said "send once more": whatever was lost, she has looked.
func (s setBack) ruled(ref *Ref, parking int64) {
	if s.era > ref.era && parking > s.offset {
		ref.era, ref.Repeated = s.era, true
	}
}

// Doubt adds to what the ledger says of a reference what it may have lost: entered is when the message was entered in its native system, partition that of its case.
func (v *View) Doubt(r Ref, partition int32, entered time.Time) Ref {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.parts[partition].setBack(); s.era > r.era && entered.Before(s.at.Add(clockMargin)) {
		r.Lost = s.at
	}
	return r
}

// LostOf reports whether the ledger may have lost that einmal wrote a record of a case at that time: a reference that it does not know may be its own all the same.
func (l *Ledger) LostOf(c handover.CaseID, at time.Time) bool {
	partition := l.log.PartitionOf(c)
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.parts[partition].setBack()
	return s.era > 0 && at.Before(s.at.Add(clockMargin))
}

func (v *View) era(partition int32) int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.parts[partition].setBack().era
}

// Era returns how many losses were accepted in every partition. One that was accepted in some only is not accepted yet.
func (v *View) Era() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	least := v.parts[0].setBack().era
	for p := range v.parts {
		least = min(least, v.parts[p].setBack().era)
	}
	return least
}

// Instead reports whether a person knows that this ledger stands where that of another installation was expected.
func (v *View) Instead(installation string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.instead[installation]
}

// Accept writes down, in every partition, that a person knows of a loss; era is the first that nobody remembers. No gateway may run on the ledger meanwhile. What was
// written by half is written once more by the next call.
func (l *Ledger) Accept(ctx context.Context, era int, a Acceptance) error {
	if a.Person == "" || a.Why == "" {
		return fault.New(fault.Refuse, "ledger.accept", "incomplete-acceptance", "person or reason is missing").Hint("say who accepts it and why")
	}
	a.At = l.now().UTC()
	for p := range l.partitions() {
		era = max(era, l.era(p)+1)
	}
	for p := range l.partitions() {
		if _, err := l.appendTo(ctx, p, Record{Kind: SetBack, Nonce: Nonce(), Era: era, Acceptance: &a}); err != nil {
			return err
		}
	}
	return nil
}

// Next returns the offset after the last record of a partition that was folded.
func (v *View) Next(partition int32) int64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.parts[partition].next
}
