package reconcile_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// The rules of the ledger by which contenders, persons and latecomers are told apart, each seen by what the comparison says.
func TestTheBookFollowsTheRulesOfTheLedger(t *testing.T) {
	for name, c := range map[string]struct {
		life  func(o *one)
		kinds []reconcile.Kind
		asked int
	}{
		"the VOID of somebody who came second settles nothing": {
			life: func(o *one) {
				o.intend()
				o.loses()
				first := o.nonce
				o.nonce = "other"
				o.void()
				o.nonce = first
			},
			kinds: []reconcile.Kind{reconcile.Unasked},
		},
		"an INTENT that comes second does not count": {
			life: func(o *one) { o.intend(); o.void(); o.attempt = 0; o.intend() },
		},
		"an INTENT while a person is asked does not count": {
			life: func(o *one) {
				o.intend()
				parking := o.parks()
				o.intend()
				o.rules(parking, ledger.Retry)
				o.attempt--
				o.intendAs("mine")
				o.void()
			},
		},
		"a ruling on an older question decides nothing": {
			life: func(o *one) {
				o.intend()
				older := o.parks()
				o.attempt++
				o.parks()
				o.rules(older, ledger.Withdraw)
				o.commits()
			},
			asked: 1,
		},
		"a question about an attempt after which another one was announced is not asked": {
			life: func(o *one) {
				o.intend()
				o.void()
				o.intend()
				o.attempt--
				o.parks()
				o.attempt++
				o.commits()
			},
			kinds: []reconcile.Kind{reconcile.Unasked},
		},
		"a second ruling decides nothing": {
			life: func(o *one) {
				o.intend()
				parking := o.parks()
				o.rules(parking, ledger.Retry)
				o.rules(parking, ledger.Withdraw)
				o.intend()
			},
			kinds: []reconcile.Kind{reconcile.Unasked},
		},
		"what is held waits behind another message, and nobody is asked about it": {
			life: func(o *one) {
				o.intend()
				r := o.line(ledger.Park)
				r.Nonce, r.Parking = "p", &ledger.Parking{Held: true}
				o.w.append(r)
			},
			kinds: []reconcile.Kind{reconcile.Unasked},
		},
		"what is parked after it was done is done": {
			life: func(o *one) { o.intend(); o.commits(); o.done(); o.rules(o.parks(), ledger.Withdraw) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(rand.New(rand.NewPCG(20, 20)), 1) //nolint:gosec // repeatable
			c.life(w.entry(1, klib()))
			w.clock = w.clock.Add(time.Hour)
			r := w.compare(t, only("klib"))
			var kinds []reconcile.Kind
			for _, f := range r.Findings {
				kinds = append(kinds, f.Kind)
			}
			require.Equal(t, c.kinds, kinds)
			require.Equal(t, c.asked, r.Systems[0].Asked)
		})
	}
}

// differ puts the difference that is found before a person, and returns the place of the question.
func (w *world) differ(t *testing.T, o *one) int64 {
	t.Helper()
	r := w.compare(t, only("klib"))
	require.Len(t, r.Findings, 1)
	line := o.line(ledger.Differs)
	line.Nonce, line.Difference = "d", &ledger.Difference{ID: r.Findings[0].ID}
	return w.append(line)
}

// A ruling on a difference changes what the ledger says, so that the next comparison sees what the person has decided.
func TestTheBookKnowsWhatWasDecidedAboutADifference(t *testing.T) {
	gone := func(t *testing.T, verdict ledger.Verdict) (*world, *one) {
		t.Helper()
		w := newWorld(rand.New(rand.NewPCG(21, 21)), 1) //nolint:gosec // repeatable
		o := w.entry(1, klib())
		o.intend()
		o.commits()
		o.done()
		w.remove(o)
		w.clock = w.clock.Add(time.Hour)
		parking := w.differ(t, o)
		require.Equal(t, reconcile.Parked, w.compare(t).Findings[0].State)
		if verdict == ledger.Found {
			w.clerk("klib")()
			o.record = w.systems["klib"][1]
		}
		o.rules(parking, verdict)
		o.rules(parking, ledger.Retry) // too late
		return w, o
	}
	w, _ := gone(t, ledger.Accept)
	require.Equal(t, reconcile.Accepted, w.compare(t).Findings[0].State)

	w, _ = gone(t, ledger.Found)
	require.Empty(t, w.compare(t).Findings, "it stands under the number that the person has named")

	w, o := gone(t, ledger.Retry)
	r := w.compare(t, only("klib"))
	require.Empty(t, r.Findings)
	require.Equal(t, 1, r.Systems[0].InFlight, "it is on its way")
	w.clock = w.clock.Add(time.Hour)
	exactly(t, []planted{{reconcile.Unasked, o.entry.Ref, ""}}, w.compare(t))
	o.void()
	o.intend()
	o.commits()
	o.done()
	require.Empty(t, w.compare(t).Findings)
	w.remove(&one{w: w, entry: o.entry, first: 1})
	w.clock = w.clock.Add(time.Hour)
	require.Equal(t, reconcile.New, w.compare(t).Findings[0].State, "when it goes once more, that is another difference")
}
