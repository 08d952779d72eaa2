package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// sink is a target with its limits: so many requests at once, and none while it is down.
type sink struct {
	Target
	slots   chan struct{}
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	rest    rest
}

// rest is how long a system that stays down is left alone between two tries: each of them costs two records of the ledger, which are kept for good.
type rest struct {
	mu     sync.Mutex
	failed int // tries in a row
	until  time.Time
}

const (
	shortestRest = time.Second
	longestRest  = 30 * time.Second
)

func (r *rest) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !time.Now().Before(r.until)
}

// tried notes what came of the one request with which a system is tried that was down.
func (r *rest) tried(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !down {
		r.failed, r.until = 0, time.Time{}
		return
	}
	r.failed = min(r.failed+1, 10)
	r.until = time.Now().Add(min(shortestRest<<r.failed, longestRest))
}

func newSink(id handover.SystemID, t Target) *sink {
	return &sink{
		Target: t,
		slots:  make(chan struct{}, max(t.Parallel, 1)),
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: string(id), Timeout: shortestRest,
			ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 8 },
			IsSuccessful: func(err error) bool { return !unavailable(err) },
		}),
	}
}

// unavailable reports whether an answer says that the system as a whole cannot be used at present. One that answers later and has taken the entry can.
func unavailable(err error) bool {
	return err != nil && fault.KindOf(err) != fault.Refuse && fault.CodeOf(err) != adapters.HandedOver
}

// enter waits for a free slot. It returns false when ctx ends first or the system is resting after failures; otherwise release must be
// called once with what came of the request, nil if none was made.
func (s *sink) enter(ctx context.Context) (release func(error), ok bool) {
	if ctx.Err() != nil {
		return nil, false // a free slot would win every other time
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	if !s.rest.over() {
		<-s.slots
		return nil, false
	}
	tries := s.breaker.State() == gobreaker.StateHalfOpen
	done, err := s.breaker.Allow()
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		<-s.slots
		return nil, false
	}
	return func(err error) {
		done(err)
		if tries {
			s.rest.tried(unavailable(err))
		}
		<-s.slots
	}, true
}
