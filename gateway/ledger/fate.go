package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Outcome is what has become of a message at one place.
type Outcome string

// The outcomes.
const (
	OutcomePending   Outcome = "PENDING"   // it is on its way, or a person has let it go on, and perhaps it waits for its turn; no answer yet
	OutcomeRecorded  Outcome = "RECORDED"  // it stands there
	OutcomeReturned  Outcome = "RETURNED"  // the rules do not admit it; the answer stands in the dossier that it was entered in
	OutcomeParked    Outcome = "PARKED"    // a person must decide
	OutcomeHeld      Outcome = "HELD"      // it waits behind another message of its case about which a person must decide
	OutcomeWithdrawn Outcome = "WITHDRAWN" // a person has dropped it
)

// fate is what the ledger says about a message at one place: where and when it says so, and by whose decision.
type fate struct {
	ref      *Ref
	decision *Decision
	offset   int64
	at       int64 // Unix milliseconds
}

// begin notes that a message was admitted: so far nothing has become of it anywhere.
func (m *message) begin(offset int64, at time.Time) {
	m.gate = fate{offset: offset, at: at.UnixMilli()}
	m.fates = make([]fate, len(m.admission.To))
	for i := range m.fates {
		m.fates[i] = m.gate
	}
}

// befalls notes what has become of an admitted message at a place.
func (v *View) befalls(id handover.MessageID, to Destination, f fate) {
	m := v.messages[id]
	if m == nil {
		return
	}
	if i := slices.Index(m.admission.To, to); i >= 0 && i < len(m.fates) {
		m.fates[i] = f
	}
}

// open reports whether something is still to come of it.
func (o Outcome) open() bool { return o == OutcomePending || o == OutcomeParked || o == OutcomeHeld }

// Fate is what has become of a message at one place. It holds nothing personal.
type Fate struct {
	Case    handover.CaseID
	Message handover.MessageID
	Name    handover.Name // empty when the record could not be translated
	Action  handover.Action
	Test    bool
	Sender  handover.OrganisationID // empty when that is not known
	// Origin is the dossier that it was entered in, Entered its numbers there as far as they are known, Sequence its place there, EnteredAt when, as the native system dates it.
	Origin    Destination
	Entered   Entered
	Sequence  uint64
	EnteredAt time.Time
	Place     Place
	// To is the place; [Gate] for a message that is not admitted, or that is to stand nowhere else.
	To      Destination
	Outcome Outcome
	Since   time.Time // of the ledger record that says so, by the broker's clock; UTC
	// Partition and Offset are where that record stands.
	Partition int32
	Offset    int64
	// Native and NativeCase are its numbers at the place; [OutcomeRecorded], [OutcomeReturned].
	Native     native.RecordID
	NativeCase native.CaseKey
	Reason     Reason    // [OutcomeParked], [OutcomeHeld]
	Decision   *Decision // the last one of a person, if what is so now follows from one
}

// Query says which fates are asked for. The zero Query asks for all.
type Query struct {
	Case   handover.CaseID         // empty: of every case
	Sender handover.OrganisationID // empty: of every sender
	// Match says which of those are meant; nil: all. It is called while the view is locked, and must not ask it.
	Match func(Fate) bool
	// Open leaves out what is over: only [OutcomePending], [OutcomeParked] and [OutcomeHeld] are meant.
	Open bool
	// After holds, for each partition, the offset of the first ledger record that counts: what was said before is left out. nil: nothing is.
	After []int64
	// Limit is the most that are returned; 0: no limit.
	Limit int
}

// find is a place where a fate was found.
type find struct {
	m         *message
	item      *Item // at the gate
	index     int   // of the message's places; -1: the gate
	partition int32
	offset    int64
	fate      Fate
}

// Fates returns what has become of messages, each at each place where it must stand, in the order in which the ledger says it: by partition, and so by case. The second result is what to ask for
// as After the next time, the third whether there is more already. A fate that changes comes again, in its new place of the order; none is left out.
//
// What lies on the shelf is read for it a few cases at a time, and not brought into memory: for an answer to everything all of it, with After the cases of which something was said since, with Open nothing.
func (v *View) Fates(q Query) (fates []Fate, next []int64, more bool) {
	v.walks.RLock()
	defer v.walks.RUnlock()
	next = v.ends() // first: what is brought into memory, or changes, from now on is found twice, or the next time
	first := &firsts{limit: max(q.Limit, 0)}
	switch {
	case q.Case != "":
		v.see(Record{Case: q.Case})()
	case !q.Open:
		_ = v.aside(q.After, func(part *View) error { part.findFates(q, next, first); return nil }) // which fails never
	}
	v.findFates(q, next, first)
	first.tidy()
	if first.more {
		last := first.all[len(first.all)-1]
		next[last.partition] = last.offset + 1
		for p := int(last.partition) + 1; p < len(next); p++ {
			next[p] = q.from(p)
		}
	}
	for _, f := range first.all {
		fates = append(fates, f.fate)
	}
	return fates, next, first.more
}

// ends are where the partitions end for the view.
func (v *View) ends() []int64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.nexts()
}

// firsts are the first so many of what is found, in the order of the ledger.
type firsts struct {
	limit int // 0: all
	all   []find
	more  bool // some were left out: they stand behind the last one
}

// wants reports whether what was found stands among those that are wanted.
func (s *firsts) wants(f find) bool { return !s.more || !f.behind(s.all[s.limit-1]) }

// add takes what was found.
func (s *firsts) add(f find) {
	s.all = append(s.all, f)
	if s.limit > 0 && len(s.all) >= 4*s.limit {
		s.tidy()
	}
}

// tidy puts what there is into its order and leaves out what is too much, and what was found twice.
func (s *firsts) tidy() {
	slices.SortFunc(s.all, find.compare)
	s.all = slices.CompactFunc(s.all, func(a, b find) bool { return a.compare(b) == 0 })
	if s.limit > 0 && len(s.all) > s.limit {
		kept := cut(s.all, s.limit)
		s.more = s.more || len(kept) < len(s.all)
		s.all = kept
	}
}

// compare is the order of the ledger; 0: it is the same.
func (f find) compare(other find) int {
	return cmp.Or(cmp.Compare(f.partition, other.partition), cmp.Compare(f.offset, other.offset), cmp.Compare(f.index, other.index),
		cmp.Compare(f.fate.Message, other.fate.Message), cmp.Compare(f.fate.Case, other.fate.Case), cmp.Compare(f.fate.To.String(), other.fate.To.String()))
}

// behind reports whether the ledger says it after another one.
func (f find) behind(other find) bool {
	return cmp.Or(cmp.Compare(f.partition, other.partition), cmp.Compare(f.offset, other.offset)) > 0
}

// cut shortens a list to a limit, but never between two places of which the same ledger record speaks.
func cut(all []find, limit int) []find {
	for limit < len(all) && all[limit].partition == all[limit-1].partition && all[limit].offset == all[limit-1].offset {
		limit++
	}
	return all[:limit]
}

func (q Query) from(partition int) int64 {
	if partition < len(q.After) {
		return q.After[partition]
	}
	return 0
}

func (q Query) matches(f Fate) bool {
	return (!q.Open || f.Outcome.open()) && (q.Match == nil || q.Match(f))
}

// findFates finds what is asked for, without holding the lock for long. What changes meanwhile lies behind the ends, and is found the next time.
func (v *View) findFates(q Query, ends []int64, first *firsts) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	add := func(f find) {
		if f.offset < q.from(int(f.partition)) || f.offset >= ends[f.partition] || !first.wants(f) {
			return
		}
		var ok bool
		if f.fate, ok = v.fateAt(f); ok && q.matches(f.fate) {
			f.m, f.item = nil, nil // they may be of a view that is gone soon
			first.add(f)
		}
	}
	for lane, l := range v.lanes {
		if lane.To != Gate || q.Case != "" && lane.Case != q.Case {
			continue
		}
		for _, it := range l.items {
			if q.Sender == "" || q.Sender == it.sender() {
				add(find{item: &it, index: -1, partition: it.Partition, offset: it.fate.offset})
			}
		}
	}
	n := 0
	for _, m := range v.messages {
		if n++; n%batch == 0 { // the map may change between two steps; the lock keeps each step to itself
			v.mu.RUnlock()
			v.mu.RLock()
		}
		if q.Case != "" && m.caseID != q.Case || q.Sender != "" && q.Sender != m.sender() {
			continue
		}
		if len(m.fates) == 0 {
			add(find{m: m, index: -1, partition: m.partition, offset: m.gate.offset})
		}
		for i, f := range m.fates {
			add(find{m: m, index: i, partition: m.partition, offset: f.offset})
		}
	}
}

// Unanswered returns the messages that were admitted, or that a person has let go on, at each place at which nothing has become of them yet, the oldest first.
func (v *View) Unanswered() (fates []Fate) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for p := range v.parts {
		for _, m := range v.parts[p].open {
			for i, f := range m.fates {
				if fate, ok := v.fateAt(find{m: m, index: i, partition: m.partition, offset: f.offset}); ok && fate.Outcome == OutcomePending {
					fates = append(fates, fate)
				}
			}
		}
	}
	for lane, l := range v.lanes {
		for _, it := range l.items {
			if lane.To == Gate && it.Status == StatusDue {
				fates = append(fates, v.atGate(it))
			}
		}
	}
	slices.SortFunc(fates, func(a, b Fate) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Message, b.Message), cmp.Compare(a.To.String(), b.To.String()))
	})
	return fates
}

// fateAt returns the fate at a place; ok is false when it has changed since it was found.
func (v *View) fateAt(f find) (out Fate, ok bool) {
	if f.item != nil {
		it := *f.item
		out = v.atGate(it)
		return out, true
	}
	m := f.m
	if m.dropped != nil {
		out = v.atGate(*m.dropped)
		out.Outcome, out.Reason = OutcomeWithdrawn, Reason{}
		out.is(m.gate)
		return out, true
	}
	a := m.admission
	out = Fate{
		Case: m.caseID, Message: m.id, Name: a.Name, Action: a.Action, Test: a.Test, Sender: m.sender(), Origin: a.Origin, Sequence: a.Sequence, EnteredAt: a.Entered, Place: a.Place,
		Entered: Entered{System: a.Origin.System, Record: a.Record}, Partition: m.partition, Outcome: OutcomeRecorded,
	}
	c := v.cases[m.caseID]
	out.Entered.Case = c.Bindings[a.Origin]
	if f.index < 0 {
		out.is(m.gate) // it is to stand nowhere but where it was entered
		return out, true
	}
	said := m.fates[f.index]
	if said.offset != f.offset {
		return out, false
	}
	out.To = a.To[f.index]
	out.is(said)
	v.became(&out, m, said.ref)
	return out, true
}

// is copies where and when the ledger says it, and by whose decision.
func (f *Fate) is(said fate) {
	f.Offset, f.Since, f.Decision = said.offset, time.UnixMilli(said.at).UTC(), said.decision
}

// became says what has become of an admitted message at a place.
func (v *View) became(out *Fate, m *message, ref *Ref) {
	switch {
	case ref != nil && ref.Done:
		out.Outcome, out.Native, out.NativeCase = OutcomeRecorded, ref.Native, v.cases[m.caseID].Bindings[out.To]
		if o := m.admission.Opening; o != nil && o.Returned() && out.To == m.admission.Origin {
			out.Outcome = OutcomeReturned
		}
		return
	case ref != nil && ref.Withdrawn:
		out.Outcome = OutcomeWithdrawn
		return
	}
	out.Outcome = OutcomePending
	l := v.lanes[Lane{Case: m.caseID, To: out.To}]
	if l == nil {
		return
	}
	if i := l.find(m.id); i >= 0 {
		out.Outcome = l.items[i].outcome()
		if out.Outcome != OutcomePending {
			out.Reason = l.items[i].Reason
		}
	}
}

// atGate is the fate of a message that waits for its place in its case.
func (v *View) atGate(it Item) Fate {
	it = v.found(it)
	f := Fate{
		Case: it.Case, Message: it.Message, Name: it.Name, Action: it.Action, Sender: it.sender(), Origin: it.Origin, Entered: it.Entered, Sequence: it.Sequence, Place: it.Place,
		Outcome: it.outcome(), Partition: it.Partition,
	}
	f.is(it.fate)
	if f.Outcome != OutcomePending {
		f.Reason = it.Reason
	}
	return f
}

func (it Item) outcome() Outcome {
	switch it.Status {
	case StatusParked:
		return OutcomeParked
	case StatusHeld:
		return OutcomeHeld
	default:
		return OutcomePending
	}
}

// sender is who says a message that waits at the gate; empty when that is not known.
func (it Item) sender() handover.OrganisationID { return cmp.Or(it.Sender, it.Origin.Organisation) }

func (m *message) sender() handover.OrganisationID {
	if m.dropped != nil {
		return m.dropped.sender()
	}
	return m.said
}

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{OutcomePending, OutcomeRecorded, OutcomeReturned, OutcomeParked, OutcomeHeld, OutcomeWithdrawn}
}
