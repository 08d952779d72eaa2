package directory_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/einmal-hub/einmal/mocks/clerks"
)

func party(t *testing.T, d *directory.Directory, id handover.OrganisationID) profile.Party {
	t.Helper()
	o, known := d.Organisation(id)
	require.True(t, known, id)
	return profile.Party{Organisation: id, Agency: o.Agency, Offers: o.Offers, Full: o.Full}
}

// The clerks of the demo know the rules and each other by themselves, and not from the profile or from the directory: so what they expect of an application, who receives it
// where it is left open, where the records stand and what becomes of the assigning agency's own procedure is held here against what the product says.
func TestPlan_ClerksExpectWhatProfileAndDirectorySay(t *testing.T) {
	plan, err := clerks.NewPlan(7, 720)
	require.NoError(t, err)
	report, err := clerks.ReportPlan(7)
	require.NoError(t, err)
	d := lucerne(t)
	p, err := profile.Load("lucerne")
	require.NoError(t, err)
	groups, rules, versions := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, h := range slices.Concat(plan.Handovers, report.Handovers) {
		groups[h.Group+h.From+h.To] = true
		for _, step := range h.Steps {
			said, err := step.Facts.Payload(step.Name)
			require.NoError(t, err)
			v, err := p.On(handover.Date(step.Facts.AppliedOn))
			require.NoError(t, err)
			require.NoError(t, v.CheckMessage(said), step.Marker)
			versions[v.Name] = true
			if form, applies := said.(handover.ApplicationSubmitted); applies {
				expects(t, d, v, h, step, form)
			}
			if step.Answer != nil {
				for _, r := range step.Answer.Rules {
					rules[r] = true
				}
			}
		}
	}
	require.Len(t, groups, 13) // with the direction that the pilot no longer provides for
	require.GreaterOrEqual(t, len(rules), 25)
	require.Equal(t, map[string]bool{"pilot-2018": true, "regular-2025": true}, versions)
}

// expects holds one application against the product.
func expects(t *testing.T, d *directory.Directory, v profile.Version, h clerks.Handover, step clerks.Step, form handover.ApplicationSubmitted) {
	t.Helper()
	agency, known := v.ProcessReceiver(form.Process)
	require.True(t, known)
	receiving := form.Receiving
	if receiving == "" {
		found, err := d.Receiver(agency, form.Person.Address.Municipality, form.AppliedOn)
		if err != nil {
			require.Equal(t, &clerks.Answer{Returned: true, Rules: []string{"DIRECTORY-NOT-SERVED"}}, step.Answer)
			return
		}
		receiving = found.ID
	}
	require.Equal(t, handover.Parties{Assigning: form.Assigning, Receiving: receiving}, h.Parties, "handover %d: %s", h.Number, h.Play)
	rulings := v.Judge(profile.Application{
		Assigning: party(t, d, form.Assigning), Receiving: party(t, d, receiving), Form: form,
		Responsible: d.Responsible(receiving, form.Person.Address.Municipality, form.AppliedOn),
	})
	want := step.Answer
	if want != nil && slices.Equal(want.Rules, []string{"CLEARED"}) {
		want = nil // the gateway says that by itself: nothing is against this wording any more
	}
	require.Equal(t, want, answer(rulings), "%s: %s", step.Marker, h.Play)
	if step.Returned() {
		return
	}
	for _, o := range []handover.OrganisationID{form.Assigning, receiving} {
		system, known := d.System(o, form.TargetGroup)
		require.True(t, known)
		require.Equal(t, clerks.Place{System: system, Organisation: o}, h.Home(o), "handover %d: %s", h.Number, h.Play)
	}
	own, known := v.Procedure(party(t, d, form.Assigning).Agency, form.Process)
	require.True(t, known)
	require.Equal(t, h.Meanwhile, string(own.Meanwhile))
	require.Equal(t, profile.Full, own.Afterwards)
}

// answer is what the clerks call what the rulings say.
func answer(rulings []profile.Ruling) *clerks.Answer {
	var a clerks.Answer
	for _, r := range rulings {
		if r.Status != profile.Satisfied {
			a.Rules = append(a.Rules, r.Rule)
			a.Returned = a.Returned || r.Blocks()
		}
	}
	if a.Rules == nil {
		return nil
	}
	slices.Sort(a.Rules)
	return &a
}

// Whatever the profile lets be handed over on the day of a play is played, in one round.
func TestPlan_PlaysEveryDirectionThatTheProfileProvidesFor(t *testing.T) {
	p, err := profile.Load("lucerne")
	require.NoError(t, err)
	plan, err := clerks.NewPlan(7, 12)
	require.NoError(t, err)
	var played []string
	for _, h := range plan.Handovers {
		form := h.Steps[0].Facts
		v, err := p.On(handover.Date(form.AppliedOn))
		require.NoError(t, err)
		require.Equal(t, "regular-2025", v.Name)
		if h.From != h.To {
			played = append(played, h.Group+" "+h.From+" "+h.To+" "+form.Process)
		}
	}
	var provided []string
	v, known := p.Version("regular-2025")
	require.True(t, known)
	for _, g := range v.Groups {
		for _, d := range g.Directions {
			provided = append(provided, string(g.Code+" "+d.From+" "+d.To+" "+d.Process))
		}
	}
	require.ElementsMatch(t, provided, played)
}
