package ledger

import (
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/adapters"
)

// The sizes of the model. What does not fit is cut off and counted.
const (
	mostRecords  = 16
	mostRequests = 3
	never        = uint8(255)
)

// state is one state of the model's world: the ledger, two workers, the requests on the way, the native system, Redis, and what may still go wrong.
// It is comparable, and every time in it is an age, counted in ticks up to where nothing changes any more.
//
// It has no gaps in memory, so that it is hashed in one go.
type state struct {
	log       [mostRecords]line
	workers   [2]worker
	requests  [mostRequests]request
	serial    uint16 // how many INTENTs were written
	end       uint8
	entries   [2]uint8 // native records with the reference of a message
	shown     [2]uint8 // age of the first of them: a search finds it from Lookup on
	refused   uint8    // references that an asynchronous system says it has refused
	committed uint8    // messages that are complete for the bus
	dropped   uint8    // messages that a person has dropped
	claims    [2]lease
	inRedis   uint8 // messages that Redis calls done
	left      purse
}

// line is one record of the ledger; fact 0 was removed by compaction.
type line struct {
	fact uint16
	age  uint8 // of an INTENT and a PARK
	lost bool  // there is no such record any more, although somebody may have read it
}

// place is where a worker stands in its work, named like the function or the record that is next.
type stand uint8

const (
	idle     stand = iota
	follow         // the ledger decides the next step
	intend         // the claim is there; INTENT is to be appended
	confirm        // INTENT is appended; the view has to reach it
	send           // the decision to send is made
	await          // the request is on its way
	overtook       // it is refused; whether an earlier attempt is still being executed is to be made sure of
	finish         // DONE is to be appended
	void           // VOID is to be appended
	classify       // VOID of what was refused is appended; the view has to reach it
	park           // PARK is to be appended
	hold           // PARK held is to be appended
)

func (s stand) String() string {
	return [...]string{"idle", "follow", "intend", "confirm", "send", "await", "overtook", "finish", "void", "classify", "park", "hold"}[s]
}

// worker is one gateway's work on the lane. Both own the partition all the time: one of them has not heard yet that it does not.
type worker struct {
	view  uint16 // what it has read
	own   own
	queue uint8 // messages that it has still to record
	stand stand
	m     uint8
	next  uint8 // offset that it reads next
	need  uint8 // the view must have reached this offset before it goes on
	since uint8 // how long it is sending, waiting for an answer, or in doubt about a refusal
	// of a VOID and a PARK to be appended
	attempt, nonce uint8
	searched       bool
	refused        bool // the native system has said no to the attempt: a person is asked
}

// own is what it remembers of its own INTENT.
type own struct {
	attempt, nonce, age uint8
	sent                bool
}

// request is on its way to the native system.
type request struct {
	live  bool
	m     uint8
	age   uint8
	owner uint8 // the worker that still waits for the answer, plus 1; 0: nobody
}

// lease is a claim in Redis.
type lease struct{ owner, age uint8 }

// purse is how often each thing may still go wrong.
type purse struct {
	crashes     uint8
	lost        uint8 // requests that never arrive
	unanswered  uint8 // answers that never arrive
	rejected    uint8 // requests that the system provably does not execute
	broken      uint8 // appends that fail, written or not
	rulings     uint8
	redis       uint8 // Redis is wiped, or set back to an older state
	compactions uint8
	elections   uint8 // the ledger loses its last record, although it was acknowledged
}

// label names a step, for the history of a finding.
type label struct {
	who  string
	what string
	fact uint16
	m    uint8
}

func (x *model) name(l label) string {
	s := l.who + " " + l.what
	if l.fact > 0 {
		return s + " " + x.views.facts[l.fact].String()
	}
	if l.m != never {
		s += fmt.Sprint(" m", l.m+1)
	}
	return s
}

// less orders workers, so that two states that differ only in who is who are one.
func (w worker) less(o worker) bool {
	a := [...]uint32{uint32(w.stand), uint32(w.queue), uint32(w.view), uint32(w.next), uint32(w.need), uint32(w.own.nonce), uint32(w.own.age), uint32(w.nonce), uint32(w.since), uint32(w.m)}
	b := [...]uint32{uint32(o.stand), uint32(o.queue), uint32(o.view), uint32(o.next), uint32(o.need), uint32(o.own.nonce), uint32(o.own.age), uint32(o.nonce), uint32(o.since), uint32(o.m)}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// normal returns the one state that stands for all that differ in names only.
func (s state) normal() state {
	if s.workers[1].less(s.workers[0]) {
		s.workers[0], s.workers[1] = s.workers[1], s.workers[0]
		for i := range s.requests {
			s.requests[i].owner = swapped(s.requests[i].owner)
		}
		for i := range s.claims {
			s.claims[i].owner = swapped(s.claims[i].owner)
		}
	}
	for i := 1; i < mostRequests; i++ {
		for k := i; k > 0 && s.requests[k-1].less(s.requests[k]); k-- {
			s.requests[k-1], s.requests[k] = s.requests[k], s.requests[k-1]
		}
	}
	return s
}

func swapped(owner uint8) uint8 {
	if owner == 1 || owner == 2 {
		return 3 - owner
	}
	return owner
}

// less puts what is on its way first.
func (r request) less(o request) bool { return r.rank() < o.rank() }

func (r request) rank() int {
	if !r.live {
		return 0
	}
	return 1 + int(r.owner) + 4*int(r.age) + 64*int(r.m)
}

// second is how long a tick is, where the product's code wants times.
const second = time.Second

// ticks returns a bound in ticks.
func ticks(d time.Duration) uint8 { return uint8(d / second) } //nolint:gosec // a few seconds

// of returns the reference of a message as a worker's view has it, with the time of its INTENT.
func (x *model) of(s *state, n *node, m uint8, now time.Time) Ref {
	r := n.refs[m]
	if r.Attempt > 0 {
		r.IntentAt = now.Add(-time.Duration(s.log[n.intent[m]].age) * second)
	}
	r.Doubts += x.doubts
	return r
}

func (o own) product(now time.Time) Own {
	w := Own{Attempt: int(o.attempt), Sent: o.sent, At: now.Add(-time.Duration(o.age) * second)}
	if o.nonce > 0 {
		w.Nonce = fmt.Sprint(o.nonce)
	}
	return w
}

// decision is the product's.
type decision = func(Ref, Own, adapters.Mode, adapters.Bounds, time.Time) (Step, time.Duration)
