package ledger

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// View is the fold of the ledger: the same log gives the same view on every gateway. With a [Shelf] it holds what is open in memory, and anything else when somebody asks for it. [View.Apply] is called
// by one goroutine for each partition; everything else is safe for concurrent use.
type View struct {
	mu       sync.RWMutex
	parts    []part
	install  string
	mark     string // of the key file
	layout   int32  // over how many partitions the cases are spread; 0: not told yet
	refs     map[native.Reference]*Ref
	messages map[handover.MessageID]*message
	cases    map[handover.CaseID]*Case
	lanes    map[Lane]*laneState
	cursors  map[handover.SystemID]cursor
	unended  map[handover.CaseID]Running // cases that have been opened and have not come to their end
	rulings  map[parkingKey]int64        // parking -> ledger offset of the ruling that counts
	skipped  int                         // records of other versions and of unknown kinds
	newer    map[handover.CaseID]bool    // cases that a record of another version names
	// differences wait for a person beside the lanes, by the place of their record; differing holds the ids of all that ever did.
	differences map[parkingKey]*Item
	differing   map[string]bool
	instead     map[string]bool // installations that were expected where this one stands
	watch       func(partition int32, l Lane)
	rest        rest
	// walks is held by who goes through all cases and lets others at the view in between; see [View.Rest].
	walks sync.RWMutex
}

// part is how far one partition of the ledger was read.
type part struct {
	next     int64 // offset after the last record read
	waiters  map[int64][]chan struct{}
	open     map[handover.MessageID]*message // admitted, not yet terminal everywhere
	setBacks []setBack                       // the losses that were accepted, the last one last
}

// cursor is how far a native system was read, and the partition that says so.
type cursor struct {
	partition int32
	position  native.Position
}

// Lane is a case at a destination: what is done there is done in order.
type Lane struct {
	Case handover.CaseID
	To   Destination
}

// String returns the lane's key for scheduling.
func (l Lane) String() string { return string(l.Case) + "|" + l.To.String() }

// message is an admitted message and where it still has to be recorded.
type message struct {
	id        handover.MessageID
	caseID    handover.CaseID
	partition int32
	admission Admission
	said      handover.OrganisationID // who says it
	settled   map[Destination]bool    // done, withdrawn
	fates     []fate                  // at each place of admission.To, in its order
	gate      fate                    // what the gate has said
	dropped   *Item                   // when it was dropped at the gate
}

// Case is where a case stands.
type Case struct {
	State    handover.State
	Parties  handover.Parties
	Test     bool                   // it was opened by a test delivery
	Number   uint64                 // of the last admitted message
	Last     map[Destination]uint64 // of the last admitted message of each dossier, its place there
	Bindings map[Destination]native.CaseKey
	// History is what was said, in the order of admission.
	History []handover.Said
	// Approvals is where each cost approval stands, by its keyed name.
	Approvals map[string]handover.ApprovalState
	// Expected is what somebody waits for: by the keyed name of a cost approval, or "" for the next review meeting.
	Expected map[string]Expected
	// Opening is what was settled with the application, and Application where its last wording lies; zero before it. A case that a gateway of an earlier version opened has no opening at first.
	Opening     Opening
	Application Place
	// Older are the messages that such a gateway admitted, and where they lie: it did not write down which cost approvals they are about.
	Older map[handover.MessageID]Place
	open  []*message // admitted, not yet terminal everywhere, in the order of admission
	done  int64      // Unix milliseconds of the last DONE
}

// NewView returns an empty view of a ledger with so many partitions. watch is called, without locks, when a lane in which something waited
// can go on; it must not block.
func NewView(partitions int32, watch func(partition int32, l Lane)) *View {
	v := &View{parts: make([]part, partitions), watch: watch}
	for i := range v.parts {
		v.parts[i].waiters = map[int64][]chan struct{}{}
	}
	v.forget()
	return v
}

// forget makes the view one that has read nothing.
func (v *View) forget() {
	for i := range v.parts {
		v.parts[i] = part{waiters: v.parts[i].waiters, open: map[handover.MessageID]*message{}}
	}
	v.install, v.mark, v.layout, v.skipped = "", "", 0, 0
	v.refs, v.messages, v.cases = map[native.Reference]*Ref{}, map[handover.MessageID]*message{}, map[handover.CaseID]*Case{}
	v.lanes, v.unended, v.cursors = map[Lane]*laneState{}, map[handover.CaseID]Running{}, map[handover.SystemID]cursor{}
	v.rulings, v.newer = map[parkingKey]int64{}, map[handover.CaseID]bool{}
	v.differences, v.differing, v.instead = map[parkingKey]*Item{}, map[string]bool{}, map[string]bool{}
}

// partitions is how many the ledger has.
func (v *View) partitions() int32 { return int32(len(v.parts)) } //nolint:gosec // it was given as an int32

// Apply folds one record. at is the record's time as the broker gives it. Records of another version and records that cannot be read are
// left alone and counted: a newer gateway understands them.
func (v *View) Apply(partition int32, offset int64, at time.Time, value []byte) {
	r, err := decode(value)
	v.mu.Lock()
	v.fetch(r)
	woken := v.take(partition, offset, at, r, err)
	v.note(Stored{Partition: partition, Offset: offset, At: at, Value: value}, r)
	p := &v.parts[partition]
	p.next = offset + 1
	for at, chans := range p.waiters {
		if at <= offset {
			for _, c := range chans {
				close(c)
			}
			delete(p.waiters, at)
		}
	}
	v.mu.Unlock()
	for _, l := range woken {
		if v.watch != nil {
			v.watch(partition, l)
		}
	}
}

// WaitFor returns when the record at offset has been folded, or with ctx's error.
func (v *View) WaitFor(ctx context.Context, partition int32, offset int64) error {
	v.mu.Lock()
	p := &v.parts[partition]
	if p.next > offset {
		v.mu.Unlock()
		return nil
	}
	c := make(chan struct{})
	p.waiters[offset] = append(p.waiters[offset], c)
	v.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Retry, "ledger.wait", ctx.Err())
	}
}

// take folds a record, or leaves it alone if it could not be read, and returns the lanes that can go on.
func (v *View) take(partition int32, offset int64, at time.Time, r Record, err error) (woken []Lane) {
	if err == nil {
		return v.fold(partition, offset, at, r)
	}
	v.skipped++
	if r.Case != "" {
		v.newer[r.Case] = true
	}
	return nil
}

// fold applies a record and returns the lanes that can go on.
func (v *View) fold(partition int32, offset int64, at time.Time, r Record) (woken []Lane) {
	lane := Lane{Case: r.Case, To: r.To} // of an ADMIT that of the gate
	before := v.first(Lane{Case: r.Case, To: Gate})
	switch r.Kind {
	case Install:
		if v.install == "" {
			v.install = r.Nonce
		}
	case Keyring:
		if v.mark == "" {
			v.mark = r.Mark
		}
	case Layout:
		if v.layout == 0 {
			v.layout = r.Partitions
		}
	case SetBack:
		v.foldSetBack(partition, offset, at, r)
	case Cursor:
		v.cursors[r.System] = cursor{partition, r.Position}
	case Bind:
		if _, bound := v.caseOf(r.Case).Bindings[r.To]; !bound {
			v.bind(r.Case, r.To, r.NativeCase)
		}
	case Admit:
		woken = v.foldAdmit(partition, offset, at, r)
	case Intent:
		v.foldIntent(partition, offset, at, r)
	case Void:
		v.foldVoid(partition, offset, r)
	case Done:
		v.foldDone(offset, at, r)
	case Park:
		v.foldPark(partition, offset, at, r)
	case Differs:
		v.foldDifference(partition, offset, r)
	case Ruling:
		v.foldRuling(partition, offset, at, r)
	default:
		v.skipped++ // of a newer gateway, which understands it
	}
	if v.runnable(lane) {
		woken = append(woken, lane)
	}
	if gate := (Lane{Case: r.Case, To: Gate}); lane != gate && v.first(gate) != before && v.runnable(gate) {
		woken = append(woken, gate)
	}
	return woken
}

// foldAdmit lets the first record count that has the case's next number, unless another message stands before it at the gate; others were decided
// on an older view. It returns the lanes of a message that waited: the gateway that has admitted it may not be the one that owns the partition.
func (v *View) foldAdmit(partition int32, offset int64, at time.Time, r Record) (woken []Lane) {
	c := v.caseOf(r.Case)
	if r.Admission == nil || v.messages[r.Message] != nil || r.Admission.Number != c.Number+1 {
		return nil
	}
	gate := v.lanes[Lane{Case: r.Case, To: Gate}]
	if _, stands := gate.before(r.Message, r.Admission.Origin, r.Admission.Sequence); stands {
		return nil
	}
	if gate != nil && gate.find(r.Message) >= 0 {
		for _, to := range r.Admission.To {
			woken = append(woken, Lane{Case: r.Case, To: to})
		}
	}
	if r.Admission.Said == nil {
		earlier := c.earlier(r.Message, *r.Admission)
		r.Admission.Said = &earlier
		if c.Older == nil {
			c.Older = map[handover.MessageID]Place{}
		}
		c.Older[r.Message] = r.Admission.Place
	}
	m := &message{id: r.Message, caseID: r.Case, partition: partition, admission: *r.Admission, said: r.Admission.Said.Sender, settled: map[Destination]bool{}}
	m.admission.Said = nil // it stands in the history of the case: of millions of messages it is not kept twice
	m.begin(offset, at)
	v.messages[r.Message] = m
	c.State, c.Number, c.Test = r.Admission.State, r.Admission.Number, r.Admission.Test
	c.Last[r.Admission.Origin] = r.Admission.Sequence
	if r.Admission.Parties != (handover.Parties{}) {
		c.Parties = r.Admission.Parties
	}
	c.remember(*r.Admission)
	v.unended[r.Case] = c.runs()
	if handover.Ended(c.State) {
		delete(v.unended, r.Case)
	}
	v.leaveLane(Lane{Case: r.Case, To: Gate}, r.Message)
	if len(m.admission.To) > 0 {
		v.parts[partition].open[r.Message] = m
		c.open = append(c.open, m)
	}
	return woken
}

// remember adds a message to the history of its case.
func (c *Case) remember(a Admission) {
	if a.Opening != nil {
		c.Opening = *a.Opening
	}
	if handover.Opens(a.Name) && (a.Opening != nil || c.Application == Place{}) {
		c.Application = a.Place
	}
	if a.Said.Approval != "" {
		if c.Approvals == nil {
			c.Approvals = map[string]handover.ApprovalState{}
		}
		c.Approvals[a.Said.Approval] = a.Approval
	}
	c.expect(a)
	c.History = handover.Remember(c.History, *a.Said, a.Action, a.Revises)
}

// foldIntent lets the first record of an attempt count. One whose writer did not know that the ledger was set back does not count: what came before was not looked up.
func (v *View) foldIntent(partition int32, offset int64, at time.Time, r Record) {
	ref, era := v.refOf(r.Ref), v.setBackAt(partition, offset).era
	if ref.Settled() || ref.Asked || r.Attempt != ref.Attempt+1 || r.Era != era {
		return
	}
	doubts := ref.Doubts
	if ref.Attempt > 0 && !ref.Void {
		doubts++
	}
	if ref.Ruled {
		doubts = 0
	}
	*ref = Ref{Attempt: r.Attempt, Nonce: r.Nonce, IntentAt: at, Doubts: doubts, Repeated: ref.Repeated, era: era}
}

// foldVoid takes an attempt back.
func (v *View) foldVoid(partition int32, offset int64, r Record) {
	if r.Searched {
		v.foldSearched(partition, offset, r)
	}
	ref := v.refs[r.Ref]
	if ref == nil || ref.Void || r.Attempt == 0 || ref.Attempt != r.Attempt || ref.Nonce != r.Nonce {
		return
	}
	ref.Void = true
	if r.Searched {
		ref.Doubts++
	}
}

func (v *View) foldDone(offset int64, at time.Time, r Record) {
	ref := v.refOf(r.Ref)
	if !ref.Done || ref.Native != r.Native {
		v.befalls(r.Message, r.To, fate{ref: ref, decision: r.Decision, offset: offset, at: at.UnixMilli()})
	}
	ref.Done, ref.Native, ref.done = true, r.Native, at.UnixMilli()
	c := v.caseOf(r.Case)
	c.done = ref.done
	// What was sent once more because it had gone may have opened the case anew, under another number.
	if _, bound := c.Bindings[r.To]; r.NativeCase != "" && (!bound || ref.Repeated) {
		v.bind(r.Case, r.To, r.NativeCase)
	}
	v.settle(r.Message, r.To)
	v.leaveLane(Lane{Case: r.Case, To: r.To}, r.Message)
}

// foldFound is foldDone by the word of a person, who also knows which dossier it is: the case may have been moved or merged, or entered elsewhere meanwhile.
func (v *View) foldFound(offset int64, at time.Time, r Record) {
	v.foldDone(offset, at, r)
	if r.NativeCase != "" {
		v.bind(r.Case, r.To, r.NativeCase)
	}
}

func (v *View) refOf(name native.Reference) *Ref {
	ref := v.refs[name]
	if ref == nil {
		ref = &Ref{}
		v.refs[name] = ref
	}
	return ref
}

// settle says that nothing more happens with a message at a destination.
func (v *View) settle(id handover.MessageID, to Destination) {
	m := v.messages[id]
	if m == nil || m.settled == nil {
		return // unknown, or complete already: a second owner may say it again
	}
	m.settled[to] = true
	if len(m.settled) == len(m.admission.To) {
		delete(v.parts[m.partition].open, id)
		c := v.cases[m.caseID]
		c.open = slices.DeleteFunc(c.open, func(o *message) bool { return o == m })
		m.settled = nil // complete: keep it small
	}
}

func (v *View) caseOf(id handover.CaseID) *Case {
	c := v.cases[id]
	if c == nil {
		c = &Case{Last: map[Destination]uint64{}, Bindings: map[Destination]native.CaseKey{}}
		v.cases[id] = c
	}
	return c
}

// Ref returns what is known of a reference, and whether anybody ever announced it.
func (v *View) Ref(ref native.Reference) (Ref, bool) {
	defer v.see(Record{Ref: ref})()
	r := v.refs[ref]
	if r == nil {
		return Ref{}, false
	}
	return *r, true
}

// Case returns a copy of where a case stands; the zero Case when nothing is known of it.
func (v *View) Case(id handover.CaseID) Case {
	defer v.see(Record{Case: id})()
	c := v.cases[id]
	if c == nil {
		return Case{}
	}
	out := *c
	out.Last = make(map[Destination]uint64, len(c.Last))
	for k, s := range c.Last {
		out.Last[k] = s
	}
	out.Bindings, out.open = nil, nil
	out.History, out.Approvals, out.Expected = slices.Clone(c.History), maps.Clone(c.Approvals), maps.Clone(c.Expected)
	out.Older = maps.Clone(c.Older)
	return out
}

// Unended returns, in no order, the cases that have been opened and have not come to their end, and where their applications lie.
func (v *View) Unended() map[handover.CaseID]Place {
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := make(map[handover.CaseID]Place, len(v.unended))
	for id, r := range v.unended {
		out[id] = r.Application
	}
	return out
}

// NativeCase returns the native case that a case is at a destination.
func (v *View) NativeCase(id handover.CaseID, to Destination) (native.CaseKey, bool) {
	defer v.see(Record{Case: id})()
	if c := v.cases[id]; c != nil {
		k, ok := c.Bindings[to]
		return k, ok
	}
	return "", false
}

// Dossier returns the place in a system where a native case is known to be the dossier of a case.
func (v *View) Dossier(id handover.CaseID, system handover.SystemID, key native.CaseKey) (Destination, bool) {
	defer v.see(Record{Case: id})()
	if c := v.cases[id]; c != nil {
		return c.dossier(system, key)
	}
	return Destination{}, false
}

// dossier returns the place in a system where a native case is known to be the dossier of the case; if it is that of several, always the same one.
func (c *Case) dossier(system handover.SystemID, key native.CaseKey) (found Destination, known bool) {
	for at, k := range c.Bindings {
		if at.System == system && k == key && (!known || at.Organisation < found.Organisation) {
			found, known = at, true
		}
	}
	return found, known
}

// Admission returns a message's place in its case, if it was admitted.
func (v *View) Admission(id handover.MessageID) (Admission, bool) {
	defer v.see(Record{Message: id})()
	if m := v.messages[id]; m != nil {
		return m.admission, true
	}
	return Admission{}, false
}

// Cursor returns how far a native system was read.
func (v *View) Cursor(id handover.SystemID) native.Position {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.cursors[id].position
}

// Installation returns the random name of this installation, or "" before it was given.
func (v *View) Installation() string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.install
}

// keyring returns the mark of the key file that this ledger was written with, or "" before it was told.
func (v *View) keyring() string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.mark
}

// spread returns over how many partitions the cases are spread, or 0 before it was told.
func (v *View) spread() int32 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.layout
}
