package delivery

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// gate gives a message its place in its case and hands it to the lanes of its destinations, or parks it. settled is called
// when nothing more will happen with it without a person; it is not called when ctx ends first.
func (c *claim) gate(ctx context.Context, r Record, settled func()) {
	if id := handover.CaseID(r.Headers["ce_subject"]); c.foreign(id, r.Headers) {
		c.leave(ctx, id, r.Headers["ce_type"])
		return
	}
	place := ledger.Place{Topic: ledger.OnBus, Offset: r.Offset}
	if c.o.Ledger.Over(handover.MessageID(r.Headers["ce_id"]), place) {
		settled() // after a start everything comes again that lies behind the first message that is still open
		return
	}
	m, print, err := c.open(r)
	if err != nil {
		if c.park(ctx, gateEntry(r, c.partition), ledger.Parking{Place: place}, err) == nil {
			settled()
		}
		return
	}
	a, verdict := c.admit(ctx, m, print, place)
	switch verdict {
	case admitted:
		c.spread(ctx, m, a, settled)
	case waits:
		settled()
	case unfinished:
	}
}

// verdict is what the gate says about a message.
type verdict uint8

const (
	unfinished verdict = iota // ctx ended first; the message comes again
	admitted
	again // something has changed meanwhile: decide anew
	waits // it is parked, held, a duplicate, or withdrawn: complete for the bus
)

// admit finds out what is to be done with a message, until the ledger has it.
func (c *claim) admit(ctx context.Context, m handover.Message, print string, place ledger.Place) (ledger.Admission, verdict) {
	for ctx.Err() == nil {
		if a, known := c.o.Ledger.Admission(m.ID); known {
			return a, c.repeated(ctx, m, a, print, place)
		}
		others, leave, ok := c.meet(ctx, m)
		if !ok {
			break
		}
		a, v := c.settle(ctx, m, print, place, others)
		leave()
		if v != again {
			return a, v
		}
	}
	return ledger.Admission{}, unfinished
}

// settle decides about a message on what is known now, and asks the ledger for its place.
func (c *claim) settle(ctx context.Context, m handover.Message, print string, place ledger.Place, others rivals) (ledger.Admission, verdict) {
	a, v, err := c.decide(ctx, m, print, place, others)
	if err != nil && ctx.Err() == nil {
		// What was written before the message came may not be known here yet, above all what waits before it. A person is asked only about what holds all the same.
		if c.persist(ctx, "delivery.sync", func() error { return c.o.Ledger.Sync(ctx, m.Case) }) != nil {
			return a, unfinished
		}
		a, v, err = c.decide(ctx, m, print, place, others)
	}
	switch {
	case ctx.Err() != nil:
		return a, unfinished
	case err != nil:
		if c.park(ctx, c.entryAt(m, ledger.Gate, ""), ledger.Parking{Place: place, Name: m.Name}, err) != nil {
			return a, unfinished
		}
		if c.overtaken(m.ID) {
			return a, again
		}
		return a, waits
	case v != admitted:
		return a, v
	}
	return c.enter(ctx, m, a)
}

// enter asks the ledger for the place of a message in its case.
func (c *claim) enter(ctx context.Context, m handover.Message, a ledger.Admission) (ledger.Admission, verdict) {
	won, ok := a, false
	err := c.persist(ctx, "delivery.admit", func() (err error) {
		won, ok, err = c.o.Ledger.Admit(ctx, m.Case, m.ID, a)
		return err
	})
	switch {
	case err != nil:
		return a, unfinished
	case ok:
		return won, admitted
	}
	return a, again
}

// decide says what is to be done with a message by what is known now: it can be admitted like this, waits behind another one, was admitted meanwhile (again), or, with an error, a person must look.
func (c *claim) decide(ctx context.Context, m handover.Message, print string, place ledger.Place, others rivals) (ledger.Admission, verdict, error) {
	v := c.queue(ctx, m, place)
	switch {
	case c.overtaken(m.ID):
		return ledger.Admission{}, again, nil
	case v != admitted:
		return ledger.Admission{}, v, nil
	}
	k, err := c.caseOf(ctx, m.Case)
	if err != nil {
		return ledger.Admission{}, admitted, err
	}
	a, err := c.consider(k, m, print, place, others)
	return a, admitted, err
}

// overtaken reports whether another gateway admitted a message while this one let it wait: the parking does not count then, and that gateway may have lost the
// partition before it recorded anything.
func (c *claim) overtaken(id handover.MessageID) bool {
	_, known := c.o.Ledger.Admission(id)
	return known
}

// changedCopy marks the id under which a copy with another content waits.
const changedCopy = "~changed"

// repeated handles a message that has its place already: the same record read again goes on, another copy is a duplicate, and
// another content under the same id is a question for a person.
func (c *claim) repeated(ctx context.Context, m handover.Message, a ledger.Admission, print string, place ledger.Place) verdict {
	switch {
	case a.Withdrawn:
		return waits
	case a.Place == place:
		return admitted
	case a.Print == print:
		c.o.Log.DebugContext(ctx, "duplicate", slog.String("message", string(m.ID)), slog.String("case", string(m.Case)))
		return waits
	}
	e := c.entryAt(m, ledger.Gate, "")
	e.Message += changedCopy
	err := fault.New(fault.Park, "delivery.gate", "changed-record", "the native system has sent the same record with another content").
		Hint("compare the record in its native system with what was delivered, and withdraw this copy")
	if c.park(ctx, e, ledger.Parking{Place: place, Name: m.Name}, err) != nil {
		return unfinished
	}
	return waits
}

// queue lets a message wait behind one of its case that a person must decide on.
func (c *claim) queue(ctx context.Context, m handover.Message, place ledger.Place) verdict {
	lane := ledger.Lane{Case: m.Case, To: ledger.Gate}
	return c.behind(ctx, lane, c.entryAt(m, ledger.Gate, ""), place, m.Name)
}

// behind reports admitted when nothing stands before the message in its lane; otherwise it makes sure that the message waits there.
func (c *claim) behind(ctx context.Context, lane ledger.Lane, e ledger.Entry, place ledger.Place, name handover.Name) verdict {
	position, _, first := c.o.Ledger.Waiting(lane, e.Message)
	switch {
	case position == 0 && first.Status != ledger.StatusParked:
		return admitted
	case position >= 0:
		return waits
	}
	first, stands := c.o.Ledger.Before(lane, e.Origin, e.Sequence)
	if !stands {
		return admitted
	}
	reason := ledger.Reason{
		Code: "held", Text: "it waits behind message " + string(first.Message) + " of its case",
		Next: "decide on that message; this one goes on by itself",
	}
	err := c.persist(ctx, "delivery.hold", func() error {
		return c.o.Ledger.Park(ctx, e, ledger.Parking{Place: place, Reason: reason, Held: true, Name: name})
	})
	if err != nil {
		return unfinished
	}
	return waits
}

// spread hands a message to the lanes of its destinations. It is called in the order of the case, so the lanes keep that order.
func (c *claim) spread(ctx context.Context, m handover.Message, a ledger.Admission, settled func()) {
	one := join(len(a.To), settled)
	for _, to := range a.To {
		lane := ledger.Lane{Case: m.Case, To: to}
		c.lanes.Go(lane.String(), func() {
			if c.record(ctx, m, a.Place, to) {
				one()
			}
		})
	}
}

// open reads envelope and payload of a sealed message and checks both.
func (d *Delivery) open(r Record) (handover.Message, string, error) {
	e, err := handover.ParseHeaders(r.Headers)
	if err != nil {
		return handover.Message{}, "", err
	}
	plain, err := d.o.Keys.Open(r.Value, e.AssociatedData())
	if err != nil {
		return handover.Message{}, "", err
	}
	p, err := handover.DecodePayload(e.Name, plain)
	if err != nil {
		return handover.Message{}, "", err
	}
	m := handover.Message{Envelope: e, Payload: p}
	if err := m.Validate(); err != nil {
		return handover.Message{}, "", fault.Wrap(fault.Park, "delivery.validate", err)
	}
	return m, d.o.Keys.DeriveID("print", string(plain)), nil
}

// remote returns a context whose spans belong to the trace in which the native record was read.
func remote(ctx context.Context, m handover.Message) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, parseTraceparent(m.Trace))
}
