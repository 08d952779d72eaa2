package sim

import (
	"context"
	"runtime"
	"sync"
)

// Sweep makes the runs of n seeds from o.Seed on, as many side by side as there are processors, and calls each with every result, one at a time, in the
// order in which they end. It stops when each returns false or ctx ends; runs that are under way are finished and not reported.
func Sweep(ctx context.Context, o Options, n int, each func(Result) bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	var mu sync.Mutex
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for seed := range seeds {
				one := o
				one.Seed = seed
				r := Run(one)
				mu.Lock()
				if ctx.Err() == nil && !each(r) {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	for i := range uint64(max(n, 0)) {
		select {
		case seeds <- o.Seed + i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(seeds)
	workers.Wait()
}
