package gateway_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// A record that cannot be translated is parked when it is read, long before the message entered before it has gone its way over the bus.
func TestI3ARecordThatIsParkedHoldsBackNothingThatWasEnteredBeforeIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	var affairs []*affair
	var first []string
	for i := range 8 {
		a := s.affair(i)
		first = append(first, a.enters(world.KLIB, "sd-kriens", "application-submitted"))
		a.slips(world.KLIB, "sd-kriens", "application-withdrawn", func(w *core.Write) {
			w.Body = []byte(`{"datum":"03.03.2026","grund":"keiner","bemerkung":"` + a.tag + `-02]"}`)
		})
		affairs = append(affairs, a)
	}
	g := s.gateway()
	for i, a := range affairs {
		a.appears(first[i], everywhere()...)
	}
	for _, it := range g.waits(len(affairs)) {
		require.Equal(t, "unknown-code", it.Reason.Code)
		g.rule(it.ID, "WITHDRAW")
	}
	g.waits(0)
	for i, a := range affairs {
		answer := a.enters(world.AVAM, "rav-luzern", "clarification-requested")
		require.NotEmpty(t, first[i])
		a.appears(answer, everywhere()...)
	}
}

// Two social services that work in the same system: each has a dossier of its own there, and both speak in turns and at the same time.
func TestI3TwoPartiesInOneSystemHaveADossierEach(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	parties := []handover.OrganisationID{"sd-kriens", "sobz-sursee"}
	dossiers := []*affair{s.affair(1).between(parties[0], parties[1]), s.affair(1).between(parties[0], parties[1])}
	says := func(who int, name handover.Name) string {
		dossiers[who].step = max(dossiers[0].step, dossiers[1].step)
		return dossiers[who].enters(world.KLIB, parties[who], name)
	}
	arrives := func(marker string) {
		said := func() []core.Entry {
			return slices.DeleteFunc(s.world.Store(world.KLIB).Containing(marker), func(e core.Entry) bool { return answered(world.KLIB, e) })
		}
		require.Eventually(t, func() bool { return len(said()) == 2 }, patience, tick, marker)
		for _, e := range said() {
			for i, p := range parties {
				if e.Dossier == p {
					dossiers[i].cases[world.KLIB] = e.Case
				}
			}
		}
	}
	markers := []string{says(0, "application-submitted")}
	arrives(markers[0])
	for i, name := range []handover.Name{"clarification-requested", "clarification-answered", "application-decided", "transfer-meeting-scheduled", "transfer-meeting-recorded"} {
		markers = append(markers, says((i+1)%2, name))
		arrives(markers[len(markers)-1])
	}
	// Both say something before they see what the other one says: the places in the two dossiers cross.
	crossed := []string{says(0, "extra-meeting-requested"), says(1, "sanction-hint"), says(0, "extra-meeting-requested"), says(1, "review-meeting-scheduled")}
	for _, m := range crossed {
		arrives(m)
	}
	last := says(1, "case-closed")
	arrives(last)
	g.clean()
	for _, d := range dossiers {
		stands := d.stands(world.KLIB)
		require.Equal(t, markers, stands[:len(markers)])
		require.ElementsMatch(t, crossed, stands[len(markers):len(stands)-1])
		require.Equal(t, last, stands[len(stands)-1])
	}
	require.Len(t, s.world.Store(world.CASEnet).After(0, 0), len(markers)+len(crossed)+1)
}
