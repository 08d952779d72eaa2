package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Log is the raw ledger topic.
type Log interface {
	// Ends returns the offset after the last record of every partition.
	Ends(ctx context.Context) ([]int64, error)
	// Read calls fn with the records of a partition from one offset to before another, in their order. fn's error ends it and is returned.
	Read(ctx context.Context, partition int32, from, to int64, fn func(Record) error) error
}

// System is one native system that the configuration names.
type System struct {
	ID     handover.SystemID
	Source adapters.Source // a connection that nobody else reads at the same time; nil: it is not read
	Bounds adapters.Bounds
}

// Progress is how far a comparison has come.
type Progress struct {
	What  string // "system klib", "ledger"
	Count int    // records read
}

// Options are what is compared.
type Options struct {
	Log     Log
	Systems []System
	// Only names the systems that are compared; empty: all.
	Only []handover.SystemID
	// Page is the most records of one reading; 0: 500.
	Page int
	// Parallel is how many lists are read at the same time; 0: 4.
	Parallel int
	Now      func() time.Time
	// Progress is called now and then, concurrently; nil: nobody is told.
	Progress func(Progress)
}

// Run compares the ledger with every system's list. A system that cannot be read is a result, not an error; errors are those of the ledger (kind Retry, or Stop when this version cannot read
// it) and of a name in Only that is not configured (Stop).
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Page <= 0 {
		o.Page = 500
	}
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	r := &run{Options: o, book: NewBook(), results: map[handover.SystemID]Result{}, findings: map[handover.SystemID][]Finding{}}
	report := Report{Began: o.Now().UTC(), Systems: []Result{}, Findings: []Finding{}}
	chosen, err := r.choose()
	if err != nil {
		return report, err
	}
	if err := r.pass(ctx, chosen); err != nil {
		return report, err
	}
	first := r.findings
	if again := slices.DeleteFunc(slices.Clone(chosen), func(s System) bool { return len(first[s.ID]) == 0 }); len(again) > 0 {
		r.findings = map[handover.SystemID][]Finding{}
		if err := r.pass(ctx, again); err != nil {
			return report, err
		}
		r.confirm(first, again)
	}
	r.uncompared(report.Began)
	for _, id := range sortedKeys(r.results) {
		report.Systems = append(report.Systems, r.results[id])
		report.Findings = append(report.Findings, r.findings[id]...)
	}
	report.Ended = o.Now().UTC()
	return report, nil
}

// run is one comparison.
type run struct {
	Options
	book     *Book
	read     []int64 // how far the ledger was folded
	results  map[handover.SystemID]Result
	findings map[handover.SystemID][]Finding
	mu       sync.Mutex // guards results while lists are read
}

// choose returns the systems whose lists are read, and notes why the others are not.
func (r *run) choose() ([]System, error) {
	for _, id := range r.Only {
		if !slices.ContainsFunc(r.Systems, func(s System) bool { return s.ID == id }) {
			return nil, fault.New(fault.Stop, "reconcile.run", "unknown-system", "the configuration has no system with this name: "+string(id))
		}
	}
	var chosen []System
	for _, s := range r.Systems {
		switch {
		case len(r.Only) > 0 && !slices.Contains(r.Only, s.ID):
		case s.Source == nil:
			r.results[s.ID] = Result{System: s.ID, Status: NotComparable, Why: "the system is not read", Next: "set read: true in the configuration if it can be read"}
		case s.Bounds.Asynchronous():
			r.results[s.ID] = Result{System: s.ID, Status: NotComparable, Why: "the system answers later: it reports what it did, and does not list what stands in it",
				Next: "ask its operator for a list of the references, and compare by hand"}
		default:
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// pass reads the lists between two looks at the ledger's end, and compares.
func (r *run) pass(ctx context.Context, systems []System) error {
	m := moment{at: r.Now()}
	var err error
	if m.before, err = r.Log.Ends(ctx); err != nil {
		return err
	}
	lists := r.lists(ctx, systems)
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Retry, "reconcile.run", err)
	}
	after, err := r.Log.Ends(ctx)
	if err != nil {
		return err
	}
	if err := r.fold(ctx, after); err != nil {
		return err
	}
	for _, s := range systems {
		if l := lists[s.ID]; l != nil {
			r.results[s.ID], r.findings[s.ID] = compare(r.book, l, s.ID, s.Bounds.Settle(), m)
		}
	}
	return nil
}

// lists reads the lists of several systems side by side. One that cannot be read is left out and noted.
func (r *run) lists(ctx context.Context, systems []System) map[handover.SystemID]*list {
	lists := map[handover.SystemID]*list{}
	var group errgroup.Group
	group.SetLimit(r.Parallel)
	for _, s := range systems {
		group.Go(func() error {
			l, err := read(ctx, s.Source, r.Page, func(n int) { r.Progress(Progress{What: "system " + string(s.ID), Count: n}) })
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.results[s.ID] = unreadable(s.ID, err)
			} else {
				lists[s.ID] = l
			}
			return nil
		})
	}
	_ = group.Wait() // nothing fails
	return lists
}

func unreadable(id handover.SystemID, err error) Result {
	res := Result{System: id, Status: Unreadable, Why: err.Error()}
	var f *fault.Error
	if errors.As(err, &f) && f.Text != "" {
		res.Why, res.Next = f.Text, f.Next
	}
	return res
}

// fold reads the ledger on to its ends.
func (r *run) fold(ctx context.Context, ends []int64) error {
	if r.read == nil {
		r.read = make([]int64, len(ends))
	}
	count := 0
	for p, end := range ends {
		if r.read[p] >= end {
			continue
		}
		err := r.Log.Read(ctx, int32(p), r.read[p], end, func(rec Record) error { //nolint:gosec // a number of partitions
			if count++; count%5000 == 0 {
				r.Progress(Progress{What: "ledger", Count: count})
			}
			return r.book.Fold(rec)
		})
		if err != nil {
			return err
		}
		r.read[p] = end
	}
	r.Progress(Progress{What: "ledger", Count: count})
	return nil
}

// confirm keeps what was found twice.
func (r *run) confirm(first map[handover.SystemID][]Finding, again []System) {
	for _, s := range again {
		seen := map[string]bool{}
		for _, f := range first[s.ID] {
			seen[f.ID] = true
		}
		res := r.results[s.ID]
		r.findings[s.ID] = slices.DeleteFunc(r.findings[s.ID], func(f Finding) bool {
			if seen[f.ID] {
				return false
			}
			if f.State == Accepted {
				res.Accepted--
			} else {
				res.Findings[f.Kind]--
			}
			res.InFlight++ // it has changed, or come of age, between the two looks: the next comparison sees it
			return true
		})
		r.results[s.ID] = res
	}
}

// uncompared says what the ledger alone tells of systems that were not compared, also of those that are not configured: how much it knows, and which outcomes are unknown.
func (r *run) uncompared(at time.Time) {
	left := map[handover.SystemID]*comparison{}
	for ref, e := range r.book.refs {
		id := e.to.System
		res, noted := r.results[id]
		if noted && res.Status == Compared || len(r.Only) > 0 && !slices.Contains(r.Only, id) {
			continue
		}
		c := left[id]
		if c == nil {
			if !noted {
				res = Result{System: id, Status: NotComparable, Why: "the system is not in the configuration", Next: "compare with a configuration that has it"}
			}
			c = &comparison{book: r.book, list: &list{}, system: id, settle: r.settle(id), moment: moment{at: at}, result: res}
			left[id] = c
		}
		switch {
		case e.done:
			c.result.Recorded++
		case e.open() && e.asked:
			c.result.Asked++
		case e.open():
			c.pending(ref, e, nil)
		}
	}
	for id, c := range left {
		c.sum()
		r.results[id], r.findings[id] = c.result, c.findings
	}
}

func (r *run) settle(id handover.SystemID) time.Duration {
	for _, s := range r.Systems {
		if s.ID == id {
			return s.Bounds.Settle()
		}
	}
	return 0
}

func sortedKeys(m map[handover.SystemID]Result) []handover.SystemID {
	ids := make([]handover.SystemID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
