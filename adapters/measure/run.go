package measure

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
)

// run is a measurement under way.
type run struct {
	Options
	*test
	system adapters.System
	forms  Forms
	bounds adapters.Bounds
	chance *rand.Rand
	began  time.Time
	stream stream
	base   native.CaseKey // that most entries go into; set by the first entry

	mu       sync.Mutex // guards what follows and the items
	slowest  time.Duration
	searches int
	failed   int      // searches without an answer
	foreign  int      // records that a search showed for a reference that was never written
	papers   []string // what was wrong with documents
	ended    time.Time
}

// measure goes through the steps.
func (r *run) measure(ctx context.Context) error {
	defer func() { r.ended = r.Now() }()
	for _, step := range []struct {
		tell string
		do   func(context.Context) error
	}{
		{"trying the connection", r.connect},
		{"reading what stands there already", r.readAll},
		{"writing the first entry", r.writeFirst},
		{"writing the same references again, and references that look alike", r.writeAlike},
		{"storing documents", r.storeDocuments},
		{"timing how soon entries are found", r.writeSamples},
		{"cutting requests", r.cutRequests},
		{"watching for what comes late", r.watchLate},
		{"writing again what was written before", r.writeAgain},
		{"comparing what stands there with what was written", r.compare},
	} {
		r.Tell(step.tell)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) connect(ctx context.Context) error {
	if r.system.Ping == nil {
		return nil
	}
	return r.stubbornly(ctx, func() error { return r.system.Ping(ctx) })
}

// stubbornly repeats what has no effect and may succeed later.
func (r *run) stubbornly(ctx context.Context, f func() error) error {
	wait := 100 * time.Millisecond
	for n := 1; ; n++ {
		err := f()
		if fault.KindOf(err) != fault.Retry || ctx.Err() != nil || n == tries {
			return err
		}
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
}

// writeFirst opens the case that most entries go into.
func (r *run) writeFirst(ctx context.Context) error {
	if err := r.write(ctx, r.first, "", 0); err != nil {
		return err
	}
	if err := r.await(ctx, []*item{r.first}); err != nil {
		return err
	}
	if len(r.first.sights) == 0 {
		return fault.New(fault.Retry, "measure.run", "first-entry", "whether the first entry was recorded cannot be found out, so that nothing can be built on it").
			Hint("look for its reference in the native system, and start again when the system answers")
	}
	for _, s := range r.first.sights {
		r.base = s.in
	}
	return nil
}

// write makes and sends an entry, until the adapter says something else than "nothing was written". A positive cut ends the request after that time; it is then sent once. Errors
// are those that end the measurement.
func (r *run) write(ctx context.Context, i *item, in native.CaseKey, cut time.Duration) error {
	if i.opens {
		in = ""
	}
	entry, err := r.forms.Entry(i.n, i.ref, in)
	if err != nil {
		return err
	}
	return r.send(ctx, i, entry, cut)
}

// tries is how often an entry is sent that the system provably did not write.
const tries = 6

func (r *run) send(ctx context.Context, i *item, entry native.Entry, cut time.Duration) error {
	r.mu.Lock()
	i.entry = entry
	r.mu.Unlock()
	wait := 100 * time.Millisecond
	for range tries {
		a, err := r.apply(ctx, i, entry, cut)
		if err != nil || a.outcome != nothing || cut > 0 {
			return err
		}
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
	return fault.New(fault.Retry, "measure.write", "nothing-taken", "the system takes no entry").Hint("start again when it can be used")
}

// apply makes one request and writes down what came of it.
func (r *run) apply(ctx context.Context, i *item, entry native.Entry, cut time.Duration) (attempt, error) {
	limit := r.bounds.Request
	if cut > 0 {
		limit = cut
	}
	request, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r.mu.Lock()
	i.pending++
	r.mu.Unlock()
	a := attempt{began: r.Now(), cut: cut > 0}
	receipt, err := r.system.Sink.Apply(request, entry)
	a.ended = r.Now()
	if ctx.Err() != nil {
		a.outcome = inDoubt
		r.note(i, a, native.Receipt{})
		return a, ctx.Err()
	}
	a.joined, a.code = receipt.Joined, fault.CodeOf(err)
	switch kind := fault.KindOf(err); {
	case err == nil:
		a.outcome, a.code = recorded, ""
	case fault.CodeOf(err) == adapters.HandedOver:
		a.outcome = handedOver
	case kind == fault.Retry:
		a.outcome = nothing
	case kind == fault.Stop:
		a.outcome = nothing
		r.note(i, a, receipt)
		return a, err
	case kind == fault.Refuse, kind == fault.Park:
		a.outcome = refused
	default:
		a.outcome = inDoubt
	}
	if first := r.note(i, a, receipt); a.outcome == refused && first {
		return a, fault.New(fault.Stop, "measure.write", "form-refused", "the system does not take the test form, so that nothing can be measured").
			Hint("see which field it names; give a form of your own, or code lists that fit").Because(err)
	}
	return a, nil
}

// note keeps an attempt and what its receipt shows, and reports whether it is all that was done with the item.
func (r *run) note(i *item, a attempt, receipt native.Receipt) (first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i.pending--
	first = len(i.attempts) == 0 && i.pending == 0
	i.attempts, i.looks = append(i.attempts, a), 0
	if a.outcome == recorded {
		s, known := i.sights[receipt.Record]
		if !known {
			s.in = receipt.Case
		}
		s.receipt = true
		i.sights[receipt.Record] = s
		if !a.cut {
			r.slowest = max(r.slowest, a.ended.Sub(a.began))
		}
	}
	return first
}

// shown returns what is known of a record that the system has just shown, which may be new. One that the first look after a request shows was there at once.
func (i *item) shown(id native.RecordID, in native.CaseKey, now time.Time, inStream bool) sight {
	s, known := i.sights[id]
	if known {
		return s
	}
	s = sight{in: in, streamed: inStream}
	if i.pending > 0 {
		return s // that request may be what it comes from
	}
	if k := len(i.attempts) - 1; k >= 0 && i.attempts[k].outcome == handedOver {
		s.answer = now.Sub(i.attempts[k].ended) // earlier doubts cannot be told from it
		return s
	}
	s.denied = !slices.ContainsFunc(i.attempts, func(a attempt) bool { return a.outcome != nothing && a.outcome != refused })
	for k, a := range i.attempts {
		looked := i.looks > 0 || k < len(i.attempts)-1
		if looked && (a.outcome == inDoubt || a.outcome == nothing) {
			s.late = now.Sub(a.ended) // the last unclear one counts
		}
	}
	return s
}

// each runs f for every item, so many at once, and returns the first error.
func (r *run) each(items []*item, f func(*item) error) error {
	queue := make(chan *item)
	var all sync.WaitGroup
	var once sync.Once
	var first error
	broken := make(chan struct{})
	for range r.Parallel {
		all.Go(func() {
			for i := range queue {
				if err := f(i); err != nil {
					once.Do(func() { first = err; close(broken) })
				}
			}
		})
	}
feed:
	for _, i := range items {
		select {
		case queue <- i:
		case <-broken:
			break feed
		}
	}
	close(queue)
	all.Wait()
	return first
}
