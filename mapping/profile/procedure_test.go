package profile_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// Domain: concept 3.3. The assigning agency reduces its own procedure while the other one leads; only the IV suspends it, for a social service.
func TestProcedure_IsThatOfTheConcept(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		for _, c := range []struct{ assigning, process, want code }{
			{"ALV", "OPTIMA_IV", profile.Reduced}, {"ALV", "OPTIMA_SH", profile.Reduced}, {"IV", "OPTIMA_ALV", profile.Reduced}, {"IV", "OPTIMA_SH", profile.Suspended},
			{"SH", "OPTIMA_ALV", profile.Reduced}, {"SH", "OPTIMA_IV", profile.Reduced}, {"SH", "OPTIMA_SH", profile.Reduced},
		} {
			p, ok := v.Procedure(c.assigning, c.process)
			require.True(t, ok, "%s %s", c.assigning, c.process)
			require.Equal(t, c.want, p.Meanwhile)
			require.Equal(t, profile.Full, p.Afterwards)
		}
	}
}

// Whoever can hand a case over has a procedure, and nobody else.
func TestProcedure_IsThereForEveryHandoverThatMayHappen(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				p, ok := v.Procedure(d.From, d.Process)
				require.True(t, ok)
				require.NotEmpty(t, p.Keeps)
				require.NotEmpty(t, p.Stops)
			}
		}
	})
	v := version(t, "regular-2025")
	for _, c := range [][2]code{{"ALV", "OPTIMA_ALV"}, {"IV", "OPTIMA_IV"}, {"", ""}, {"SH", "IQIB"}} {
		_, ok := v.Procedure(c[0], c[1])
		require.False(t, ok)
	}
}

func TestProcessReceiver_IsTheAgencyTypeThatTheProcessIsNamedAfter(t *testing.T) {
	v := version(t, "regular-2025")
	for process, want := range map[code]code{"OPTIMA_ALV": "ALV", "OPTIMA_IV": "IV", "OPTIMA_SH": "SH"} {
		agency, ok := v.ProcessReceiver(process)
		require.True(t, ok)
		require.Equal(t, want, agency)
	}
	_, ok := v.ProcessReceiver("IQIB")
	require.False(t, ok)
}

func TestChecked_AnApplicationInOrderHasNothingToSay(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	_, something := v.Checked(a.Application, v.Judge(a.Application), "de")
	require.False(t, something)
}

// What is refused goes back with everything that is to say of it; what is only warned of goes on.
func TestChecked_ReturnsWhatARuleRefusesAndForwardsWithWarnings(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.Form.Remark = "Nachtrag"
	a.Receiving.Full = true
	m, something := v.Checked(a.Application, v.Judge(a.Application), "en")
	require.True(t, something)
	require.NoError(t, m.Validate())
	require.Equal(t, handover.ApplicationChecked{
		Outcome: handover.Forward, Profile: "lucerne/regular-2025", Remark: "Nachtrag",
		Findings: []handover.RuleFinding{{
			Rule: "G6", Severity: handover.SeverityWarn, Reason: "NO_CAPACITY", Source: "C 3.2, E 1, WEB",
			Text: "The receiving agency can take over; it decides itself.", Hint: "The agency reports no capacity at present; call first.",
		}},
	}, m)

	a.answer("IV_PROCEDURE", "CLOSED")
	a.answer("IV_CLAIM_CLARIFICATION", "RUNNING")
	m, something = v.Checked(a.Application, v.Judge(a.Application), "")
	require.True(t, something)
	require.NoError(t, m.Validate())
	require.Equal(t, handover.Returned, m.Outcome)
	require.Len(t, m.Findings, 2)
	require.Equal(t, "Die Stelle meldet zurzeit keine Kapazität; vorher anrufen.", m.Findings[0].Hint.Reveal(), "in the profile's first language")
	require.Equal(t, "ALV3", m.Findings[1].Rule)
	require.Equal(t, handover.SeverityRefuse, m.Findings[1].Severity)
}

// A clerk who left an answer out is told which one, by the question and its code.
func TestChecked_AMissingAnswerIsReturnedWithItsQuestion(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("INTACT_WORK_OFFER", "")
	m, something := v.Checked(a.Application, v.Judge(a.Application), "en")
	require.True(t, something)
	require.Equal(t, handover.Returned, m.Outcome)
	require.Len(t, m.Findings, 1)
	require.Equal(t, "ALV2", m.Findings[0].Rule)
	require.Equal(t, "Please answer: Does the person have an intact work offer? (INTACT_WORK_OFFER)", m.Findings[0].Hint.Reveal())
}

// A soft rule that was not answered asks, and never holds the application back.
func TestChecked_ASoftRuleThatWasNotAnsweredIsAWarning(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("EVER_REGISTERED", "")
	m, something := v.Checked(a.Application, v.Judge(a.Application), "de")
	require.True(t, something)
	require.Equal(t, handover.Forward, m.Outcome)
	require.Equal(t, handover.SeverityWarn, m.Findings[0].Severity)
	require.Contains(t, m.Findings[0].Hint.Reveal(), "EVER_REGISTERED")
}

// Whatever an application lacks, the answer to it is a valid message: nothing that the rules can say is too long for it.
func TestChecked_EveryAnswerIsAValidMessage(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, language := range append(v.Languages, "xx", "") {
			for _, g := range v.Groups {
				a := profile.Application{Form: handover.ApplicationSubmitted{TargetGroup: g.Code}}
				m, something := v.Checked(a, v.Judge(a), language)
				require.True(t, something)
				require.NoError(t, m.Validate())
			}
		}
	})
}
