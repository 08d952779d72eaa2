package clerks_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

func plan(t require.TestingT, seed int64, n int, systems ...handover.SystemID) clerks.Plan {
	p, err := clerks.NewPlan(seed, n, systems...)
	require.NoError(t, err)
	return p
}

// conversation follows a case by the tables of the protocol.
type conversation struct {
	t         require.TestingT
	state     handover.State
	approvals map[string]handover.ApprovalState
	history   []handover.Said
}

func (c *conversation) hears(s clerks.Step) {
	p, err := s.Facts.Payload(s.Name)
	require.NoError(c.t, err, s.Marker)
	approval := handover.ApprovalOf(p)
	before, now := handover.Standing{State: c.state, Approval: c.approvals[approval]}, handover.Standing{State: c.state, Approval: c.approvals[approval]}
	var refusal handover.Refusal
	if s.Action != "" {
		m := handover.Message{Envelope: handover.Envelope{Name: s.Name, Action: s.Action, References: handover.MessageID(s.Refers), Sender: s.Organisation}, Payload: p}
		now, refusal = handover.Revise(c.history, before, m, approval)
	} else {
		now.State, refusal = handover.Next(c.state, s.Role, p)
		if approval != "" && refusal == "" {
			now.Approval, refusal = handover.NextApproval(before.Approval, s.Name)
		}
	}
	require.Empty(c.t, refusal, "%s %s %s in %s", s.Marker, s.Action, s.Name, c.state)
	if s.Returned() {
		now.State = handover.ReturnedState
	}
	c.state = now.State
	c.approvals[approval] = now.Approval
	action := s.Action
	if action == "" {
		action = handover.ActionNew
	}
	c.history = handover.Remember(c.history, handover.Said{
		ID: handover.MessageID(s.Marker), Name: s.Name, Sender: s.Organisation, From: before.State, To: now.State, Approval: approval,
		ApprovalFrom: before.Approval, ApprovalTo: now.Approval,
	}, action, handover.MessageID(s.Refers))
}

func TestPlan_EveryStepIsAllowedByTheTransitions(t *testing.T) {
	for seed := range int64(25) {
		for _, h := range plan(t, seed, 40).Handovers {
			c := conversation{t: t, approvals: map[string]handover.ApprovalState{}}
			for _, s := range h.Steps {
				require.Equal(t, s.Role, h.Parties.RoleOf(s.Organisation))
				c.hears(s)
			}
			require.Contains(t, []handover.State{
				handover.ReturnedState, handover.RejectedState, handover.NotEstablished, handover.Closed, handover.Withdrawn,
			}, c.state, "the case comes to an end")
		}
	}
}

// The directions of domain model and concept, as they are since the pilot; between social services see the reporting table.
func TestPlan_EveryGroupIsPlayedInEveryDirection(t *testing.T) {
	got := map[string][]string{}
	for _, h := range plan(t, 1, 12).Handovers {
		require.False(t, h.Steps[0].Returned())
		got[h.Group] = append(got[h.Group], h.From+">"+h.To)
	}
	for _, directions := range got {
		slices.Sort(directions)
	}
	require.Equal(t, map[string][]string{
		"A": {"IV>ALV"}, "B": {"ALV>IV", "IV>ALV"}, "C": {"IV>SH"}, "D": {"IV>SH"}, "E": {"SH>IV"}, "F": {"ALV>IV"}, "G": {"ALV>SH"},
		"H": {"SH>ALV", "SH>SH"}, "I": {"ALV>SH", "SH>ALV"},
	}, got)
}

func TestPlan_AShortOneShowsEveryMessageAndEverySystem(t *testing.T) {
	seen, bySystem := map[handover.Name]bool{}, map[handover.SystemID]int{}
	for seed := range int64(20) {
		clear(seen)
		actions, receivers := map[handover.Action]bool{}, map[bool]bool{}
		for _, h := range plan(t, seed, 40).Handovers {
			if h.Steps[0].Answer != nil {
				seen["application-checked"] = true
			}
			receivers[h.Steps[0].Facts.Receiving == ""] = true
			for _, s := range h.Steps {
				seen[s.Name], actions[s.Action] = true, true
				bySystem[s.Place.System]++
			}
		}
		for _, m := range handover.Catalogue() {
			require.True(t, seen[m.Name()], "%s with the seed %d", m.Name(), seed)
		}
		require.Len(t, actions, 3)
		require.Len(t, receivers, 2)
	}
	require.Equal(t, everywhere(), slices.Sorted(maps.Keys(bySystem)))
}

func TestPlan_OneStepInTwelveIsEnteredOnThePlatform(t *testing.T) {
	p := plan(t, 1, 300)
	byHand := 0
	for _, h := range p.Handovers {
		for _, s := range h.Steps {
			if s.Place.System == "casenet" {
				byHand++
			}
		}
	}
	require.InDelta(t, p.Steps()/12, byHand, float64(p.Steps())/20)
}

func TestPlan_WorldWithoutASystemLeavesOutWhatNeedsIt(t *testing.T) {
	there := []handover.SystemID{"klib", "avam", "casenet"}
	groups := map[string]bool{}
	for _, h := range plan(t, 1, 60, there...).Handovers {
		groups[h.Group] = true
		require.Subset(t, there, h.Systems())
	}
	require.Equal(t, []string{"G", "H", "I"}, slices.Sorted(maps.Keys(groups)))
	for _, systems := range [][]handover.SystemID{{"casenet"}, {"klib", "avam"}} {
		_, err := clerks.NewPlan(1, 1, systems...)
		require.ErrorContains(t, err, "no handover can be played")
	}
}

func TestPlan_SeedDecidesAndLongerPlansStartWithShorterOnes(t *testing.T) {
	first, second := plan(t, 5, 20), plan(t, 5, 20)
	require.Equal(t, first, second)
	require.Equal(t, plan(t, 5, 7).Handovers, plan(t, 5, 20).Handovers[:7])
	require.NotEqual(t, plan(t, 6, 7).Handovers, plan(t, 5, 7).Handovers)
}

func TestPlan_MarkersAndPeopleAreUnique(t *testing.T) {
	markers, people := map[string]bool{}, map[string]bool{}
	for _, h := range plan(t, 2, 500).Handovers {
		require.False(t, people[h.Steps[0].Facts.Person.AHV])
		people[h.Steps[0].Facts.Person.AHV] = true
		for _, s := range h.Steps {
			require.False(t, markers[s.Marker])
			markers[s.Marker] = true
			require.True(t, strings.HasPrefix(s.Facts.Remark, s.Marker))
			require.Contains(t, h.Places, s.Place)
		}
	}
}

// The process as the concept describes it: a signed agreement when an unemployment office hands over to a social service (3.2.3), no costs of the IV before a
// closer examination (3.2.2), and the papers that belong to what is signed (3.2.1, 5.2).
func TestPlan_FollowsTheProcess(t *testing.T) {
	for _, h := range plan(t, 3, 400).Handovers {
		at := map[handover.Name]int{}
		for i, s := range h.Steps {
			if _, again := at[s.Name]; !again {
				at[s.Name] = i
			}
			switch s.Name {
			case "job-search-exemption-signed", "cost-approval-signed", "invoice-forwarded":
				require.NotEmpty(t, s.Facts.Documents, s.Marker)
			case "application-submitted", "clarification-answered", "transfer-meeting-recorded", "case-closed":
			default:
				require.Empty(t, s.Facts.Documents, s.Marker)
			}
		}
		_, closed := at["case-closed"]
		_, exempt := at["job-search-exemption-signed"]
		require.True(t, !closed || exempt || h.From != "ALV" || h.To != "SH", "handover %d lacks the agreement", h.Number)
		require.True(t, !exempt || h.From == "ALV")
		meeting, held := at["transfer-meeting-recorded"]
		costs, asked := at["cost-approval-requested"]
		require.True(t, !asked || held && meeting < costs)
		if review, reviewed := at["review-meeting-recorded"]; asked && h.To == "IV" && reviewed {
			require.Less(t, review, costs)
		}
	}
}

func TestPlan_RecallSaysAgainWhatItTakesBack(t *testing.T) {
	recalls := 0
	for _, h := range plan(t, 4, 200).Handovers {
		for i, s := range h.Steps {
			if s.Action == "" {
				require.Empty(t, s.Refers)
				continue
			}
			before := h.Steps[i-1]
			require.Equal(t, before.Marker, s.Refers)
			require.Equal(t, before.Place, s.Place, "it is put right where it was entered")
			if before.Returned() {
				require.Equal(t, &clerks.Answer{Rules: []string{"CLEARED"}}, s.Answer, "it takes back the answer to the wording before")
			} else {
				require.Nil(t, s.Answer)
			}
			before.Facts.Remark, s.Facts.Remark = "", ""
			if s.Action == handover.ActionRecall {
				recalls++
				require.Equal(t, before.Facts, s.Facts)
				continue
			}
			require.NotEqual(t, before.Facts, s.Facts, "a correction changes something")
			require.Equal(t, core.Hashes(before.Facts.Documents), core.Hashes(s.Facts.Documents))
		}
	}
	require.Positive(t, recalls)
}
