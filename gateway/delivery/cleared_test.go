package delivery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Where an application was entered, the answer to its last wording is what holds: when nothing is against it any more, that is said, once.
func TestACorrectionThatNothingIsAgainstTakesTheEarlierAnswerBack(t *testing.T) {
	for name, test := range map[string]struct{ severity, outcome handover.Code }{
		"it was returned": {handover.SeverityRefuse, handover.Returned},
		"it had warnings": {handover.SeverityWarn, handover.Forward},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				bound(t, g)
				r.judge = refusing(test.severity, test.outcome)
				k := &talk{r: r}
				first := k.says(sd, application())
				second := k.says(sd, renewed(""), revises(handover.ActionCorrection, first))
				k.says(sd, renewed("anders"), revises(handover.ActionCorrection, second))
				got := r.systems["origin"].entries("c1")
				require.Len(t, got, 2, "the third wording takes nothing back")
				require.Contains(t, string(got[0].Body), "ALV3")
				require.Equal(t, "application-checked", string(got[1].Kind))
				require.Contains(t, string(got[1].Body), `"outcome":"FORWARD"`)
				require.Contains(t, string(got[1].Body), "CLEARED")
				require.Equal(t, handover.UnderReview, g.ledger.Case("c1").State)
				require.Empty(t, codes(g))
			})
		})
	}
}

// A dossier that is not written into has no answer that could mislead: the corrected application goes on, and nobody is asked about an answer.
func TestWhatIsNotWrittenIntoIsNotToldThatNothingIsAgainstItAnyMore(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		bound(t, g)
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		k := &talk{r: r}
		first := k.says(sd, application())
		r.readOnly = true
		k.says(sd, renewed(""), revises(handover.ActionCorrection, first))
		require.Len(t, r.systems["origin"].entries("c1"), 1)
		require.Len(t, r.systems["x"].entries("c1"), 1)
		require.Empty(t, codes(g))
	})
}
