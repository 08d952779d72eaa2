package delivery_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// A person who is to find out whether something was recorded is told which attempt it was, when, what came back of it, and by which reference to look.
func TestADoubtIsPutBeforeAPersonWithItsEvidence(t *testing.T) {
	keys := newKeys(t)
	for name, c := range map[string]struct {
		dies bool // the gateway that sent, before it can say what came back
		back string
	}{
		"by the gateway that sent":    {false, "what came back is lost, the answer was lost"},
		"after the gateway that sent": {true, "what came back is nothing: the gateway that made it has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeC})
				x := r.systems["x"]
				x.faults = []string{"lost"}
				g := r.start(0)
				began := time.Now()
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				if c.dies {
					for x.calls == 0 {
						elapse(time.Millisecond)
					}
					g.cancel()
					g = r.start(g.settled() + 1)
				}
				elapse(10 * time.Minute)
				waits := g.ledger.Parked()
				require.Len(t, waits, 1)
				reason := waits[0].Reason
				require.Equal(t, "outcome-unknown", reason.Code)
				require.Contains(t, reason.Text, "attempt 1 was made at "+began.UTC().Format("2006-01-02T15:04"))
				require.Contains(t, reason.Text, c.back)
				require.Contains(t, reason.Next, "the reference "+string(waits[0].Ref)+";")
				g.stop()
			})
		})
	}
}
