package delivery_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// play starts one gateway that writes into x and y and lets f act; elapse in f lets the gateway work.
func play(t *testing.T, f func(t *testing.T, r *rig, g *gateway)) {
	t.Helper()
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA, "y": adapters.ModeA, "z": adapters.ModeA, "origin": adapters.ModeA})
		r.to = []ledger.Destination{{System: "x"}}
		g := r.start(0)
		f(t, r, g)
		g.stop()
	})
}

// talk is what two parties say in a case, one after the other.
type talk struct {
	r *rig
	n int
}

func (k *talk) says(sender handover.OrganisationID, p handover.Payload, change ...func(*handover.Envelope)) handover.MessageID {
	k.n++
	e := envelope("c1", k.n, p.Name(), sender)
	for _, c := range change {
		c(&e)
	}
	k.r.publish(e, p)
	elapse(20 * time.Second)
	return e.ID
}

func revises(action handover.Action, id handover.MessageID) func(*handover.Envelope) {
	return func(e *handover.Envelope) { e.Action, e.References = action, id }
}

const sd, rav handover.OrganisationID = "sd-kriens", "rav-luzern"

func decided() handover.ApplicationDecided {
	return handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: "2026-11-02"}
}

// leads brings a case to where the receiving agency leads.
func (k *talk) leads() {
	k.says(sd, application())
	k.says(rav, decided())
	k.says(rav, agreedNote())
}

// codes are the reasons for which something waits.
func codes(g *gateway) []string {
	var all []string
	for _, it := range g.ledger.Parked() {
		all = append(all, it.Reason.Code)
	}
	return all
}

func requested() handover.CostApprovalRequested {
	return handover.CostApprovalRequested{Approval: "KG-1", Measure: "Kurs", Provider: "Anbieter", From: "2026-12-01", To: "2027-01-31", AmountCents: 100}
}

func ordered() handover.MeasureOrdered {
	return handover.MeasureOrdered{Approval: "KG-1", OrderedOn: "2026-12-01", From: "2026-12-01", To: "2027-01-31"}
}

// P10: no measure is ordered before an explicit signed approval; the order waits for a person, and goes on when the approval has come.
func TestP10_NoMeasureIsOrderedWithoutASignedApproval(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		k := &talk{r: r}
		k.leads()
		k.says(rav, requested())
		k.says(rav, ordered(), func(e *handover.Envelope) { e.Source = "other"; e.Sequence = 1 })
		require.Equal(t, []string{string(handover.RefusedApproval)}, codes(g))
		require.NotContains(t, r.systems["x"].kinds("c1"), "measure-ordered")
		require.NoError(t, g.ledger.Rule(t.Context(), g.ledger.Parked()[0], ledger.Decision{Verdict: ledger.Withdraw, Person: "test"}, native.Receipt{}))
		k.says(sd, handover.CostApprovalSigned{Approval: "KG-1", SignedOn: "2026-12-02", SignedBy: "Sozialbehörde"})
		k.says(rav, ordered())
		require.Empty(t, codes(g))
		require.Contains(t, r.systems["x"].kinds("c1"), "measure-ordered")
		for key := range g.ledger.Case("c1").Approvals {
			require.NotContains(t, key, "KG-1", "the ledger knows the approval by a keyed name only")
		}
	})
}

// An application that the rules do not admit is answered where it was entered, and nothing of it goes anywhere else.
func TestWhatTheRulesDoNotAdmitIsAnsweredAtOnceAndGoesNowhereElse(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		bound(t, g)
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		k := &talk{r: r}
		form := application()
		form.Remark = "Bitte rasch"
		k.says(sd, form)
		require.Empty(t, r.systems["x"].entries("c1"))
		got := r.systems["origin"].entries("c1")
		require.Len(t, got, 1)
		require.Equal(t, "application-checked", string(got[0].Kind))
		require.Equal(t, native.CaseKey("native-c1"), got[0].Case)
		payload, err := handover.DecodePayload("application-checked", []byte(strings.TrimPrefix(string(got[0].Body), "|")))
		require.NoError(t, err)
		require.NoError(t, payload.Validate())
		checked := payload.(handover.ApplicationChecked)
		require.Equal(t, handover.Returned, checked.Outcome)
		require.Equal(t, "ALV3", checked.Findings[0].Rule)
		require.Equal(t, personal.Text("Bitte rasch"), checked.Remark)
		require.Equal(t, handover.ReturnedState, g.ledger.Case("c1").State)
		require.Empty(t, codes(g))
		k.says(rav, decided())
		require.Equal(t, []string{string(handover.RefusedState)}, codes(g), "nobody can decide about what was returned")
	})
}

// bound ties the case to the native case that it was opened from, as intake does before a message is on the bus.
func bound(t *testing.T, g *gateway) {
	t.Helper()
	require.NoError(t, g.ledger.Bind(t.Context(), "c1", ledger.Destination{System: "origin", Organisation: sd}, "native-c1"))
}

// refusing has one rule against every application, unless its goal is "neu".
func refusing(severity, outcome handover.Code) func(handover.Message) (handover.Parties, ledger.Opening, error) {
	return func(m handover.Message) (handover.Parties, ledger.Opening, error) {
		o := ledger.Opening{Profile: "test/one"}
		if m.Payload.(handover.ApplicationSubmitted).Goal != "neu" {
			o.Check = &ledger.Check{Outcome: outcome, Findings: []ledger.Finding{{Rule: "ALV3", Severity: severity, Source: "C 3.2.1", Text: "Regel", Hint: "Tun"}}}
		}
		return m.Parties, o, nil
	}
}

// A warning keeps nothing back: the application goes on, and who applied is told.
func TestAWarningGoesBackAndTheApplicationGoesOn(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		bound(t, g)
		r.judge = refusing(handover.SeverityWarn, handover.Forward)
		(&talk{r: r}).says(sd, application())
		require.Equal(t, []string{"application-submitted"}, r.systems["x"].kinds("c1"))
		require.Equal(t, []string{"application-checked"}, r.systems["origin"].kinds("c1"))
		require.Equal(t, handover.UnderReview, g.ledger.Case("c1").State)
	})
}

// A returned application that is corrected goes on as a new one: the other agency has never seen the first.
func TestAReturnedApplicationGoesOnWhenItIsCorrected(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		bound(t, g)
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		k := &talk{r: r}
		first := k.says(sd, application())
		form := application()
		form.Goal = "neu"
		k.says(sd, form, revises(handover.ActionCorrection, first))
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 1)
		require.Equal(t, handover.ActionNew, got[0].Action)
		require.Empty(t, got[0].Case, "it opens the case there")
		require.Equal(t, handover.UnderReview, g.ledger.Case("c1").State)
		require.Empty(t, codes(g))
	})
}

// The organisation that the directory has found stands in what the other agency gets.
func TestTheReceiverThatWasFoundStandsInTheApplication(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.judge = func(m handover.Message) (handover.Parties, ledger.Opening, error) {
			return handover.Parties{Assigning: sd, Receiving: "rav-sursee"}, ledger.Opening{Profile: "test/one"}, nil
		}
		form := application()
		form.Receiving = ""
		(&talk{r: r}).says(sd, form, func(e *handover.Envelope) { e.Parties.Receiving = "" })
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 1)
		require.Contains(t, string(got[0].Body), `"receiving":"rav-sursee"`)
		require.Equal(t, handover.OrganisationID("rav-sursee"), g.ledger.Case("c1").Parties.Receiving)
	})
}

// What a correction or a recall is about is named by its record at each place; the state follows.
func TestACorrectionReplacesAndARecallTakesBack(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		k := &talk{r: r}
		k.says(sd, application())
		yes := k.says(rav, decided())
		require.Equal(t, handover.AcceptedState, g.ledger.Case("c1").State)
		no := handover.ApplicationDecided{Decision: handover.Rejected, Reason: "OTHER", DecidedOn: "2026-11-02"}
		k.says(rav, no, revises(handover.ActionCorrection, yes))
		require.Equal(t, handover.RejectedState, g.ledger.Case("c1").State)
		k.says(rav, no, revises(handover.ActionRecall, yes))
		require.Equal(t, handover.UnderReview, g.ledger.Case("c1").State, "any wording may be named, and the last one is taken back")
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 4)
		require.Equal(t, handover.ActionCorrection, got[2].Action)
		require.Equal(t, native.RecordID("1"), got[2].Refers)
		require.Equal(t, handover.ActionRecall, got[3].Action)
		require.Equal(t, native.RecordID("1"), got[3].Refers)
		require.Equal(t, native.CaseKey("native-c1"), got[3].Case)
		require.Empty(t, codes(g))
	})
}

func TestOnlyTheSenderRevisesAndOnlyWhatNothingRestsOn(t *testing.T) {
	for name, test := range map[string]struct {
		act  func(k *talk)
		code handover.Refusal
	}{
		"the other party": {func(k *talk) {
			id := k.says(rav, decided())
			k.says(sd, decided(), revises(handover.ActionRecall, id))
		}, handover.RefusedReference},
		"the case has moved on": {func(k *talk) {
			id := k.says(rav, decided())
			k.says(rav, agreedNote())
			k.says(rav, decided(), revises(handover.ActionRecall, id))
		}, handover.RefusedSuperseded},
		"a message of another case": {func(k *talk) {
			k.says(rav, decided(), revises(handover.ActionRecall, "c2-2"))
		}, handover.RefusedReference},
		"twice": {func(k *talk) {
			id := k.says(rav, decided())
			k.says(rav, decided(), revises(handover.ActionRecall, id))
			k.says(rav, decided(), revises(handover.ActionRecall, id))
		}, handover.RefusedReference},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				k := &talk{r: r}
				k.says(sd, application())
				test.act(k)
				require.Equal(t, []string{string(test.code)}, codes(g))
			})
		})
	}
}

// A recalled application ends the case, and its counterpart at the other agency is told by a recall.
func TestARecalledApplicationEndsTheCase(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		k := &talk{r: r}
		id := k.says(sd, application())
		k.says(sd, application(), revises(handover.ActionRecall, id))
		require.Equal(t, handover.Withdrawn, g.ledger.Case("c1").State)
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 2)
		require.Equal(t, handover.ActionRecall, got[1].Action)
		require.Equal(t, native.CaseKey("native-c1"), got[1].Case)
	})
}

// While the other agency leads, the assigning one's own procedure is reduced, and it is whole again at the end; nobody else's is touched.
func TestTheAssigningAgencysProcedureIsReducedAndResumed(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.to = []ledger.Destination{{System: "x", Organisation: sd}, {System: "y", Organisation: rav}, {System: "z"}}
		k := &talk{r: r}
		k.leads()
		closed := handover.CaseClosed{ClosedOn: "2027-03-01", Reason: "GOAL_REACHED", Outcome: "SUCCESSFUL"}
		id := k.says(rav, closed)
		k.says(rav, closed, revises(handover.ActionRecall, id))
		var at []string
		for _, e := range r.systems["x"].entries("c1") {
			before, _, _ := strings.Cut(string(e.Body), "|")
			at = append(at, before)
		}
		require.Equal(t, []string{"", "", "REDUCED", "FULL", "REDUCED"}, at)
		for _, id := range []handover.SystemID{"y", "z"} {
			for _, e := range r.systems[id].entries("c1") {
				require.True(t, strings.HasPrefix(string(e.Body), "|"), id)
			}
		}
		require.Empty(t, codes(g))
	})
}

// What the profile has against a message waits for a person, with its words.
func TestWhatTheProfileHasAgainstAMessageWaitsForAPerson(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.against = func(p handover.Payload, profile string) (*ledger.Expected, error) {
			require.Equal(t, "test/one", profile)
			return nil, fault.New(fault.Park, "test", "too-long", "longer than the law allows")
		}
		k := &talk{r: r}
		k.says(sd, application())
		k.says(rav, decided())
		require.Equal(t, []string{"too-long"}, codes(g))
	})
}

// What was asked for and has not come by its day is late, until it comes, is taken back, or the case ends.
func TestWhatIsOverdueIsLateUntilItComes(t *testing.T) {
	signed := handover.CostApprovalSigned{Approval: "KG-1", SignedOn: "2026-12-02", SignedBy: "Sozialbehörde"}
	for name, ends := range map[string]func(k *talk, asked handover.MessageID){
		"it comes": func(k *talk, _ handover.MessageID) { k.says(sd, signed) },
		"it is refused": func(k *talk, _ handover.MessageID) {
			k.says(sd, handover.CostApprovalRefused{Approval: "KG-1", RefusedOn: "2026-12-02", Reason: "OTHER"})
		},
		"it is recalled": func(k *talk, id handover.MessageID) { k.says(rav, requested(), revises(handover.ActionRecall, id)) },
		"the case closes": func(k *talk, _ handover.MessageID) {
			k.says(rav, handover.CaseClosed{ClosedOn: "2027-03-01", Reason: "GOAL_REACHED", Outcome: "SUCCESSFUL"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				r.against = func(p handover.Payload, _ string) (*ledger.Expected, error) {
					if handover.ApprovalOf(p) != "" {
						return &ledger.Expected{Deadline: "COST_APPROVAL_RETURN", By: "2026-12-10"}, nil
					}
					return nil, nil
				}
				k := &talk{r: r}
				k.leads()
				asked := k.says(rav, requested())
				require.Empty(t, g.ledger.Late("2026-12-10"), "the last day is in time")
				late := g.ledger.Late("2026-12-11")
				require.Len(t, late, 1)
				require.Equal(t, handover.CaseID("c1"), late[0].Case)
				require.Equal(t, []ledger.Entered{{System: "x", Case: "native-c1"}}, late[0].Entered)
				ends(k, asked)
				require.Empty(t, codes(g))
				require.Empty(t, g.ledger.Late("2026-12-11"))
			})
		})
	}
}

// I6: which rule does not hold says something about the person, often about her health: it is in the answer, and nowhere in the ledger or in what waits.
func TestI6_WhatTheRulesHaveAgainstAnApplicationIsSealed(t *testing.T) {
	nowhere := func(t *testing.T, r *rig, g *gateway) {
		t.Helper()
		require.NotEmpty(t, r.memory.ledger)
		for _, e := range r.memory.ledger {
			for _, secret := range []string{"ALV3", "Regel", "Tun", "C 3.2.1"} {
				require.NotContains(t, string(e.value), secret)
			}
		}
	}
	play(t, func(t *testing.T, r *rig, g *gateway) {
		bound(t, g)
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		(&talk{r: r}).says(sd, application())
		require.Contains(t, string(r.systems["origin"].entries("c1")[0].Body), "ALV3")
		nowhere(t, r, g)
	})
	play(t, func(t *testing.T, r *rig, g *gateway) { // the place of entry cannot be written into
		r.readOnly = true
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		(&talk{r: r}).says(sd, application())
		require.Equal(t, []string{"answer-impossible"}, codes(g))
		nowhere(t, r, g)
	})
	play(t, func(t *testing.T, r *rig, g *gateway) { // a correction that is not admissible
		r.judge = refusing(handover.SeverityRefuse, handover.Returned)
		k := &talk{r: r}
		id := k.says(sd, renewed(""))
		k.says(sd, application(), revises(handover.ActionCorrection, id))
		require.Equal(t, []string{"not-admissible"}, codes(g))
		nowhere(t, r, g)
	})
}
