package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
)

// recorded returns a ledger in which one message stands at one place, and the message's entry.
func recorded(t *testing.T) (*pages, *Ledger, Entry) {
	t.Helper()
	p := newPages(t)
	l := p.ledger()
	to := Destination{System: "klib", Organisation: "sd-kriens"}
	_, ok, err := l.Admit(t.Context(), "c-1", "m-1", Admission{Number: 1, Place: Place{Topic: OnBus, Offset: 7}, To: []Destination{to}, Name: "application-submitted"})
	require.NoError(t, err)
	require.True(t, ok)
	e := Entry{Case: "c-1", Message: "m-1", To: to, Ref: "r-1"}
	require.NoError(t, l.Intend(t.Context(), e, 1, "n-1"))
	require.NoError(t, l.Done(t.Context(), e, native.Receipt{Record: "E-1", Case: "D-1"}))
	return p, l, e
}

func missing(id string) Difference {
	return Difference{ID: id, Kind: DifferenceMissing, Announced: true, System: "klib", Ledger: []Entered{{System: "klib", Case: "D-1", Record: "E-1"}}, Attempt: 1, Found: begin}
}

// differ puts a difference before a person and returns it as it waits.
func differ(t *testing.T, l *Ledger, e Entry, d Difference) Item {
	t.Helper()
	written, err := l.Differ(t.Context(), e, d)
	require.NoError(t, err)
	require.True(t, written)
	for _, it := range l.Parked() {
		if it.Difference != nil && it.Difference.ID == d.ID {
			return it
		}
	}
	require.Fail(t, "the difference does not wait")
	return Item{}
}

func TestADifferenceIsPutBeforeAPersonOnceAndHoldsNothingBack(t *testing.T) {
	p, l, e := recorded(t)
	it := differ(t, l, e, missing("d-1"))
	require.Equal(t, Entered{System: "klib", Case: "D-1", Record: "E-1"}, it.Entered)
	written, err := l.Differ(t.Context(), e, missing("d-1"))
	require.NoError(t, err)
	require.False(t, written)
	p.add(Record{Kind: Differs, Case: "c-1", To: e.To, Ref: e.Ref, Nonce: "another gateway at the same time", Difference: &Difference{ID: "d-1"}})
	require.Len(t, l.Parked(), 1)
	require.Equal(t, 1, l.Stats().Differences)
	_, stands := l.Before(Lane{Case: "c-1", To: e.To}, Gate, 0)
	require.False(t, stands, "later messages of the case go on")
	require.NoError(t, l.Rule(t.Context(), it, Decision{Verdict: Accept, Person: "x", Why: "y"}, native.Receipt{}))
	require.Empty(t, l.Parked())
	written, err = l.Differ(t.Context(), e, missing("d-1"))
	require.NoError(t, err)
	require.False(t, written, "what was accepted is not asked about again")
	err = l.Rule(t.Context(), it, Decision{Verdict: Retry, Person: "x", Why: "y"}, native.Receipt{})
	require.Equal(t, "already-ruled", fault.CodeOf(err))
	ref, _ := l.Ref("r-1")
	require.True(t, ref.Done)
}

// What is sent once more goes by the rules of its mode: A sends, B searches first, C asks.
func TestWhatIsMissingAndSentOnceMoreGoesByTheRulesOfItsMode(t *testing.T) {
	b := adapters.Bounds{Send: time.Second, Request: time.Second}
	for mode, want := range map[adapters.Mode]Step{adapters.ModeA: StepIntend, adapters.ModeB: StepLookup, adapters.ModeC: StepPark} {
		p, l, e := recorded(t)
		it := differ(t, l, e, missing("d-1"))
		p.woken = nil
		require.NoError(t, l.Rule(t.Context(), it, Decision{Verdict: Retry, Person: "x", Why: "y"}, native.Receipt{}))
		lane := Lane{Case: "c-1", To: e.To}
		require.Equal(t, []Lane{lane}, p.woken, "the lane's owner is told")
		require.Len(t, l.Parked(), 1)
		require.Equal(t, StatusDue, l.Parked()[0].Status)
		require.Equal(t, Place{Topic: OnBus, Offset: 7}, l.Parked()[0].Place, "it is read where it lies on the bus")
		ref, _ := l.Ref("r-1")
		require.False(t, ref.Settled())
		require.True(t, ref.Repeated, "what is sent says that it may be there already")
		step, _ := Decide(ref, Own{}, mode, b, begin.Add(time.Hour))
		require.Equal(t, want, step, mode)
		require.NoError(t, l.Void(t.Context(), e, 1, "n-1", true))
		require.NoError(t, l.Intend(t.Context(), e, 2, "n-2"))
		ref, _ = l.Ref("r-1")
		require.Equal(t, "n-2", ref.Nonce)
		require.True(t, ref.Repeated)
		require.NoError(t, l.Done(t.Context(), e, native.Receipt{Record: "E-2", Case: "D-1"}))
		require.Empty(t, l.Parked())
		ref, _ = l.Ref("r-1")
		require.Equal(t, native.RecordID("E-2"), ref.Native)
		written, err := l.Differ(t.Context(), e, missing("d-2"))
		require.NoError(t, err)
		require.True(t, written, "when it is missing again, that is another difference")
	}
}

func TestWhatStandsUnderAnotherNumberIsTakenOver(t *testing.T) {
	_, l, e := recorded(t)
	it := differ(t, l, e, Difference{ID: "d-1", Kind: DifferenceDrifted, Announced: true, System: "klib", Found: begin})
	require.NoError(t, l.Rule(t.Context(), it, Decision{Verdict: Found, Person: "x", Why: "merged"}, native.Receipt{Record: "E-9", Case: "D-9"}))
	ref, _ := l.Ref("r-1")
	require.True(t, ref.Done)
	require.Equal(t, native.RecordID("E-9"), ref.Native)
	key, _ := l.NativeCase("c-1", e.To)
	require.Equal(t, native.CaseKey("D-9"), key, "later messages go into the case that it was merged into")
}

// A person can say that what provably left nothing stands all the same: then nobody sends it again.
func TestWhatStandsAlthoughNothingWasSentCanBeFound(t *testing.T) {
	p := newPages(t)
	l := p.ledger()
	e := Entry{Case: "c-1", Message: "m-1", To: Destination{System: "klib"}, Ref: "r-1"}
	require.NoError(t, l.Intend(t.Context(), e, 1, "n-1"))
	require.NoError(t, l.Void(t.Context(), e, 1, "n-1", true))
	it := differ(t, l, e, Difference{ID: "d-1", Kind: DifferenceExtra, Announced: true, System: "klib", Found: begin})
	require.Equal(t, []Verdict{Accept, Found}, it.Difference.Verdicts())
	require.NoError(t, l.Rule(t.Context(), it, Decision{Verdict: Found, Person: "x", Why: "y"}, native.Receipt{Record: "E-1"}))
	ref, _ := l.Ref("r-1")
	require.True(t, ref.Done)
}

func TestWhatNobodyAnnouncedCanOnlyBeAccepted(t *testing.T) {
	p := newPages(t)
	l := p.ledger()
	it := differ(t, l, Entry{To: Destination{System: "klib"}, Ref: "foreign"}, Difference{ID: "d-1", Kind: DifferenceExtra, System: "klib", Found: begin})
	require.Equal(t, []Verdict{Accept}, it.Difference.Verdicts())
	p.add(Record{Kind: Ruling, Ref: it.Ref, To: it.To, Native: "E-1", Decision: &Decision{Parking: it.Parking, Verdict: Found}})
	require.Empty(t, l.Parked())
	_, known := l.Ref("foreign")
	require.False(t, known)
}

// Compaction keeps the last record of a key; no record of a case shares one with another, not even the DONE of what was sent once more.
func TestADifferenceMeansTheSameAfterCompaction(t *testing.T) {
	p, l, e := recorded(t)
	it := differ(t, l, e, missing("d-1"))
	p.add(Record{Kind: Differs, Case: "c-1", To: e.To, Ref: e.Ref, Nonce: "later", Difference: &Difference{ID: "d-1"}})
	require.NoError(t, l.Rule(t.Context(), it, Decision{Verdict: Retry, Person: "x", Why: "y"}, native.Receipt{}))
	require.NoError(t, l.Void(t.Context(), e, 1, "n-1", true))
	require.NoError(t, l.Intend(t.Context(), e, 2, "n-2"))
	require.NoError(t, l.Done(t.Context(), e, native.Receipt{Record: "E-2", Case: "D-1"}))
	last := map[string]int{}
	for i, r := range p.records {
		last[r.key] = i
	}
	require.Len(t, last, len(p.records))
	again := NewView(1, nil)
	for i, r := range p.records {
		if last[r.key] == i {
			again.Apply(0, int64(i), r.at, r.value)
		}
	}
	require.Empty(t, again.Parked())
	whole, _ := l.Ref("r-1")
	compacted, _ := again.Ref("r-1")
	require.Equal(t, whole, compacted)
}
