package parked_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

func differing(k ledger.DifferenceKind) []ledger.Item {
	since := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return []ledger.Item{{
		Message: "m-1", Case: "c-1", Name: "measure-ordered", To: ledger.Destination{System: "klib", Organisation: "sd-kriens"}, Ref: "r-1", Status: ledger.StatusParked,
		Since: since, Partition: 3, Parking: 7, Difference: &ledger.Difference{ID: "d-1", Kind: k, Announced: true, System: "klib"},
	}}
}

func TestADifferenceShowsWhatEachRulingWouldDo(t *testing.T) {
	for kind, want := range map[ledger.DifferenceKind][]ledger.Verdict{
		ledger.DifferenceMissing: {ledger.Accept, ledger.Found, ledger.Retry},
		ledger.DifferenceUnasked: {ledger.Accept, ledger.Found, ledger.Retry},
		ledger.DifferenceExtra:   {ledger.Accept, ledger.Found},
		ledger.DifferenceDouble:  {ledger.Accept, ledger.Found},
		ledger.DifferenceDrifted: {ledger.Accept, ledger.Found},
	} {
		items := parked.New(&book{waiting: differing(kind)}).List()
		var got []ledger.Verdict
		for _, p := range items[0].Rulings {
			got = append(got, p.Verdict)
			require.NotEmpty(t, p.Effect)
		}
		require.Equal(t, want, got, kind)
		b, err := json.Marshal(items)
		require.NoError(t, err)
		require.Contains(t, string(b), `"difference":{"id":"d-1","kind":"`+string(kind)+`"`)
	}
}

func TestARulingThatMakesNoSenseForADifferenceIsRefused(t *testing.T) {
	b := &book{waiting: differing(ledger.DifferenceExtra)}
	for _, v := range []ledger.Verdict{ledger.Retry, ledger.Withdraw} {
		err := parked.New(b).Rule(t.Context(), "3-7", parked.Ruling{Verdict: v, Person: "m", Why: "w"})
		require.Equal(t, "impossible-ruling", fault.CodeOf(err))
		require.ErrorContains(t, err, "rule ACCEPT or FOUND")
	}
	require.Empty(t, b.ruled)
	require.NoError(t, parked.New(b).Rule(t.Context(), "3-7", parked.Ruling{Verdict: ledger.Accept, Person: "m", Why: "w"}))
	require.Len(t, b.ruled, 1)
}

func TestAMessageThatWaitsCannotBeLeftAsItIs(t *testing.T) {
	b := &book{waiting: waiting()}
	err := parked.New(b).Rule(t.Context(), "3-1042", parked.Ruling{Verdict: ledger.Accept, Person: "m", Why: "w"})
	require.Equal(t, "impossible-ruling", fault.CodeOf(err))
	require.Empty(t, b.ruled)
}
