package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// entryAt names a message at a destination.
func (d *Delivery) entryAt(m handover.Message, to ledger.Destination, ref native.Reference) ledger.Entry {
	e := ledger.Entry{Case: m.Case, Message: m.ID, To: to, Ref: ref, Origin: d.o.Directory.Origin(m.Envelope), Sequence: m.Sequence, Entered: ledger.Entered{System: m.Source, Record: native.RecordID(m.Record)}}
	if to == ledger.Gate {
		e.Action, e.Revises, e.Sender = m.Action, m.References, m.Sender
	}
	return e
}

// gateEntry names a message whose envelope may be unreadable: by its headers as far as they go, by its place otherwise.
func gateEntry(r Record, partition int32) ledger.Entry {
	e := ledger.Entry{Case: handover.CaseID(r.Headers["ce_subject"]), Message: handover.MessageID(r.Headers["ce_id"]), To: ledger.Gate}
	if e.Message == "" {
		e.Message = handover.MessageID(fmt.Sprintf("unreadable-%d-%d", partition, r.Offset))
	}
	return e
}

// park lets a message wait for a person. It returns an error only when ctx ends first.
func (d *Delivery) park(ctx context.Context, e ledger.Entry, p ledger.Parking, why error) error {
	reason := ledger.ReasonOf(why)
	p.Reason = reason
	err := d.persist(ctx, "delivery.park", func() error { return d.o.Ledger.Park(ctx, e, p) })
	if err == nil {
		d.o.Observer.Parked(ctx, e.To, reason.Code)
		d.o.Log.WarnContext(ctx, "parked: a person must decide", slog.String("case", string(e.Case)), slog.String("message", string(e.Message)),
			slog.String("destination", e.To.String()), slog.String("code", reason.Code), slog.String("reason", reason.Text))
	}
	return err
}

// persist repeats an operation of the gateway's own machinery until it succeeds or ctx ends. It is never used for a write into a
// native system.
func (d *Delivery) persist(ctx context.Context, op string, f func() error) error {
	pause := d.newBackOff()
	for {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fault.Wrap(fault.Retry, op, ctx.Err())
		}
		d.o.Log.WarnContext(ctx, "waiting for the gateway's own log", slog.String("operation", op), slog.Any("error", err))
		if schedule.Pause(ctx, pause.NextBackOff()) != nil {
			return fault.Wrap(fault.Retry, op, ctx.Err())
		}
	}
}

// newBackOff returns pauses from 200 ms to 30 s.
func (d *Delivery) newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 30*time.Second
	if d.o.Protocol.Steady {
		b.RandomizationFactor = 0
	}
	return b
}

// parseTraceparent reads a W3C traceparent; anything else gives an invalid span context, which starts a new trace.
func parseTraceparent(s string) trace.SpanContext {
	carrier := propagation.MapCarrier{"traceparent": s}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}
