package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// everyVersion runs a test for each version of each profile.
func everyVersion(t *testing.T, test func(*testing.T, profile.Version)) {
	t.Helper()
	for _, name := range profile.Names() {
		for _, v := range load(t, name).Versions() {
			t.Run(v.ID, func(t *testing.T) { test(t, v) })
		}
	}
}

// P1: no sovereign acts across agencies. A profile has words for the messages of the catalogue and no others, and the only one about a sanction is a hint.
func TestP1_NoMessageDecidesForAnotherAgency(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, m := range v.Messages {
			require.True(t, slices.ContainsFunc(handover.Catalogue(), func(p handover.Payload) bool { return string(p.Name()) == m.Name }))
			if strings.Contains(m.Name, "sanction") {
				require.Equal(t, "sanction-hint", m.Name)
			}
		}
	})
}

// P2: no process of its own; each is the ordinary work of the agency type that receives.
func TestP2_EveryProcessBelongsToAnAgencyType(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, p := range v.Processes {
			require.True(t, v.Knows("agency", p.Receiver))
		}
	})
}

// P3: benefits are neither examined nor paid, so no form asks for an amount.
func TestP3_NoFormAsksForMoney(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, i := range v.Items {
			if i.Number != nil {
				require.Contains(t, []handover.Code{"PERCENT", "MONTHS", "DAYS", "COUNT"}, i.Number.Unit)
			}
		}
	})
}

// P4: one agency leads. An application that only wants advice is refused, and an agency that goes on leading is a reason to close.
func TestP4_TheWholeLeadershipMoves(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		a := base(t, v, "H", "SH>ALV")
		a.answer("CASE_LEADERSHIP_MOVES", "NO")
		require.Equal(t, []string{"G3"}, blocked(v.Judge(a.Application)))
		require.True(t, v.Knows("closure", "PARALLEL_CASE_LEADERSHIP"))
	}
}

// P5: nothing leaves without the ground that the law demands; where it knows none, nothing leaves at all.
func TestP5_EveryDirectionHasItsLegalGate(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		require.Equal(t, []handover.Code{"CONSENT"}, v.Gate("SH", "ALV"))
		require.Equal(t, v.Gate("IV", "ALV"), v.Gate("ALV", "IV"))
		require.Contains(t, v.Gate("ALV", "IV"), handover.Code("INFORMED"))
		require.Equal(t, []handover.Code{"CONSENT"}, v.Gate("IV", "SH"))
		require.Nil(t, v.Gate("ALV", "ALV"))
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				a := base(t, v, g.Code, string(d.From+">"+d.To))
				a.Form.Consent = handover.Consent{}
				require.Contains(t, blocked(v.Judge(a.Application)), "G2")
			}
		}
	}
}

// P8: no running status. The messages have words for events of the process only, and reviews have their day.
func TestP8_ReviewsHaveADayInsteadOfRunningStatus(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		require.Len(t, v.Messages, len(handover.Catalogue()))
	})
	d, ok := version(t, "regular-2025").Deadline("REVIEW_MEETING")
	require.True(t, ok)
	due, err := d.Due("2026-05-04")
	require.NoError(t, err)
	require.Equal(t, handover.Date("2026-05-04"), due)
}

// P9: nothing is asked for the sake of reports: every item is needed by a rule or a target group. The loader refuses others (see the test "item that nobody
// reads"); here every item is asked in some direction.
func TestP9_EveryItemIsAskedSomewhere(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		asked := map[handover.Code]bool{}
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				a := base(t, v, g.Code, string(d.From+">"+d.To))
				a.Form.Declarations = nil
				for _, i := range v.Questions(a.Application) {
					asked[i.Code] = true
				}
			}
		}
		for _, i := range v.Items {
			require.True(t, asked[i.Code], "%s: %s", v.Name, i.Code)
		}
	}
}

// P10: the time to return a cost approval is known, so that an order can wait for it and a reminder can go out.
func TestP10_TheCostApprovalHasItsTenDays(t *testing.T) {
	d, ok := version(t, "regular-2025").Deadline("COST_APPROVAL_RETURN")
	require.True(t, ok)
	due, err := d.Due("2026-03-02")
	require.NoError(t, err)
	require.Equal(t, handover.Date("2026-03-12"), due)
	require.Equal(t, profile.BeyondRemind, d.Beyond)
}

// P14: a form asks what its direction needs and nothing else; an application that answers the questions is judged without further ones.
func TestP14_AFormAsksOnlyWhatIsNeeded(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	all := a.Form.Declarations
	a.Form.Declarations = nil
	var codes []handover.Code
	for _, i := range v.Questions(a.Application) {
		codes = append(codes, i.Code)
	}
	require.Contains(t, codes, handover.Code("WORK_CAPACITY_PERCENT"))
	for _, c := range codes {
		require.NotContains(t, string(c), "SOCIAL_IMPEDIMENT")
	}
	a.Form.Declarations = slices.DeleteFunc(slices.Clone(all), func(d handover.Declaration) bool { return !slices.Contains(codes, d.Item) })
	require.Empty(t, blocked(v.Judge(a.Application)))
	require.Less(t, len(a.Form.Declarations), len(all))
}
