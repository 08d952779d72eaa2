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
		does string
		dies bool // the gateway that sent, before it can say what came back
		back string
	}{
		"by the gateway that sent":    {"lost", false, "what came back is lost, the answer was lost"},
		"in words that are not ours":  {"foreign", false, "what came back is an error that nobody has classified"},
		"after the gateway that sent": {"lost", true, "what came back is nothing: the gateway that made it has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeC})
				x := r.systems["x"]
				x.faults = []string{c.does}
				g := r.start(0)
				began := time.Now()
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				if c.dies {
					for asked := false; !asked; elapse(time.Millisecond) {
						x.mu.Lock()
						asked = x.calls > 0
						x.mu.Unlock()
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
				require.NotContains(t, reason.Text, "Kanarion")
				require.Contains(t, reason.Next, "the reference "+string(waits[0].Ref)+";")
				g.stop()
			})
		})
	}
}

// I1: a system that joins by reference and cannot be searched may refuse an attempt while an earlier one is still to be executed. The refusal counts when the entry is refused once more after everything
// has come to its end; what stands by then is joined.
func TestI1_ARefusalDoesNotOvertakeWhatASystemWithoutASearchStillExecutes(t *testing.T) {
	keys := newKeys(t)
	for name, c := range map[string]struct {
		faults  []string
		entries int
		parked  []string
	}{
		"the earlier attempt is executed": {[]string{"slow", "refuse"}, 1, nil},
		"refused again":                   {[]string{"vanish", "refuse", "refuse"}, 0, []string{"person-unknown"}},
		"refused at first":                {[]string{"refuse"}, 0, []string{"person-unknown"}},
		"taken when it is sent again":     {[]string{"vanish", "refuse"}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA})
				x := r.systems["x"]
				x.faults, x.closed = c.faults, true
				g := r.start(0)
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				elapse(10 * time.Minute)
				x.done.Wait()
				require.Len(t, x.journal, c.entries)
				var parked []string
				for _, it := range g.ledger.Parked() {
					parked = append(parked, it.Reason.Code)
				}
				require.Equal(t, c.parked, parked)
				g.stop()
			})
		})
	}
}

// What was announced and not sent is known not to be recorded, also when the log did not say that it had taken the INTENT: it is taken back, and nobody waits or is asked.
func TestAnIntentWhoseAnswerWasLostIsNoDoubt(t *testing.T) {
	keys := newKeys(t)
	for _, mode := range []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": mode})
				r.memory.unsure = 3
				x, g := r.systems["x"], r.start(0)
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				elapse(10 * time.Minute)
				require.Len(t, x.journal, 1)
				require.Empty(t, g.ledger.Parked())
				require.EqualValues(t, 0, g.settled())
				ref, _ := g.ledger.Ref(x.journal[0].Reference)
				require.Zero(t, ref.Doubts, "it was never in doubt")
				require.Equal(t, 4, ref.Attempt)
				g.stop()
			})
		})
	}
}

// A gateway that stops, or loses the partition, before it has sent what it announced takes that back: the next one cannot know it.
func TestAnIntentIsTakenBackByWhoLeavesItUnsent(t *testing.T) {
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeC})
		r.memory.unsure = 1
		x, g := r.systems["x"], r.start(0)
		r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
		announced := func() bool {
			r.memory.mu.Lock()
			defer r.memory.mu.Unlock()
			return r.memory.unsure == 0
		}
		for !announced() {
			elapse(time.Millisecond)
		}
		g.stop()
		require.Empty(t, x.journal)
		next := r.start(0)
		elapse(10 * time.Minute)
		require.Len(t, x.journal, 1)
		require.Empty(t, next.ledger.Parked())
		next.stop()
	})
}
