package claims_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/claims"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const lease = time.Minute

// Fault 54.
func TestWhatOneProcessClaimsAnotherLeavesAlone(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	require.False(t, two.Claim(ctx, "ref-1", lease))
	require.True(t, two.Claim(ctx, "ref-2", lease), "another thing is free")
	require.Zero(t, s.failures.Load())
}

func TestAProcessFindsItsOwnClaimAndExtendsIt(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one := s.open(t, "one")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	require.True(t, one.Claim(ctx, "ref-1", 10*lease))
	require.Greater(t, s.lease(t, "ref-1"), lease)
}

// Fault 52.
func TestAClaimEndsWithItsLease(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	left := s.lease(t, "ref-1")
	require.True(t, left > 0 && left <= lease, "%s", left)
	s.expire(t, "ref-1")
	require.True(t, two.Claim(ctx, "ref-1", lease))
	require.False(t, one.Claim(ctx, "ref-1", lease), "it is the other's now")
}

func TestALeaseOfNoTimeIsNotForEver(t *testing.T) {
	s := newServer(t)
	require.True(t, s.open(t, "one").Claim(t.Context(), "ref-1", 0))
	require.LessOrEqual(t, s.lease(t, "ref-1"), time.Millisecond)
}

// Fault 54.
func TestOnlyTheOwnClaimIsReleased(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	two.Release(ctx, "ref-1")
	require.False(t, two.Claim(ctx, "ref-1", lease))
	one.Release(ctx, "ref-1")
	require.True(t, two.Claim(ctx, "ref-1", lease))
	one.Release(ctx, "ref-1") // late: the lease has ended, the claim is another's
	require.False(t, one.Claim(ctx, "ref-1", lease))
	two.Release(ctx, "never claimed")
	require.Zero(t, s.failures.Load())
}

func TestWhatWasSeenIsKnownByItsPrint(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	require.False(t, c.Seen(ctx, "m-1", "print"))
	c.SetSeen(ctx, "m-1", "print")
	require.True(t, c.Seen(ctx, "m-1", "print"))
	require.True(t, s.open(t, "two").Seen(ctx, "m-1", "print"), "every process sees it")
	require.False(t, c.Seen(ctx, "m-1", "another"), "the same record with another content is news")
	require.False(t, c.Seen(ctx, "m-2", "print"))
	require.Zero(t, s.failures.Load(), "what is not there is no failure")
}

// Fault 44.
func TestARedisThatIsAwayForbidsNothingAndKnowsNothing(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	one.SetSeen(ctx, "m-1", "print")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	s.close()
	for range 10 { // before and after the breaker opens
		require.True(t, two.Claim(ctx, "ref-1", lease))
		require.False(t, two.Seen(ctx, "m-1", "print"))
		two.SetSeen(ctx, "m-2", "print")
		two.SetDone(ctx, "c-1", "klib/sd-kriens", "ref-1", native.Receipt{Record: "1"})
		two.Release(ctx, "ref-1")
	}
	require.Positive(t, s.failures.Load(), "somebody is told")
	require.Equal(t, fault.Retry, fault.KindOf(two.Ping(ctx)))
}

// Faults 48 and 50: full, loading, read-only, moved, busy, or shut for us: the same as away.
func TestARedisThatRefusesForbidsNothingAndKnowsNothing(t *testing.T) {
	for _, says := range []string{
		"OOM command not allowed when used memory > 'maxmemory'.", "LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
		"MOVED 3999 127.0.0.1:6381", "BUSY Redis is busy running a script.", "MISCONF Errors writing to the AOF file", "NOAUTH Authentication required.",
	} {
		t.Run(says, func(t *testing.T) {
			m, ctx := miniredis.RunT(t), t.Context()
			var failures atomic.Int64
			open := func(owner string) *claims.Claims {
				c := claims.Open(claims.Options{Address: m.Addr(), Keep: time.Hour, Failed: func(string) { failures.Add(1) }}, owner)
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				c.Use("installation", 0)
				return c
			}
			one, two := open("one"), open("two")
			one.SetSeen(ctx, "m-1", "print")
			require.True(t, one.Claim(ctx, "ref-1", lease))
			require.False(t, two.Claim(ctx, "ref-1", lease))
			require.Zero(t, failures.Load())
			m.SetError(says)
			require.True(t, two.Claim(ctx, "ref-1", lease))
			require.False(t, two.Seen(ctx, "m-1", "print"))
			require.Positive(t, failures.Load(), "somebody is told")
			m.SetError("")
			require.Eventually(t, func() bool { return two.Seen(ctx, "m-1", "print") }, time.Minute, 20*time.Millisecond, "it is used again")
		})
	}
}

func TestARedisThatComesBackIsUsedAgain(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	s.close()
	for range 10 {
		require.True(t, two.Claim(ctx, "ref-1", lease))
	}
	s.reopen()
	require.Eventually(t, func() bool { return !two.Claim(ctx, "ref-1", lease) }, time.Minute, 20*time.Millisecond)
	require.NoError(t, two.Ping(ctx))
}

// Faults 45 and 51.
func TestAWipedRedisCostsOnlyItsAdvice(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(ctx, "ref-1", lease))
	one.SetSeen(ctx, "m-1", "print")
	s.wipe(t)
	require.False(t, one.Seen(ctx, "m-1", "print"))
	require.True(t, two.Claim(ctx, "ref-1", lease), "nobody certainly works on it")
	one.Release(ctx, "ref-1")
	require.False(t, one.Claim(ctx, "ref-1", lease), "the other's claim stands")
	require.Zero(t, s.failures.Load())
}

func TestAStoppedRequestIsNoFailureOfRedis(t *testing.T) {
	s := newServer(t)
	one, two := s.open(t, "one"), s.open(t, "two")
	require.True(t, one.Claim(t.Context(), "ref-1", lease))
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		two.Claim(stopped, "ref-1", lease)
	}
	require.False(t, two.Claim(t.Context(), "ref-1", lease), "the breaker has not opened")
	require.Zero(t, s.failures.Load())
}

func TestBeforeTheInstallationIsKnownNothingIsAsked(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := claims.Open(claims.Options{Address: s.address(), Keep: 24 * time.Hour}, "one")
	defer func() { require.NoError(t, c.Close()) }()
	require.True(t, c.Claim(ctx, "ref-1", lease))
	c.SetSeen(ctx, "m-1", "print")
	require.False(t, c.Seen(ctx, "m-1", "print"))
	c.Release(ctx, "ref-1")
	require.Empty(t, s.keys(t))
}

func TestAnotherInstallationSaysNothingHere(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, other := s.open(t, "one"), s.open(t, "other")
	other.Use(s.installation+"2", 0)
	require.True(t, other.Claim(ctx, "ref-1", lease))
	other.SetSeen(ctx, "m-1", "print")
	require.False(t, one.Seen(ctx, "m-1", "print"))
	require.True(t, one.Claim(ctx, "ref-1", lease))
}

func TestEveryKeyCarriesTheInstallationAndEnds(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	c.Claim(ctx, "ref-1", lease)
	c.SetSeen(ctx, "m-1", "print")
	c.SetDone(ctx, "c-1", "klib/sd-kriens", "ref-1", native.Receipt{Record: "4711", Case: "D-1"})
	prefix := "einmal:" + s.installation + ":"
	require.ElementsMatch(t, []string{
		prefix + "claim:ref-1", prefix + "seen:m-1", prefix + "done:ref-1", prefix + "case:c-1:klib/sd-kriens",
	}, s.keys(t), "every name is known: opaque ids and places, nothing of a person")
	values := map[string]string{}
	for _, k := range s.keys(t) {
		left, err := s.db.PTTL(ctx, k).Result()
		require.NoError(t, err)
		require.True(t, left > 0 && left <= 24*time.Hour, "%s ends in %s", k, left)
		values[strings.TrimPrefix(k, prefix)], err = s.db.Get(ctx, k).Result()
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{"claim:ref-1": "one", "seen:m-1": "print", "done:ref-1": "4711", "case:c-1:klib/sd-kriens": "D-1"}, values)
}
