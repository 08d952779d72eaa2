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
