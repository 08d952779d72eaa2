package schedule_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/gateway/schedule"
)

// offsets draws ascending offsets with gaps, as a compacted or transactional topic has them.
func offsets(t *rapid.T) []int64 {
	steps := rapid.SliceOfN(rapid.Int64Range(1, 5), 1, 60).Draw(t, "steps")
	out := make([]int64, len(steps))
	at := rapid.Int64Range(-1, 1000).Draw(t, "before")
	for i, s := range steps {
		at += s
		out[i] = at
	}
	return out
}

func TestOnlyWhatIsCompleteWithoutAGapIsPassed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := offsets(t)
		w := schedule.NewWatermark(len(all))
		for _, o := range all {
			require.NoError(t, w.Open(t.Context(), o))
		}
		done := map[int64]bool{}
		last := int64(-1)
		for _, o := range rapid.Permutation(all).Draw(t, "completion") {
			done[o] = true
			upTo, advanced := w.Done(o)
			want := passed(all, done)
			require.Equal(t, want > last, advanced)
			require.Equal(t, want, upTo)
			last = want
		}
		require.Equal(t, all[len(all)-1], last)
		require.Zero(t, w.Len())
	})
}

// passed is the model: the last offset before the first that is not complete; -1 for none.
func passed(all []int64, done map[int64]bool) int64 {
	out := int64(-1)
	for _, o := range all {
		if !done[o] {
			break
		}
		out = o
	}
	return out
}

func TestOpeningAndCompletingMayBeMixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := offsets(t)
		w := schedule.NewWatermark(len(all))
		var opened []int64
		done := map[int64]bool{}
		for len(done) < len(all) {
			if len(opened) < len(all) && (len(opened) == len(done) || rapid.Bool().Draw(t, "open")) {
				require.NoError(t, w.Open(t.Context(), all[len(opened)]))
				opened = all[:len(opened)+1]
				continue
			}
			var open []int64
			for _, o := range opened {
				if !done[o] {
					open = append(open, o)
				}
			}
			o := rapid.SampledFrom(open).Draw(t, "done")
			done[o] = true
			upTo, _ := w.Done(o)
			require.Equal(t, passed(opened, done), upTo)
		}
	})
}

func TestCompletingTwiceChangesNothing(t *testing.T) {
	w := schedule.NewWatermark(10)
	for o := range int64(4) {
		require.NoError(t, w.Open(t.Context(), o))
	}
	for range 2 {
		_, advanced := w.Done(1) // waits for 0
		require.False(t, advanced)
	}
	upTo, advanced := w.Done(0)
	require.True(t, advanced)
	require.Equal(t, int64(1), upTo)
	for _, o := range []int64{0, 1} {
		upTo, advanced = w.Done(o)
		require.False(t, advanced)
		require.Equal(t, int64(1), upTo)
	}
	require.Equal(t, 2, w.Len())
}

func TestAFullWindowHoldsBackTheBusUntilTheFirstIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := schedule.NewWatermark(3)
		for o := range int64(3) {
			require.NoError(t, w.Open(t.Context(), o))
		}
		opened := false
		go func() {
			opened = w.Open(t.Context(), 3) == nil
		}()
		synctest.Wait()
		require.False(t, opened, "three are open")
		w.Done(2)
		synctest.Wait()
		require.False(t, opened, "a later one that is complete makes no room: the first still holds the mark")
		w.Done(0)
		synctest.Wait()
		require.True(t, opened)
		require.Equal(t, 3, w.Len())
	})
}

func TestWaitingForRoomEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := schedule.NewWatermark(1)
		require.NoError(t, w.Open(t.Context(), 0))
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { err = w.Open(ctx, 1) }()
		synctest.Wait()
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, w.Len(), "what was not opened is not waited for")
	})
}

func TestManyCompletingAtOnceLoseNothing(t *testing.T) {
	const most = 500
	w := schedule.NewWatermark(most)
	var lanes schedule.Lanes
	for o := range int64(20 * most) {
		require.NoError(t, w.Open(t.Context(), o)) // waits for room again and again
		lanes.Go(string(rune('a'+o%17)), func() { w.Done(o) })
	}
	lanes.Wait()
	upTo, advanced := w.Done(20*most - 1)
	require.False(t, advanced)
	require.Equal(t, int64(20*most-1), upTo)
	require.Zero(t, w.Len())
}
