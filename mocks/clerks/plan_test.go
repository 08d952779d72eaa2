package clerks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
)

func plan(t require.TestingT, seed int64, n int) clerks.Plan {
	p, err := clerks.NewPlan(seed, n)
	require.NoError(t, err)
	return p
}

func TestPlan_EveryStepIsAllowedByTheTransitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, h := range plan(t, rapid.Int64().Draw(t, "seed"), 10).Handovers {
			state := handover.NoCase
			for _, s := range h.Steps {
				p, err := s.Facts.Payload(s.Name)
				require.NoError(t, err, s.Marker)
				require.Equal(t, s.Role, h.Parties.RoleOf(s.Organisation))
				next, refusal := handover.Next(state, s.Role, p)
				require.Empty(t, refusal, "%s %s in %s", s.Marker, s.Name, state)
				state = next
			}
			require.Contains(t, []handover.State{
				handover.RejectedState, handover.NotEstablished, handover.Closed, handover.Withdrawn,
			}, state, "the case comes to an end")
		}
	})
}

func TestPlan_EveryMessageOccurs(t *testing.T) {
	seen, bySystem := map[handover.Name]bool{}, map[handover.SystemID]int{}
	p := plan(t, 1, 100)
	for _, h := range p.Handovers {
		for _, s := range h.Steps {
			seen[s.Name] = true
			bySystem[s.System]++
		}
	}
	for _, m := range handover.Catalogue() {
		require.True(t, seen[m.Name()], m.Name())
	}
	require.InDelta(t, p.Steps()/12, bySystem["casenet"], float64(p.Steps())/20)
	require.Positive(t, bySystem["klib"])
	require.Positive(t, bySystem["avam"])
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
		require.Len(t, h.Systems, 3)
		for _, s := range h.Steps {
			require.False(t, markers[s.Marker])
			markers[s.Marker] = true
			require.True(t, strings.HasPrefix(s.Facts.Remark, s.Marker))
			require.Contains(t, h.Systems, s.System)
		}
	}
}
