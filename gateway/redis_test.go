package gateway_test

import (
	"context"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// keys reads and writes everything in a Redis, behind the gateway's back.
type keys struct {
	t  testing.TB
	db *redis.Client
}

// keys opens the stage's Redis. The gateways that are made from now on have a database of it for themselves: real engines are shared with other tests.
func (s *stage) keys() keys {
	s.database = int(databases.Add(1))
	db := redis.NewClient(&redis.Options{Addr: s.redis, DB: s.database})
	s.t.Cleanup(func() { require.NoError(s.t, db.Close()) })
	return keys{s.t, db}
}

// databases are those that were given away; deploy/local/engines.sh starts a Redis with enough of them.
var databases atomic.Int64

// all returns every key with its value.
func (k keys) all() map[string]string {
	k.t.Helper()
	found := map[string]string{}
	it := k.db.Scan(context.Background(), 0, "*", 1000).Iterator()
	for it.Next(context.Background()) {
		v, err := k.db.Get(context.Background(), it.Val()).Result()
		if err == nil { // it may have run out meanwhile
			found[it.Val()] = v
		}
	}
	require.NoError(k.t, it.Err())
	return found
}

// become makes the given state the whole content, as a restored backup would: with claims that nobody holds any more.
func (k keys) become(state map[string]string) {
	k.t.Helper()
	require.NoError(k.t, k.db.FlushDB(context.Background()).Err())
	for key, v := range state {
		require.NoError(k.t, k.db.Set(context.Background(), key, v, 10*time.Second).Err())
	}
}

// whenever calls f again and again while a test runs, each time when something more was entered.
func whenever(steps int, f func(nth int)) func(clerks.Progress) {
	var mu sync.Mutex
	nth, last := 0, 0
	return func(p clerks.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Entered >= last+steps {
			last = p.Entered
			nth++
			f(nth)
		}
	}
}

// evict deletes every other key, as a Redis does that is full and may.
func (k keys) evict() {
	k.t.Helper()
	n := 0
	for key := range k.all() {
		if n++; n%2 == 0 {
			require.NoError(k.t, k.db.Del(context.Background(), key).Err())
		}
	}
}

// Faults 45, 47 and 51: everything is gone, or some of it.
func TestI7ARedisThatIsWipedAgainAndAgainChangesNoOutcome(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(11))
	s.shared()
	redis := s.keys()
	g := s.gateway()
	p := plan(t, 11, 12)
	wiped := 0
	s.play(p, whenever(8, func(nth int) {
		wiped++
		if nth%3 == 0 {
			redis.evict()
			return
		}
		require.NoError(t, redis.db.FlushDB(context.Background()).Err())
	}))
	require.Greater(t, wiped, 3)
	g.clean()
	s.once(p)
}

// Fault 46.
func TestI7ARedisThatIsSetBackToAnOlderStateChangesNoOutcome(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(12))
	s.shared()
	redis := s.keys()
	g := s.gateway()
	p := plan(t, 12, 12)
	var old map[string]string
	back := 0
	s.play(p, whenever(8, func(nth int) {
		if nth%2 == 1 {
			old = redis.all()
			return
		}
		redis.become(old)
		back++
	}))
	require.Greater(t, back, 2)
	g.clean()
	s.once(p)
}

// Fault 44.
func TestI7WithoutAnyRedisEverythingIsRecordedOnce(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newStage(t, world.BadDay(13))
	s.shared()
	s.redis = nobody.Addr().String()
	require.NoError(t, nobody.Close())
	g := s.gateway()
	p := plan(t, 13, 12)
	s.play(p)
	g.clean()
	s.once(p)
}

// Claims and views help and decide nothing; with other people's values in every key the outcome is the same.
// Fault 52.
func TestI7ARedisThatHoldsTheClaimsOfADeadGatewayOnlyCostsTime(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(14))
	s.shared()
	redis := s.keys()
	g := s.gateway()
	p := plan(t, 14, 8)
	s.play(p, whenever(10, func(int) {
		state := redis.all()
		for key := range state {
			if err := redis.db.Set(context.Background(), key, "somebody-else", time.Second).Err(); err != nil {
				t.Error(err)
			}
		}
	}))
	g.clean()
	s.once(p)
}

// views returns what operators and their tools read in Redis.
func (k keys) views() map[string]string {
	found := k.all()
	for key := range found {
		if !strings.Contains(key, ":done:") && !strings.Contains(key, ":case:") {
			delete(found, key)
		}
	}
	return found
}

// Whatever became of Redis, what it shows is filled again from the ledger while messages flow; a gateway that starts on an empty one is ready before that.
func TestWhatRedisShowsIsFilledAgainFromTheLedger(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	redis := s.keys()
	ctx := context.Background()
	g := s.gateway()
	p := plan(t, 15, 6)
	s.play(p)
	g.settled()
	journals, err := s.world.Journals()
	require.NoError(t, err)
	proof := clerks.Check(p, journals, s.world.Systems())
	entered := -proof.Messages // by einmal: everything but what clerks entered
	for _, n := range proof.Records {
		entered += n
	}
	require.Greater(t, entered, 30)
	var whole map[string]string
	// A view is written after the ledger: of the entry that was recorded last it may still be on its way.
	require.Eventually(t, func() bool {
		whole = redis.views()
		done := 0
		for key := range whole {
			if strings.Contains(key, ":done:") {
				done++
			}
		}
		return done == entered && g.Status().(gateway.Status).Redis.State == "filled"
	}, patience, tick)
	again := func(why string) {
		t.Helper()
		require.Eventually(t, func() bool {
			return maps.Equal(whole, redis.views()) && g.Status().(gateway.Status).Redis.State == "filled"
		}, patience, tick, why)
	}
	flush := func() { require.NoError(t, redis.db.FlushDB(ctx).Err()) }
	flush()
	again("emptied")

	g.stop()
	flush()
	g = s.gateway()
	again("emptied while nobody looked")

	// Set back, all at once: the views are incomplete, and what says that they are filled is there.
	back := redis.db.TxPipeline()
	for key := range redis.all() {
		if _, view := whole[key]; view {
			back.Del(ctx, key)
		} else if strings.HasSuffix(key, ":beat") {
			back.Set(ctx, key, 1, 0)
		}
	}
	_, err = back.Exec(ctx)
	require.NoError(t, err)
	again("set back")
}
