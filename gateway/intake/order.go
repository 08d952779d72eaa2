package intake

import (
	"context"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Order keeps readers in step while they read their systems again after a loss of the ledger: what was said in one system is put on the bus before what was said later in another one. In daily work the clerks
// see to that, since nobody answers what she has not read; read again all at once, an answer would come before its question and wait for a person. It is safe for concurrent use.
//
// Only readers of one process are kept in step. What comes out of order all the same waits for a person.
type Order struct {
	now   func() time.Time
	mu    sync.Mutex
	at    map[handover.SystemID]place
	moved chan struct{} // closed and replaced when somebody has moved
}

// place is how far a reader has come: everything that was entered before is on the bus.
type place struct {
	time  time.Time
	past  bool      // it has come to the end, or another gateway reads the system
	since time.Time // when it moved
	waits bool      // for its turn: it is not its system that holds it up
}

// stalled is how long the others wait for a reader that does not move: its system cannot be reached.
const stalled = 10 * time.Minute

// NewOrder returns the order of the readers of these systems.
func NewOrder(now func() time.Time, systems ...handover.SystemID) *Order {
	o := &Order{now: now, at: map[handover.SystemID]place{}, moved: make(chan struct{})}
	for _, id := range systems {
		o.at[id] = place{since: now()}
	}
	return o
}

// pass says that nobody needs to wait for a reader any more.
func (o *Order) pass(id handover.SystemID) { o.set(id, place{past: true}) }

func (o *Order) set(id handover.SystemID, p place) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if was := o.at[id]; was.past && p.past {
		return
	}
	p.since = o.now()
	o.at[id] = p
	close(o.moved)
	o.moved = make(chan struct{})
}

// turn says that a reader comes to what was entered at a time, and returns when every other one has come as far, or ctx's error.
func (o *Order) turn(ctx context.Context, id handover.SystemID, at time.Time) error {
	o.set(id, place{time: at, waits: true})
	defer func() { o.set(id, place{time: at}) }()
	for {
		moved, wait := o.behind(id, at)
		if wait <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(wait)
		select {
		case <-moved:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// behind returns how long it is to be waited for readers that are behind a time.
func (o *Order) behind(id handover.SystemID, at time.Time) (<-chan struct{}, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var wait time.Duration
	for other, p := range o.at {
		if other != id && !p.past && p.time.Before(at) {
			left := stalled - o.now().Sub(p.since)
			if p.waits {
				left = stalled
			}
			wait = max(wait, left)
		}
	}
	return o.moved, wait
}

// again reports whether a batch holds something that the ledger may have lost, which is then taken in order.
func (r *Reader) again(b adapters.Batch) bool {
	if r.Order == nil {
		return false
	}
	for _, rec := range b.Records {
		if r.Ledger.LostOf(r.caseID(rec), rec.At) {
			return true
		}
	}
	return false
}

// takeInOrder handles a batch record by record, each when it is its turn.
func (r *Reader) takeInOrder(ctx context.Context, b adapters.Batch) error {
	for _, rec := range b.Records {
		if err := r.Order.turn(ctx, r.origin.ID, rec.At); err != nil {
			return err
		}
		if err := r.take(ctx, rec); err != nil {
			return err
		}
	}
	for _, broken := range b.Broken {
		if err := r.takeBroken(ctx, broken); err != nil {
			return err
		}
	}
	return nil
}
