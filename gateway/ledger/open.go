package ledger

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Open is an admitted message that is not yet recorded everywhere and does not wait for a person everywhere else.
type Open struct {
	Message handover.MessageID
	Case    handover.CaseID
	Place   Place
	Number  uint64
}

// OpenBelow returns the open messages of a partition whose place on the bus lies below an offset, in the order of the bus.
func (v *View) OpenBelow(partition int32, offset int64) []Open {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Open
	for id, m := range v.parts[partition].open {
		if m.admission.Place.Offset < offset {
			out = append(out, Open{Message: id, Case: m.caseID, Place: m.admission.Place, Number: m.admission.Number})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Place.Offset < out[j].Place.Offset })
	return out
}

// Earlier returns the first message of a case that was admitted before another one, is not settled at a destination, and does not wait for
// a person there.
func (v *View) Earlier(id handover.MessageID, to Destination) (Open, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if m := v.messages[id]; m != nil {
		return v.openAt(Lane{Case: m.caseID, To: to}, m.admission.Number)
	}
	return Open{}, false
}

// OpenAt returns the first message of a lane that was admitted, is not settled there, and does not wait for a person there.
func (v *View) OpenAt(lane Lane) (Open, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.openAt(lane, math.MaxUint64)
}

func (v *View) openAt(lane Lane, below uint64) (Open, bool) {
	c, l := v.cases[lane.Case], v.lanes[lane]
	if c == nil {
		return Open{}, false
	}
	for _, m := range c.open {
		if m.admission.Number >= below {
			break
		}
		if slices.Contains(m.admission.To, lane.To) && !m.settled[lane.To] && (l == nil || l.find(m.id) < 0) {
			return Open{Message: m.id, Case: m.caseID, Place: m.admission.Place, Number: m.admission.Number}, true
		}
	}
	return Open{}, false
}

// Over reports whether the message at a place of the bus was admitted, and nothing is to be done with it at any destination.
func (v *View) Over(id handover.MessageID, place Place) bool {
	defer v.see(Record{Message: id})()
	m := v.messages[id]
	return m != nil && m.dropped == nil && m.admission.Place == place && (m.settled == nil || len(m.admission.To) == 0)
}

// Stats are figures for metrics and the operator.
type Stats struct {
	Cases    int `json:"cases"`
	Messages int `json:"messages"` // admitted
	Open     int `json:"open"`     // admitted, not yet recorded everywhere
	Parked   int `json:"parked"`   // a person must decide
	Held     int `json:"held"`     // waiting behind another message of their case
	// Differences is how many differences between the ledger and a native system's own list wait for a person.
	Differences int `json:"differences"`
	Skipped     int `json:"skipped"` // ledger records of another version or of an unknown kind
}

// Stats returns the present figures.
func (v *View) Stats() Stats {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s := Stats{Cases: len(v.cases) + v.rest.cases, Messages: len(v.messages) + v.rest.messages, Skipped: v.skipped, Differences: len(v.differences)}
	for i := range v.parts {
		s.Open += len(v.parts[i].open)
	}
	for _, l := range v.lanes {
		for _, it := range l.items {
			if it.Status == StatusHeld {
				s.Held++
			} else {
				s.Parked++
			}
		}
	}
	return s
}

// Newer reports whether a record of another version names a case: only a gateway that can read it knows where the case stands.
func (v *View) Newer(id handover.CaseID) bool {
	defer v.see(Record{Case: id})()
	return v.newer[id]
}

// Recorded is an entry that stands in a native system, and a case's counterpart there, as views show them.
type Recorded struct {
	Ref    native.Reference // empty: Case and At are set
	Native native.RecordID

	Case    handover.CaseID
	To      Destination
	Counter native.CaseKey

	At time.Time // of the DONE, by the broker's clock; for a case that of its last one
}

// batch is how many entries Recorded gives at a time.
const batch = 1000

// Recorded calls fn with everything that was recorded since a time, in no order, a thousand at a time at most. Between two calls it holds no lock, so that nothing waits for fn; what is recorded meanwhile
// may come or not, and something may come twice. It returns fn's first error.
func (v *View) Recorded(since time.Time, fn func([]Recorded) error) error {
	v.walks.RLock()
	defer v.walks.RUnlock()
	if err := v.aside(nil, func(part *View) error { return part.recorded(since, fn) }); err != nil {
		return err
	}
	return v.recorded(since, fn)
}

// recorded is Recorded for what is held.
func (v *View) recorded(since time.Time, fn func([]Recorded) error) error {
	from, all := since.UnixMilli(), make([]Recorded, 0, batch)
	flush := func(least int) (err error) {
		if len(all) < least {
			return nil
		}
		v.mu.RUnlock()
		err = fn(all)
		v.mu.RLock()
		all = all[:0]
		return err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	// Go's maps may change between two steps of a range; the lock keeps each step to itself.
	for name, r := range v.refs {
		if !r.Done || r.done < from {
			continue
		}
		all = append(all, Recorded{Ref: name, Native: r.Native, At: time.UnixMilli(r.done)})
		if err := flush(batch); err != nil {
			return err
		}
	}
	for id, c := range v.cases {
		if c.done < from {
			continue
		}
		for to, key := range c.Bindings {
			all = append(all, Recorded{Case: id, To: to, Counter: key, At: time.UnixMilli(c.done)})
		}
		if err := flush(batch); err != nil {
			return err
		}
	}
	return flush(1)
}
