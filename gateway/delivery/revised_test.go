package delivery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// rules lets a person decide about the first thing that waits.
func rules(t *testing.T, g *gateway, v ledger.Verdict) {
	t.Helper()
	require.NotEmpty(t, g.ledger.Parked())
	require.NoError(t, g.ledger.Rule(t.Context(), g.ledger.Parked()[0], ledger.Decision{Verdict: v, Person: "test"}, native.Receipt{}))
	elapse(time.Minute)
}

// renewed is an application that the rules of [refusing] admit.
func renewed(reason string) handover.ApplicationSubmitted {
	form := application()
	form.Goal = "neu"
	if reason != "" {
		form.Reason = "anders"
	}
	return form
}

// I2: which of its wordings a recall or a correction names is the clerk's business; what stands at a place is taken back or replaced, never entered a second time.
func TestI2_ARevisionThatNamesAnEarlierWordingIsNoSecondCase(t *testing.T) {
	for name, action := range map[string]handover.Action{"recall": handover.ActionRecall, "correction": handover.ActionCorrection} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				bound(t, g)
				r.judge = refusing(handover.SeverityRefuse, handover.Returned)
				k := &talk{r: r}
				first := k.says(sd, application()) // returned: it never stands at x
				k.says(sd, renewed(""), revises(handover.ActionCorrection, first))
				k.says(sd, renewed("anders"), revises(action, first))
				got := r.systems["x"].entries("c1")
				require.Len(t, got, 2)
				require.Equal(t, action, got[1].Action)
				require.Equal(t, native.RecordID("0"), got[1].Refers)
				require.Equal(t, native.CaseKey("native-c1"), got[1].Case)
				require.Empty(t, codes(g))
			})
		})
	}
}

// What a person dropped at a place before anything was sent does not stand there: its correction is new there, and its recall is a question that says so.
func TestTheRevisionOfWhatWasDroppedAtAPlace(t *testing.T) {
	for name, test := range map[string]struct {
		action handover.Action
		codes  []string
	}{
		"a correction is new":    {handover.ActionCorrection, nil},
		"a recall finds nothing": {handover.ActionRecall, []string{"nothing-to-recall"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				k := &talk{r: r}
				k.leads()
				r.systems["x"].faults = []string{"refuse"}
				id := k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen"})
				k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-21", Hint: "nicht erschienen"}, revises(test.action, id))
				require.Equal(t, []string{"person-unknown", "held"}, codes(g))
				rules(t, g, ledger.Withdraw)
				require.Equal(t, test.codes, codes(g))
				got := r.systems["x"].entries("c1")
				if test.action == handover.ActionCorrection {
					require.Len(t, got, 4)
					require.Equal(t, handover.ActionNew, got[3].Action)
				} else {
					require.Len(t, got, 3)
				}
			})
		})
	}
}

// The hint of a parked message is to correct the entry. Once the first wording is dropped, the correction says it for the first time.
func TestTheCorrectionOfAMessageThatWasDroppedAtTheGateTakesItsPlace(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.against = func(p handover.Payload, _ string) (*ledger.Expected, error) {
			if h, is := p.(handover.SanctionHint); is && h.ObservedOn == "2026-11-20" {
				return nil, fault.New(fault.Park, "test", "too-early", "too early")
			}
			return nil, nil
		}
		k := &talk{r: r}
		k.leads()
		id := k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen"})
		corrected := k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-21", Hint: "nicht erschienen"}, revises(handover.ActionCorrection, id))
		require.Equal(t, []string{"too-early", "held"}, codes(g))
		rules(t, g, ledger.Withdraw)
		require.Empty(t, codes(g))
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 4)
		require.Equal(t, handover.ActionNew, got[3].Action)

		k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen"}, revises(handover.ActionCorrection, corrected))
		dropped := envelope("c1", k.n, "sanction-hint", rav).ID
		k.says(rav, handover.SanctionHint{ObservedOn: "2026-11-22", Hint: "nicht erschienen"}, revises(handover.ActionCorrection, dropped))
		rules(t, g, ledger.Withdraw)
		require.Empty(t, codes(g))
		got = r.systems["x"].entries("c1")
		require.Len(t, got, 5)
		require.Equal(t, handover.ActionCorrection, got[4].Action, "what was dropped was a correction of what stands")
		require.Equal(t, native.RecordID("3"), got[4].Refers)
	})
}

// What is recalled was dropped at the gate: nothing of it stands anywhere, and the person is told.
func TestTheRecallOfAMessageThatWasDroppedAtTheGateSaysSo(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.against = func(p handover.Payload, _ string) (*ledger.Expected, error) {
			if _, is := p.(handover.SanctionHint); is {
				return nil, fault.New(fault.Park, "test", "too-early", "too early")
			}
			return nil, nil
		}
		k := &talk{r: r}
		k.leads()
		hint := handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen"}
		id := k.says(rav, hint)
		k.says(rav, hint, revises(handover.ActionRecall, id))
		rules(t, g, ledger.Withdraw)
		require.Equal(t, []string{"nothing-to-recall"}, codes(g))
	})
}
