package delivery_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// I7: a stop in the middle of writing down an answer that has been received does not lose the answer: nobody is asked about a known outcome.
// Fault 42.
func TestI7_AStopDoesNotCutTheWritingOfAnAnswerShort(t *testing.T) {
	keys := newKeys(t)
	for _, moment := range []time.Duration{500 * time.Millisecond, 620 * time.Millisecond, 750 * time.Millisecond, 850 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeC})
			r.memory.slow = 300 * time.Millisecond // ADMIT, INTENT and, after 600 ms, DONE
			first := r.start(0)
			r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
			elapse(moment)
			first.stop()
			second := r.start(0)
			elapse(time.Minute)
			if moment > 600*time.Millisecond {
				require.Len(t, r.systems["x"].journal, 1)
				require.Empty(t, second.ledger.Parked(), "stopped after %s", moment)
			}
			second.stop()
		})
	}
}

// nowhere is a source of parked records that is no longer configured.
type nowhere struct{}

func (nowhere) Again(context.Context, handover.CaseID, ledger.Place) error {
	return fault.New(fault.Park, "test", "unknown-system", "the system is not configured any more")
}

// I1: a parked record that cannot be read again waits for a person again, and that person can withdraw it.
func TestI1_AParkedRecordThatCannotBeReadAgainIsParkedAnew(t *testing.T) {
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA})
		r.again = nowhere{}
		g := r.start(0)
		elapse(time.Second)
		e := ledger.Entry{Case: "c1", Message: "m1", To: ledger.Gate}
		require.NoError(t, g.ledger.Park(t.Context(), e, ledger.Parking{Place: ledger.Place{Topic: ledger.OnParked}, Reason: ledger.Reason{Code: "unknown-code", Text: "x"}}))
		rule := func(v ledger.Verdict) {
			require.NoError(t, g.ledger.Rule(t.Context(), g.ledger.Parked()[0], ledger.Decision{Verdict: v, Person: "op", Why: "because"}, native.Receipt{}))
			elapse(time.Minute)
		}
		rule(ledger.Retry)
		require.Equal(t, ledger.StatusParked, g.ledger.Parked()[0].Status)
		require.Equal(t, "unknown-system", g.ledger.Parked()[0].Reason.Code)
		rule(ledger.Withdraw)
		require.Empty(t, g.ledger.Parked())
		g.stop()
	})
}
