package measure

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
)

// writeAlike writes references again, at once and one after the other, and references that differ in one character.
func (r *run) writeAlike(ctx context.Context) error {
	for _, i := range r.twice {
		for range 3 {
			if err := r.write(ctx, i, r.base, 0); err != nil {
				return err
			}
		}
	}
	for _, i := range r.atOnce {
		if err := r.writeAtOnce(ctx, i); err != nil {
			return err
		}
	}
	return r.each(r.variants, func(i *item) error { return r.write(ctx, i, r.base, 0) })
}

func (r *run) writeAtOnce(ctx context.Context, i *item) error {
	var all sync.WaitGroup
	errs := make([]error, atOnceWriters)
	for k := range errs {
		all.Go(func() { errs[k] = r.write(ctx, i, r.base, 0) })
	}
	all.Wait()
	if k := slices.IndexFunc(errs, func(err error) bool { return err != nil }); k >= 0 {
		return errs[k]
	}
	return nil
}

// writeSamples writes entries and times how soon each is found.
func (r *run) writeSamples(ctx context.Context) error {
	return r.each(r.samples, func(i *item) error {
		if err := r.write(ctx, i, r.base, 0); err != nil {
			return err
		}
		return r.time(ctx, i)
	})
}

// time searches for an entry that is known to stand there until it is found. The lag of a search that begins after the receipt and finds the entry is 0.
func (r *run) time(ctx context.Context, i *item) error {
	r.mu.Lock()
	last := i.attempts[len(i.attempts)-1]
	r.mu.Unlock()
	if r.system.Finder == nil || last.outcome != recorded {
		return nil
	}
	interval := 2 * time.Millisecond
	for tried := 0; ; tried++ {
		began := r.Now()
		found, err := r.search(ctx, i)
		elapsed := began.Sub(last.ended)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && found > 0:
			r.mu.Lock()
			if i.timed = true; tried > 0 {
				i.lag = elapsed
			}
			r.mu.Unlock()
			return nil
		case elapsed > max(r.watch, 2*r.bounds.Lookup):
			r.mu.Lock()
			i.lost = true
			r.mu.Unlock()
			return nil
		}
		if err := r.Pause(ctx, interval); err != nil {
			return err
		}
		interval = min(max(elapsed/8, 2*time.Millisecond), time.Second)
	}
}

// cutRequests ends requests on this side at random moments, from before anything is sent until after the answer has come.
func (r *run) cutRequests(ctx context.Context) error {
	r.mu.Lock()
	most := max(r.slowest, time.Millisecond)
	r.mu.Unlock()
	delays := map[*item]time.Duration{}
	for _, i := range r.cuts {
		delays[i] = max(1, time.Duration(r.chance.Float64()*1.2*float64(most)))
	}
	return r.each(r.cuts, func(i *item) error {
		if err := r.write(ctx, i, r.base, delays[i]); err != nil {
			return err
		}
		return r.look(ctx, i)
	})
}

// watchLate looks for what may still come until the time is over.
func (r *run) watchLate(ctx context.Context) error { return r.await(ctx, r.all()) }

// writeAgain does what the gateway does after a doubt: in a mode that joins it writes again, otherwise only what was not found when everything should have happened. Then it
// writes again what it wrote first, as late as it was told, if references are joined at all.
func (r *run) writeAgain(ctx context.Context) error {
	joins := r.joins()
	err := r.each(r.cuts, func(i *item) error {
		if !joins && !r.mayRepeat(i) {
			return nil
		}
		return r.write(ctx, i, r.base, 0)
	})
	if err != nil || !joins {
		return err
	}
	if wait := r.Memory - r.Now().Sub(r.began); wait > 0 {
		r.Tell("waiting until the first references are " + r.Memory.String() + " old")
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
	}
	for _, i := range []*item{r.first, r.twice[0], r.twice[1], r.variants[0]} {
		if err := r.write(ctx, i, r.base, 0); err != nil {
			return err
		}
	}
	return r.await(ctx, r.all())
}

// mayRepeat reports whether the gateway would write an entry again that it may not write twice: nothing stands there, and in mode C the adapter has said that nothing was written.
func (r *run) mayRepeat(i *item) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := i.attempts[len(i.attempts)-1].outcome
	return len(i.sights) == 0 && (last == nothing || r.system.Abilities.Mode == adapters.ModeB)
}

// joins reports whether every reference that was written again has led to one record.
func (r *run) joins() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range slices.Concat(r.twice, r.atOnce) {
		if len(i.sights) != 1 {
			return false
		}
	}
	return true
}
