package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// fact is a record of the model's ledger, without what the model does not need.
type fact struct {
	kind     Kind
	m        uint8 // which message
	attempt  uint8
	nonce    uint8
	searched bool
	held     bool
	refused  bool // of a PARK: why
	verdict  Verdict
	parking  uint8 // offset of the PARK record that a RULING is about
}

// modelLane is the one lane of the model: two messages of one case on their way to one destination.
var modelLane = Lane{Case: "c1", To: dossier}

func messageOf(m uint8) handover.MessageID { return handover.MessageID(fmt.Sprint("m", m+1)) }

func refOf(m uint8) native.Reference { return native.Reference(fmt.Sprint("ref", m+1)) }

// record returns the product's record of a fact.
func (f fact) record() Record {
	r := Record{
		V: version, Kind: f.kind, Case: modelLane.Case, To: dossier, Message: messageOf(f.m), Ref: refOf(f.m), Attempt: int(f.attempt),
		Searched: f.searched,
	}
	if f.nonce > 0 {
		r.Nonce = fmt.Sprint(f.nonce)
	}
	switch f.kind {
	case Park:
		r.Attempt, r.Parking = 0, &Parking{Held: f.held, Attempt: int(f.attempt), Origin: other, Sequence: uint64(f.m) + 1}
		if f.refused {
			r.Parking.Reason.Code = refusal
		}
	case Ruling:
		r.Decision = &Decision{Parking: int64(f.parking), Verdict: f.verdict}
	case Done:
		r.Native, r.NativeCase = "n", "k"
	}
	return r
}

func (f fact) String() string {
	s := fmt.Sprintf("%s m%d", f.kind, f.m+1)
	switch {
	case f.kind == Ruling:
		return s + " " + string(f.verdict)
	case f.held:
		return s + " held"
	case f.refused:
		return fmt.Sprintf("%s attempt %d as refused", s, f.attempt)
	case f.attempt > 0:
		return fmt.Sprintf("%s attempt %d of %d", s, f.attempt, f.nonce)
	}
	return s
}

// node is a view after some records: the product's own fold, and what the steps ask of it.
type node struct {
	view     *View
	past     []edge // one way to get here
	refs     [2]Ref // IntentAt is replaced by the age of the record at intent
	intent   [2]uint8
	nonce    [2]uint8
	earlier  [2]int8 // the message that must be recorded first; -1: none
	place    [2]placing
	runnable int8    // the first waiting message that can go on; -1: none
	parked   []asked // what waits for a person
	waiting  [2]bool // it waits in the lane
}

// asked is a message that waits for a person.
type asked struct {
	m       uint8
	parking uint8
	refused bool // she is told that the native system has said no
}

// refusal is the code with which a message waits that the native system has said no to.
const refusal = "refused"

// placing is what delivery's claim.behind finds.
type placing uint8

const (
	free   placing = iota // nothing stands before the message
	waits                 // it waits in the lane
	behind                // it must be held
)

// edge is one record read at an offset.
type edge struct {
	offset uint8
	fact   uint16
}

// views are all views that any worker has ever had. Two ways that lead to the same fold lead to the same node.
type views struct {
	facts  []fact
	number map[fact]uint16
	nodes  []*node
	next   map[uint64]uint16
	index  map[string]uint16
}

func newViews() *views {
	v := &views{number: map[fact]uint16{}, next: map[uint64]uint16{}, index: map[string]uint16{}, facts: []fact{{}}}
	v.intern(nil)
	return v
}

// fact returns the number of a fact; 0 is none.
func (v *views) fact(f fact) uint16 {
	n, known := v.number[f]
	if !known {
		n = uint16(len(v.facts)) //nolint:gosec // a few hundred
		v.facts, v.number[f] = append(v.facts, f), n
	}
	return n
}

// read returns the view after one more record.
func (v *views) read(from uint16, e edge) uint16 {
	if e.fact == 0 {
		return from // compaction has removed it
	}
	key := uint64(from)<<24 | uint64(e.offset)<<16 | uint64(e.fact)
	if to, known := v.next[key]; known {
		return to
	}
	past := v.nodes[from].past
	to := v.intern(append(past[:len(past):len(past)], e))
	v.next[key] = to
	return to
}

// intern folds a past with the product's own code and returns its node.
func (v *views) intern(past []edge) uint16 {
	view := NewView(1, nil)
	for m := range uint8(2) {
		view.fold(0, int64(m), begin, Record{V: version, Kind: Admit, Case: modelLane.Case, Message: messageOf(m), Admission: &Admission{
			Number: uint64(m) + 1, Place: Place{Topic: OnBus, Offset: int64(m)}, State: handover.Active, To: []Destination{dossier}, Origin: other, Sequence: uint64(m) + 1,
		}})
	}
	for _, e := range past {
		view.fold(0, int64(e.offset), begin.Add(time.Duration(e.offset)*time.Second), v.facts[e.fact].record())
	}
	key := keyOf(view)
	if n, known := v.index[key]; known {
		return n
	}
	n := uint16(len(v.nodes)) //nolint:gosec // some thousands; checked at the end
	v.nodes, v.index[key] = append(v.nodes, nodeOf(view, past)), n
	return n
}

// keyOf is the same for views that answer everything alike from now on.
func keyOf(view *View) string {
	var b strings.Builder
	for m := range uint8(2) {
		ref, _ := view.Ref(refOf(m))
		if ref.Settled() {
			ref = Ref{Done: ref.Done, Withdrawn: ref.Withdrawn}
		}
		fmt.Fprint(&b, ref, view.messages[messageOf(m)].settled == nil, "|")
	}
	if l := view.lanes[modelLane]; l != nil {
		for _, it := range l.items {
			fmt.Fprint(&b, it.Message, it.Status, it.Parking, it.Attempt, it.Reason.Code, "|")
		}
	}
	return b.String()
}

// nodeOf asks a view everything that the steps will ask, with the product's own questions.
func nodeOf(view *View, past []edge) *node {
	n := &node{view: view, past: past, runnable: -1}
	for m := range uint8(2) {
		n.refs[m], _ = view.Ref(refOf(m))
		n.intent[m] = uint8(n.refs[m].IntentAt.Sub(begin) / time.Second)
		if n.refs[m].Nonce != "" {
			nonce, _ := strconv.Atoi(n.refs[m].Nonce)
			n.nonce[m] = uint8(nonce) //nolint:gosec // small
		}
		n.earlier[m] = -1
		if first, open := view.Earlier(messageOf(m), dossier); open {
			n.earlier[m] = numberOf(first.Message)
		}
		position, _, first := view.Waiting(modelLane, messageOf(m))
		_, stands := view.Before(modelLane, other, uint64(m)+1)
		n.waiting[m] = position >= 0
		switch {
		case position == 0 && first.Status != StatusParked:
		case position >= 0:
			n.place[m] = waits
		case stands:
			n.place[m] = behind
		}
	}
	for _, it := range view.Parked() {
		if it.Status == StatusParked {
			n.parked = append(n.parked, asked{uint8(numberOf(it.Message)), uint8(it.Parking), it.Reason.Code == refusal}) //nolint:gosec // small
		}
	}
	if view.runnable(modelLane) {
		n.runnable = numberOf(view.lanes[modelLane].items[0].Message)
	}
	return n
}

func numberOf(id handover.MessageID) int8 {
	if id == messageOf(0) {
		return 0
	}
	return 1
}
