package sim

import (
	"context"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// auditor compares the ledger with the native systems' lists again and again while everything goes wrong, and once more when nothing is open any more. The bounds of the world hold, so whatever she
// finds was invented by the comparison, or is an error that the checker must find, too.
func (w *world) auditor() {
	for w.rest(w.dice.draw("audit").between(20*time.Second, 3*time.Minute)) {
		w.audit("in between")
	}
}

func (w *world) audit(when string) {
	o := reconcile.Options{Log: rawLog{w}, Now: time.Now, Page: w.plan.page}
	for _, s := range w.systems {
		o.Systems = append(o.Systems, reconcile.System{ID: s.id, Source: register{s}, Bounds: s.bounds()})
	}
	report, err := reconcile.Run(context.Background(), o)
	if err != nil {
		w.book.find("the comparison failed %s: %v", when, err)
		return
	}
	for _, f := range report.Findings {
		if f.State == reconcile.New {
			w.book.find("the comparison finds %s: %s %s of %s: %s", when, f.System, f.Kind, reference(f.Reference), f.Text)
		}
	}
	recorded := 0
	for _, s := range report.Systems {
		if s.Status != reconcile.Compared && w.system(s.System).later == 0 {
			w.book.find("the comparison leaves out %s: %s", s.System, s.Why)
		}
		recorded += s.Recorded
	}
	w.note("auditor", "compared", when, strconv.Itoa(recorded), "entries")
}

// suspected is told that a gateway wants a comparison because of what it has read. In a world that keeps to its bounds nothing stands twice, so it is a false alarm, or what the checker finds, too.
func (w *world) suspected(by string, at handover.SystemID, ref native.Reference) {
	w.note(by, "suspects", string(at), reference(ref))
	if len(w.system(at).byReference(ref, time.Time{})) < 2 {
		w.book.find("%s suspects that %s stands twice in %s, and it does not", by, reference(ref), at)
	}
}

// rawLog is the ledger as it lies in the brokers.
type rawLog struct{ w *world }

// Ends implements [reconcile.Log].
func (l rawLog) Ends(context.Context) ([]int64, error) {
	ends := make([]int64, len(l.w.ledgers))
	for i, t := range l.w.ledgers {
		elapse(l.w.dice.draw("audited end", strconv.Itoa(i)).between(time.Microsecond, 20*time.Millisecond))
		ends[i] = t.length()
	}
	return ends, nil
}

// Read implements [reconcile.Log].
func (l rawLog) Read(_ context.Context, partition int32, from, to int64, fn func(reconcile.Record) error) error {
	elapse(l.w.dice.draw("audited ledger", strconv.Itoa(int(partition))).between(time.Microsecond, time.Second))
	for {
		e, ok, _ := l.w.ledgers[partition].after(from)
		if !ok || e.offset >= to {
			return nil
		}
		if err := fn(reconcile.Record{Partition: partition, Offset: e.offset, At: e.at, Value: e.value}); err != nil {
			return err
		}
		from = e.offset + 1
	}
}

// register is the list of a native system, page by page, while the system goes on.
type register struct{ s *system }

// Read implements [adapters.Source].
func (r register) Read(_ context.Context, after native.Position, limit int) (adapters.Batch, error) {
	elapse(r.s.w.dice.draw("audited page", string(r.s.id)).between(time.Microsecond, 2*time.Second))
	from, _ := strconv.Atoi(string(after))
	all, _ := r.s.rows()
	to := min(from+limit, len(all))
	b := adapters.Batch{More: to < len(all)}
	if to > 0 {
		b.Next = native.Position(strconv.Itoa(to))
	}
	for _, row := range all[from:to] {
		b.Records = append(b.Records, row.Record)
	}
	return b, nil
}
