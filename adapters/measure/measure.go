package measure

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Forms makes what is written. Its methods may be called concurrently.
type Forms interface {
	// Entry returns the n-th valid form under a reference, always the same for the same arguments. An empty case opens one, with a case reference that belongs to n alone.
	// With a document the form names it. An error ends the measurement.
	Entry(n int, ref native.Reference, in native.CaseKey, documents ...handover.Document) (native.Entry, error)
	// Whole returns nil when a record that a Source has read says everything that the entry says, and otherwise what is missing or different, without any value.
	Whole(e native.Entry, r native.Record) error
}

// Options say how thoroughly a system is measured. The zero value is a thorough measurement that waits for nothing but the bounds.
type Options struct {
	Samples  int // entries whose way into the search is timed; 0: 100
	Cuts     int // requests that are cut at random moments; 0: 30
	Parallel int // requests at once; 0: 4
	// Watch is how long after the last cut request late executions are looked for. It is never shorter than the declared bounds in mode B; 0: twice as long.
	Watch time.Duration
	// Memory is how long after the first entry its reference is written again, if references are joined, and searched again; 0: at the end, however early that is.
	Memory time.Duration
	// Unread says that the gateway will not read from the system: what its stream does wrong then rules nothing out.
	Unread bool
	Seed   uint64 // of the references and of the moments of the cuts
	// Pause waits; nil: for the time. Tests of systems that work in rounds let a round pass.
	Pause func(context.Context, time.Duration) error
	Now   func() time.Time // nil: time.Now
	// Tell is called with one line about what is being done now; nil: nobody wants to know.
	Tell func(string)
}

func (o Options) filled() Options {
	defaulted := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	defaulted(&o.Samples, 100)
	defaulted(&o.Cuts, 30)
	defaulted(&o.Parallel, 4)
	if o.Pause == nil {
		o.Pause = pause
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	return o
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Plan says beforehand what a measurement does to a system.
type Plan struct {
	Entries int           `json:"entries"` // at most so many references are written, some of them several times
	Cases   int           `json:"cases"`   // of them open a case
	Least   time.Duration `json:"-"`       // the waiting alone takes at least so long
}

// Plan returns what a measurement of a system with these abilities writes and how long it waits.
func (o Options) Plan(a adapters.Abilities) Plan {
	o = o.filled()
	t := newTest(o, a)
	p := Plan{Least: max(t.watch, o.Memory)}
	for _, i := range t.all() {
		p.Entries++
		if i.opens {
			p.Cases++
		}
	}
	return p
}

// Run measures a system. It returns an error, and no verdict, when nothing can be measured: kind Stop when the system cannot be used at all or refuses the first form, Retry when it cannot be
// reached, and that of ctx when it ends first. Everything else that goes wrong is a finding. What was written is in the report, also beside an error.
func Run(ctx context.Context, s adapters.System, forms Forms, o Options) (Report, error) {
	if s.Sink == nil {
		return Report{}, fault.New(fault.Stop, "measure.run", "no-sink", "nothing is written into this system, so that there is nothing to measure")
	}
	o = o.filled()
	r := &run{
		Options: o, system: s, forms: forms, bounds: s.Abilities.Bounds, test: newTest(o, s.Abilities),
		chance: rand.New(rand.NewPCG(o.Seed, 2)), //nolint:gosec // moments must be repeatable, not secret
		began:  o.Now(), stream: stream{torn: map[native.RecordID]string{}},
	}
	err := r.measure(ctx)
	j := r.journal()
	if err != nil {
		return Report{Written: j.written()}, err
	}
	return j.judge(), nil
}
