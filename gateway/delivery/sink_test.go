package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// A system that answers later says of every entry that it was handed over. If that counted as a failure, it would be left alone after the eighth.
func TestSink_OnlyAFailureKeepsTheNextEntryBack(t *testing.T) {
	for name, c := range map[string]struct {
		outcome error
		rests   bool
	}{
		"recorded":    {nil, false},
		"refused":     {fault.New(fault.Refuse, "x.apply", "content", "wrong"), false},
		"handed over": {fault.New(fault.Doubt, "x.apply", adapters.HandedOver, "answered later"), false},
		"in doubt":    {fault.New(fault.Doubt, "x.apply", "answer", "nobody knows"), true},
		"away":        {fault.New(fault.Retry, "x.apply", "unreachable", "away"), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink("x", Target{Parallel: 1})
			for range 8 {
				release, ok := s.enter(t.Context())
				require.True(t, ok)
				release(c.outcome)
			}
			release, ok := s.enter(t.Context())
			require.Equal(t, c.rests, !ok)
			if ok {
				release(nil)
			}
		})
	}
}

// Each try at a system that is down costs two records of the ledger: one that stays down for a day is tried less and less, and one that is there again is in use half a minute later.
func TestSink_ASystemThatStaysDownIsTriedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink("x", Target{Parallel: 4})
		away := fault.New(fault.Retry, "x.apply", "unreachable", "away")
		tries := 0
		for began := time.Now(); time.Since(began) < 24*time.Hour; <-time.After(200 * time.Millisecond) {
			if release, ok := s.enter(t.Context()); ok {
				tries++
				release(away)
			}
		}
		require.Less(t, tries, 24*60*2+20)
		require.Greater(t, tries, 24*60)
		back := time.Now()
		for range 20 {
			for {
				release, ok := s.enter(t.Context())
				if ok {
					release(nil)
					break
				}
				<-time.After(200 * time.Millisecond)
			}
		}
		require.LessOrEqual(t, time.Since(back), longestRest+time.Second)
	})
}
