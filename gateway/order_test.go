package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
