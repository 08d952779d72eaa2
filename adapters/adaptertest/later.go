package adaptertest

import (
	"context"
	"sync"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// Carrier is a native system that answers later (adapters.Bounds.Asynchronous): between handing over and the answer something has to happen that no
// exchange waits for.
type Carrier interface {
	// Carry lets the carrier and the native system do everything that waits for them.
	Carry() error
}

func later(s adapters.System) bool { return s.Sink != nil && s.Abilities.Bounds.Asynchronous() }

func aboutAnsweringLater() []rule {
	joins := func(s adapters.System) bool { return later(s) && s.Abilities.Mode != adapters.ModeC }
	asks := func(s adapters.System) bool { return later(s) && s.Abilities.Mode == adapters.ModeC }
	return []rule{
		{name: "handed over is not yet recorded, and the outcome is learnt by the search", needs: later, hold: learnsLater},
		{name: "I2 handing over again leaves one record", needs: joins, hold: handsOverOnce},
		{name: "mode C: what is reported as recorded is not handed over again", needs: asks, hold: recordedStays},
		{name: "mode C: what stands twice is shown twice", needs: asks, hold: showsBoth},
		{name: "I2 what is said about handing over is true whatever becomes of the connection", needs: later, hold: handsOverTruly},
		{name: "what nobody reports stays open", needs: later, hold: staysOpen},
		{name: "a later search that fails never says that nothing is there", needs: later, hold: failsLoudlyLater},
		{name: "a refusal comes by the search and stays", needs: later, hold: refusedLater},
		{name: "a later search knows its own and nothing else", needs: later, hold: findsOwnLater},
		{name: "a new process learns the same outcome", needs: later, hold: learnsAnew},
		{name: "many may hand over at once", needs: later, hold: handsOverAtOnce},
	}
}

// handOver hands an entry over; the only honest answer is that nobody knows yet.
func (s *session) handOver(e native.Entry) {
	s.Helper()
	r, err := s.system.Sink.Apply(s.Context(), e)
	require.Empty(s.T, r, "a record is claimed before anybody has reported one")
	s.failed(err, fault.Doubt)
	require.Equal(s.T, "handed-over", fault.CodeOf(err))
}

func (s *session) carry() {
	s.Helper()
	c, carries := s.native.(Carrier)
	require.True(s.T, carries, "a driver of a system that answers later is a Carrier")
	require.NoError(s.T, c.Carry())
}

// outcome demands the one receipt of an entry.
func (s *session) outcome(system adapters.System, e native.Entry) native.Receipt {
	s.Helper()
	found, err := system.Finder.Find(s.Context(), e.Reference)
	require.NoError(s.T, err)
	require.Len(s.T, found, 1)
	require.NotEmpty(s.T, found[0].Record)
	require.NotEmpty(s.T, found[0].Case)
	return found[0]
}

func learnsLater(s *session) {
	opening := s.native.Entry(1, "")
	s.handOver(opening)
	none, err := s.system.Finder.Find(s.Context(), opening.Reference)
	require.NoError(s.T, err, "an answer that is outstanding is no failure")
	require.Empty(s.T, none)
	s.carry()
	opened := s.outcome(s.system, opening)
	require.Equal(s.T, 1, s.native.Count(opening.Reference))
	next := s.native.Entry(2, opened.Case)
	s.handOver(next)
	s.carry()
	appended := s.outcome(s.system, next)
	require.Equal(s.T, opened.Case, appended.Case)
	require.NotEqual(s.T, opened.Record, appended.Record)
}

func handsOverOnce(s *session) {
	e := s.native.Entry(1, "")
	s.handOver(e)
	s.handOver(e)
	s.carry()
	require.Equal(s.T, 1, s.native.Count(e.Reference), "it was recorded more than once, or not at all")
	first := s.outcome(s.system, e)
	again, err := s.connect(Right).Sink.Apply(s.Context(), e)
	if err == nil {
		require.True(s.T, again.Joined)
		require.Equal(s.T, first.Record, again.Record)
	} else {
		s.failed(err, fault.Doubt)
	}
	s.carry()
	require.Equal(s.T, 1, s.native.Count(e.Reference))
	require.Equal(s.T, first, s.outcome(s.system, e))
}

// recordedStays hands over again what a person has ordered once more by mistake: the adapter can know that it stands there.
func recordedStays(s *session) {
	e := s.native.Entry(1, "")
	s.handOver(e)
	s.carry()
	first := s.outcome(s.system, e)
	for _, system := range []adapters.System{s.system, s.connect(Right)} {
		again, err := system.Sink.Apply(s.Context(), e)
		if err == nil {
			require.True(s.T, again.Joined)
			require.Equal(s.T, first.Record, again.Record)
		} else {
			s.failed(err, fault.Doubt)
		}
		s.carry()
		require.Equal(s.T, 1, s.native.Count(e.Reference), "what was recorded was handed over again")
		require.Equal(s.T, first, s.outcome(system, e))
	}
}

// showsBoth is for the person who has to clear it up: in mode C nothing else prevents it.
func showsBoth(s *session) {
	if !s.has(Doubled) {
		return
	}
	e := s.native.Entry(1, "")
	s.native.Script(Doubled)
	s.handOver(e)
	s.carry()
	require.Equal(s.T, 2, s.native.Count(e.Reference))
	for _, system := range []adapters.System{s.system, s.connect(Right)} {
		found, err := system.Finder.Find(s.Context(), e.Reference)
		require.NoError(s.T, err)
		require.Len(s.T, found, 2)
		require.NotEqual(s.T, found[0].Record, found[1].Record)
	}
}

// handsOverTruly breaks the connection in every way that the wire knows. Whoever says that nothing was handed over is taken at his word: it is handed over again.
func handsOverTruly(s *session) {
	for i, f := range []Fault{Rejected, Failed, LostAnswer, Late, Torn, Endless, Redirected, Silent} {
		if !s.has(f) {
			continue
		}
		e := s.native.Entry(i, "")
		var err error
		apply := func(ctx context.Context) {
			var r native.Receipt
			r, err = s.system.Sink.Apply(ctx, e)
			require.Empty(s.T, r, "%s: a record is claimed before anybody has reported one", f)
		}
		if f == Silent {
			s.untilMet(apply)
		} else {
			s.native.Script(f)
			apply(s.Context())
		}
		s.failed(err, fault.Doubt, fault.Unclassified, fault.Retry, fault.Stop, fault.Refuse)
		s.carry()
		count := s.native.Count(e.Reference)
		if kind := fault.KindOf(err); kind == fault.Doubt || kind == fault.Unclassified {
			require.LessOrEqual(s.T, count, 1, "%s: it was handed over more than once", f)
			continue
		}
		require.Zero(s.T, count, "%s: it was handed over, but the adapter says that nothing was", f)
		s.handOver(e)
		s.carry()
		require.Equal(s.T, 1, s.native.Count(e.Reference), "%s: handed over again after nothing was", f)
	}
}

func staysOpen(s *session) {
	if !s.has(Forgotten) {
		return
	}
	forgotten, other := s.native.Entry(1, ""), s.native.Entry(2, "")
	s.native.Script(Forgotten)
	s.handOver(forgotten)
	s.carry()
	s.handOver(other)
	s.carry()
	require.NotEmpty(s.T, s.outcome(s.system, other).Record, "the others are reported")
	for _, system := range []adapters.System{s.system, s.connect(Right)} {
		found, err := system.Finder.Find(s.Context(), forgotten.Reference)
		require.NoError(s.T, err, "an answer that is outstanding is no failure")
		require.Empty(s.T, found, "an outcome is claimed that nobody has reported")
	}
}

// failsLoudlyLater asks over new connections, so that nothing is remembered.
func failsLoudlyLater(s *session) {
	e := s.native.Entry(1, "")
	s.handOver(e)
	s.carry()
	fails := func(system adapters.System, ctx context.Context, kinds ...fault.Kind) {
		found, err := system.Finder.Find(ctx, e.Reference)
		require.Error(s.T, err, "a failed search is not an empty one")
		s.failed(err, kinds...)
		require.Empty(s.T, found)
	}
	for _, f := range []Fault{Failed, Torn, Endless, Redirected} {
		if s.has(f) {
			s.native.Script(f)
			fails(s.connect(Right), s.Context(), fault.Retry)
		}
	}
	if s.has(Silent) {
		s.untilMet(func(ctx context.Context) { fails(s.connect(Right), ctx, fault.Retry) })
	}
	if s.has(Forbidden) {
		fails(s.connect(WrongCredentials), s.Context(), fault.Retry, fault.Stop)
	}
	fails(s.connect(Unreachable), s.Context(), fault.Retry)
}

func refusedLater(s *session) {
	e := s.native.Entry(1, "no-such-case")
	s.handOver(e)
	s.carry()
	for _, system := range []adapters.System{s.system, s.connect(Right)} {
		found, err := system.Finder.Find(s.Context(), e.Reference)
		s.failed(err, fault.Refuse)
		require.Empty(s.T, found)
		require.NotEqual(s.T, "unclassified", fault.CodeOf(err), "a person wants to know why")
	}
	require.Zero(s.T, s.native.Count(e.Reference))
}

func findsOwnLater(s *session) {
	mine, other := s.native.Entry(1, ""), s.native.Entry(2, "")
	s.handOver(mine)
	s.handOver(other)
	s.carry()
	require.NotEqual(s.T, s.outcome(s.system, mine).Record, s.outcome(s.system, other).Record)
	none, err := s.system.Finder.Find(s.Context(), s.native.Entry(3, "").Reference)
	require.NoError(s.T, err)
	require.Empty(s.T, none)
	_, err = s.connect(Unreachable).Finder.Find(s.Context(), mine.Reference)
	s.failed(err, fault.Retry)
}

func learnsAnew(s *session) {
	e := s.native.Entry(1, "")
	s.handOver(e)
	s.carry()
	require.Equal(s.T, s.outcome(s.system, e), s.outcome(s.connect(Right), e))
	once, again := s.outcome(s.system, e), s.outcome(s.system, e)
	require.Equal(s.T, once, again, "what was learnt once can be learnt again")
}

func handsOverAtOnce(s *session) {
	const writers = 12
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { _, errs[i] = s.system.Sink.Apply(s.Context(), s.native.Entry(i, "")) })
	}
	all.Wait()
	s.carry()
	seen := map[native.RecordID]bool{}
	for i := range writers {
		s.failed(errs[i], fault.Doubt)
		r := s.outcome(s.system, s.native.Entry(i, ""))
		require.False(s.T, seen[r.Record], "every entry is a record of its own")
		seen[r.Record] = true
	}
}
