package gateway

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// early gathers the systems that are to be compared before their time, because of what was read in them. It is safe for concurrent use.
type early struct {
	mu      sync.Mutex
	systems map[handover.SystemID]bool
	asked   chan struct{} // holds a token while there are some
}

func newEarly() *early {
	return &early{systems: map[handover.SystemID]bool{}, asked: make(chan struct{}, 1)}
}

func (e *early) ask(systems ...handover.SystemID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range systems {
		e.systems[id] = true
		select {
		case e.asked <- struct{}{}:
		default:
		}
	}
}

// take returns what was asked for since the last time, sorted, and nobody is woken for it any more: an empty list would mean all systems.
func (e *early) take() []handover.SystemID {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.asked:
	default:
	}
	var systems []handover.SystemID
	for id := range e.systems {
		systems = append(systems, id)
	}
	clear(e.systems)
	slices.Sort(systems)
	return systems
}

// A comparison reads whole lists, so it does not follow upon each single suspicion: what shows itself within a moment is compared together, and afterwards it rests for much longer than it took.
const (
	earlyGathers = 5 * time.Second
	earlyRests   = time.Minute
	earlyShare   = 10 // of the time at most one part in so many is spent on it
)

// startEarly compares a system soon after something was read in it that stands twice, or otherwise than the ledger says. What a gateway has noticed and not compared when it ends is left to the
// next scheduled comparison.
func (g *Gateway) startEarly(ctx context.Context, s *stack) error {
	if g.o.Config.Reconcile.Every > 0 {
		s.run(ctx, "early comparison", g.compareEarly)
	}
	return nil
}

func (g *Gateway) compareEarly(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-g.early.asked:
			_ = schedule.Pause(ctx, earlyGathers)
			systems := g.early.take()
			_ = schedule.Pause(ctx, g.settle(systems)) // until then the list may lack one of two
			began := now()
			g.compareThese(ctx, systems)
			_ = schedule.Pause(ctx, max(earlyRests, earlyShare*now().Sub(began)))
		case <-ctx.Done():
		}
	}
	return nil
}

// compareThese compares some systems; those that could not be compared are asked for again.
func (g *Gateway) compareThese(ctx context.Context, systems []handover.SystemID) {
	report, err := g.Reconcile(ctx, systems, g.o.Config.Reconcile.Park)
	if err != nil && ctx.Err() == nil {
		g.o.Log.WarnContext(ctx, "the comparison with the native systems is tried again", slog.Any("error", err))
		g.early.ask(systems...)
		return
	}
	for _, r := range report.Systems {
		if r.Status == reconcile.Unreadable {
			g.early.ask(r.System)
		}
	}
}

// settle is the longest time that an entry in one of the systems may take until its list shows it.
func (g *Gateway) settle(systems []handover.SystemID) (longest time.Duration) {
	for _, c := range g.connected {
		if slices.Contains(systems, c.id) {
			longest = max(longest, c.system.Abilities.Bounds.Settle())
		}
	}
	return longest
}
