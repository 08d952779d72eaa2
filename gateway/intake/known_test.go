package intake_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/ledger"
)

// I2, I7: the same record read again is recognised by Redis or by the ledger; when neither knows it yet, its copy has the same id and content, which
// the gate recognises.
// Faults 2 and 7.
func TestI7_TheSameRecordReadAgainIsRecognised(t *testing.T) {
	for _, tc := range []struct {
		name     string
		admitted bool
		redis    func(*redis)
		copies   int
	}{
		{"Redis knows it", false, func(*redis) {}, 1},
		{"Redis is gone", true, func(r *redis) { r.away = true }, 1},
		{"Redis is wiped", true, func(r *redis) { clear(r.prints) }, 1},
		{"Redis is stale", true, func(r *redis) {
			for id := range r.prints {
				r.prints[id] = "of an older content"
			}
		}, 1},
		{"Redis is gone and the gate has not seen it yet", false, func(r *redis) { r.away = true }, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			try(t, func(t *testing.T, w *world, s *source) {
				s.enter(record("c", 1, "hint"))
				g := w.start("klib", s)
				elapse(10 * poll)
				if tc.admitted {
					g.admit(w)
				}
				w.redis.set(tc.redis)
				s.enter(record("c", 1, "hint"))
				elapse(10 * poll)
				require.Len(t, w.disk.messages(), tc.copies)
				for _, m := range w.disk.messages() {
					require.Equal(t, w.disk.messages()[0].ID, m.ID)
					require.Equal(t, w.payload(w.disk.messages()[0]), w.payload(m))
				}
				g.stop()
			})
		})
	}
}

// I1: a record that comes again with another content is not taken for known; the gate puts it before a person.
func TestI1_AChangedRecordUnderTheSameIDIsPublished(t *testing.T) {
	for _, admitted := range []bool{false, true} {
		try(t, func(t *testing.T, w *world, s *source) {
			s.enter(record("c", 1, "hint"))
			g := w.start("klib", s)
			elapse(10 * poll)
			if admitted {
				g.admit(w)
			}
			changed := record("c", 1, "hint")
			changed.Body = []byte("anders")
			s.enter(changed)
			elapse(10 * poll)
			require.Len(t, w.disk.messages(), 2)
			require.Equal(t, w.disk.messages()[0].ID, w.disk.messages()[1].ID)
			require.Contains(t, w.payload(w.disk.messages()[1]), "anders")
			g.stop()
		})
	}
}

// What a person has withdrawn does not wait again when it is read again.
func TestWhatAPersonHasWithdrawnIsNotParkedAgain(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "puzzle"))
		g := w.start("klib", s)
		elapse(10 * poll)
		g.rule(w, ledger.Withdraw)
		g.stop()
		s.enter(record("c", 1, "puzzle"))
		g = w.start("klib", s)
		elapse(10 * poll)
		require.Empty(t, g.ledger.Parked())
		require.Len(t, w.disk.keptOf(w.caseID("klib", "c")), 1, "no second copy is kept")
		g.stop()
	})
}

// I7: ids follow from the native record alone, so a restart changes none, and what two systems call alike is not the same.
func TestI7_IDsAreTheSameAfterARestartAndDifferBetweenSystems(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "hint"))
		w.redis.away = true
		g := w.start("klib", s)
		elapse(10 * poll)
		g.stop()
		for p := range w.disk.log { // a new ledger, so that everything is read again
			w.disk.log[p] = nil
		}
		g, other := w.start("klib", s), w.start("avam", s)
		elapse(10 * poll)
		require.Len(t, w.disk.messages(), 3)
		require.Equal(t, w.disk.names("")[:1], w.disk.firsts(w.caseID("klib", "c")))
		require.Len(t, w.disk.names(w.caseID("klib", "c")), 2)
		require.Len(t, w.disk.names(w.caseID("avam", "c")), 1)
		require.Len(t, w.disk.firsts(""), 2)
		g.stop()
		other.stop()
	})
}

// I1: a native system that was set back to an older state is read again from its beginning, once and for good: what is entered before the old position is valid
// again is not skipped, also when the gateway starts anew in between.
// Fault 67.
func TestI1_ASystemThatWasSetBackIsReadFromItsBeginning(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "hint"), record("c", 2, "hint"), record("c", 3, "hint"))
		g := w.start("klib", s)
		elapse(10 * poll)
		s.mu.Lock()
		s.entered = s.entered[:1]
		s.mu.Unlock()
		elapse(10 * poll)
		g.stop()
		s.enter(record("d", 1, "hint"), record("d", 2, "hint"), record("d", 3, "hint"))
		g = w.start("klib", s)
		elapse(10 * poll)
		g.stop()
		require.Len(t, w.disk.names(w.caseID("klib", "d")), 3)
		require.Len(t, w.disk.names(w.caseID("klib", "c")), 3, "what is known is not published again")
		require.Contains(t, w.logged(), "set back to an older state")
	})
}
