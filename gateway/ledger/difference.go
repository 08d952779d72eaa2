package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// DifferenceKind says in what way the ledger and a native system's own list differ; gateway/reconcile gives the words their meaning.
type DifferenceKind string

// The kinds of differences.
const (
	DifferenceMissing DifferenceKind = "missing"
	DifferenceExtra   DifferenceKind = "extra"
	DifferenceDouble  DifferenceKind = "double"
	DifferenceDrifted DifferenceKind = "drifted"
	DifferenceUnasked DifferenceKind = "unasked"
)

// Difference is what a comparison with a native system's own list has found, as it is put before a person. It waits beside the lanes and holds nothing back: what it is about is over, and
// a case whose later messages stood still without anybody having asked for it, all cases of a system after a restore, would be worse than the difference.
type Difference struct {
	// ID names exactly this difference; it is put before a person once, whoever finds it and however often.
	ID      string            `json:"id"`
	Kind    DifferenceKind    `json:"kind"`
	System  handover.SystemID `json:"system"`
	Ledger  []Entered         `json:"ledger,omitzero"`  // where it stands by the ledger
	Native  []Entered         `json:"native,omitzero"`  // where it stands in the native system
	Differs []string          `json:"differs,omitzero"` // what has drifted
	// Announced says that the ledger announced the reference for this place and nobody had withdrawn it; otherwise there is nothing that could be found or sent.
	Announced bool `json:"announced,omitzero"`
	Attempt   int  `json:"attempt,omitzero"` // the last one that the ledger knows
	// Recorded is when the ledger recorded what it is about; zero if it does not know. Found is when the comparison was made. Both UTC.
	Recorded time.Time     `json:"recorded,omitzero"`
	Found    time.Time     `json:"found"`
	Name     handover.Name `json:"name,omitzero"`
	Reason   Reason        `json:"reason"`
}

// Verdicts lists what a person can decide about it.
func (d Difference) Verdicts() []Verdict {
	switch {
	case !d.Announced:
		return []Verdict{Accept}
	case d.Kind == DifferenceMissing, d.Kind == DifferenceUnasked:
		return []Verdict{Accept, Found, Retry}
	default:
		return []Verdict{Accept, Found}
	}
}

// Differ puts a difference before a person, unless that was done before. e names what it is about, as far as the ledger knows it; its destination is never the gate. It reports whether
// anything was written.
func (l *Ledger) Differ(ctx context.Context, e Entry, d Difference) (bool, error) {
	if err := l.Sync(ctx, e.Case); err != nil || l.differed(d.ID) {
		return false, err
	}
	r := e.record(Differs)
	r.Nonce, r.Difference = Nonce(), &d
	_, err := l.append(ctx, r)
	return err == nil, err
}

func (v *View) differed(id string) bool {
	defer v.see(Record{Difference: &Difference{ID: id}})()
	return v.differing[id]
}

// foldDifference lets the first record of a difference wait. It has a key of its own for each writer: a ruling names the record, so none may be compacted away.
func (v *View) foldDifference(partition int32, offset int64, r Record) {
	if r.Difference == nil || v.differing[r.Difference.ID] {
		return
	}
	d := r.Difference
	it := &Item{
		Message: r.Message, Name: d.Name, Case: r.Case, To: r.To, Ref: r.Ref, Reason: d.Reason, Status: StatusParked, Since: d.Found, Partition: partition, Parking: offset,
		Attempt: d.Attempt, Difference: d,
	}
	for _, side := range [][]Entered{d.Ledger, d.Native} {
		if len(side) > 0 {
			it.Entered = side[0]
		}
	}
	v.differing[d.ID] = true
	v.differences[parkingKey{r.Case, offset}] = it
}

// foldAnswer applies the first ruling on a difference; it reports whether the ruling was about one.
func (v *View) foldAnswer(offset int64, at time.Time, r Record) bool {
	if r.Decision == nil {
		return false
	}
	key := parkingKey{r.Case, r.Decision.Parking}
	it := v.differences[key]
	if it == nil {
		return false
	}
	delete(v.differences, key)
	v.rulings[key] = offset
	ref := v.refs[it.Ref]
	if ref == nil || ref.Withdrawn || !slices.Contains(it.Difference.Verdicts(), r.Decision.Verdict) {
		return true
	}
	switch r.Decision.Verdict {
	case Retry:
		v.takeUp(it, ref, fate{ref: ref, decision: r.Decision, offset: offset, at: at.UnixMilli()})
	case Found:
		r.Ref, r.Message, r.To = it.Ref, it.Message, it.To
		v.foldFound(offset, at, r)
	case Accept, Withdraw:
	}
	return true
}

// takeUp lets a message go through its lane once more, as if the outcome of its last attempt were not known: by the rules for that, a system that can be searched is searched before anything is
// sent, and in mode C a person is asked once more.
func (v *View) takeUp(it *Item, ref *Ref, f fate) {
	m, lane := v.messages[it.Message], Lane{Case: it.Case, To: it.To}
	l := v.lanes[lane]
	if m == nil || l != nil && l.find(it.Message) >= 0 {
		return // it was never admitted, or is on its way
	}
	ref.Done, ref.Doubts, ref.Repeated = false, 0, true
	if l == nil {
		l = &laneState{}
		v.lanes[lane] = l
	}
	l.put(Item{
		Message: it.Message, Name: m.admission.Name, Case: it.Case, To: it.To, Ref: it.Ref, Place: m.admission.Place, Reason: it.Reason, Status: StatusDue, Since: it.Since,
		Partition: it.Partition, Parking: it.Parking, Origin: m.admission.Origin, Sequence: m.admission.Sequence, Entered: it.Entered,
		fate: f,
	})
	v.befalls(it.Message, it.To, f)
}
