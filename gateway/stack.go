package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// stack holds what was started, in the order of its start, and stops it the other way round: what takes work in stops first, what the work
// needs stops last. It is also the rollback of a start that failed.
type stack struct {
	log   *slog.Logger
	stops []named
	fatal chan error // the first error of a stage that ended by itself
	once  sync.Once
}

type named struct {
	name string
	stop func(context.Context) error
}

func newStack(log *slog.Logger) *stack {
	return &stack{log: log, fatal: make(chan error, 1)}
}

// push adds something that runs; stop must return when it no longer does, or when its context ends.
func (s *stack) push(name string, stop func(context.Context) error) {
	s.stops = append(s.stops, named{name, stop})
}

// run starts a stage in a goroutine of its own. Its context ends when the stack stops it, not when the process is asked to stop, so that the
// order is kept. A stage that ends by itself ends the gateway.
func (s *stack) run(ctx context.Context, name string, stage func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := stage(ctx)
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("%s ended: %w", name, errors.Join(err, errEnded)))
		}
	}()
	s.push(name, func(grace context.Context) error {
		cancel()
		select {
		case <-ended:
			return nil
		case <-grace.Done():
			return errors.New("it did not end within the grace")
		}
	})
}

var errEnded = errors.New("it must run as long as the gateway does")

// fail reports that the gateway cannot go on; only the first report counts.
func (s *stack) fail(err error) {
	s.once.Do(func() { s.fatal <- err })
}

// stop stops everything, the last started first, and returns all errors.
func (s *stack) stop(ctx context.Context) error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.log.DebugContext(ctx, "stopping", slog.String("stage", s.stops[i].name))
		if err := s.stops[i].stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", s.stops[i].name, err))
		}
	}
	s.stops = nil
	return errors.Join(errs...)
}
