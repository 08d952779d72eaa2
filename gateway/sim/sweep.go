package sim

import (
	"context"
	"runtime"
	"sync"
)

// Sweep makes the runs of n seeds from o.Seed on, as many side by side as there are processors, and calls each with every result, one at a time, in the order in which they end, in the goroutine of the
// caller: a test may fail in it. It stops when each returns false or ctx ends; runs that are under way are finished and not reported.
func Sweep(ctx context.Context, o Options, n int, each func(Result) bool) {
	ctx, stop := context.WithCancel(ctx)
	seeds, results := make(chan uint64), make(chan Result)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for seed := range seeds {
				one := o
				one.Seed = seed
				r := Run(one)
				select {
				case results <- r:
				case <-ctx.Done():
				}
			}
		})
	}
	workers.Go(func() {
		defer close(seeds)
		for i := range uint64(max(n, 0)) {
			select {
			case seeds <- o.Seed + i:
			case <-ctx.Done():
				return
			}
		}
	})
	for range n {
		select {
		case r := <-results:
			if !each(r) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
