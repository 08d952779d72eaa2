package intake

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/telemetry"
)

// parallel is the most cases of one batch that are published at the same time.
const parallel = 64

// takeAll handles a batch: the records of a case one after the other, cases side by side. It returns nil only when everything is durable.
func (r *Reader) takeAll(ctx context.Context, b adapters.Batch) error {
	var order []native.CaseKey
	byCase := map[native.CaseKey][]native.Record{}
	for _, rec := range b.Records {
		if _, known := byCase[rec.Case]; !known {
			order = append(order, rec.Case)
		}
		byCase[rec.Case] = append(byCase[rec.Case], rec)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, key := range order {
		g.Go(func() error {
			for _, rec := range byCase[key] {
				if err := r.take(ctx, rec); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, broken := range b.Broken {
		g.Go(func() error { return r.takeBroken(ctx, broken) })
	}
	return g.Wait()
}

// take handles one record. It returns nil when the record is durable or needs nothing.
func (r *Reader) take(ctx context.Context, rec native.Record) error {
	ctx, span := r.Tracer.Start(ctx, telemetry.SpanIntake, trace.WithNewRoot(), trace.WithAttributes(
		attribute.String(telemetry.AttrSystem, string(r.origin.ID)), attribute.String(telemetry.AttrKind, string(rec.Kind)),
	))
	defer span.End()
	outcome, err := r.decide(ctx, rec)
	span.SetAttributes(attribute.String(telemetry.AttrOutcome, outcome))
	if err != nil {
		span.SetStatus(codes.Error, fault.CodeOf(err))
		return err
	}
	r.Observer.Read(ctx, r.origin.ID, outcome)
	return nil
}

// What became of a record.
const (
	outcomeEcho      = "echo"
	outcomeMeasured  = "measured"
	outcomeKnown     = "known"
	outcomeParked    = "parked"
	outcomePublished = "published"
	outcomeFailed    = "failed"
)

// decide takes a record through the steps of the package comment.
func (r *Reader) decide(ctx context.Context, rec native.Record) (string, error) {
	if r.waits(rec) {
		return outcomeKnown, nil
	}
	if rec.Reference.Measured() {
		return outcomeMeasured, nil // 'einmal adapter verify' wrote it: it is about nobody
	}
	if rec.Reference != "" {
		return r.echo(ctx, rec)
	}
	m, err := r.message(rec)
	if err != nil {
		return outcomeParked, r.park(ctx, rec, err)
	}
	return r.publish(ctx, rec, m)
}

// echo recognises what einmal wrote. A reference that the ledger does not know is a question for a person: it would be news that nobody
// may hide, or an entry of another installation.
func (r *Reader) echo(ctx context.Context, rec native.Record) (string, error) {
	if ref, ours := r.Ledger.Ref(rec.Reference); ours {
		r.twin(ctx, ref, rec)
		return outcomeEcho, nil
	}
	// The INTENT lies in the partition of the case, which may be another gateway's and not folded here yet.
	if err := r.Ledger.Sync(ctx, r.caseID(rec)); err != nil {
		return outcomeFailed, err
	}
	if ref, ours := r.Ledger.Ref(rec.Reference); ours {
		r.twin(ctx, ref, rec)
		return outcomeEcho, nil
	}
	if r.Ledger.LostOf(r.caseID(rec), rec.At) {
		// Either einmal wrote it and the ledger lost that, which delivery finds by search; or the comparison with the system's own list names it as extra.
		r.Log.WarnContext(ctx, "left to the comparison: the ledger was set back and may have lost this reference", slog.String("system", string(r.origin.ID)),
			slog.String("case", string(rec.CaseReference)), slog.String("reference", string(rec.Reference)))
		return outcomeEcho, nil
	}
	why := fault.New(fault.Park, "intake.echo", "foreign-reference", "the record carries a reference that this installation never gave").
		Hint("find out who wrote it: another installation, or a copy of an older entry; then withdraw it")
	return outcomeParked, r.park(ctx, rec, why)
}

// message translates a record and gives it its envelope. Errors are reasons to park.
func (r *Reader) message(rec native.Record) (handover.Message, error) {
	draft, err := r.origin.Mapper.ToHandover(rec)
	if err != nil {
		return handover.Message{}, fault.Wrap(fault.Park, "intake.map", err)
	}
	if draft.Sender == handover.Gateway {
		return handover.Message{}, fault.New(fault.Park, "intake.map", "reserved-sender", "the record claims to be said by the gateway itself").
			Hint("find out who entered it, and withdraw it")
	}
	m := handover.Message{Payload: draft.Payload, Envelope: handover.Envelope{
		ID: r.messageID(rec.ID), Source: r.origin.ID, Name: draft.Payload.Name(), Case: r.caseID(rec), Time: rec.At.UTC().Truncate(time.Millisecond),
		Sender: draft.Sender, Sequence: rec.Sequence, Action: draft.Action, Test: draft.Test,
		Record: string(rec.ID),
	}}
	if m.Action == "" {
		m.Action = handover.ActionNew
	}
	if draft.References != "" {
		m.References = r.messageID(draft.References)
	}
	if a, opens := draft.Payload.(handover.ApplicationSubmitted); opens {
		m.Parties = handover.Parties{Assigning: a.Assigning, Receiving: a.Receiving}
	}
	return m, fault.Wrap(fault.Park, "intake.validate", m.Validate())
}

// publish binds the case, seals the payload and puts the message on the bus, unless it is there.
func (r *Reader) publish(ctx context.Context, rec native.Record, m handover.Message) (string, error) {
	plain, err := handover.EncodePayload(m.Payload)
	if err != nil {
		return outcomeParked, r.park(ctx, rec, err)
	}
	print := r.Keys.DeriveID("print", string(plain))
	if a, known := r.Ledger.Admission(m.ID); known && (a.Print == print || a.Withdrawn) {
		return outcomeKnown, nil
	}
	// What waits and was let go on is published even if a copy has been on the bus: that one found itself waiting, and nothing takes it up again.
	if !r.waits(rec) && r.Claims.Seen(ctx, m.ID, print) {
		return outcomeKnown, nil
	}
	// A dossier that einmal has opened is known by the DONE of its application, unless the outcome of that is in doubt; what is entered in it is known to be of it now.
	if _, known := r.Ledger.Dossier(m.Case, r.origin.ID, rec.Case); !known && (rec.CaseReference == "" || !m.Test) {
		if err := r.Ledger.Bind(ctx, m.Case, r.place(m.Sender), rec.Case); err != nil {
			return outcomeFailed, err
		}
	}
	sealed, err := r.Keys.Seal(plain, m.AssociatedData())
	if err != nil {
		return outcomeFailed, err
	}
	ctx, span := r.Tracer.Start(ctx, telemetry.SpanPublish, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String(telemetry.AttrCase, string(m.Case)), attribute.String(telemetry.AttrMessage, string(m.ID)),
		attribute.String(telemetry.AttrMessageName, string(m.Name)),
	))
	defer span.End()
	m.Trace = traceparent(ctx) // delivery goes on from the span that put the message on the bus; it is not part of what is sealed
	err = r.Bus.Publish(ctx, m.Envelope, sealed)
	switch {
	case fault.KindOf(err) == fault.Refuse:
		return outcomeParked, r.park(ctx, rec, err)
	case err != nil:
		return outcomeFailed, err
	}
	r.Claims.SetSeen(ctx, m.ID, print)
	r.Observer.Published(ctx, r.origin.ID, m.Name)
	return outcomePublished, nil
}

// place is where a record of this system stands already.
func (r *Reader) place(o handover.OrganisationID) ledger.Destination {
	if r.origin.Shared {
		return ledger.Destination{System: r.origin.ID}
	}
	return ledger.Destination{System: r.origin.ID, Organisation: o}
}

// caseID is the id that einmal gave to the case, or the one that follows from the native case it was opened as.
func (r *Reader) caseID(rec native.Record) handover.CaseID {
	if rec.CaseReference != "" {
		return rec.CaseReference
	}
	return handover.CaseID(r.Keys.DeriveID("case", string(r.origin.ID), string(rec.Case)))
}

func (r *Reader) messageID(id native.RecordID) handover.MessageID {
	return handover.MessageID(r.Keys.DeriveID("message", string(r.origin.ID), string(id)))
}

// waits reports whether a record waits at the gate of its case already.
func (r *Reader) waits(rec native.Record) bool {
	position, _, _ := r.Ledger.Waiting(ledger.Lane{Case: r.caseID(rec), To: ledger.Gate}, r.messageID(rec.ID))
	return position >= 0
}

// traceparent returns the W3C header of the context's span.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

func (r *Reader) logParked(ctx context.Context, c handover.CaseID, id handover.MessageID, why ledger.Reason) {
	r.Log.WarnContext(ctx, "parked: a person must decide", slog.String("system", string(r.origin.ID)), slog.String("case", string(c)),
		slog.String("message", string(id)), slog.String("code", why.Code), slog.String("reason", why.Text))
}
