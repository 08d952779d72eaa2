package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// anna is an application for one person, whatever case it opens.
func anna(t *testing.T, change ...func(*handover.ApplicationSubmitted)) handover.ApplicationSubmitted {
	t.Helper()
	form := application()
	form.Person.FirstName = "Anna"
	number, err := personal.ParseAHV("756.1234.5678.97")
	require.NoError(t, err)
	form.Person.AHV = number
	for _, c := range change {
		c(&form)
	}
	return form
}

// enters lets an application open a case of its own.
func enters(t *testing.T, r *rig, g *gateway, c string, form handover.ApplicationSubmitted) {
	t.Helper()
	require.NoError(t, g.ledger.Bind(t.Context(), handover.CaseID(c), ledger.Destination{System: "origin", Organisation: sd}, native.CaseKey("native-"+c)))
	e := envelope(c, 1, "application-submitted", sd)
	e.Parties = handover.Parties{Assigning: form.Assigning, Receiving: form.Receiving}
	r.publish(e, form)
	elapse(30 * time.Second)
}

// I8: the same application entered by hand a second time is the same case: nobody gets it twice, and who has entered it is told where it stands.
// Fault 2.
func TestI8_TheSameApplicationEnteredTwiceIsOneCase(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		enters(t, r, g, "c2", anna(t, func(a *handover.ApplicationSubmitted) { a.Remark = "noch einmal" }))
		require.Len(t, r.systems["x"].entries("c1"), 1)
		require.Empty(t, r.systems["x"].entries("c2"))
		got := r.systems["origin"].entries("c2")
		require.Len(t, got, 1)
		require.Equal(t, "application-checked", string(got[0].Kind))
		require.Contains(t, string(got[0].Body), "SAME-CASE")
		require.Empty(t, codes(g))
	})
}

// I8: one agency leads. Another application for the same person and process waits for a person as long as the first case has not ended, and goes on when she says that both are meant.
func TestI8_ASecondClaimToThePersonWaitsForAPerson(t *testing.T) {
	for name, second := range map[string]func(*handover.ApplicationSubmitted){
		"another receiver": func(a *handover.ApplicationSubmitted) { a.Receiving = "rav-sursee" },
		"another goal":     func(a *handover.ApplicationSubmitted) { a.Goal = "etwas anderes" },
		"no number, another spelling": func(a *handover.ApplicationSubmitted) {
			a.Person.AHV, a.Person.FirstName, a.Goal = personal.AHV{}, " anna ", "anders"
		},
		"another name, the same number": func(a *handover.ApplicationSubmitted) { a.Person.OfficialName = "Geheiratet" },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				enters(t, r, g, "c1", anna(t))
				enters(t, r, g, "c2", anna(t, second))
				require.Equal(t, []string{"second-claim"}, codes(g))
				require.Empty(t, r.systems["x"].entries("c2"))
				require.Contains(t, g.ledger.Parked()[0].Reason.Text, "c1")
				require.NotContains(t, strings.ToLower(g.ledger.Parked()[0].Reason.Text), "anna")
				require.NoError(t, g.ledger.Rule(t.Context(), g.ledger.Parked()[0], ledger.Decision{Verdict: ledger.Retry, Person: "test"}, native.Receipt{}))
				elapse(time.Minute)
				require.Empty(t, codes(g))
				require.Len(t, r.systems["x"].entries("c2"), 1)
			})
		})
	}
}

// What is not the same person or topic, and what has ended, stands in nobody's way.
// Fault 3.
func TestNamesakesOtherTopicsAndEndedCasesAreNoSecondClaim(t *testing.T) {
	other, err := personal.ParseAHV("756.9217.0769.85")
	require.NoError(t, err)
	for name, second := range map[string]func(*handover.ApplicationSubmitted){
		"a namesake of the same birthday": func(a *handover.ApplicationSubmitted) { a.Person.AHV = other },
		"another process":                 func(a *handover.ApplicationSubmitted) { a.Process = "OPTIMA_SH" },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				enters(t, r, g, "c1", anna(t))
				enters(t, r, g, "c2", anna(t, second))
				require.Empty(t, codes(g))
				require.Len(t, r.systems["x"].entries("c2"), 1)
			})
		})
	}
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		r.publish(envelope("c1", 2, "application-withdrawn", sd), handover.ApplicationWithdrawn{WithdrawnOn: "2026-11-03", Reason: "OTHER"})
		elapse(30 * time.Second)
		enters(t, r, g, "c2", anna(t))
		require.Empty(t, codes(g))
		require.Len(t, r.systems["x"].entries("c2"), 1)
	})
}

// A gateway that has just started knows the applicants of the cases that are open, from the bus.
func TestI8_APersonIsRecognisedAfterARestart(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		g.stop()
		again := r.start(g.settled() + 1)
		enters(t, r, again, "c2", anna(t))
		require.Empty(t, r.systems["x"].entries("c2"))
		require.Len(t, r.systems["origin"].entries("c2"), 1)
		again.stop()
	})
}

// P4: who has handed a case over and leads it all the same is told to a person with the concept's reason to close.
func TestP4_ActivityOfTheAssigningAgencyIsReportedAsParallelLeadership(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		k := &talk{r: r}
		k.leads()
		k.says(sd, handover.ReviewMeetingRecorded{HeldOn: "2027-01-10", Participants: agreedNote().Participants})
		require.Equal(t, []string{string(handover.RefusedParallel)}, codes(g))
		require.Contains(t, g.ledger.Parked()[0].Reason.Text, "parallel case leadership")
	})
}

// I1, I8: a correction that makes a case that was sent on the same as another one of the person is a question for a person. Answered as returned, the case would go on without its other agency.
func TestI1_ACorrectionThatBecomesTheSameAsAnotherCaseWaitsForAPerson(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		enters(t, r, g, "c2", anna(t, func(a *handover.ApplicationSubmitted) { a.Goal = "etwas anderes" }))
		rules(t, g, ledger.Retry) // both are meant
		require.Len(t, r.systems["x"].entries("c2"), 1)
		e := envelope("c2", 2, "application-submitted", sd)
		e.Action, e.References = handover.ActionCorrection, "c2-1"
		r.publish(e, anna(t))
		elapse(30 * time.Second)
		require.Equal(t, []string{"second-claim"}, codes(g))
		require.Equal(t, handover.UnderReview, g.ledger.Case("c2").State)
		rules(t, g, ledger.Retry)
		require.Empty(t, codes(g))
		require.Len(t, r.systems["x"].entries("c2"), 2)
	})
}

// I8: a case that comes to life again, because what ended it is recalled, is a second claim when the person has another one by then.
func TestI8_ACaseThatComesBackToLifeBesideAnotherOneWaitsForAPerson(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		gone := handover.ApplicationWithdrawn{WithdrawnOn: "2026-11-03", Reason: "OTHER"}
		r.publish(envelope("c1", 2, "application-withdrawn", sd), gone)
		elapse(30 * time.Second)
		enters(t, r, g, "c2", anna(t))
		require.Empty(t, codes(g))
		e := envelope("c1", 3, "application-withdrawn", sd)
		e.Action, e.References = handover.ActionRecall, "c1-2"
		r.publish(e, gone)
		elapse(30 * time.Second)
		require.Equal(t, []string{"second-claim"}, codes(g))
		require.Equal(t, handover.Withdrawn, g.ledger.Case("c1").State)
		rules(t, g, ledger.Retry)
		require.Equal(t, handover.UnderReview, g.ledger.Case("c1").State)
	})
}

// I1: an application that has gone from the bus holds up nobody else's.
func TestI1_AnApplicationThatCannotBeReadAgainHoldsUpNobody(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		enters(t, r, g, "c1", anna(t))
		g.stop()
		r.memory.gone = map[int64]bool{0: true}
		again := r.start(g.settled() + 1)
		enters(t, r, again, "c2", application())
		require.Len(t, r.systems["x"].entries("c2"), 1)
		again.stop()
	})
}

// After a start the applications of all open cases are read once, however many new ones come meanwhile.
func TestTheOpenCasesAreReadOnceAfterAStart(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		const open, come = 20, 10
		for n := range open {
			e := envelope(fmt.Sprint("old", n), 1, "application-submitted", sd)
			r.publish(e, application())
		}
		elapse(time.Minute)
		g.stop()
		again := r.start(g.settled() + 1)
		before := r.memory.reads
		for n := range come {
			r.publish(envelope(fmt.Sprint("new", n), 1, "application-submitted", sd), application())
		}
		elapse(time.Minute)
		require.Len(t, r.systems["x"].entries("new9"), 1)
		require.LessOrEqual(t, r.memory.reads-before, open+3*come)
		again.stop()
	})
}

// I8 without Redis: two gateways admit two applications of one person in the same moment, and neither has seen the other's. Whoever looks later sees both, so at most one of them is sent.
func TestI8_OfTwoApplicationsAdmittedInTheSameMomentOneIsSentAtMost(t *testing.T) {
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA})
		var both sync.WaitGroup
		both.Add(2)
		var first sync.Map
		r.judge = func(m handover.Message) (handover.Parties, ledger.Opening, error) {
			if _, seen := first.LoadOrStore(m.Case, true); !seen {
				both.Done()
				both.Wait()
			}
			return m.Parties, ledger.Opening{Profile: "test/one"}, nil
		}
		r.publish(envelope("c1", 1, "application-submitted", sd), anna(t))
		one := r.start(0)
		elapse(time.Second)
		r.publish(envelope("c2", 1, "application-submitted", sd), anna(t, func(a *handover.ApplicationSubmitted) { a.PlannedMonths++ }))
		other := r.start(1)
		elapse(time.Minute)
		waiting := map[handover.CaseID]bool{}
		for _, it := range one.ledger.Parked() {
			require.Equal(t, "second-claim", it.Reason.Code)
			waiting[it.Case] = true
		}
		require.NotEmpty(t, waiting)
		for _, c := range []handover.CaseID{"c1", "c2"} {
			require.Equal(t, waiting[c], len(r.systems["x"].entries(c)) == 0, "a case is sent or waits")
		}
		for _, it := range one.ledger.Parked() { // a person says that both are meant
			require.NoError(t, one.ledger.Rule(t.Context(), it, ledger.Decision{Verdict: ledger.Retry, Person: "test"}, native.Receipt{}))
		}
		elapse(time.Minute)
		require.Empty(t, codes(one))
		require.Len(t, r.systems["x"].entries("c1"), 1)
		require.Len(t, r.systems["x"].entries("c2"), 1)
		one.stop()
		other.stop()
	})
}

// A person has said that both are meant: neither waits again, whenever it is sent.
func TestI8_TwoCasesThatAreBothMeantAreNotAskedAboutAgain(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		r.systems["x"].faults = slices.Repeat([]string{"reject"}, 8) // the first one is under way for long
		enters(t, r, g, "c1", anna(t))
		enters(t, r, g, "c2", anna(t, func(a *handover.ApplicationSubmitted) { a.Receiving = "rav-sursee" }))
		require.Equal(t, []string{"second-claim"}, codes(g))
		require.NoError(t, g.ledger.Rule(t.Context(), g.ledger.Parked()[0], ledger.Decision{Verdict: ledger.Retry, Person: "test"}, native.Receipt{}))
		elapse(10 * time.Minute)
		g.stop()
		g = r.start(0)
		elapse(time.Minute)
		require.Empty(t, codes(g))
		require.Len(t, r.systems["x"].entries("c1"), 1)
		require.Len(t, r.systems["x"].entries("c2"), 1)
		g.stop()
	})
}
