package intake_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/intake"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// accepts lets a person accept a loss of the ledger.
func (w *world) accepts() {
	w.t.Helper()
	g := w.open("nobody", &source{}, 1, false)
	require.NoError(w.t, g.ledger.Accept(w.t.Context(), 0, ledger.Acceptance{Person: "op", Why: "an older backup"}))
	g.stop()
}

// I3: after a loss, what was entered in several systems comes back in the order in which it was entered, however it is read; a system that cannot be read holds the others up for a while only.
func TestI3_AfterALossSeveralSystemsAreReadInStep(t *testing.T) {
	for _, away := range []bool{false, true} {
		try(t, func(t *testing.T, w *world, first *source) {
			all := map[handover.SystemID]*source{"avam": first, "klib": {}}
			for i := range 8 { // alternately, a minute apart
				rec := record("c", i+1, "hint")
				rec.At = time.Now()
				all[[]handover.SystemID{"avam", "klib"}[i%2]].enter(rec)
				elapse(time.Minute)
			}
			w.accepts()
			w.order = intake.NewOrder(time.Now, "avam", "klib")
			if away {
				w.order = intake.NewOrder(time.Now, "avam", "klib", "casenet")
			}
			var running []*gateway
			for id, s := range all {
				running = append(running, w.open(id, s, 3, true))
			}
			if away {
				elapse(9 * time.Minute)
				require.Empty(t, w.disk.messages(), "casenet may still have something that comes first")
				elapse(2 * time.Minute)
			}
			elapse(time.Minute)
			require.Len(t, w.disk.messages(), 8)
			for i, m := range w.disk.messages() {
				require.EqualValues(t, i+1, m.Sequence)
			}
			for _, g := range running {
				g.stop()
			}
		})
	}
}

// A reference that the ledger may have lost is no stranger's: it is left to delivery, which finds it, and to the comparison.
func TestI1_AReferenceThatMayHaveBeenLostIsPutBeforeNobody(t *testing.T) {
	for _, lost := range []bool{false, true} {
		try(t, func(t *testing.T, w *world, s *source) {
			rec := record("c", 1, "hint")
			rec.Reference, rec.At = "of-yesterday", time.Now()
			s.enter(rec)
			if lost {
				w.accepts()
			}
			g := w.start("klib", s)
			elapse(10 * poll)
			require.Equal(t, !lost, len(g.ledger.Parked()) == 1)
			g.stop()
		})
	}
}
