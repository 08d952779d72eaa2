package sim

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// port shows log and bus to one process: everything takes time, and goes wrong.
type port struct{ p *process }

var errNoAnswer = errors.New("the broker does not answer")

// PartitionOf spreads cases over the partitions.
func (t port) PartitionOf(c handover.CaseID) int32 { return t.p.w.partitionOf(c) }

// Append writes a ledger record.
func (t port) Append(ctx context.Context, partition int32, key string, value []byte) (int64, error) {
	if t.p.w.hooks.key != nil {
		key = t.p.w.hooks.key(key)
	}
	if t.p.w.hooks.erased != nil && t.p.w.hooks.erased(t.p, key) {
		return t.p.w.ledgers[partition].length() - 1, t.p.step(ctx, "erased", withoutNonce(key))
	}
	return t.write(ctx, "ledger "+withoutNonce(key), t.p.w.ledgers[partition], entry{key: key, value: value})
}

// withoutNonce returns a key without its random part.
func withoutNonce(key string) string {
	parts := strings.Split(key, "|")
	switch ledger.Kind(parts[0]) {
	case ledger.Install, ledger.Bind, ledger.Admit, ledger.Intent, ledger.Void, ledger.Done, ledger.Park, ledger.Ruling:
		return strings.Join(parts[:len(parts)-1], "|")
	default:
		return key
	}
}

// write appends a record to a topic as a broker does on a bad day: not at all, although the answer says no, twice, or after the caller has given up.
func (t port) write(ctx context.Context, name string, to *topic, e entry) (int64, error) {
	if err := t.p.step(ctx, "write", name); err != nil {
		return 0, err
	}
	c := t.p.w.dice.draw("broker", t.p.name, name)
	if !t.p.w.calm.Load() && c.is(t.p.w.plan.logFaults) {
		switch c.n(5) {
		case 0:
			return 0, errNoAnswer
		case 1:
			wait := c.between(time.Millisecond, 3*time.Second)
			t.p.w.background.Go(func() {
				elapse(wait)
				to.append(e)
				t.p.w.note(t.p.name, "written late", name)
			})
			return 0, errNoAnswer
		case 2:
			to.append(e)
			t.p.w.note(t.p.name, "written, answer lost", name)
			return 0, errNoAnswer
		case 3:
			to.append(e)
		}
	}
	offset := to.append(e)
	t.p.w.note(t.p.name, "written", name, "at", strconv.FormatInt(offset, 10))
	return offset, t.p.step(ctx, "written", name)
}

// End returns the end of a ledger partition.
func (t port) End(ctx context.Context, partition int32) (int64, error) {
	n := strconv.Itoa(int(partition))
	if err := t.p.step(ctx, "end", n); err != nil || t.p.w.hooks.unsynced {
		return 0, err
	}
	if !t.p.w.calm.Load() && t.p.w.dice.draw("broken end", t.p.name, n).is(t.p.w.plan.logFaults/2) {
		return 0, errNoAnswer
	}
	return t.p.w.ledgers[partition].length(), nil
}

// ReadAt reads a message again.
func (t port) ReadAt(ctx context.Context, partition int32, offset int64) (delivery.Record, error) {
	n := strconv.Itoa(int(partition)) + "-" + strconv.FormatInt(offset, 10)
	if err := t.p.step(ctx, "read-at", n); err != nil {
		return delivery.Record{}, err
	}
	if !t.p.w.calm.Load() && t.p.w.dice.draw("broken read", t.p.name, n).is(t.p.w.plan.logFaults) {
		return delivery.Record{}, errNoAnswer
	}
	e, ok := t.p.w.bus[partition].at(offset)
	if !ok {
		return delivery.Record{}, fault.New(fault.Park, "sim.read-at", "no-record", "there is no such record")
	}
	return delivery.Record{Offset: e.offset, Headers: e.headers, Value: e.value}, nil
}

// Publish puts a message on the bus.
func (t port) Publish(ctx context.Context, e handover.Envelope, sealed []byte) error {
	partition := t.PartitionOf(e.Case)
	r := entry{key: string(e.Case), headers: e.Headers(), value: sealed}
	mark := markIn(sealed)
	if t.p.w.hooks.lost != nil && t.p.w.hooks.lost(t.p, mark) {
		return nil
	}
	if t.p.w.hold(partition, r, mark) {
		return t.p.step(ctx, "published", mark)
	}
	_, err := t.write(ctx, "publish "+mark, t.p.w.bus[partition], r)
	return err
}

// Keep stores what could not be translated.
func (t port) Keep(ctx context.Context, c handover.CaseID, sealed []byte) (ledger.Place, error) {
	offset, err := t.write(ctx, "keep "+string(c), t.p.w.kept[t.PartitionOf(c)], entry{key: string(c), value: sealed})
	return ledger.Place{Topic: ledger.OnParked, Offset: offset}, err
}

// Kept reads it again.
func (t port) Kept(ctx context.Context, c handover.CaseID, at ledger.Place) ([]byte, error) {
	if err := t.p.step(ctx, "kept", string(c)); err != nil {
		return nil, err
	}
	e, ok := t.p.w.kept[t.PartitionOf(c)].at(at.Offset)
	if !ok {
		return nil, fault.New(fault.Park, "sim.kept", "no-record", "there is no such record")
	}
	return e.value, nil
}

// wire is one process's connection to a native system.
type wire struct {
	p *process
	s *system
}

// Apply sends one request. A process that is stopped between its decision and this call sends late: for modes B and C the bounds allow for less
// than their margin.
func (k wire) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	most := bounds().Margin / 2
	if k.s.mode == adapters.ModeA {
		most = time.Hour
	}
	if err := k.p.stepFor(ctx, most, "apply", string(e.Reference)); err != nil {
		return native.Receipt{}, fault.Wrap(fault.Doubt, "sim.apply", err)
	}
	out := k.s.request(k.p.name, e)
	select {
	case a := <-out:
		if err := k.p.step(context.WithoutCancel(ctx), "applied", string(e.Reference)); err != nil {
			return native.Receipt{}, fault.Wrap(fault.Doubt, "sim.apply", err)
		}
		return a.receipt, a.err
	case <-ctx.Done():
		return native.Receipt{}, fault.Wrap(fault.Doubt, "sim.apply", ctx.Err())
	case <-k.p.dead:
		return native.Receipt{}, fault.Wrap(fault.Doubt, "sim.apply", errDead)
	}
}

// Find searches.
func (k wire) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	if err := k.p.step(ctx, "find", string(ref)); err != nil {
		return nil, err
	}
	if !k.p.w.calm.Load() && k.p.w.dice.draw("broken find", k.p.name, string(ref)).is(k.p.w.plan.nativeFaults) {
		return nil, fault.New(fault.Retry, "sim.find", "busy", "the search failed")
	}
	found, refused := k.s.byReference(ref, time.Now()), k.s.refused(ref)
	if err := k.p.step(ctx, "found", string(ref)); err != nil || len(found) > 0 {
		return found, err
	}
	return nil, refused
}

// Read reads the journal. Positions are numbers of records; a reading may begin earlier than asked.
func (k wire) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	if err := k.p.step(ctx, "read", string(k.s.id)); err != nil {
		return adapters.Batch{}, err
	}
	c := k.p.w.dice.draw("reading", k.p.name, string(k.s.id))
	if !k.p.w.calm.Load() && c.is(k.p.w.plan.logFaults) {
		return adapters.Batch{}, fault.New(fault.Retry, "sim.read", "busy", "the reading failed")
	}
	from, _ := strconv.Atoi(string(after))
	all, _ := k.s.rows()
	to := min(from+limit, len(all))
	b := adapters.Batch{Next: native.Position(strconv.Itoa(to)), More: to < len(all)}
	if to == 0 {
		b.Next = ""
	}
	again := 0
	if !k.p.w.calm.Load() && c.is(0.1) {
		again = min(c.n(3), from) // records come twice
	}
	for _, r := range all[from-again : to] {
		b.Records = append(b.Records, r.Record)
	}
	return b, nil
}
