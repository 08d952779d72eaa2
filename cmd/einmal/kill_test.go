package main_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/world"
)

// figure returns how much a test does: little unless the environment says more. `make kill` sets the figures of the promise.
func figure(t testing.TB, variable string, little int) int {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		return little
	}
	n, err := strconv.Atoi(v)
	require.NoError(t, err, variable)
	return n
}

// show is a play in the town's mocks, with what the test waits for.
type show struct {
	t        testing.TB
	plan     clerks.Plan
	progress chan clerks.Progress
	ended    chan struct{}
	err      error // read after ended
}

// play lets clerks act in the mocks' process, beside the test.
func (w *town) play(seed int64, handovers int) *show {
	w.t.Helper()
	return w.playIn(seed, handovers, world.IDs()...)
}

// playIn does the same in some of the systems.
func (w *town) playIn(seed int64, handovers int, systems ...handover.SystemID) *show {
	w.t.Helper()
	plan, err := clerks.NewPlan(seed, handovers, systems...)
	require.NoError(w.t, err)
	s := &show{t: w.t, plan: plan, progress: make(chan clerks.Progress), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		var outcome clerks.Outcome
		outcome, s.err = clerks.Play(w.t.Context(), clerks.PlayOptions{
			Plan: plan, Systems: world.Systems("http://" + w.mocksAt), Poll: 50 * time.Millisecond, Quiet: patience,
			Progress: func(p clerks.Progress) {
				select {
				case s.progress <- p:
				default: // nobody waits
				}
			},
		})
		if s.err == nil && outcome.Stalled {
			s.err = errors.New("nothing moves any more")
		}
	}()
	return s
}

// reaches waits until so many of the plan's messages have been entered.
func (s *show) reaches(messages int) {
	s.t.Helper()
	for {
		select {
		case p := <-s.progress:
			if p.Entered >= messages {
				return
			}
		case <-s.ended:
			require.NoError(s.t, s.err)
			return
		}
	}
}

// end waits for the last entry.
func (s *show) end() {
	s.t.Helper()
	<-s.ended
	require.NoError(s.t, s.err)
}

// proof reads the mocks' own journals.
func (w *town) proof(plan clerks.Plan) clerks.Proof {
	w.t.Helper()
	systems := world.Systems("http://" + w.mocksAt)
	urls := map[handover.SystemID]string{}
	for id, s := range systems {
		urls[id] = s.URL
	}
	journals, err := clerks.FetchJournals(w.t.Context(), http.DefaultClient, urls)
	require.NoError(w.t, err)
	return clerks.Check(plan, journals, systems)
}

// once demands that each message stands once in each system and that nothing waits for a person.
func (w *town) once(s *show) clerks.Proof {
	w.t.Helper()
	w.ready()
	require.Eventually(w.t, func() bool { return w.status().Open == 0 }, patience, tick, "the gateway still has something open")
	st := w.status()
	require.Zero(w.t, st.Parked+st.Held)
	proof := w.proof(s.plan)
	require.Empty(w.t, proof.Findings)
	require.True(w.t, proof.Once(), "not every step was played")
	return proof
}

// moment is a pause drawn by chance, so that a kill comes at any point of the gateway's work.
func moment(chance *rand.Rand, most time.Duration) <-chan time.Time {
	return time.After(time.Duration(chance.Int64N(int64(most))))
}

// certain are the systems in which a gateway settles every doubt by itself. Not Tutoris: a kill between the announcement of an entry and its file is a doubt that only a person can settle (mode C).
func certain() []handover.SystemID {
	return slices.DeleteFunc(world.IDs(), func(id handover.SystemID) bool { return id == world.Tutoris })
}

func TestI7KillingTheGatewayAtAnyMomentChangesNoOutcome(t *testing.T) {
	handovers, kills := figure(t, "EINMAL_HANDOVERS", 12), figure(t, "EINMAL_KILLS", 4)
	w := newTown(t, true)
	w.faults, w.seed = true, 41
	w.open()
	w.run()
	s := w.playIn(41, handovers, certain()...)
	chance := rand.New(rand.NewPCG(41, 41)) //nolint:gosec // repeatable, not secret
	for kill := range kills {
		s.reaches(s.plan.Steps() * (kill + 1) / (kills + 2))
		<-moment(chance, 300*time.Millisecond)
		w.gateway.kill()
		w.run()
		if kill == kills/2 {
			wipe(t, w.redisAt)
		}
	}
	s.end()
	proof := w.once(s)
	require.Equal(t, handovers, proof.Handovers)
	t.Logf("%d handovers, %d messages, %d kills of the gateway: records %v, double %d, lost %d, p50 %.0f ms, p99 %.0f ms, %.0f s",
		proof.Handovers, proof.Messages, kills, proof.Records, proof.Double, proof.Lost, proof.P50, proof.P99, proof.Elapsed)
	w.gateway.signal(syscall.SIGTERM)
	require.Zero(t, w.gateway.code())
}

// wipe empties Redis.
func wipe(t testing.TB, address string) {
	t.Helper()
	db := redis.NewClient(&redis.Options{Addr: address})
	require.NoError(t, db.FlushAll(context.Background()).Err())
	require.NoError(t, db.Close())
}
