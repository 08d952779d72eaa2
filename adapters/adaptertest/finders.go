package adaptertest

import (
	"context"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

func aboutFinders() []rule {
	finds := func(s adapters.System) bool { return s.Finder != nil && s.Sink != nil && !later(s) }
	return []rule{
		{name: "the search shows what was written and nothing else", needs: finds, hold: findsOwn},
		{name: "a doubt is resolved by the search", needs: finds, hold: findsLost},
		{name: "a search that lags says that nothing is there now", needs: finds, hold: lags},
		{name: "a search that fails never says that nothing is there", needs: finds, hold: failsLoudly},
	}
}

func findsOwn(s *session) {
	mine := s.native.Entry(1, "")
	receipt := s.apply(mine)
	s.apply(s.native.Entry(2, ""))
	found, err := s.system.Finder.Find(s.Context(), mine.Reference)
	require.NoError(s.T, err)
	require.Len(s.T, found, 1)
	require.Equal(s.T, receipt.Record, found[0].Record)
	require.Equal(s.T, receipt.Case, found[0].Case)
	none, err := s.system.Finder.Find(s.Context(), s.native.Entry(3, "").Reference)
	require.NoError(s.T, err)
	require.Empty(s.T, none)
}

func findsLost(s *session) {
	lost, failed := s.native.Entry(1, ""), s.native.Entry(2, "")
	for _, test := range []struct {
		entry native.Entry
		fault Fault
	}{{lost, LostAnswer}, {failed, Failed}} {
		s.native.Script(test.fault)
		_, err := s.system.Sink.Apply(s.Context(), test.entry)
		s.failed(err, fault.Doubt, fault.Unclassified)
		found, err := s.system.Finder.Find(s.Context(), test.entry.Reference)
		require.NoError(s.T, err)
		require.Len(s.T, found, s.native.Count(test.entry.Reference), "the search says what the journal says")
	}
}

// lags shows why mode B waits: what the search does not know yet is no error, and no proof before the bounds are over.
func lags(s *session) {
	if !s.has(Lagging) {
		return
	}
	s.native.Script(Lagging)
	e := s.native.Entry(1, "")
	s.apply(e)
	found, err := s.system.Finder.Find(s.Context(), e.Reference)
	require.NoError(s.T, err, "nothing found is an answer")
	require.Empty(s.T, found)
	require.Equal(s.T, 1, s.native.Count(e.Reference))
	require.Positive(s.T, s.system.Abilities.Bounds.Lookup, "a search that lags has a bound")
}

func failsLoudly(s *session) {
	e := s.native.Entry(1, "")
	s.apply(e)
	fails := func(system adapters.System, ctx context.Context, kinds ...fault.Kind) {
		found, err := system.Finder.Find(ctx, e.Reference)
		require.Error(s.T, err, "a failed search is not an empty one")
		s.failed(err, kinds...)
		require.Empty(s.T, found)
	}
	for _, f := range []Fault{Failed, Torn, Endless, Redirected} {
		if s.has(f) {
			s.native.Script(f)
			fails(s.system, s.Context(), fault.Retry)
		}
	}
	s.native.Script(LostAnswer)
	found, err := s.system.Finder.Find(s.Context(), e.Reference)
	require.True(s.T, err != nil || len(found) == 1, "a search may be sent again, then its answer is a whole one")
	if s.has(Silent) {
		s.untilMet(func(ctx context.Context) { fails(s.system, ctx, fault.Retry) })
	}
	fails(s.connect(WrongCredentials), s.Context(), fault.Retry, fault.Stop)
	fails(s.connect(Unreachable), s.Context(), fault.Retry)
}
