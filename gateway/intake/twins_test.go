package intake_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// I2: what stands twice, or otherwise than the ledger says, shows itself first where the system is read; a comparison is asked for then, and only then.
func TestI2_WhatStandsTwiceIsNoticedAsSoonAsItIsRead(t *testing.T) {
	to := ledger.Destination{System: "klib", Organisation: "sd-kriens"}
	entry := ledger.Entry{Case: "case-1", Message: "m", To: to, Ref: "ref-1"}
	intend := func(t *testing.T, l *ledger.Ledger) { require.NoError(t, l.Intend(t.Context(), entry, 1, "nonce")) }
	done := func(number native.RecordID) func(*testing.T, *ledger.Ledger) {
		return func(t *testing.T, l *ledger.Ledger) {
			require.NoError(t, l.Done(t.Context(), entry, native.Receipt{Record: number}))
		}
	}
	withdraw := func(t *testing.T, l *ledger.Ledger) {
		require.NoError(t, l.Park(t.Context(), entry, ledger.Parking{Attempt: 1}))
		items := l.Parked()
		require.Len(t, items, 1)
		require.NoError(t, l.Rule(t.Context(), items[0], ledger.Decision{Verdict: ledger.Withdraw, Person: "v.amrein"}, native.Receipt{}))
	}
	for _, tc := range []struct {
		name    string
		happens []any // what the ledger says, or the number of a record that is read
		asks    int
	}{
		{"it stands once, and was read before it was done", []any{intend, 1, done("c-1")}, 0},
		{"it stands once, and was read afterwards", []any{intend, done("c-1"), 1}, 0},
		{"it stands once, and is read again and again", []any{intend, 1, 1, done("c-1"), 1}, 0},
		{"another one was read before it was done", []any{intend, 2, done("c-1")}, 1},
		{"another one is read afterwards", []any{intend, done("c-1"), 1, 2}, 1},
		{"two were read before it was done", []any{intend, 1, 2}, 1},
		{"two were read again and again before it was done", []any{intend, 1, 2, 1, 2, done("c-1")}, 1},
		{"nobody has said its number", []any{intend, done(""), 1}, 0},
		{"it was withdrawn, and is read", []any{intend, withdraw, 1}, 1},
		{"it was read, and is withdrawn", []any{intend, 1, withdraw}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			try(t, func(t *testing.T, w *world, s *source) {
				g := w.start("klib", s)
				elapse(2 * poll)
				for _, happens := range tc.happens {
					switch happens := happens.(type) {
					case int:
						echo := record("c", happens, "hint")
						echo.Reference, echo.CaseReference = entry.Ref, entry.Case
						s.enter(echo)
					case func(*testing.T, *ledger.Ledger):
						happens(t, g.ledger)
					}
					elapse(2 * poll)
				}
				require.Equal(t, tc.asks, w.suspicions())
				require.Empty(t, w.disk.names(""), "none of it is news")
				g.stop()
			})
		})
	}
}
