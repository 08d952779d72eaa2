package directory_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/stretchr/testify/require"
)

func party(t *testing.T, d *directory.Directory, id handover.OrganisationID) profile.Party {
	t.Helper()
	o, known := d.Organisation(id)
	require.True(t, known, id)
	return profile.Party{Organisation: id, Agency: o.Agency, Offers: o.Offers, Full: o.Full}
}

// The clerks of the demo know the rules: what they apply for is admissible, goes to the office that is responsible, and has an exemption within its limit
// or with a reason.
func TestPlan_EveryApplicationIsAdmissible(t *testing.T) {
	d := lucerne(t)
	p, err := profile.Load("lucerne")
	require.NoError(t, err)
	plan, err := clerks.NewPlan(7, 300)
	require.NoError(t, err)
	groups := map[handover.Code]int{}
	for _, h := range plan.Handovers {
		for _, step := range h.Steps {
			payload, err := step.Facts.Payload(step.Name)
			require.NoError(t, err)
			switch m := payload.(type) {
			case handover.ApplicationSubmitted:
				v, err := p.On(m.AppliedOn)
				require.NoError(t, err)
				require.NoError(t, v.Check(m))
				rulings := v.Judge(profile.Application{
					Assigning: party(t, d, m.Assigning), Receiving: party(t, d, m.Receiving), Form: m,
					Responsible: d.Responsible(m.Receiving, m.Person.Address.Municipality, m.AppliedOn),
				})
				for _, r := range rulings {
					require.False(t, r.Blocks(), "%s: %s %s %v", m.TargetGroup, r.Rule, r.Status, r.Missing)
				}
				groups[m.TargetGroup]++
			case handover.JobSearchExemptionSigned:
				v, err := p.On(m.SignedOn)
				require.NoError(t, err)
				limit, ok := v.Deadline("JOB_SEARCH_EXEMPTION")
				require.True(t, ok)
				last, err := limit.Due(m.From)
				require.NoError(t, err)
				require.True(t, m.To <= last || m.ExtensionReason != "")
			}
		}
	}
	require.Equal(t, map[handover.Code]int{"G": 150, "H": 150}, groups)
}
