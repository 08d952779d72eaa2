package gateway

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// views keeps what Redis shows in step with the ledger.
//
// To rebuild means little here: what counts is the ledger, and a gateway is ready when it has read that, with or without Redis. What Redis shows to operators and their tools
// (which native record a reference is, which native case a case is) is filled again from the ledger, beside everything else, when Redis was emptied or set back, or did not take something, as while it was away. What it advises
// (claims, what was seen) is not filled: it saves work that has not been done yet.
type views struct {
	g    *Gateway
	here bool // Redis answered last time
	// whole says that Redis is the one that was there the time before: not away, emptied or set back meanwhile.
	whole bool
	beat  int64 // the last count of Redis's that was seen, here or before the last stop
	// stale says that the views lack something and Redis still says that they are whole: it was set back, or did not take something, above all while it was away.
	stale   bool
	filling sync.WaitGroup
	busy    atomic.Bool
	state   atomic.Value // string
	written atomic.Int64
}

// The states of the views.
const (
	viewsAway    = "away"
	viewsFilling = "filling"
	viewsFilled  = "filled"
)

// fillLease is how long a gateway that fills the views keeps others from doing the same; it is extended with every batch.
const fillLease = 30 * time.Second

// A part that Redis does not take is written again so often, at such intervals: with millions of entries one moment of weakness must not mean to begin anew. Together they are shorter than the lease.
const (
	fillTries = 8
	fillPause = time.Second
)

// step looks whether Redis is there and whether it is the one that was there before, and fills the views if not.
func (v *views) step(ctx context.Context) {
	count, err := v.g.claims.Beat(ctx)
	if err != nil {
		if v.here {
			v.g.o.Log.WarnContext(ctx, "Redis does not answer any more; going on from the ledger alone", slog.Any("error", err))
		}
		v.here, v.whole, v.stale = false, false, v.stale || v.here // it may come back without what it took last
		v.state.Store(viewsAway)
		return
	}
	if !v.here {
		v.inspect(ctx)
	}
	setBack := count <= v.beat
	v.here, v.whole, v.beat = true, v.here && !setBack, count
	missed := v.g.claims.Missed()
	v.stale = v.stale || setBack || missed // also while they are being filled: what was written before that may be gone
	if v.busy.Load() {
		return
	}
	if v.stale {
		if v.g.claims.SetUnfilled(ctx) != nil {
			return
		}
		v.stale = false
	}
	filled, err := v.g.claims.Filled(ctx)
	switch {
	case err != nil:
	case !filled:
		v.fill(ctx)
	default:
		v.state.Store(viewsFilled)
	}
}

// inspect warns of settings that do not suit.
func (v *views) inspect(ctx context.Context) {
	warnings, known, err := v.g.claims.Inspect(ctx)
	switch {
	case err != nil:
	case !known:
		v.g.o.Log.InfoContext(ctx, "whether Redis evicts keys and keeps them on disk cannot be told: it does not say", slog.String("redis", v.g.o.Config.Redis.Address))
	}
	for _, w := range warnings {
		v.g.o.Log.WarnContext(ctx, "Redis is not set up as it should be", slog.String("code", w.Code), slog.String("found", w.Text), slog.String("next", w.Next))
	}
}

// fill begins to write everything that was recorded as long ago as views are kept.
func (v *views) fill(ctx context.Context) {
	if !v.g.claims.Claim(ctx, "views", fillLease) {
		return // another gateway does it
	}
	since := now().Add(-v.g.o.Config.Redis.Keep)
	v.busy.Store(true)
	v.state.Store(viewsFilling)
	v.written.Store(0)
	v.filling.Go(func() {
		defer v.busy.Store(false)
		v.g.o.Log.InfoContext(ctx, "filling the views in Redis from the ledger: it is empty, was set back, or did not take everything", slog.Time("since", since))
		began := now()
		err := v.g.view.Recorded(since, v.batches(ctx))
		if err == nil {
			err = v.g.claims.SetFilled(ctx)
		}
		v.g.claims.Release(ctx, "views")
		if err != nil {
			if ctx.Err() == nil {
				v.g.o.Log.WarnContext(ctx, "the views in Redis are not filled; it is tried again", slog.Any("error", err))
			}
			return
		}
		v.g.o.Log.InfoContext(ctx, "the views in Redis are filled", slog.Int64("entries", v.written.Load()), slog.Duration("took", now().Sub(began)))
	})
}

// batches returns what writes one batch, and says from time to time how far it has come.
func (v *views) batches(ctx context.Context) func([]ledger.Recorded) error {
	said, from := now(), now() // from: when the work on this batch began, with what is taken from the shelf for it
	return func(all []ledger.Recorded) error {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.Retry, "gateway.fill", err)
		}
		at := now()
		out := make([]claims.Recorded, len(all))
		for i, r := range all {
			out[i] = claims.Recorded{Key: claims.DoneKey(string(r.Ref)), Value: string(r.Native), Age: at.Sub(r.At).Milliseconds()}
			if r.Ref == "" {
				out[i].Key, out[i].Value = claims.CaseKey(string(r.Case), r.To.String()), string(r.Counter)
			}
		}
		err := v.g.claims.Fill(ctx, out)
		for range fillTries {
			if err == nil || schedule.Pause(ctx, fillPause) != nil {
				break
			}
			err = v.g.claims.Fill(ctx, out)
		}
		n := v.written.Add(int64(len(all)))
		if at.Sub(said) >= progressEvery {
			said = at
			v.g.claims.Claim(ctx, "views", fillLease)
			v.g.o.Log.InfoContext(ctx, "filling the views in Redis", slog.Int64("entries", n), slog.Int("messages", v.g.view.Stats().Messages))
		}
		if err == nil {
			err = schedule.Pause(ctx, v.manners(now().Sub(from)))
		}
		from = now()
		return err
	}
}

// manners is how long the views wait after a batch that took so long: what messages need comes first, and what Redis shows may be late. It matters to a gateway that comes back in the middle of work.
func (v *views) manners(took time.Duration) time.Duration {
	if v.g.view.Stats().Open > 0 {
		return min(3*took, fillPause)
	}
	return time.Millisecond
}

// Views says how what Redis shows stands to the ledger.
type Views struct {
	State   string `json:"state"`   // filled, filling, away; empty: not looked yet
	Written int64  `json:"written"` // entries that were filled the last time
}

func (v *views) say() Views {
	state, _ := v.state.Load().(string)
	return Views{State: state, Written: v.written.Load()}
}
