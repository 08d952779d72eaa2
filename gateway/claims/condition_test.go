package claims_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/claims"
)

// The embedded Redis does not tell; the real one of make test-real has an append-only file and does not evict.
func TestARedisThatIsInOrderOrDoesNotTellIsNotWarnedOf(t *testing.T) {
	s := newServer(t)
	warnings, known, err := s.open(t, "one").Inspect(t.Context())
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, s.mini == nil, known)
}

// Who fills the views writes what was written when it happened, for as long as it would still be there.
func TestFilledViewsSayWhatWasSaidBefore(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	c.SetDone(ctx, "c-1", "klib/sd-kriens", "ref-1", native.Receipt{Record: "4711", Case: "D-1"})
	before := map[string]string{}
	for _, k := range s.keys(t) {
		v, err := s.db.Get(ctx, k).Result()
		require.NoError(t, err)
		before[k] = v
	}
	s.wipe(t)
	hour := time.Hour.Milliseconds()
	require.NoError(t, c.Fill(ctx, []claims.Recorded{
		{Key: claims.DoneKey("ref-1"), Value: "4711", Age: 23 * hour}, {Key: claims.CaseKey("c-1", "klib/sd-kriens"), Value: "D-1"},
		{Key: claims.DoneKey("ref-0"), Value: "4710", Age: 24 * hour},
	}))
	after := map[string]string{}
	for _, k := range s.keys(t) {
		v, err := s.db.Get(ctx, k).Result()
		require.NoError(t, err)
		after[k] = v
	}
	require.Equal(t, before, after, "what is older than the views keep is not there")
	require.LessOrEqual(t, s.lease(t, "done:ref-1"), time.Hour)
	require.NoError(t, c.Fill(ctx, nil))
}

// An emptied Redis, and one that was set back, are told by what they count.
func TestARedisThatWasEmptiedOrSetBackIsNoticed(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	one, two := s.open(t, "one"), s.open(t, "two")
	filled, err := one.Filled(ctx)
	require.NoError(t, err)
	require.False(t, filled)
	require.NoError(t, one.SetFilled(ctx))
	for want := int64(1); want < 6; want++ {
		n, err := []*claims.Claims{one, two}[want%2].Beat(ctx)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	filled, err = two.Filled(ctx)
	require.NoError(t, err)
	require.True(t, filled)
	s.wipe(t)
	n, err := one.Beat(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	filled, err = one.Filled(ctx)
	require.NoError(t, err)
	require.False(t, filled)
}

func TestAMarkIsKeptUnderItsNameForEver(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	name := s.installation + "-mark"
	b, err := c.Remembered(ctx, name)
	require.NoError(t, err)
	require.Nil(t, b)
	require.NoError(t, c.Remember(ctx, name, []byte("so far")))
	b, err = c.Remembered(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "so far", string(b))
	require.Negative(t, s.db.PTTL(ctx, "einmal:mark:"+name).Val())
}

// I7: what Redis advised before a loss of the ledger may rest on what was lost, so it says nothing afterwards.
func TestI7_AdviceFromBeforeALossSaysNothing(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	c.SetSeen(ctx, "m-1", "print")
	require.True(t, c.Seen(ctx, "m-1", "print"))
	for era := range 3 {
		c.Use(s.installation, era+1)
		require.False(t, c.Seen(ctx, "m-1", "print"), fmt.Sprint(era))
	}
}

func TestARedisThatIsAwayIsARetryAndIsCounted(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.open(t, "one")
	s.close()
	_, _, err := c.Inspect(ctx)
	_, beat := c.Beat(ctx)
	_, filled := c.Filled(ctx)
	_, remembered := c.Remembered(ctx, "x")
	for _, err := range []error{err, beat, filled, remembered, c.SetFilled(ctx), c.Remember(ctx, "x", nil), c.Fill(ctx, []claims.Recorded{{Key: "done:x", Value: "1"}})} {
		require.Equal(t, fault.Retry, fault.KindOf(err))
	}
	require.GreaterOrEqual(t, s.failures.Load(), int64(6))
}
