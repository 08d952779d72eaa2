package delivery

import (
	"context"
	"math"
	"strings"
	"sync/atomic"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// claim is one partition of the bus that this gateway owns at present.
type claim struct {
	*Delivery
	partition int32
	lanes     schedule.Lanes
	mark      *schedule.Watermark
	done      func(int64)
}

// Run handles one partition until ctx ends or records is closed. from is the offset at which the partition starts; wake names lanes that can go
// on after a ruling; done is called with the offset up to which everything is complete. When Run returns, nothing that it started is left.
func (d *Delivery) Run(ctx context.Context, partition int32, from int64, records <-chan Record, wake <-chan ledger.Lane, done func(int64)) error {
	c := &claim{Delivery: d, partition: partition, mark: schedule.NewWatermark(d.o.Window), done: done}
	defer c.lanes.Wait()
	c.resumeAll(ctx, from)
	for {
		// What a person has let go on comes before what is new. Go's select would draw between the two, and a simulated day would not be the same twice.
		select {
		case l := <-wake:
			c.lanes.Go(l.String(), func() { c.resume(ctx, l) })
			continue
		default:
		}
		select {
		case r, ok := <-records:
			if !ok {
				return nil
			}
			if err := c.mark.Open(ctx, r.Offset); err != nil {
				return nil // the claim has ended; the next owner reads the record again
			}
			c.take(ctx, r)
		case l := <-wake:
			c.lanes.Go(l.String(), func() { c.resume(ctx, l) })
		case <-ctx.Done():
			return nil
		}
	}
}

// take puts a message of the bus into the lane of its case.
func (c *claim) take(ctx context.Context, r Record) {
	gate := ledger.Lane{Case: handover.CaseID(r.Headers["ce_subject"]), To: ledger.Gate}
	c.lanes.Go(gate.String(), func() {
		c.gate(ctx, r, func() { c.complete(r.Offset) })
	})
}

// complete says that a message is recorded or waits for a person everywhere.
func (c *claim) complete(offset int64) {
	if upTo, advanced := c.mark.Done(offset); advanced {
		c.done(upTo)
	}
}

// resumeAll goes on with what lies below the offset at which the partition starts: messages that a person released, and lanes in which
// something waits that can go on.
func (c *claim) resumeAll(ctx context.Context, from int64) {
	if from < 0 {
		from = math.MaxInt64 // the group has no offset yet: everything on the bus comes again
	}
	for _, open := range c.o.Ledger.OpenBelow(c.partition, from) {
		lane := ledger.Lane{Case: open.Case, To: ledger.Gate}
		c.lanes.Go(lane.String(), func() { c.again(ctx, open) })
	}
	for _, lane := range c.o.Ledger.Runnable(func(id handover.CaseID) bool { return c.o.Bus.PartitionOf(id) == c.partition }) {
		c.lanes.Go(lane.String(), func() { c.resume(ctx, lane) })
	}
}

// again reads a message by its place and handles it as if it had just come. One that is not there any more waits for a person at every place where it does not stand yet.
func (c *claim) again(ctx context.Context, o ledger.Open) {
	r, err := c.reread(ctx, o)
	if err == nil {
		c.gate(ctx, r, func() {})
	} else if fault.KindOf(err) == fault.Park {
		a, _ := c.o.Ledger.Admission(o.Message)
		for _, to := range a.To {
			c.lanes.Go(ledger.Lane{Case: o.Case, To: to}.String(), func() { c.recordAt(ctx, o, to) })
		}
	}
}

// resume goes on with the messages that wait in a lane, until one needs a person, and with those that another gateway has admitted.
func (c *claim) resume(ctx context.Context, lane ledger.Lane) {
	c.resumeWaiting(ctx, lane)
	if lane.To != ledger.Gate {
		c.recordEach(ctx, lane.To, func() (ledger.Open, bool) { return c.o.Ledger.OpenAt(lane) })
	}
}

// recordEach records what next names at a destination, until it names nothing more (true). It gives up (false) when ctx ends, and when next names what has just been recorded: to go on would be to
// turn in a circle for ever; as it is, the offset of the bus stands still, which is seen, and the next owner of the partition tries again.
func (c *claim) recordEach(ctx context.Context, to ledger.Destination, next func() (ledger.Open, bool)) bool {
	var last handover.MessageID
	for {
		open, ok := next()
		if !ok {
			return true
		}
		if open.Message == last || !c.recordAt(ctx, open, to) {
			return false
		}
		last = open.Message
	}
}

// resumeWaiting goes on with the messages that wait in a lane, until one needs a person.
func (c *claim) resumeWaiting(ctx context.Context, lane ledger.Lane) {
	var last handover.MessageID
	for ctx.Err() == nil {
		_, count, first := c.o.Ledger.Waiting(lane, "")
		if count == 0 || first.Status == ledger.StatusParked || first.Message == last {
			return
		}
		last = first.Message
		if first.Place.Topic == ledger.OnParked {
			c.readParked(ctx, lane, first)
			return // the message comes over the bus and finds itself first in the lane
		}
		c.resumeOne(ctx, lane, first)
	}
}

// readParked lets a parked native record be read again. If that needs a person once more, it is parked anew: waiting would not help, and on what waits nobody
// can rule.
func (c *claim) readParked(ctx context.Context, lane ledger.Lane, item ledger.Item) {
	var why error
	err := c.persist(ctx, "delivery.read-parked", func() error {
		err := c.o.Again.Again(ctx, lane.Case, item.Place)
		if fault.KindOf(err) == fault.Park {
			why = err
			return nil
		}
		return err
	})
	if err == nil && why != nil {
		e := ledger.Entry{Case: item.Case, Message: item.Message, To: lane.To, Origin: item.Origin, Sequence: item.Sequence, Entered: item.Entered}
		_ = c.park(ctx, e, ledger.Parking{Place: item.Place, Name: item.Name}, why) // if ctx ends first, the next owner comes here again
	}
}

// resumeOne handles the first waiting message of a lane.
func (c *claim) resumeOne(ctx context.Context, lane ledger.Lane, item ledger.Item) {
	o := ledger.Open{Message: item.Message, Case: item.Case, Place: item.Place}
	if lane.To != ledger.Gate {
		c.recordAt(ctx, o, lane.To)
		return
	}
	r, err := c.reread(ctx, o)
	if err == nil {
		c.gate(ctx, r, func() {})
	} else if fault.KindOf(err) == fault.Park {
		e := ledger.Entry{Case: item.Case, Message: item.Message, To: lane.To, Origin: item.Origin, Sequence: item.Sequence, Entered: item.Entered}
		_ = c.park(ctx, e, ledger.Parking{Place: item.Place, Name: item.Name}, err)
	}
}

// recordAt is record for a message that has to be read again.
func (c *claim) recordAt(ctx context.Context, o ledger.Open, to ledger.Destination) bool {
	e := ledger.Entry{Case: o.Case, Message: o.Message, To: to, Ref: c.Reference(o.Message, to)}
	if ref, _ := c.o.Ledger.Ref(e.Ref); ref.Settled() {
		return true
	}
	r, err := c.reread(ctx, o)
	if err != nil && fault.KindOf(err) != fault.Park {
		return false
	}
	if c.foreign(o.Case, r.Headers) {
		c.leave(ctx, o.Case, r.Headers["ce_type"])
		return false
	}
	var m handover.Message
	if err == nil {
		m, _, err = c.open(r)
	}
	if err != nil {
		return c.park(ctx, e, ledger.Parking{Place: o.Place}, err) == nil
	}
	return c.record(ctx, m, o.Place, to)
}

// reread reads a message by its place. It returns an error when ctx ends first, and one of kind Park when the bus does not hold the message any more: its end was lost, and another message may
// lie there since.
func (c *claim) reread(ctx context.Context, o ledger.Open) (r Record, err error) {
	gone, id := false, handover.MessageID(strings.TrimSuffix(string(o.Message), changedCopy))
	err = c.persist(ctx, "delivery.read-again", func() (err error) {
		r, err = c.o.Bus.ReadAt(ctx, c.partition, o.Place.Offset)
		if gone = fault.KindOf(err) == fault.Park; gone {
			return nil
		}
		return err
	})
	if err == nil && (gone || r.Headers["ce_id"] != "" && r.Headers["ce_id"] != string(id)) {
		return Record{}, fault.New(fault.Park, "delivery.read-again", "message-lost", "the message was on the bus and is not there any more").
			Hint("look for it in the system that it was entered in, and enter it by hand where it is missing; then rule: found, or withdraw")
	}
	return r, err
}

// join returns a function that calls all when it has been called n times.
func join(n int, all func()) func() {
	if n == 0 {
		all()
		return func() {}
	}
	left := atomic.Int64{}
	left.Store(int64(n))
	return func() {
		if left.Add(-1) == 0 {
			all()
		}
	}
}
