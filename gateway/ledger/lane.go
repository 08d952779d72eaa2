package ledger

import (
	"slices"
	"sort"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Status says why a message waits in a lane.
type Status string

// The statuses of a waiting message.
const (
	StatusParked Status = "parked" // a person must decide
	StatusHeld   Status = "held"   // it waits behind another message of its case
	StatusDue    Status = "due"    // a person decided that it goes on
)

// Item is a message that waits in a lane.
type Item struct {
	Message handover.MessageID `json:"message"`
	Name    handover.Name      `json:"name,omitzero"`
	Case    handover.CaseID    `json:"case"`
	To      Destination        `json:"to"`
	Ref     native.Reference   `json:"ref,omitzero"`
	Place   Place              `json:"place"`
	Reason  Reason             `json:"reason"`
	Status  Status             `json:"status"`
	Since   time.Time          `json:"since"`
	// Origin and Sequence are the dossier that the message was entered in and its place there, as far as they are known.
	Origin   Destination `json:"origin,omitzero"`
	Sequence uint64      `json:"sequence,omitzero"`
	// Entered is where a person finds it.
	Entered Entered `json:"entered,omitzero"`
	// Partition and Parking are where the PARK record stands in the ledger; a ruling names it.
	Partition int32 `json:"-"`
	Parking   int64 `json:"-"`
	// Attempt is the attempt whose outcome the person is asked about; 0 if the question is another one.
	Attempt int `json:"attempt,omitzero"`
	// Difference is set when it is no message that waits, but a difference between the ledger and a native system's own list.
	Difference *Difference `json:"difference,omitzero"`
	// Sender, Action and Revises are those of its [Parking].
	Sender  handover.OrganisationID `json:"-"`
	Action  handover.Action         `json:"-"`
	Revises handover.MessageID      `json:"-"`
	fate    fate
}

// laneState is a lane in which messages wait, in the order in which they will go on.
type laneState struct{ items []Item }

func (l *laneState) find(id handover.MessageID) int {
	for i := range l.items {
		if l.items[i].Message == id {
			return i
		}
	}
	return -1
}

// follows reports whether a waiting message comes after another one: only what was entered later in the same dossier certainly does. A record that cannot be
// translated waits as soon as it is read, while what was entered before it is still on the bus.
func (it Item) follows(origin Destination, sequence uint64) bool {
	return it.Sequence > sequence && sequence > 0 && it.Origin == origin && origin != Destination{}
}

// before returns the first item that stands before a message, which may wait there itself.
func (l *laneState) before(id handover.MessageID, origin Destination, sequence uint64) (Item, bool) {
	if l == nil {
		return Item{}, false
	}
	for _, it := range l.items {
		if it.Message == id {
			break
		}
		if !it.follows(origin, sequence) {
			return it, true
		}
	}
	return Item{}, false
}

// put lets an item wait at the end of the lane, but before what was entered later in its dossier.
func (l *laneState) put(it Item) {
	at := len(l.items)
	for i := range l.items {
		if l.items[i].follows(it.Origin, it.Sequence) {
			at = i
			break
		}
	}
	l.items = slices.Insert(l.items, at, it)
}

// foldPark lets a message wait in its lane, or says anew why it waits.
func (v *View) foldPark(partition int32, offset int64, at time.Time, r Record) {
	if r.Parking == nil {
		return
	}
	key := Lane{Case: r.Case, To: r.To}
	if (r.To == Gate && v.messages[r.Message] != nil) || (r.To != Gate && v.refs[r.Ref] != nil && v.refs[r.Ref].past(*r.Parking)) {
		return // it was admitted, recorded or dropped meanwhile, or another attempt decides
	}
	l := v.lanes[key]
	if l == nil {
		l = &laneState{}
		v.lanes[key] = l
	}
	item := Item{
		Message: r.Message, Name: r.Parking.Name, Case: r.Case, To: r.To, Ref: r.Ref, Place: r.Parking.Place, Reason: r.Parking.Reason,
		Status: StatusParked, Since: r.Parking.At, Partition: partition, Parking: offset, Origin: r.Parking.Origin, Sequence: r.Parking.Sequence,
		Entered: r.Parking.Entered, Attempt: r.Parking.Attempt, Sender: r.Parking.Sender, Action: r.Parking.Action, Revises: r.Parking.Revises,
	}
	if r.Parking.Held {
		item.Status = StatusHeld
	} else if r.Ref != "" {
		v.refOf(r.Ref).Asked = true
	}
	if item.To == Gate {
		v.locate(&item)
	}
	item.fate = fate{ref: v.refs[r.Ref], offset: offset, at: at.UnixMilli()}
	if i := l.find(r.Message); i >= 0 {
		if item.Status == StatusParked {
			l.items[i] = item
			v.befalls(r.Message, r.To, item.fate)
		}
		return
	}
	l.put(item)
	v.befalls(r.Message, r.To, item.fate)
}

// bind ties a case to the native case that it is in a system. What waits at the gate and could not say whose it was turns out to be of that dossier, and takes its place in it: what was entered
// before it stands before it, as if the dossier had been known at once.
func (v *View) bind(id handover.CaseID, to Destination, key native.CaseKey) {
	v.caseOf(id).Bindings[to] = key
	l := v.lanes[Lane{Case: id, To: Gate}]
	if l == nil {
		return
	}
	for i := range l.items {
		v.locate(&l.items[i])
	}
	waiting := l.items
	l.items = nil
	for _, it := range waiting {
		l.put(it)
	}
}

// locate names the dossier of an item that does not say whose it is, if it is known by now.
func (v *View) locate(it *Item) {
	c := v.cases[it.Case]
	if c == nil || it.Origin != Gate || it.Entered.Case == "" {
		return
	}
	if at, known := c.dossier(it.Entered.System, it.Entered.Case); known {
		it.Origin = at
	}
}

// parkingKey names a parking: a ledger offset counts within a partition, and a case lies in one.
type parkingKey struct {
	caseID handover.CaseID
	offset int64
}

// ruled returns the ledger offset of the ruling that counts for a parking.
func (v *View) ruled(parking int64, c handover.CaseID) (int64, bool) {
	defer v.see(Record{Case: c})()
	offset, ok := v.rulings[parkingKey{c, parking}]
	return offset, ok
}

// foldRuling applies the first ruling on a parking.
func (v *View) foldRuling(partition int32, offset int64, at time.Time, r Record) {
	if v.foldAnswer(offset, at, r) {
		return
	}
	key := Lane{Case: r.Case, To: r.To}
	l := v.lanes[key]
	if l == nil || r.Decision == nil {
		return
	}
	i := l.find(r.Message)
	if i < 0 || l.items[i].Status != StatusParked || l.items[i].Parking != r.Decision.Parking {
		return
	}
	v.rulings[parkingKey{r.Case, r.Decision.Parking}] = offset
	decided := fate{ref: v.refs[l.items[i].Ref], decision: r.Decision, offset: offset, at: at.UnixMilli()}
	switch r.Decision.Verdict {
	case Retry:
		l.items[i].Status, l.items[i].fate = StatusDue, decided
		v.befalls(r.Message, r.To, decided)
		if ref := v.refs[l.items[i].Ref]; ref != nil {
			ref.Asked = false
			ref.Ruled = ref.Attempt > 0 && ref.Attempt == l.items[i].Attempt
			ref.Repeated = ref.Repeated || ref.Ruled && !ref.Void
			v.setBackAt(partition, offset).ruled(ref, r.Decision.Parking)
		}
	case Found:
		r.Ref = l.items[i].Ref
		v.foldFound(offset, at, r)
	case Withdraw:
		if r.To == Gate {
			it := l.items[i]
			v.messages[r.Message] = &message{
				id: r.Message, caseID: r.Case, partition: partition, dropped: &it, gate: decided,
				admission: Admission{Withdrawn: true, Action: it.Action, Revises: it.Revises},
			}
		} else {
			decided.ref = v.refOf(l.items[i].Ref)
			decided.ref.Withdrawn = true
			v.befalls(r.Message, r.To, decided)
			v.settle(r.Message, r.To)
		}
		v.leaveLane(key, r.Message)
	}
}

// leaveLane takes a message out of a lane.
func (v *View) leaveLane(key Lane, id handover.MessageID) {
	l := v.lanes[key]
	if l == nil {
		return
	}
	if i := l.find(id); i >= 0 {
		l.items = append(l.items[:i], l.items[i+1:]...)
	}
	if len(l.items) == 0 {
		delete(v.lanes, key)
	}
}

// runnable reports whether the first waiting message of a lane can go on.
func (v *View) runnable(key Lane) bool {
	l := v.lanes[key]
	return l != nil && len(l.items) > 0 && l.items[0].Status != StatusParked
}

// first returns the message that waits first in a lane, or "". The caller holds the lock.
func (v *View) first(key Lane) handover.MessageID {
	if l := v.lanes[key]; l != nil && len(l.items) > 0 {
		return l.items[0].Message
	}
	return ""
}

// Waiting returns the position (0 first) of a message among those that wait in a lane, the number of those, and the first one. The position
// is -1 for a message that does not wait.
func (v *View) Waiting(key Lane, id handover.MessageID) (position, count int, first Item) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	l := v.lanes[key]
	if l == nil || len(l.items) == 0 {
		return -1, 0, Item{}
	}
	return l.find(id), len(l.items), l.items[0]
}

// Before returns the first of the messages in a lane that stand before one that does not wait there yet: all, except what was entered later in its dossier.
func (v *View) Before(key Lane, origin Destination, sequence uint64) (Item, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.lanes[key].before("", origin, sequence)
}

// Runnable returns the lanes of a partition whose first waiting message can go on.
func (v *View) Runnable(in func(handover.CaseID) bool) []Lane {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Lane
	for key := range v.lanes {
		if v.runnable(key) && in(key.Case) {
			out = append(out, key)
		}
	}
	return out
}

// found completes where a person finds a message with what is known of its dossier now: when it was parked, the dossier may not have been known yet. The caller holds the lock.
func (v *View) found(it Item) Item {
	if it.Entered.System == "" {
		it.Entered.System = it.Origin.System
	}
	if c := v.cases[it.Case]; c != nil && it.Entered.Case == "" && it.Origin != Gate {
		it.Entered.Case = c.Bindings[it.Origin]
	}
	return it
}

// Parked returns everything that waits, the longest waiting first.
func (v *View) Parked() []Item {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Item
	for _, l := range v.lanes {
		for _, it := range l.items {
			out = append(out, v.found(it))
		}
	}
	for _, it := range v.differences {
		out = append(out, *it)
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].Since.Equal(out[j].Since) {
			return out[i].Since.Before(out[j].Since)
		}
		if out[i].Message != out[j].Message {
			return out[i].Message < out[j].Message
		}
		if a, b := out[i].To.String(), out[j].To.String(); a != b {
			return a < b
		}
		return out[i].Partition < out[j].Partition || out[i].Partition == out[j].Partition && out[i].Parking < out[j].Parking
	})
	return out
}
