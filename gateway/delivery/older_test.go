package delivery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// older lets the earlier version of the gateway admit what lies on the bus of case c1: it wrote down neither what was said nor what was settled with the application.
func (k *talk) older(t *testing.T, g *gateway, sender handover.OrganisationID, p handover.Payload, after handover.State) handover.MessageID {
	t.Helper()
	k.n++
	e := envelope("c1", k.n, p.Name(), sender)
	at := ledger.Place{Topic: ledger.OnBus, Offset: int64(len(k.r.memory.bus))}
	_, ok, err := g.ledger.Admit(t.Context(), "c1", e.ID, ledger.Admission{
		Number: uint64(k.n), Place: at, Print: "other", State: after, Parties: handover.Parties{Assigning: sd, Receiving: rav}, To: k.r.to,
		Origin: ledger.Destination{System: "origin", Organisation: sender}, Sequence: e.Sequence, Name: e.Name,
	})
	require.NoError(t, err)
	require.True(t, ok)
	k.r.publish(e, p)
	elapse(20 * time.Second)
	return e.ID
}

// I1, I3: a case that was opened by the version before goes on under this one: by the rules that hold for its application, with its cost approvals where they stand, and with what was said before.
func TestI1_ACaseThatAnEarlierVersionOpenedGoesOn(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.against = func(_ handover.Payload, profile string) (*ledger.Expected, error) {
			require.Equal(t, "test/one", profile)
			return nil, nil
		}
		k := &talk{r: r}
		k.older(t, g, sd, application(), handover.UnderReview)
		k.older(t, g, rav, decided(), handover.AcceptedState)
		k.older(t, g, rav, agreedNote(), handover.Active)
		hint := k.older(t, g, rav, handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen"}, handover.Active)
		k.older(t, g, rav, requested(), handover.Active)
		k.says(sd, handover.CostApprovalSigned{Approval: "KG-1", SignedOn: "2026-12-02", SignedBy: "Sozialbehörde"})
		require.Empty(t, codes(g))
		require.Equal(t, "test/one", g.ledger.Case("c1").Opening.Profile, "it is settled once")
		k.says(rav, ordered())
		k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-21", Hint: "nicht erschienen"}, revises(handover.ActionCorrection, hint))
		require.Empty(t, codes(g))
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 8)
		require.Equal(t, native.RecordID("3"), got[7].Refers)
		k.says(rav, handover.CaseClosed{ClosedOn: "2027-03-01", Reason: "GOAL_REACHED", Outcome: "SUCCESSFUL"})
		require.Empty(t, codes(g))
		require.Equal(t, handover.Closed, g.ledger.Case("c1").State)
	})
}

// I8: the person of a case that was opened by the version before is known too, and nobody else is taken for her.
func TestI8_ThePersonOfACaseThatAnEarlierVersionOpenedIsKnown(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c0", application()) // the first record of the bus is somebody else's
		k := &talk{r: r}
		k.older(t, g, sd, anna(t), handover.UnderReview)
		enters(t, r, g, "c2", anna(t, func(a *handover.ApplicationSubmitted) { a.Goal = "etwas anderes" }))
		require.Equal(t, []string{"second-claim"}, codes(g))
		require.Contains(t, g.ledger.Parked()[0].Reason.Text, "c1")
		require.NotContains(t, g.ledger.Parked()[0].Reason.Text, "c0")
	})
}
