package intake_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

func broken(id native.RecordID) adapters.Broken {
	return adapters.Broken{
		ID: id, Raw: []byte("Muster Rahel <" + id), Reason: fault.New(fault.Park, "test.read", "not-json", "the record is not what the contract describes"),
	}
}

// I3: what cannot be taken apart belongs to no known case: it is parked once and holds back nothing.
func TestI3_ABrokenRecordIsParkedOnceAndHoldsBackNothing(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "hint"), broken("c-2"), record("c", 3, "hint"), broken("c-2"))
		g := w.start("klib", s)
		elapse(10 * poll)
		s.enter(broken("c-2"))
		elapse(10 * poll)
		require.Len(t, g.ledger.Parked(), 1)
		it := g.ledger.Parked()[0]
		require.Equal(t, "not-json", it.Reason.Code)
		require.NotEqual(t, w.caseID("klib", "c"), it.Case)
		require.NotContains(t, string(w.disk.keptOf(it.Case)[0]), "Muster")
		require.Len(t, w.disk.names(w.caseID("klib", "c")), 2)
		require.EqualValues(t, "5", g.ledger.Cursor("klib"))
		g.stop()
	})
}

// I1: a person corrects a broken record where it was entered and withdraws einmal's copy of it, in either order: what was corrected is news all the same.
func TestI1_TheWithdrawalOfABrokenRecordDoesNotConcernTheCorrectedOne(t *testing.T) {
	t.Run("withdrawn first", func(t *testing.T) {
		try(t, func(t *testing.T, w *world, s *source) {
			s.enter(broken("c-1"))
			g := w.start("klib", s)
			elapse(10 * poll)
			g.rule(w, ledger.Withdraw)
			s.enter(record("c", 1, "hint"), broken("c-1"))
			elapse(10 * poll)
			require.Equal(t, []handover.MessageID{w.messageID("klib", "c-1")}, w.disk.names(""))
			require.Empty(t, g.ledger.Parked(), "what is withdrawn stays withdrawn")
			g.stop()
		})
	})
	t.Run("corrected first", func(t *testing.T) {
		try(t, func(t *testing.T, w *world, s *source) {
			s.enter(broken("c-1"))
			g := w.start("klib", s)
			elapse(10 * poll)
			s.enter(record("c", 1, "hint"))
			elapse(10 * poll)
			g.admit(w)
			g.rule(w, ledger.Withdraw)
			a, known := g.ledger.Admission(w.messageID("klib", "c-1"))
			require.True(t, known)
			require.False(t, a.Withdrawn)
			g.stop()
		})
	})
}
