// Package intake reads what was entered in native systems and puts it on the bus as canonical messages.
//
// A record goes through these steps, in this order; each is a function of its own:
//
//	echo:    what einmal itself wrote does not come back as news
//	known:   what is on the bus already is not put there again
//	map:     the native record becomes a message, or it is parked with a reason
//	bind:    the case is tied to the native case that it was opened from
//	publish: sealed, and confirmed by the bus
//
// Only when every record of a batch is on the bus or parked does the position move on, in the ledger. So a crash anywhere repeats work and
// loses nothing (I1), and since message and case ids are derived from the native record, a repetition is recognised.
//
// Several gateways may read the same system at the same time. Each publishes the records of a case one after the other, from a position before
// which everything is on the bus; so the first copies of a case's messages lie on the bus in the order of the native system, whoever wrote them.
package intake

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/mapping"
)

// Bus takes sealed messages. An error means that nobody knows whether the message is there, and publishing it again is safe; one of kind Refuse means
// that the bus will never take it, because it is too large.
type Bus interface {
	// Publish puts a message on the bus and returns when it is durable.
	Publish(ctx context.Context, e handover.Envelope, sealed []byte) error
	// Keep puts a sealed native record that could not be translated into the store of parked ones, and returns its place.
	Keep(ctx context.Context, c handover.CaseID, sealed []byte) (ledger.Place, error)
	// Kept returns it again.
	Kept(ctx context.Context, c handover.CaseID, p ledger.Place) ([]byte, error)
}

// Keys seals and derives ids.
type Keys interface {
	Seal(plain, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
	DeriveID(label string, parts ...string) string
}

// Claims is the advice that Redis gives; see gateway/claims.
type Claims interface {
	Claim(ctx context.Context, what string, lease time.Duration) bool
	Seen(ctx context.Context, id handover.MessageID, print string) bool
	SetSeen(ctx context.Context, id handover.MessageID, print string)
}

// Observer counts what happens.
type Observer interface {
	// Read counts a record read from a native system by what became of it: published, echo, known, parked.
	Read(ctx context.Context, from handover.SystemID, outcome string)
	// Unread counts a reading that failed, by the code of the reason.
	Unread(ctx context.Context, from handover.SystemID, code string)
	// Published counts a message put on the bus.
	Published(ctx context.Context, from handover.SystemID, name handover.Name)
}

// Options are what all readers share. All fields are required, except Order and Compare.
type Options struct {
	Ledger   *ledger.Ledger
	Bus      Bus
	Keys     Keys
	Claims   Claims
	Observer Observer
	Tracer   trace.Tracer
	Log      *slog.Logger
	Now      func() time.Time
	// Order keeps the readers in step after a loss of the ledger; nil: they are not.
	Order *Order
	// Compare asks for a comparison of the ledger with a system's list, because of what was read under a reference. It returns at once and may be called concurrently; nil: nobody is asked.
	Compare func(handover.SystemID, native.Reference)
}

// Origin is a native system that is read.
type Origin struct {
	ID     handover.SystemID
	Source adapters.Source
	Mapper mapping.Mapper
	Shared bool
	// Poll is the pause between two readings that found nothing, when nobody wakes the reader.
	Poll time.Duration
	// Page is the most records of one reading.
	Page int
}

// Reader reads one native system. Run is called once; Wake and Again may be called concurrently.
type Reader struct {
	Options
	origin Origin
	wake   chan struct{}
	rounds rounds
	twins  twins
}

// New returns a reader; it starts nothing.
func New(o Options, origin Origin) *Reader {
	return &Reader{Options: o, origin: origin, wake: make(chan struct{}, 1)}
}

// Run reads until ctx ends. Errors of the native system and of the bus are waited out.
func (r *Reader) Run(ctx context.Context) error {
	position := r.Ledger.Cursor(r.origin.ID)
	pause := r.origin.Poll
	for ctx.Err() == nil {
		r.rounds.begin()
		next, more, err := r.round(ctx, position)
		r.rounds.end(err == nil && !more)
		switch {
		case fault.CodeOf(err) == adapters.PositionUnknown && position != "":
			position = r.startOver(ctx, position, err)
		case err != nil && ctx.Err() == nil:
			r.Observer.Unread(ctx, r.origin.ID, fault.CodeOf(err))
			r.Log.WarnContext(ctx, "reading is tried again", slog.String("system", string(r.origin.ID)), slog.Any("error", err))
			pause = min(2*pause, max(30*time.Second, r.origin.Poll))
		case err == nil:
			more = more && next != position // a position that does not move would be asked for without a pause
			position, pause = next, r.origin.Poll
		}
		if more && err == nil {
			continue
		}
		r.rest(ctx, pause)
	}
	return nil
}

// startOver goes back to the beginning of a native system that was set back to an older state: waiting until the old position is valid again would skip what is
// entered in between. What is known is recognised, and a number that was given anew to something else is put before a person by the gate. The step back is durable before
// anything is read.
func (r *Reader) startOver(ctx context.Context, position native.Position, why error) native.Position {
	r.Log.ErrorContext(ctx, "the native system was set back to an older state; everything is read again from its beginning, and what it has lost must be entered there again",
		slog.String("system", string(r.origin.ID)), slog.Any("error", why))
	if err := r.Ledger.Advance(ctx, r.origin.ID, ""); err != nil {
		return position
	}
	return ""
}

// rest waits for a pause, or until somebody wakes the reader.
func (r *Reader) rest(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.wake:
	case <-ctx.Done():
	}
}

// Wake lets the reader read at once and returns when everything that was in the native system when Wake was called is durable, or with
// ctx's error. It is called for a notification, which is answered only then. While another gateway reads the system, that one's poll finds what was
// announced, and Wake returns without waiting for it.
func (r *Reader) Wake(ctx context.Context) error {
	done := r.rounds.next()
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// round reads one batch, makes it durable and moves the position on.
func (r *Reader) round(ctx context.Context, position native.Position) (native.Position, bool, error) {
	if !r.Claims.Claim(ctx, "read:"+string(r.origin.ID), max(3*r.origin.Poll, 5*time.Second)) {
		r.Order.pass(r.origin.ID)
		return r.Ledger.Cursor(r.origin.ID), false, nil // another gateway reads at present
	}
	r.settled(ctx)
	batch, err := r.origin.Source.Read(ctx, position, r.origin.Page)
	if err != nil {
		return position, false, err
	}
	take := r.takeAll
	if r.again(batch) {
		take = r.takeInOrder
	}
	if err := take(ctx, batch); err != nil {
		return position, false, err
	}
	if !batch.More {
		r.Order.pass(r.origin.ID)
	}
	if batch.Next != position {
		if err := r.Ledger.Advance(ctx, r.origin.ID, batch.Next); err != nil {
			return position, false, err
		}
	}
	return batch.Next, batch.More, nil
}
