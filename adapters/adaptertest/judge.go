package adaptertest

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// Leak is a text that [Between] puts into failed answers. Answers of native systems hold personal data, so nothing of them may stand in an error.
const Leak = "Canary-Leak"

// failed demands an error of one of the kinds that holds no secret and says something.
func (s *session) failed(err error, kinds ...fault.Kind) {
	s.Helper()
	require.Error(s.T, err)
	for _, secret := range append(slices.Clone(s.driver.Secrets), Leak) {
		require.NotContains(s.T, err.Error(), secret, "I6: an error holds what must not leave")
	}
	require.True(s.T, slices.Contains(kinds, fault.KindOf(err)), "the error is of kind %s, allowed are %v: %v", fault.KindOf(err), kinds, err)
	require.NotEmpty(s.T, strings.TrimSpace(err.Error()))
}

// has reports whether the wire can have a fault.
func (s *session) has(f Fault) bool { return !slices.Contains(s.driver.Lacks, f) }

// enter enters so many records as a clerk.
func (s *session) enter(n int) []native.RecordID {
	s.Helper()
	var ids []native.RecordID
	for i := range n {
		id, err := s.native.Enter(i)
		require.NoError(s.T, err)
		ids = append(ids, id)
	}
	return ids
}

// most is how many readings a test makes before it says that a stream does not end.
const most = 10_000

// stop is a position on the way through a stream, and how many records came before it.
type stop struct {
	position native.Position
	before   int
}

// drain reads to the end and returns the records and every stop on the way, the first and the last included.
func (s *session) drain(source adapters.Source, from native.Position, limit int) ([]native.Record, []stop) {
	s.Helper()
	var records []native.Record
	stops := []stop{{position: from}}
	for range most {
		b, err := source.Read(s.Context(), from, limit)
		require.NoError(s.T, err)
		require.Empty(s.T, b.Broken)
		require.LessOrEqual(s.T, len(b.Records), limit, "no more records than asked for")
		if len(b.Records) == 0 && b.Next == from {
			require.False(s.T, b.More)
			return records, stops
		}
		require.NotEqual(s.T, from, b.Next, "the position moves with the records")
		records, from = append(records, b.Records...), b.Next
		stops = append(stops, stop{position: from, before: len(inOrder(records))})
	}
	require.FailNow(s.T, "the stream does not end")
	return nil, nil
}

// inOrder lists the ids of records in the order in which each came first: a record may come twice.
func inOrder(records []native.Record) []native.RecordID {
	var ids []native.RecordID
	for _, r := range records {
		if !slices.Contains(ids, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// apply writes the n-th entry and demands a receipt.
func (s *session) apply(e native.Entry) native.Receipt {
	s.Helper()
	r, err := s.system.Sink.Apply(s.Context(), e)
	require.NoError(s.T, err)
	require.NotEmpty(s.T, r.Record)
	require.NotEmpty(s.T, r.Case)
	return r
}
