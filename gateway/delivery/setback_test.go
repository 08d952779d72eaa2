package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// setBack cuts the ledger, as a restored backup does, and lets a person accept it unless told not to.
func (r *rig) setBack(records int, accepted bool) {
	r.t.Helper()
	r.memory.mu.Lock()
	r.memory.ledger = r.memory.ledger[:records]
	r.memory.mu.Unlock()
	if !accepted {
		return
	}
	view := ledger.NewView(1, nil)
	l := ledger.New(reading{r.memory, view}, view, time.Now)
	for o, e := range r.memory.ledger {
		view.Apply(0, int64(o), e.at, e.value)
	}
	require.NoError(r.t, l.Accept(r.t.Context(), 0, ledger.Acceptance{Person: "op", Why: "an older backup"}))
}

// reading is a memory whose only reader reads at once.
type reading struct {
	*memory
	view *ledger.View
}

func (q reading) Append(ctx context.Context, p int32, key string, value []byte) (int64, error) {
	offset, err := q.memory.Append(ctx, p, key, value)
	q.view.Apply(0, offset, time.Now(), value)
	return offset, err
}

// Fault 33, at every place where the ledger can end after a restore: what may have been sent is found, joined, or put before a person; never sent twice by the machine.
func TestI2_ALedgerThatWasSetBackAndAcceptedDoublesNothing(t *testing.T) {
	keys := newKeys(t)
	for _, mode := range []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC} {
		for _, fault := range []string{"", "late"} {
			doubled := 0
			for _, accepted := range []bool{true, false} {
				for left, whole := 0, 1; left <= whole; left++ {
					synctest.Test(t, func(t *testing.T) {
						r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": mode})
						x := r.systems["x"]
						if fault != "" {
							x.faults = []string{fault}
						}
						first := r.start(-1)
						r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
						elapse(500 * time.Millisecond) // with "late", the request lies somewhere
						first.stop()
						whole = len(r.memory.ledger)
						left := min(left, whole)
						r.setBack(left, accepted)
						second := r.start(-1)
						elapse(time.Hour)
						second.stop()
						x.done.Wait()
						if !accepted {
							doubled += len(x.journal) - 1
							return
						}
						require.Len(t, x.journal, 1, "mode %s, %q, %d of %d records left", mode, fault, left, whole)
						ref, _ := second.ledger.Ref(x.journal[0].Reference)
						require.NotEqual(t, ref.Done, ref.Asked, "it is known to stand there, or a person is asked")
						require.Equal(t, mode == adapters.ModeC && !ref.Done, ref.Asked)
					})
				}
			}
			if mode != adapters.ModeA {
				require.Positive(t, doubled, "without the acceptance it is doubled: this test can fail")
			}
		}
	}
}

// A message that the bus has lost, and one in whose place another one lies, wait for a person; nothing is written for them, and nothing waits for ever.
func TestI1_AMessageThatTheBusHasLostIsPutBeforeAPerson(t *testing.T) {
	keys := newKeys(t)
	for _, other := range []bool{false, true} {
		t.Run(fmt.Sprint("another lies there: ", other), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeB})
				first := r.start(-1)
				admit(t, first, 1, ledger.Place{Topic: ledger.OnBus, Offset: 0}, r.to)
				first.stop()
				if other {
					r.publish(envelope("c2", 1, "application-submitted", "sd-kriens"), application())
				}
				second := r.start(1)
				elapse(time.Minute)
				second.stop()
				items := second.ledger.Parked()
				require.Len(t, items, 1)
				require.Equal(t, "message-lost", items[0].Reason.Code)
				require.Empty(t, r.systems["x"].journal)
			})
		})
	}
}

// Fault 40: while two versions run beside each other, the older one leaves alone what only the newer one knows, and everything of that case behind it; the newer one takes it up.
func TestWhatOnlyANewerGatewayKnowsIsLeftToIt(t *testing.T) {
	keys := newKeys(t)
	newer := map[string]func(*rig){
		"a message of another version": func(r *rig) {
			e := envelope("c1", 1, "application-submitted", "sd-kriens")
			h := e.Headers()
			h["ce_type"] = "ch.optima.handover.application-submitted.v2"
			r.memory.bus = append(r.memory.bus, delivery.Record{Offset: 0, Headers: h, Value: []byte("sealed")})
		},
		"a message that this version has not": func(r *rig) {
			e := envelope("c1", 1, "application-dreamt-of", "sd-kriens")
			r.memory.bus = append(r.memory.bus, delivery.Record{Offset: 0, Headers: e.Headers(), Value: []byte("sealed")})
		},
		"a ledger record of another version": func(r *rig) {
			r.memory.ledger = append(r.memory.ledger, entry{time.Now(), []byte(`{"v":2,"kind":"INTENT","case":"c1","ref":"of c1-1"}`)})
			r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
		},
	}
	for name, write := range newer {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeB})
				write(r)
				r.publish(envelope("c1", 2, "application-decided", "rav-luzern"), handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: "2026-11-02"})
				r.open("c2")
				g := r.start(-1)
				elapse(time.Hour)
				require.Equal(t, 1, g.delivery.Newer())
				require.Empty(t, r.systems["x"].kinds("c1"))
				require.Len(t, r.systems["x"].kinds("c2"), 2, "another case goes on")
				require.Empty(t, g.ledger.Parked())
				require.EqualValues(t, -1, max(g.settled(), -1), "nothing is committed, so whoever comes next reads it again")
				g.stop()
				require.Zero(t, g.delivery.Newer())
			})
		})
	}
}
