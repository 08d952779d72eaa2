package delivery

import (
	"context"
	"errors"
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
}

func newSink(id handover.SystemID, t Target) *sink {
	return &sink{
		Target: t,
		slots:  make(chan struct{}, max(t.Parallel, 1)),
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: string(id), Timeout: time.Second,
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
	done, err := s.breaker.Allow()
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		<-s.slots
		return nil, false
	}
	return func(err error) {
		done(err)
		<-s.slots
	}, true
}
