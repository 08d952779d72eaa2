package gateway

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
	"github.com/einmal-hub/einmal/gateway/shelf"
	"github.com/einmal-hub/einmal/gateway/witness"
)

const (
	// shelveEvery is how often what was read of the ledger is put on the shelf: a gateway that is killed reads the last second again.
	shelveEvery = time.Second
	// shelveShare is how many times longer than it took the next one waits: while a long ledger is read there is always something to put.
	shelveShare = 5
	// mostAhead is how many records the reading of the ledger may be ahead of a shelf that takes what it is given.
	mostAhead = 50_000
	// mostHeld is how many cases of which nothing is open may be in memory, some 15 kB each, before they are left to the shelf again.
	mostHeld = 10_000
)

// holdShelf closes the shelf when everything that may ask the view has stopped.
func (g *Gateway) holdShelf(_ context.Context, s *stack) error {
	s.push("shelf", func(context.Context) error {
		if g.shelf == nil {
			return nil
		}
		return g.shelf.Close()
	})
	return nil
}

// newView makes the view of the ledger: the one that was put on the shelf, if that is of this ledger, or an empty one. ends is where the partitions end now.
func (g *Gateway) newView(ctx context.Context, s *stack, ends []int64) error {
	g.view = ledger.NewView(g.bus.Partitions(), g.waker.wake)
	if g.openShelf(ctx); g.shelf == nil {
		return nil
	}
	fits, err := g.shelfFits(ctx, ends)
	if err != nil {
		return err
	}
	if fits {
		if err = g.view.Resume(g.shelf, g.shelfBroke(s)); err == nil {
			return nil
		}
	}
	g.o.Log.InfoContext(ctx, "what is kept of the ledger on this disk is not of the ledger as it stands; reading all of it", slog.Any("error", err))
	g.view = ledger.NewView(g.bus.Partitions(), g.waker.wake)
	if err := g.shelf.Empty(); err != nil {
		g.o.Log.WarnContext(ctx, "nothing is kept of the ledger on this disk; every start reads all of it", slog.Any("error", err))
		g.shelf = nil
		return nil
	}
	return g.view.Resume(g.shelf, g.shelfBroke(s))
}

// openShelf opens the shelf in the data folder. Without one, as on a read-only disk, the gateway reads the whole ledger at every start.
func (g *Gateway) openShelf(ctx context.Context) {
	c := g.o.Config
	name := "ledger-shelf-" + c.Kafka.Prefix
	if c.Instance != "" {
		name += "-" + c.Instance
	}
	found, err := shelf.Open(filepath.Join(c.Data, name+".db"), shelf.Name{Build: shelf.Build(), Cluster: g.memory.cluster, Topic: g.bus.Topics().Ledger})
	if err != nil {
		g.o.Log.WarnContext(ctx, "nothing is kept of the ledger on this disk; every start reads all of it", slog.Any("error", err))
		return
	}
	g.shelf = found
}

// shelfFits reports whether what is on the shelf is the beginning of the ledger: the last record of each partition stands where it stood. What was lost, or written anew, since then is seen by that; see
// gateway/witness, which compares the same for the promise, whatever is on the shelf.
func (g *Gateway) shelfFits(ctx context.Context, ends []int64) (bool, error) {
	start, err := g.shelf.Start()
	if err != nil {
		return false, nil //nolint:nilerr // it is emptied then
	}
	last := map[int32]ledger.Stored{}
	for _, r := range start.Last {
		last[r.Partition] = r
	}
	for p, next := range start.Next {
		if next == 0 {
			continue
		}
		r, known := last[int32(p)] //nolint:gosec // a number of partitions
		if !known || p >= len(ends) || next > ends[p] {
			return false, nil
		}
		fits := false
		err := g.patiently(ctx, func() error {
			digest, there, err := g.memory.recordAt(ctx)(r.Partition, r.Offset)
			fits = there && digest == witness.Digest(r.Value)
			return err
		})
		if err != nil || !fits {
			return false, err
		}
	}
	for _, r := range last {
		g.memory.saw(r.Partition, r.Offset, r.Value)
	}
	return true, nil
}

// shelfBroke ends the gateway, whose view answers nobody any more, and leaves the next start without a shelf.
func (g *Gateway) shelfBroke(s *stack) func(error) {
	return func(err error) { s.fail(errors.Join(err, g.shelf.Forget())) }
}

// shelve puts what is read of the ledger on the shelf until ctx ends.
func (g *Gateway) shelve(ctx context.Context) error {
	rested := 0
	for failing := false; ; {
		began := now()
		var err error
		rested, err = g.put(ctx, rested)
		switch {
		case err != nil && !failing:
			g.o.Log.WarnContext(ctx, "what is read of the ledger cannot be kept on this disk; if that stays so, the next start reads it again", slog.Any("error", err))
		case err == nil && failing:
			g.o.Log.InfoContext(ctx, "what is read of the ledger is kept on this disk again")
		}
		failing = err != nil
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was said
		}
		g.unshelved.Store(failing)
		if failing || g.view.Fresh() < mostAhead/2 {
			_ = schedule.Pause(ctx, max(shelveEvery, shelveShare*now().Sub(began))) // the last one comes when ctx has ended
		}
	}
}

// put puts what is fresh on the shelf, and lets go of what is over when there is much of it. rested is how many cases were in memory when that was done the last time.
func (g *Gateway) put(ctx context.Context, rested int) (int, error) {
	if err := g.view.Shelve(); err != nil {
		return rested, err
	}
	if g.view.Held() <= mostHeld+2*rested {
		return rested, nil
	}
	if err := g.view.Rest(); err != nil {
		g.o.Log.WarnContext(ctx, "what is over stays in memory", slog.Any("error", err))
	}
	return g.view.Held(), nil
}

// keepsUp waits for the shelf when the reading of a long ledger is far ahead of it: otherwise the next start would find a part only, and so would every other one.
func (g *Gateway) keepsUp(ctx context.Context) {
	for g.shelf != nil && !g.unshelved.Load() && g.view.Fresh() > mostAhead {
		if schedule.Pause(ctx, catchUp) != nil {
			return
		}
	}
}

// catchUp is how long the shelf is waited for at a time.
const catchUp = 10 * time.Millisecond
