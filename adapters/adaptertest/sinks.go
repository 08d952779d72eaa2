package adaptertest

import (
	"context"
	"sync"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

func aboutSinks() []rule {
	hands := func(s adapters.System) bool { return s.Sink != nil }
	writes := func(s adapters.System) bool { return s.Sink != nil && !later(s) }
	mode := func(m adapters.Mode) func(adapters.System) bool {
		return func(s adapters.System) bool { return writes(s) && s.Abilities.Mode == m }
	}
	return []rule{
		{name: "a receipt names the record and the case", needs: writes, hold: writesOnce},
		{name: "I2 sends once whatever becomes of the answer", needs: writes, hold: sendsOnce},
		{name: "mode A: the same reference joins the first record", needs: mode(adapters.ModeA), hold: joins},
		{name: "mode B: the same reference is a second record that the search shows", needs: mode(adapters.ModeB), hold: doubles},
		{name: "rejected before any write is tried again", needs: writes, hold: rejected},
		{name: "a refusal of the native system is a refusal", needs: writes, hold: refused},
		{name: "wrong credentials stop", needs: writes, hold: stopped},
		{name: "without connection nothing was written", needs: hands, hold: unreachable},
		{name: "the end of the context after sending is doubt", needs: writes, hold: cancelled},
		{name: "an ended context sends nothing", needs: hands, hold: neverSent},
		{name: "many may write at once", needs: writes, hold: writesAtOnce},
	}
}

func writesOnce(s *session) {
	opening := s.native.Entry(1, "")
	opened := s.apply(opening)
	require.False(s.T, opened.Joined)
	require.Equal(s.T, 1, s.native.Count(opening.Reference))
	next := s.native.Entry(2, opened.Case)
	appended := s.apply(next)
	require.Equal(s.T, opened.Case, appended.Case)
	require.NotEqual(s.T, opened.Record, appended.Record)
	require.Equal(s.T, 1, s.native.Count(next.Reference))
}

// sendsOnce tries every fault that leaves open what happened. The journal tells how often the entry arrived.
func sendsOnce(s *session) {
	for i, test := range []struct {
		fault   Fault
		written int
	}{{LostAnswer, 1}, {Late, 1}, {Torn, 1}, {Endless, 1}, {Failed, 0}, {Redirected, 0}} {
		if !s.has(test.fault) {
			continue
		}
		e := s.native.Entry(i, "")
		s.native.Script(test.fault)
		_, err := s.system.Sink.Apply(s.Context(), e)
		require.Equal(s.T, test.written, s.native.Count(e.Reference), "%s: the entry was sent more than once, or not at all", test.fault)
		require.Error(s.T, err, "%s: nobody knows what happened, but the adapter says that it does", test.fault)
		s.failed(err, fault.Doubt, fault.Unclassified)
	}
}

func joins(s *session) {
	e := s.native.Entry(1, "")
	first := s.apply(e)
	second := s.apply(e)
	require.True(s.T, second.Joined)
	require.Equal(s.T, first.Record, second.Record)
	require.Equal(s.T, first.Case, second.Case)
	require.Equal(s.T, 1, s.native.Count(e.Reference), "the native system does not join: it is not of mode A")

	lost := s.native.Entry(2, first.Case)
	s.native.Script(LostAnswer)
	_, err := s.system.Sink.Apply(s.Context(), lost)
	s.failed(err, fault.Doubt, fault.Unclassified)
	require.True(s.T, s.apply(lost).Joined, "a doubt is resolved by writing again")
	require.Equal(s.T, 1, s.native.Count(lost.Reference))
}

func doubles(s *session) {
	e := s.native.Entry(1, "")
	first, second := s.apply(e), s.apply(e)
	require.Equal(s.T, 2, s.native.Count(e.Reference), "the native system joins: declare mode A, or find out what else it does")
	require.NotEqual(s.T, first.Record, second.Record)
	found, err := s.system.Finder.Find(s.Context(), e.Reference)
	require.NoError(s.T, err)
	require.ElementsMatch(s.T, []native.RecordID{first.Record, second.Record}, []native.RecordID{found[0].Record, found[len(found)-1].Record}, "reconciliation must see both")
}

func rejected(s *session) {
	if !s.has(Rejected) {
		return
	}
	e := s.native.Entry(1, "")
	s.native.Script(Rejected)
	_, err := s.system.Sink.Apply(s.Context(), e)
	s.failed(err, fault.Retry)
	require.Zero(s.T, s.native.Count(e.Reference))
	s.apply(e)
	require.Equal(s.T, 1, s.native.Count(e.Reference))
}

// refused writes into a case that does not exist, which every native system refuses.
func refused(s *session) {
	opened := s.apply(s.native.Entry(1, ""))
	e := s.native.Entry(2, opened.Case+"0")
	_, err := s.system.Sink.Apply(s.Context(), e)
	s.failed(err, fault.Refuse)
	require.Zero(s.T, s.native.Count(e.Reference))
}

func stopped(s *session) {
	e := s.native.Entry(1, "")
	_, err := s.connect(WrongCredentials).Sink.Apply(s.Context(), e)
	s.failed(err, fault.Stop)
	require.Zero(s.T, s.native.Count(e.Reference))
}

func unreachable(s *session) {
	_, err := s.connect(Unreachable).Sink.Apply(s.Context(), s.native.Entry(1, ""))
	s.failed(err, fault.Retry)
}

func cancelled(s *session) {
	if !s.has(Silent) {
		return
	}
	e := s.native.Entry(1, "")
	s.untilMet(func(ctx context.Context) {
		_, err := s.system.Sink.Apply(ctx, e)
		s.failed(err, fault.Doubt)
	})
	require.Zero(s.T, s.native.Count(e.Reference))
}

func neverSent(s *session) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	e := s.native.Entry(1, "")
	_, err := s.system.Sink.Apply(ctx, e)
	s.failed(err, fault.Retry, fault.Doubt)
	require.Zero(s.T, s.native.Count(e.Reference))
}

func writesAtOnce(s *session) {
	const writers = 12
	receipts, errs := make([]native.Receipt, writers), make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { receipts[i], errs[i] = s.system.Sink.Apply(s.Context(), s.native.Entry(i, "")) })
	}
	all.Wait()
	seen := map[native.RecordID]bool{}
	for i := range writers {
		require.NoError(s.T, errs[i])
		require.Equal(s.T, 1, s.native.Count(s.native.Entry(i, "").Reference))
		require.False(s.T, seen[receipts[i].Record], "every entry is a record of its own")
		seen[receipts[i].Record] = true
	}
}
