package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
	"github.com/einmal-hub/einmal/gateway/telemetry"
)

// job is one message on its way to one destination.
type job struct {
	ledger.Entry
	m     handover.Message
	place ledger.Place
	sink  *sink
	own   ledger.Own
	// unsent are the nonces of the INTENTs that this worker has announced, or may have announced, and has not sent, with the time when it began to.
	unsent map[string]time.Time
	doubt  error // what the own attempt ended with; nil: a receipt
	entry  native.Entry
	// rested says that an attempt was refused after everything before it had come to its end.
	rested bool
	// stored says that the documents of the entry stand in the native system.
	stored bool
	// judged is the attempt that the reason to park is about; 0 for a reason that says nothing about one.
	judged int
}

// about says which attempt a reason to park is about.
func (j *job) about(attempt int, reason error) error {
	j.judged = attempt
	return reason
}

// errAsked ends the work on a message that another gateway has put before a person meanwhile.
var errAsked = errors.New("delivery.record: a person decides about it at present")

// record sees to it that a message stands at a destination, once, or waits there for a person. It reports whether that is so; false means
// that ctx ended first and the message comes again.
func (c *claim) record(ctx context.Context, m handover.Message, place ledger.Place, to ledger.Destination) bool {
	j := &job{Entry: c.entryAt(m, to, c.Reference(m.ID, to)), m: m, place: place, sink: c.sinks[to.System], unsent: map[string]time.Time{}}
	lane := ledger.Lane{Case: m.Case, To: to}
	if ref, _ := c.o.Ledger.Ref(j.Ref); ref.Settled() {
		return true
	}
	if !c.earlier(ctx, m.ID, to) {
		return false
	}
	if v := c.behind(ctx, lane, j.Entry, place, m.Name); v != admitted {
		return v == waits
	}
	ctx, span := c.o.Tracer.Start(remote(ctx, m), telemetry.SpanDeliver, trace.WithAttributes(
		attribute.String(telemetry.AttrCase, string(m.Case)), attribute.String(telemetry.AttrMessage, string(m.ID)),
		attribute.String(telemetry.AttrMessageName, string(m.Name)), attribute.String(telemetry.AttrDestination, to.String()),
		attribute.String(telemetry.AttrReference, string(j.Ref)),
	))
	defer span.End()
	err := c.follow(ctx, j)
	switch {
	case err == nil:
		span.SetAttributes(attribute.String(telemetry.AttrOutcome, "recorded"))
		return true
	case errors.Is(err, errAsked):
		span.SetAttributes(attribute.String(telemetry.AttrOutcome, "asked"))
		return true
	case ctx.Err() != nil:
		span.SetAttributes(attribute.String(telemetry.AttrOutcome, "interrupted"))
		c.takeBack(ctx, j)
		return false
	}
	span.SetAttributes(attribute.String(telemetry.AttrOutcome, "parked"), attribute.String(telemetry.AttrReason, fault.CodeOf(err)))
	span.SetStatus(codes.Error, fault.CodeOf(err))
	if c.park(ctx, j.Entry, ledger.Parking{Place: place, Name: m.Name, Attempt: j.judged}, err) != nil {
		return false
	}
	if ref, _ := c.o.Ledger.Ref(j.Ref); !ref.Asked && !ref.Settled() {
		// The question does not count: another gateway had announced the next attempt before. It may have lost the partition since, so that attempt is seen to here, too.
		return c.record(ctx, m, place, to)
	}
	return true
}

// earlier records first what was admitted before a message and is still open at the destination. In a run without interruption there is nothing: the lane
// keeps the order of admission. A new owner reads in the order of the bus, which is another one when a person let a message go on late.
func (c *claim) earlier(ctx context.Context, id handover.MessageID, to ledger.Destination) bool {
	return c.recordEach(ctx, to, func() (ledger.Open, bool) { return c.o.Ledger.Earlier(id, to) })
}

// follow takes the steps that the ledger decides, until the entry is recorded (nil) or a person must look (the reason).
func (c *claim) follow(ctx context.Context, j *job) error {
	if err := c.alongside(ctx, j); err != nil {
		return err
	}
	if err := c.compose(ctx, j); err != nil {
		return err
	}
	pause := c.newBackOff()
	for ctx.Err() == nil {
		if c.o.Ledger.Newer(j.Case) {
			c.leave(ctx, j.Case, "ledger record")
			break
		}
		ref := c.known(j)
		if at, unsent := j.unsent[ref.Nonce]; unsent {
			j.own = ledger.Own{Attempt: ref.Attempt, Nonce: ref.Nonce, At: at}
		}
		step, wait := c.o.Protocol.Decide(ref, j.own, j.sink.Abilities.Mode, j.sink.Abilities.Bounds, c.o.Now())
		switch step {
		case ledger.StepFinish:
			return nil
		case ledger.StepAsked:
			return errAsked
		case ledger.StepPark:
			return j.unknownOutcome(ref)
		case ledger.StepWait:
			if err := c.waitOrFind(ctx, j, min(wait, pause.NextBackOff())); err != nil {
				return err
			}
		case ledger.StepLookup:
			if err := c.lookup(ctx, j, ref); err != nil {
				return err
			}
		case ledger.StepVoid, ledger.StepSend: // too old to be sent; or the log did not say that it had taken the INTENT, and nobody knew whether it might be
			_ = c.persist(ctx, "delivery.void", func() error { return c.o.Ledger.Void(ctx, j.Entry, j.own.Attempt, j.own.Nonce, false) })
		case ledger.StepIntend:
			if err := c.next(ctx, j, ref, pause.NextBackOff()); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// next makes the next attempt, unless an answer to the last one has come meanwhile, or a document cannot be stored yet. An error is a reason to park.
func (c *claim) next(ctx context.Context, j *job, ref ledger.Ref, pause time.Duration) error {
	if answered, err := c.answered(ctx, j, ref); answered {
		return err
	}
	if ready, err := c.store(ctx, j, pause); !ready {
		return err
	}
	return c.attempt(ctx, j, ref.Attempt+1, pause)
}

// known is what the ledger says of a job's reference, with what it may have lost.
func (c *claim) known(j *job) ledger.Ref {
	ref, _ := c.o.Ledger.Ref(j.Ref)
	return c.o.Ledger.Doubt(ref, c.partition, j.m.Time)
}

// unknownOutcome says that nobody can know whether the last attempt was executed, and what is known of it: when it was announced, what came back, and by what to look for it.
func (j *job) unknownOutcome(r ledger.Ref) error {
	if !r.Lost.IsZero() {
		return j.about(r.Attempt, fault.New(fault.Park, "delivery.record", "ledger-set-back",
			"the ledger was set back at "+r.Lost.UTC().Format(time.RFC3339)+", and whether this was recorded before cannot be found out").
			Hint("search the native system for the reference "+string(j.Ref)+"; then rule: found, send once more, or withdraw"))
	}
	back := "nothing: the gateway that made it has ended"
	if j.own.Sent && j.own.Attempt == r.Attempt && j.own.Nonce == r.Nonce && j.doubt != nil {
		back = "an error that nobody has classified"
		var known *fault.Error
		if errors.As(j.doubt, &known) { // the words of others could be about a person, and the ledger is not sealed
			reason := ledger.ReasonOf(j.doubt)
			back = reason.Code + ", " + reason.Text
		}
	}
	return j.about(r.Attempt, fault.New(fault.Park, "delivery.record", "outcome-unknown",
		fmt.Sprintf("whether the native system recorded the entry cannot be found out; attempt %d was made at %s, and what came back is %s", r.Attempt, r.IntentAt.UTC().Format(time.RFC3339), back)).
		Hint("search the native system for the reference "+string(j.Ref)+"; then rule: found, send once more, or withdraw"))
}

// attempt announces the next attempt and, if this worker is the first to announce it, sends once. An error is a reason to park.
func (c *claim) attempt(ctx context.Context, j *job, n int, pause time.Duration) error {
	if !c.o.Claims.Claim(ctx, string(j.Ref), j.sink.Abilities.Bounds.Send+j.sink.Abilities.Bounds.Request) {
		_ = schedule.Pause(ctx, pause)
		return nil
	}
	release, ok := j.sink.enter(ctx)
	if !ok {
		_ = schedule.Pause(ctx, pause)
		return nil
	}
	nonce := c.o.Protocol.Nonce()
	at := c.o.Now()
	j.unsent[nonce] = at
	if err := c.o.Ledger.Intend(ctx, j.Entry, n, nonce); err != nil {
		release(nil)
		_ = schedule.Pause(ctx, pause)
		return nil //nolint:nilerr // whether the INTENT counts is in the view when the log answers again
	}
	j.own = ledger.Own{Attempt: n, Nonce: nonce, At: at}
	step, _ := c.o.Protocol.Decide(c.known(j), j.own, j.sink.Abilities.Mode, j.sink.Abilities.Bounds, c.o.Now())
	if step != ledger.StepSend || c.o.Ledger.Newer(j.Case) {
		release(nil)
		return nil
	}
	receipt, err := c.send(ctx, j, release)
	return c.classify(ctx, j, receipt, err, pause)
}

// takeBack takes back an INTENT that was not sent when the partition goes to another gateway, which cannot know that: in mode C it would have to ask a person.
func (c *claim) takeBack(ctx context.Context, j *job) {
	if len(j.unsent) == 0 {
		return
	}
	durable, cancel := c.outlive(ctx)
	defer cancel()
	if c.o.Ledger.Sync(durable, j.Case) != nil {
		return // it stays in doubt, which is safe
	}
	ref := c.known(j)
	if _, unsent := j.unsent[ref.Nonce]; unsent && !ref.Void && !ref.Settled() {
		_ = c.persist(durable, "delivery.void", func() error { return c.o.Ledger.Void(durable, j.Entry, ref.Attempt, ref.Nonce, false) })
	}
}

// send makes the one request of an attempt. It is not cut short by a rebalance or a shutdown: a request that is under way is worth waiting for.
func (c *claim) send(ctx context.Context, j *job, release func(error)) (native.Receipt, error) {
	ctx, span := c.o.Tracer.Start(ctx, telemetry.SpanApply, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String(telemetry.AttrSystem, string(j.To.System)), attribute.Int(telemetry.AttrAttempt, j.own.Attempt),
		attribute.String(telemetry.AttrMode, string(j.sink.Abilities.Mode)),
	))
	defer span.End()
	j.own.Sent = true
	delete(j.unsent, j.own.Nonce)
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.sink.Abilities.Bounds.Request)
	defer cancel()
	receipt, err := j.sink.Sink.Apply(request, j.entry)
	j.doubt = err
	release(err)
	outcome := "receipt"
	if err != nil {
		outcome = fault.KindOf(err).String()
		span.SetStatus(codes.Error, outcome)
	}
	span.SetAttributes(attribute.String(telemetry.AttrOutcome, outcome))
	c.o.Observer.Attempted(ctx, j.To, outcome)
	return receipt, err
}

// classify draws the consequence of an answer: proof of entry, proof of no entry, or doubt, which the ledger decides on.
func (c *claim) classify(ctx context.Context, j *job, receipt native.Receipt, err error, pause time.Duration) error {
	switch kind := fault.KindOf(err); {
	case err == nil:
		return c.finish(ctx, j, receipt)
	case kind == fault.Retry || kind == fault.Stop || kind == fault.Refuse || kind == fault.Park:
		if settled, err := c.overtook(ctx, j, kind); settled {
			return err
		}
		durable, cancel := c.outlive(ctx)
		defer cancel()
		if e := c.persist(durable, "delivery.void", func() error {
			return c.o.Ledger.Void(durable, j.Entry, j.own.Attempt, j.own.Nonce, false)
		}); e != nil {
			return nil // without the VOID the attempt stays in doubt, which is safe
		}
		if kind == fault.Refuse || kind == fault.Park {
			if ref := c.known(j); ref.Attempt != j.own.Attempt {
				return nil // another gateway has tried since; what became of that decides
			}
			return j.about(j.own.Attempt, fault.Wrap(fault.Park, "delivery.apply", err))
		}
		level := slog.LevelInfo
		if kind == fault.Stop {
			level = slog.LevelError
		}
		c.o.Log.Log(ctx, level, "the native system did not take the entry; it is tried again", slog.String("destination", j.To.String()),
			slog.String("reference", string(j.Ref)), slog.Any("error", err))
		_ = schedule.Pause(ctx, pause)
	default:
		c.o.Log.InfoContext(ctx, "no proof whether the entry was recorded", slog.String("destination", j.To.String()),
			slog.String("reference", string(j.Ref)), slog.Any("error", err))
		if a := j.sink.Abilities; a.Mode == adapters.ModeA && !a.Bounds.Asynchronous() {
			_ = schedule.Pause(ctx, pause) // otherwise the ledger makes it wait
		}
	}
	return nil
}

// overtook makes sure, before a refusal counts, that no earlier attempt is still being executed: in mode A the next attempt does not wait for that, and may be refused before an earlier one is
// recorded. settled says that there is nothing more to do about this attempt; without a proof it stays in doubt.
func (c *claim) overtook(ctx context.Context, j *job, kind fault.Kind) (settled bool, err error) {
	a := j.sink.Abilities
	if kind != fault.Refuse && kind != fault.Park || a.Mode != adapters.ModeA || a.Bounds.Asynchronous() || c.known(j).Doubts == 0 {
		return false, nil
	}
	if j.sink.Finder == nil {
		return c.tryOnceMore(ctx, j), nil
	}
	_ = schedule.Pause(ctx, a.Bounds.Settle())
	for ctx.Err() == nil {
		found, err := c.find(ctx, j)
		switch {
		case err == nil && len(found) == 0:
			return false, nil
		case err == nil && len(found) == 1:
			return true, c.finish(ctx, j, found[0])
		case err == nil:
			return true, c.twice(j)
		}
		c.searchFailed(ctx, j, err)
		_ = schedule.Pause(ctx, time.Second)
	}
	return true, nil
}

// tryOnceMore is overtook for a system that cannot be searched: when nothing can be executed any more, the entry is sent again. What an earlier attempt has left is joined then, and what is refused again
// is refused.
func (c *claim) tryOnceMore(ctx context.Context, j *job) (settled bool) {
	if j.rested {
		return false
	}
	if schedule.Pause(ctx, j.sink.Abilities.Bounds.Settle()) != nil {
		return true // the attempt stays in doubt
	}
	j.rested = true
	_ = c.persist(ctx, "delivery.void", func() error { return c.o.Ledger.Void(ctx, j.Entry, j.own.Attempt, j.own.Nonce, false) })
	return true
}

func (c *claim) searchFailed(ctx context.Context, j *job, err error) {
	c.o.Log.WarnContext(ctx, "the search by reference failed; it is tried again", slog.String("destination", j.To.String()), slog.Any("error", err))
}

// finish makes the entry's DONE durable, then shows it in Redis.
func (c *claim) finish(ctx context.Context, j *job, receipt native.Receipt) error {
	durable, cancel := c.outlive(ctx)
	defer cancel()
	if err := c.persist(durable, "delivery.done", func() error { return c.o.Ledger.Done(durable, j.Entry, receipt) }); err != nil {
		return nil // without the DONE the attempt stays in doubt, which is safe
	}
	c.o.Claims.SetDone(ctx, j.Case, j.To.String(), j.Ref, receipt)
	c.o.Claims.Release(ctx, string(j.Ref))
	c.o.Observer.Delivered(ctx, j.To, c.o.Now().Sub(j.m.Time))
	return nil
}

// afterwards is how long an answer that has been received may take to be written down when ctx has ended.
const afterwards = 5 * time.Second

// outlive returns a context in which an answer that has been received is written down: it ends a while after ctx does, also when ctx ends in the middle of the
// writing. Cut short, the attempt would be in doubt although its answer is known, and in mode C a person would be asked.
func (c *claim) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	durable, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = schedule.Pause(durable, afterwards)
		cancel()
	})
	return durable, func() { stop(); cancel() }
}

// waitOrFind waits for a doubt to settle. Finding the entry earlier is proof; not finding it is not. An error is a reason to park.
func (c *claim) waitOrFind(ctx context.Context, j *job, wait time.Duration) error {
	a := j.sink.Abilities
	if j.sink.Finder != nil && (a.Mode == adapters.ModeB || a.Bounds.Asynchronous()) {
		found, err := c.find(ctx, j)
		switch {
		case fault.KindOf(err) == fault.Refuse:
			return c.refusedLater(ctx, j, err)
		case err == nil && len(found) == 1:
			return c.finish(ctx, j, found[0])
		case err == nil && len(found) > 1:
			return c.twice(j)
		}
	}
	_ = schedule.Pause(ctx, wait)
	return nil
}

// answered looks, before anything is sent again, whether a system that answers later has said something about the attempt in doubt: its answer may have come while nobody looked. A search that fails
// holds nothing up: it may say that the carrier has given the entry up, and in mode A sending again costs nothing. An error is a reason to park.
func (c *claim) answered(ctx context.Context, j *job, ref ledger.Ref) (bool, error) {
	if j.sink.Finder == nil || !j.sink.Abilities.Bounds.Asynchronous() || ref.Attempt == 0 || ref.Void || ref.Ruled {
		return false, nil
	}
	found, err := c.find(ctx, j)
	switch {
	case fault.KindOf(err) == fault.Refuse:
		return true, c.refusedLater(ctx, j, err)
	case err != nil:
		c.o.Log.InfoContext(ctx, "the entry is sent again", slog.String("destination", j.To.String()), slog.Any("error", err))
	case len(found) == 1:
		return true, c.finish(ctx, j, found[0])
	case len(found) > 1:
		return true, c.twice(j)
	}
	return false, nil
}

// twice says that the native system shows more than one record: waiting longer would not change that.
func (c *claim) twice(j *job) error {
	ref, _ := c.o.Ledger.Ref(j.Ref)
	return j.about(ref.Attempt, fault.New(fault.Park, "delivery.lookup", "recorded-twice", "the native system holds more than one record with this reference").
		Hint("keep one of them in the native system, then rule: found"))
}

// refusedLater puts a refusal before a person that an asynchronous system has sent after the request. There is no VOID before it: another gateway would send the
// refused entry again before the person is asked, and take what it finds of the first attempt for the answer to its own.
//
// Which attempt a refusal is about it does not say: the last one, once that is handed over. As long as another gateway may still be about to do so, the refusal is waited with and looked up again.
func (c *claim) refusedLater(ctx context.Context, j *job, err error) error {
	ref, _ := c.o.Ledger.Ref(j.Ref)
	b := j.sink.Abilities.Bounds
	if wait := b.Send + b.Request + b.Margin - c.o.Now().Sub(ref.IntentAt); ref.Attempt > 1 && wait > 0 {
		_ = schedule.Pause(ctx, wait)
		return nil
	}
	return j.about(ref.Attempt, fault.Wrap(fault.Park, "delivery.apply", err))
}

// lookup searches when everything that could still happen has happened. An error is a reason to park.
func (c *claim) lookup(ctx context.Context, j *job, ref ledger.Ref) error {
	found, err := c.find(ctx, j)
	switch {
	case fault.KindOf(err) == fault.Refuse:
		return c.refusedLater(ctx, j, err)
	case err != nil:
		c.searchFailed(ctx, j, err)
		_ = schedule.Pause(ctx, time.Second)
		return nil
	case len(found) == 1:
		return c.finish(ctx, j, found[0])
	case len(found) > 1:
		return c.twice(j)
	}
	if c.o.Protocol.AfterEmptyLookup(ref, j.sink.Abilities.Mode) == ledger.StepPark {
		return j.unknownOutcome(ref)
	}
	return c.voidForeign(ctx, j, ref)
}

// voidForeign goes on after a search has proved that an attempt left nothing.
func (c *claim) voidForeign(ctx context.Context, j *job, ref ledger.Ref) error {
	_ = c.persist(ctx, "delivery.void", func() error { return c.o.Ledger.Void(ctx, j.Entry, ref.Attempt, ref.Nonce, true) })
	return nil
}

func (c *claim) find(ctx context.Context, j *job) ([]native.Receipt, error) {
	if j.sink.Finder == nil {
		return nil, errors.New("delivery.find: the system cannot be searched")
	}
	ctx, span := c.o.Tracer.Start(ctx, telemetry.SpanLookup, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String(telemetry.AttrSystem, string(j.To.System))))
	defer span.End()
	request, cancel := context.WithTimeout(ctx, j.sink.Abilities.Bounds.Request)
	defer cancel()
	found, err := j.sink.Finder.Find(request, j.Ref)
	span.SetAttributes(attribute.Int(telemetry.AttrFound, len(found)))
	return found, err
}
