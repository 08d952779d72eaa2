package shelf_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/shelf"
)

// rested returns a view of so many handovers, all of them over, which has let go of them, and one that holds everything. In the first and in the last one somebody has mixed up a message.
func rested(t *testing.T, handovers int) (lean, whole *ledger.View) {
	t.Helper()
	s, err := shelf.Open(filepath.Join(t.TempDir(), "shelf"), name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.Unsynced()
	lean, whole = ledger.NewView(1, nil), ledger.NewView(1, nil)
	require.NoError(t, lean.Resume(s, func(err error) { panic(err) }))
	var log [][]byte
	for n := range handovers {
		log = append(log, handOver(t, n)...)
	}
	mixed := ledger.Record{V: 1, Kind: ledger.Void, Case: id(handovers - 1), Message: "0b9b4d0e-6c4e-4c6f-0000-000000000000", To: places[1], Ref: "0b9b4d0e-6c4e-4c6f-0000-000000000000-avam"}
	log = append(log, valueOf(t, mixed))
	for i, value := range log {
		lean.Apply(0, int64(i), begin, value)
		whole.Apply(0, int64(i), begin, value)
	}
	require.NoError(t, lean.Shelve())
	require.NoError(t, lean.Rest())
	require.Zero(t, lean.Held())
	return lean, whole
}

func id(number int) handover.CaseID {
	return handover.CaseID(fmt.Sprintf("5f0f7a52-9f4e-4a43-8f43-%012d", number))
}

// pages are all fates, so many at a time.
func pages(v *ledger.View, limit int) (all []ledger.Fate) {
	var after []int64
	for more := true; more; {
		var part []ledger.Fate
		part, after, more = v.Fates(ledger.Query{After: after, Limit: limit})
		all = append(all, part...)
	}
	return all
}

// What is over is told from the shelf, and does not stay in memory for it.
func TestFatesOfEverythingAreReadFromTheShelfAndNotHeld(t *testing.T) {
	lean, whole := rested(t, 120)
	want, _, _ := whole.Fates(ledger.Query{})
	require.Len(t, want, 120*20)
	require.Equal(t, want, pages(lean, 333))
	recent, _, _ := lean.Fates(ledger.Query{After: []int64{lean.Next(0) - 10}})
	require.Equal(t, want[len(want)-len(recent):], recent)
	require.NotEmpty(t, recent)
	none, _, _ := lean.Fates(ledger.Query{Open: true})
	require.Empty(t, none)
	require.Zero(t, lean.Held())
}

// A case that somebody brings into memory while all are told is told once all the same.
func TestAFateIsToldOnceWhateverIsBroughtMeanwhile(t *testing.T) {
	lean, whole := rested(t, 120)
	want, _, _ := whole.Fates(ledger.Query{})
	var all sync.WaitGroup
	all.Go(func() {
		for n := range 120 {
			lean.Case(id(n))
		}
	})
	for range 3 {
		got, _, _ := lean.Fates(ledger.Query{})
		require.Equal(t, want, got)
	}
	all.Wait()
	require.Equal(t, 120, lean.Held())
}

// Who asks what was said since is answered from the cases of which something was, not from all.
func TestOnlyTheCasesOfWhichSomethingWasSaidSinceAreRead(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "shelf"), name)
	var b ledger.Batch
	for n := range 10 {
		b.Records = append(b.Records, ledger.Shelved{
			Stored: ledger.Stored{Partition: int32(n % 2), Offset: int64(n / 2), At: begin, Value: valueOf(t, ledger.Record{V: 1, Kind: ledger.Void, Case: id(n)})}, Case: id(n), //nolint:gosec // small
		})
	}
	b.Next, b.Awake = []int64{5, 5}, map[handover.CaseID]bool{}
	require.NoError(t, s.Put(b))
	for from, want := range map[[2]int64][]handover.CaseID{
		{5, 5}: nil, {4, 5}: {id(8)}, {5, 3}: {id(7), id(9)}, {4, 4}: {id(8), id(9)}, {0, 5}: {id(0), id(2), id(4), id(6), id(8)},
	} {
		got, err := s.Cases(from[:])
		require.NoError(t, err)
		slices.Sort(got)
		require.Equal(t, want, got, "%v", from)
	}
	got, err := s.Cases([]int64{5}) // a partition that the asker has not known
	require.NoError(t, err)
	require.Len(t, got, 5)
	got, err = s.Cases(nil)
	require.NoError(t, err)
	require.Len(t, got, 10)
	require.NoError(t, s.Close())
}
