package delivery

import (
	"testing"

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
