package delivery_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// I5: an application without the person's consent or information is written nowhere, whoever put it on the bus.
func TestI5_NothingLeavesWithoutItsLegalGround(t *testing.T) {
	keys := newKeys(t)
	for name, without := range map[string]func(*handover.ApplicationSubmitted){
		"no kind":                func(a *handover.ApplicationSubmitted) { a.Consent.Kind = "" },
		"no day":                 func(a *handover.ApplicationSubmitted) { a.Consent.GivenOn = "" },
		"given after the letter": func(a *handover.ApplicationSubmitted) { a.Consent.GivenOn = "2026-11-02" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA})
				g := r.start(0)
				a := application()
				without(&a)
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), a)
				elapse(time.Minute)
				require.Zero(t, r.systems["x"].calls)
				require.Len(t, g.ledger.Parked(), 1)
				require.Contains(t, g.ledger.Parked()[0].Reason.Path, "consent")
				g.stop()
			})
		})
	}
}

// I8: one agency leads. A second application in a case, and what only the leading agency may say from the other one, wait for a person.
func TestI8_ASecondClaimToACaseWaitsForAPerson(t *testing.T) {
	keys := newKeys(t)
	for name, claim := range map[string]struct {
		envelope handover.Envelope
		payload  handover.Payload
		code     string
	}{
		"a second application": {envelope("c1", 3, "application-submitted", "rav-luzern"), application(), string(handover.RefusedState)},
		"the agency that has handed the case over decides": {
			envelope("c1", 3, "transfer-meeting-recorded", "sd-kriens"), agreedNote(), string(handover.RefusedSender),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeA})
				g := r.start(0)
				r.open("c1")
				r.publish(claim.envelope, claim.payload)
				elapse(time.Minute)
				require.Len(t, r.systems["x"].kinds("c1"), 2)
				require.Len(t, g.ledger.Parked(), 1)
				require.Equal(t, claim.code, g.ledger.Parked()[0].Reason.Code)
				require.Equal(t, "sd-kriens", string(g.ledger.Case("c1").Parties.Assigning))
				g.stop()
			})
		})
	}
}
